//! Tools and the choice among them (providers §3): flat definitions, and the provider's own tools in the
//! protocol's form or the AI SDK's.

use serde_json::{Map, Value, json};
use tollgate_domain::Warning;
use tollgate_domain::conversation::{FunctionTool, Tool, ToolChoice};

use super::super::NAMESPACE;
use super::super::options::snake;
use super::super::quirks::Quirks;

/// The definitions. Tools that only another provider can run are left out with a warning.
pub(super) fn definitions(tools: &[Tool], quirks: &Quirks, warnings: &mut Vec<Warning>) -> Vec<Value> {
    let mut found = Vec::with_capacity(tools.len());
    for tool in tools {
        match tool {
            Tool::Function(tool) => found.push(function(tool)),
            Tool::Provider { namespace, kind, value } => match own(namespace, kind, value, quirks) {
                Some(tool) => found.push(tool),
                None => warnings.push(Warning::unsupported(
                    format!("tool {kind}"),
                    "This model's provider does not have the tool; the model was not offered it.",
                )),
            },
        }
    }
    found
}

/// Without `strict` the protocol takes a schema as strict and changes it, so that `false` is said.
fn function(tool: &FunctionTool) -> Value {
    let mut value = json!({"type": "function", "name": tool.name});
    if let Some(description) = &tool.description {
        value["description"] = Value::from(description.as_str());
    }
    value["parameters"] = match &tool.parameters {
        Value::Null => json!({"type": "object", "properties": {}}),
        schema => schema.clone(),
    };
    value["strict"] = Value::Bool(tool.strict.unwrap_or(false));
    value
}

/// A tool of this protocol or this provider.
fn own(namespace: &str, kind: &str, value: &Value, quirks: &Quirks) -> Option<Value> {
    let (owner, own_kind) = kind.split_once('.').unwrap_or((namespace, kind));
    let ours = owner.is_empty() || owner == NAMESPACE || quirks.namespaces.iter().any(|own| own == owner);
    if !ours {
        return None;
    }
    if kind.contains('.') || value.get("args").is_some_and(Value::is_object) {
        return Some(of_sdk(own_kind, value));
    }
    Some(match value.get("custom").and_then(Value::as_object) {
        // Chat completions nest the definition of a custom tool.
        Some(custom) => flat_custom(custom),
        None => value.clone(),
    })
}

fn flat_custom(custom: &Map<String, Value>) -> Value {
    let mut tool = Map::new();
    tool.insert("type".to_owned(), "custom".into());
    tool.extend(custom.clone());
    if let Some(grammar) = tool.get("format").and_then(|format| format.get("grammar")).cloned() {
        let mut format = json!({"type": "grammar"});
        for key in ["syntax", "definition"] {
            format[key] = grammar[key].clone();
        }
        tool.insert("format".to_owned(), format);
    }
    Value::Object(tool)
}

/// The AI SDK's `{id: openai.…, name, args}`.
fn of_sdk(kind: &str, value: &Value) -> Value {
    let arguments = value.get("args").map(snake);
    let arguments = arguments.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let mut tool = Map::new();
    tool.insert("type".to_owned(), kind.into());
    if kind == "custom" && !arguments.contains_key("name") {
        tool.insert("name".to_owned(), value.get("name").cloned().unwrap_or_default());
    }
    for (key, argument) in arguments {
        match (kind, key.as_str(), &argument) {
            ("file_search", "ranking", _) => tool.insert("ranking_options".to_owned(), argument),
            ("code_interpreter", "container", Value::Object(members)) => {
                let mut container = members.clone();
                container.entry("type").or_insert_with(|| "auto".into());
                tool.insert(key, Value::Object(container))
            }
            _ => tool.insert(key, argument),
        };
    }
    if kind == "code_interpreter" && !tool.contains_key("container") {
        tool.insert("container".to_owned(), json!({"type": "auto"}));
    }
    Value::Object(tool)
}

/// The name by which the model calls a provider's tool.
pub(super) fn name_of<'v>(kind: &'v str, value: &'v Value) -> &'v str {
    let kind = kind.rsplit('.').next().unwrap_or(kind);
    let named = value.pointer("/args/name").or_else(|| value.pointer("/custom/name"));
    // The AI SDK gives its tools names of the client's liking; only of custom ones the model hears them.
    let named = named.or_else(|| value.get("name"));
    named.and_then(Value::as_str).filter(|_| kind == "custom").unwrap_or(kind)
}

/// `tool_choice`.
pub(super) fn choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
    let name = match choice {
        ToolChoice::Auto => return json!("auto"),
        ToolChoice::None => return json!("none"),
        ToolChoice::Required => return json!("required"),
        ToolChoice::Function(name) => name,
    };
    let is_function = tools.iter().any(|tool| matches!(tool, Tool::Function(tool) if tool.name == *name));
    let own = tools.iter().find_map(|tool| match tool {
        Tool::Provider { kind, value, .. }
            if name_of(kind, value) == name || value.get("name").is_some_and(|own| *own == **name) =>
        {
            Some(kind.rsplit('.').next().unwrap_or(kind))
        }
        _ => None,
    });
    match own.filter(|_| !is_function) {
        Some("custom") => json!({"type": "custom", "name": name}),
        Some(kind) => json!({"type": kind}),
        None => json!({"type": "function", "name": name}),
    }
}
