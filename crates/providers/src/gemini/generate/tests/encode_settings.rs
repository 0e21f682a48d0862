//! Settings, tools, the answer's form and the client's own options.

use serde_json::{Number, Value, json};
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{
    FunctionTool, ReasoningRequest, ResponseFormat, Settings, Tool, ToolChoice,
};

use super::{body, target, user};
use crate::codec::Target;
use crate::gemini::generate::path;

fn asking(change: impl FnOnce(&mut Conversation)) -> Conversation {
    let mut conversation = Conversation { messages: vec![user("go")], ..Conversation::default() };
    change(&mut conversation);
    conversation
}

fn function(name: &str, parameters: Value, strict: Option<bool>) -> Tool {
    Tool::Function(FunctionTool { name: name.into(), description: None, parameters, strict, cache: None })
}

fn provider(kind: &str, value: Value) -> Tool {
    let namespace = kind.split_once('.').map_or("", |(namespace, _)| namespace).to_owned();
    Tool::Provider { namespace, kind: kind.into(), value }
}

#[test]
fn paths_name_method_and_form() {
    assert_eq!(path(&target("gemini-3-flash"), false), "/models/gemini-3-flash:generateContent");
    assert_eq!(path(&target("a/b"), true), "/models/a%2Fb:streamGenerateContent?alt=sse");
}

#[test]
fn settings_have_their_names_and_bounds() {
    let stop = ["a", "", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
    let conversation = asking(|c| {
        c.settings = Settings {
            max_output_tokens: Some(100_000),
            temperature: Number::from_f64(0.5),
            top_p: Number::from_f64(0.9),
            top_k: Some(40),
            presence_penalty: Some(1.into()),
            frequency_penalty: Some(2.into()),
            stop,
            seed: Some(7),
        };
    });
    let bounded = Target { max_output_tokens: Some(65_536), ..target("gemini-2.5-flash") };
    assert_eq!(
        body(&conversation, &bounded),
        (
            json!({
                "contents": [{"role": "user", "parts": [{"text": "go"}]}],
                "generationConfig": {
                    "maxOutputTokens": 65_536, "temperature": 0.5, "topP": 0.9, "topK": 40, "presencePenalty": 1,
                    "frequencyPenalty": 2, "stopSequences": ["a", "b", "c", "d", "e"], "seed": 7,
                },
            }),
            vec!["stop".to_owned()]
        )
    );
    let wide = asking(|c| c.settings.seed = Some(1 << 40));
    assert_eq!(body(&wide, &bounded).1, ["seed"]);
    assert!(body(&wide, &bounded).0.get("generationConfig").is_none());
}

#[test]
fn functions_and_choices() {
    let parameters =
        json!({"type": "object", "properties": {"x": {"const": 1}}, "additionalProperties": false});
    let with = |choice: Option<ToolChoice>, strict: Option<bool>, model: &str| {
        let conversation = asking(|c| {
            c.tools = vec![
                function("f", parameters.clone(), strict),
                function("g", json!({"type": "object"}), None),
            ];
            c.tool_choice = choice;
        });
        body(&conversation, &target(model)).0
    };
    let newer = with(None, None, "gemini-2.5-flash");
    assert_eq!(
        newer["tools"],
        json!([{"functionDeclarations": [
            {"name": "f", "description": "", "parametersJsonSchema": {"type": "object", "properties": {"x": {"enum": [1]}}, "additionalProperties": false}},
            {"name": "g", "description": ""},
        ]}])
    );
    assert_eq!(newer.get("toolConfig"), None);
    let older = with(None, None, "gemini-2.0-flash");
    assert_eq!(
        older["tools"][0]["functionDeclarations"][0]["parameters"],
        json!({"type": "object", "properties": {"x": {"type": "integer"}}})
    );
    let calling =
        |choice, strict| with(choice, strict, "gemini-3-flash")["toolConfig"]["functionCallingConfig"].take();
    assert_eq!(calling(Some(ToolChoice::Auto), None), json!({"mode": "AUTO"}));
    assert_eq!(calling(Some(ToolChoice::Auto), Some(true)), json!({"mode": "VALIDATED"}));
    assert_eq!(calling(None, Some(true)), json!({"mode": "VALIDATED"}));
    assert_eq!(calling(Some(ToolChoice::None), Some(true)), json!({"mode": "NONE"}));
    assert_eq!(calling(Some(ToolChoice::Required), None), json!({"mode": "ANY"}));
    assert_eq!(
        calling(Some(ToolChoice::Function("f".into())), None),
        json!({"mode": "ANY", "allowedFunctionNames": ["f"]})
    );
}

#[test]
fn tools_that_the_provider_runs() {
    let conversation = asking(|c| {
        c.tools = vec![
            provider(
                "google.google_search",
                json!({"type": "provider", "id": "google.google_search", "args": {"mode": "x"}}),
            ),
            provider("url_context", json!({"type": "url_context"})),
            provider("code_execution", json!({"code_execution": {}})),
            provider("google.vertex_rag_store", json!({"args": {"ragCorpus": "c", "topK": 3}})),
            provider("anthropic.web_search_20250305", json!({"args": {}})),
            provider("web_search", json!({})),
        ];
    });
    let (found, warned) = body(&conversation, &target("gemini-2.5-flash"));
    assert_eq!(
        found["tools"],
        json!([
            {"googleSearch": {"mode": "x"}},
            {"urlContext": {}},
            {"codeExecution": {}},
            {"retrieval": {"vertexRagStore": {"ragResources": {"ragCorpus": "c"}, "similarityTopK": 3}}},
        ])
    );
    assert_eq!(warned, ["tool anthropic.web_search_20250305", "tool web_search"]);
}

#[test]
fn functions_beside_the_providers_tools_need_a_newer_model() {
    let conversation = asking(|c| {
        c.tools = vec![provider("google.google_search", json!({})), function("f", json!({}), None)];
        c.parallel_tool_calls = Some(false);
    });
    let (newer, warned) = body(&conversation, &target("gemini-3-flash"));
    assert_eq!(newer["tools"].as_array().map(Vec::len), Some(2));
    assert_eq!(newer["toolConfig"], json!({"includeServerSideToolInvocations": true}));
    assert_eq!(warned, ["parallel_tool_calls"]);
    let (older, warned) = body(&conversation, &target("gemini-2.5-flash"));
    assert_eq!(older["tools"], json!([{"googleSearch": {}}]));
    assert_eq!(warned, ["combination of function and provider-defined tools"]);
    let vertex = Target { provider: "vertex".into(), ..target("gemini-3-flash") };
    assert_eq!(body(&conversation, &vertex).0.get("toolConfig"), None);
}

#[test]
fn forms_of_the_answer() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}});
    let form = |format: ResponseFormat, model: &str| {
        body(&asking(|c| c.response_format = Some(format)), &target(model)).0["generationConfig"].take()
    };
    let wanted =
        || ResponseFormat::JsonSchema { name: None, schema: schema.clone(), strict: None, description: None };
    assert_eq!(
        form(wanted(), "gemini-2.5-flash"),
        json!({"responseMimeType": "application/json", "responseJsonSchema": schema})
    );
    assert_eq!(
        form(wanted(), "gemini-2.0-flash"),
        json!({"responseMimeType": "application/json", "responseSchema": {"type": "object", "properties": {"a": {"type": "string"}}}})
    );
    assert_eq!(
        form(ResponseFormat::JsonObject, "gemini-2.0-flash"),
        json!({"responseMimeType": "application/json"})
    );
    assert_eq!(form(ResponseFormat::Text, "gemini-2.0-flash"), Value::Null);
    let drawing = asking(|c| c.modalities = vec!["image".into()]);
    assert_eq!(
        body(&drawing, &target("gemini-2.5-flash-image")).0["generationConfig"],
        json!({"responseModalities": ["TEXT", "IMAGE"]})
    );
}

