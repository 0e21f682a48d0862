//! Reading a Responses request (providers §3), with the checks OpenAI makes.

use serde_json::{Map, Value, json};

use super::items;
use super::memory::Memory;
use crate::answer::ask::{Ask, Choice, Tool};
use crate::api_error::ApiError;
use crate::seal::Seal;

/// What chat completions have and this API refuses.
const UNKNOWN: [&str; 14] = [
    "messages",
    "n",
    "stop",
    "seed",
    "logit_bias",
    "logprobs",
    "presence_penalty",
    "frequency_penalty",
    "audio",
    "modalities",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "reasoning_effort",
];
const LEAST_OUTPUT_TOKENS: u64 = 16;

/// A request in neutral words, and what of it is kept for the next one.
pub(super) struct Conversation {
    pub ask: Ask,
    /// Everything said so far, with what earlier responses stored.
    pub items: Vec<Value>,
    /// Whether encrypted reasoning was asked for.
    pub encrypted: bool,
}

/// Reads the request.
pub(super) fn read(body: &Value, model: &str, memory: &Memory, seal: Seal) -> Result<Conversation, ApiError> {
    if let Some(name) = UNKNOWN.into_iter().find(|name| body.get(name).is_some()) {
        let message = format!("Unsupported parameter: '{name}' is not supported by the Responses API.");
        return Err(ApiError { code: Some("unsupported_parameter"), ..ApiError::param(name, message) });
    }
    let mut ask = Ask {
        model: model.to_owned(),
        stream: body["stream"] == true,
        choices: 1,
        one_call_only: body["parallel_tool_calls"] == false,
        ..Ask::default()
    };
    tools(body, &mut ask)?;
    if let Some(text) = body["instructions"].as_str() {
        ask.message();
        ask.say(text);
    }
    let items = items(body, memory)?;
    items::read(&items, &mut ask, memory, seal)?;
    ask.max_tokens = limit(body)?;
    reasoning(body, &mut ask);
    ask.shape = shape(&body["text"]["format"])?;
    let includes = |name: &str| body["include"].as_array().is_some_and(|list| list.iter().any(|i| i == name));
    Ok(Conversation { ask, items, encrypted: includes("reasoning.encrypted_content") })
}

/// The items of earlier responses and those of this request.
fn items(body: &Value, memory: &Memory) -> Result<Vec<Value>, ApiError> {
    let mut items = match body["previous_response_id"].as_str() {
        None => Vec::new(),
        Some(id) => match memory.conversation(id) {
            Some(items) => items.to_vec(),
            None => {
                let message = format!("Previous response with id '{id}' not found.");
                let error = ApiError::param("previous_response_id", message);
                return Err(ApiError { code: Some("previous_response_not_found"), ..error });
            }
        },
    };
    match &body["input"] {
        Value::String(text) => items.push(json!({"type": "message", "role": "user", "content": text})),
        Value::Array(list) => items.extend(list.iter().cloned()),
        Value::Null if !items.is_empty() => {}
        Value::Null => {
            let error = ApiError::param("input", "Missing required parameter: 'input'.");
            return Err(ApiError { code: Some("missing_required_parameter"), ..error });
        }
        _ => {
            let message = "Invalid type for 'input': expected a string or an array of input items.";
            return Err(ApiError { code: Some("invalid_type"), ..ApiError::param("input", message) });
        }
    }
    if items.is_empty() {
        let message = "Invalid 'input': empty array. Expected an array with minimum length 1.";
        return Err(ApiError { code: Some("empty_array"), ..ApiError::param("input", message) });
    }
    Ok(items)
}

fn limit(body: &Value) -> Result<Option<u64>, ApiError> {
    match body.get("max_output_tokens") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(limit) if limit >= LEAST_OUTPUT_TOKENS => Ok(Some(limit)),
            _ => {
                let message = format!(
                    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= \
                     {LEAST_OUTPUT_TOKENS}, but got {value} instead."
                );
                let error = ApiError::param("max_output_tokens", message);
                Err(ApiError { code: Some("integer_below_min_value"), ..error })
            }
        },
    }
}

fn reasoning(body: &Value, ask: &mut Ask) {
    let wanted = &body["reasoning"];
    let summary = wanted["summary"].as_str().or_else(|| wanted["generate_summary"].as_str());
    ask.reasoning_hidden = summary.is_none();
    ask.reasoning = match wanted["effort"].as_str() {
        Some("none") => None,
        Some("minimal" | "low") => Some(1),
        Some("high" | "xhigh" | "max") => Some(3),
        Some(_) => Some(2),
        None => summary.map(|_| 2),
    };
}

fn shape(format: &Value) -> Result<Option<Value>, ApiError> {
    let missing = |name: &str| {
        let message = format!("Missing required parameter: 'text.format.{name}'.");
        ApiError { code: Some("missing_required_parameter"), ..ApiError::param("text.format", message) }
    };
    match format["type"].as_str() {
        Some("json_schema") => {
            format["name"].as_str().ok_or_else(|| missing("name"))?;
            Ok(Some(format.get("schema").ok_or_else(|| missing("schema"))?.clone()))
        }
        Some("json_object") => Ok(Some(Value::Object(Map::new()))),
        _ => Ok(None),
    }
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        let kind = tool["type"].as_str().unwrap_or_default();
        ask.say(&tool.to_string());
        match kind {
            "function" | "custom" => {
                let Some(name) = tool["name"].as_str().filter(|n| !n.is_empty()) else {
                    let message = format!("Missing required parameter: 'tools[{at}].name'.");
                    let error = ApiError::param("tools", message);
                    return Err(ApiError { code: Some("missing_required_parameter"), ..error });
                };
                let schema = tool["parameters"].clone();
                ask.tools.push(Tool { name: name.to_owned(), schema, custom: kind == "custom" });
            }
            k if k.starts_with("web_search") => ask.web_search = true,
            "" => {
                let message = format!("Missing required parameter: 'tools[{at}].type'.");
                return Err(ApiError::param("tools", message));
            }
            _ => {}
        }
    }
    ask.choice = match &body["tool_choice"] {
        Value::String(word) if word == "none" => Choice::None,
        Value::String(word) if word == "required" => Choice::Required,
        Value::Object(choice) if choice.get("type").is_some_and(|t| t == "function" || t == "custom") => {
            let Some(name) = choice.get("name").and_then(Value::as_str) else {
                let error = ApiError::param("tool_choice", "Missing required parameter: 'tool_choice.name'.");
                return Err(ApiError { code: Some("missing_required_parameter"), ..error });
            };
            if !ask.tools.iter().any(|t| t.name == name) {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                return Err(ApiError::param("tool_choice", message));
            }
            Choice::Named(name.to_owned())
        }
        _ => Choice::Auto,
    };
    Ok(())
}
