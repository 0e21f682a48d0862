//! Tools, and what the model must do with them (providers §5).

use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{FunctionTool, Tool, ToolChoice};
use tollgate_domain::{Conversation, Warning};

use super::super::model::Model;
use super::super::options::camel;
use super::super::{is_own, schema};
use crate::codec::Target;

/// `tools` and `toolConfig`, as far as they are to be said.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) list: Vec<Value>,
    pub(super) config: Map<String, Value>,
}

/// Writes the conversation's tools.
pub(super) fn tools(conversation: &Conversation, target: &Target, warnings: &mut Vec<Warning>) -> Tools {
    let model = Model::of(target);
    let mut declarations = Vec::new();
    let mut own = Vec::new();
    let mut strict = false;
    for tool in &conversation.tools {
        match tool {
            Tool::Function(function) => {
                strict |= function.strict == Some(true);
                declarations.push(declaration(function, model));
            }
            Tool::Provider { namespace, kind, value } => match built_in(namespace, kind, value) {
                Some(tool) => own.push(tool),
                None => warnings.push(Warning::unsupported(
                    format!("tool {kind}"),
                    "Gemini has no such tool; it was left out.",
                )),
            },
        }
    }
    let mut config = Map::new();
    if !own.is_empty() && !declarations.is_empty() {
        if model.since(3, 0) {
            // Vertex combines them without being told, and does not know the word.
            if target.provider != "vertex" {
                config.insert("includeServerSideToolInvocations".to_owned(), Value::Bool(true));
            }
        } else {
            warnings.push(Warning::unsupported(
                "combination of function and provider-defined tools",
                "Before Gemini 3 a request has either functions or Gemini's own tools; the functions were left out.",
            ));
            declarations.clear();
        }
    }
    if conversation.parallel_tool_calls == Some(false) && !declarations.is_empty() {
        warnings.push(Warning::unsupported(
            "parallel_tool_calls",
            "Gemini cannot be told to make one call at a time.",
        ));
    }
    if !declarations.is_empty()
        && let Some(calling) = calling(conversation.tool_choice.as_ref(), strict)
    {
        config.insert("functionCallingConfig".to_owned(), calling);
    }
    let mut list = own;
    if !declarations.is_empty() {
        list.insert(0, json!({"functionDeclarations": declarations}));
    }
    Tools { list, config }
}

fn declaration(function: &FunctionTool, model: Model) -> Value {
    let mut members = Map::new();
    members.insert("name".to_owned(), function.name.as_str().into());
    // The description is mandatory on some hosts.
    members.insert("description".to_owned(), function.description.as_deref().unwrap_or_default().into());
    if !schema::is_empty(&function.parameters) {
        if model.since(2, 5) {
            members.insert("parametersJsonSchema".to_owned(), schema::json_schema(&function.parameters));
        } else {
            members.insert("parameters".to_owned(), schema::openapi(&function.parameters));
        }
    }
    Value::Object(members)
}

fn calling(choice: Option<&ToolChoice>, strict: bool) -> Option<Value> {
    Some(match choice {
        Some(ToolChoice::None) => json!({"mode": "NONE"}),
        Some(ToolChoice::Required) => json!({"mode": "ANY"}),
        Some(ToolChoice::Function(name)) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
        // Calls that must follow their schemas exactly.
        Some(ToolChoice::Auto) | None if strict => json!({"mode": "VALIDATED"}),
        Some(ToolChoice::Auto) => json!({"mode": "AUTO"}),
        None => return None,
    })
}

/// A tool that Gemini runs itself: of the AI SDK (`google.google_search` with `args`), or in the protocol's
/// own form (`{"googleSearch": {}}`).
fn built_in(namespace: &str, kind: &str, value: &Value) -> Option<Value> {
    let (space, name) = match kind.split_once('.') {
        Some((space, name)) => (space, name),
        None => (namespace, kind),
    };
    if !(space.is_empty() || is_own(space)) {
        return None;
    }
    let name = camel(name);
    let mut arguments = match value.get("args").or_else(|| value.get(&name)).or_else(|| value.get(kind)) {
        Some(Value::Object(arguments)) => arguments.clone(),
        _ => Map::new(),
    };
    let member = match name.as_str() {
        "googleSearch"
        | "googleSearchRetrieval"
        | "urlContext"
        | "codeExecution"
        | "googleMaps"
        | "fileSearch"
        | "enterpriseWebSearch"
        | "computerUse" => name,
        "vertexRagStore" => {
            let top_k = arguments.remove("topK").or_else(|| arguments.remove("top_k"));
            let corpus = arguments.remove("ragCorpus").or_else(|| arguments.remove("rag_corpus"));
            let mut store = json!({"ragResources": {"ragCorpus": corpus}});
            if let Some(top_k) = top_k {
                store["similarityTopK"] = top_k;
            }
            return Some(json!({"retrieval": {"vertexRagStore": store}}));
        }
        _ => return None,
    };
    Some(json!({member: arguments}))
}