#[test]
fn own_options_stand_where_the_protocol_wants_them() {
    let conversation = asking(|c| {
        c.tools = vec![function("f", json!({}), None)];
        c.tool_choice = Some(ToolChoice::Auto);
        c.reasoning = Some(ReasoningRequest { effort: Some("high".into()), ..ReasoningRequest::default() });
        c.service_tier = Some("default".into());
        c.verbosity = Some("low".into());
        c.response_format = Some(ResponseFormat::JsonSchema {
            name: None,
            schema: json!({}),
            strict: None,
            description: None,
        });
        c.provider_options = vec![
            ("anthropic".into(), json!({"thinking": {}})),
            (
                "google".into(),
                json!({
                    "thinkingConfig": {"thinking_budget": 5, "includeThoughts": false}, "safetySettings": [{"category": "C", "threshold": "T"}],
                    "responseModalities": ["TEXT"], "imageConfig": {"aspectRatio": "16:9"}, "cached_content": "cachedContents/x",
                    "labels": {"team": "a"}, "serviceTier": "flex", "structuredOutputs": false, "contents": [], "candidateCount": 3,
                    "retrievalConfig": {"latLng": {}}, "streamFunctionCallArguments": true, "someNewMember": 1,
                    "generationConfig": {"topP": 1, "thinkingConfig": {"extra": 1}}, "threshold": null,
                }),
            ),
        ];
    });
    let (mut found, warned) = body(&conversation, &target("gemini-3-flash"));
    let members = found.as_object_mut().unwrap();
    members.remove("contents");
    members.remove("tools");
    assert_eq!(
        found,
        json!({
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "streamFunctionCallArguments": true}, "retrievalConfig": {"latLng": {}}},
            "generationConfig": {
                "responseMimeType": "application/json",
                "thinkingConfig": {"includeThoughts": false, "thinkingBudget": 5, "extra": 1},
                "responseModalities": ["TEXT"], "imageConfig": {"aspectRatio": "16:9"}, "topP": 1,
            },
            "safetySettings": [{"category": "C", "threshold": "T"}], "cachedContent": "cachedContents/x", "someNewMember": 1,
            "serviceTier": "flex",
        })
    );
    assert_eq!(warned, ["labels", "verbosity"]);
    let vertex = Target { provider: "vertex".into(), ..target("gemini-3-flash") };
    let (found, warned) = body(&conversation, &vertex);
    assert_eq!((found["labels"].clone(), found.get("serviceTier")), (json!({"team": "a"}), None));
    assert_eq!(warned, ["service_tier", "verbosity"]);
}
