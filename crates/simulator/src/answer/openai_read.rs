//! Reading an OpenAI chat completion request (providers §1), with the checks a provider makes.

use std::collections::HashSet;

use serde_json::Value;

use super::ask::{Ask, Attachment, Choice, Tool};
use crate::api_error::ApiError;

/// Reads the request into neutral words. DeepSeek's reasoner models reason unasked, and DeepSeek wants the
/// reasoning of the current turn's tool calls back (providers §2).
pub(crate) fn read(body: &Value, model: &str, deepseek: bool) -> Result<Ask, ApiError> {
    let mut ask = Ask {
        model: model.to_owned(),
        stream: body["stream"] == true,
        include_usage: body["stream_options"]["include_usage"] == true,
        choices: body["n"].as_u64().unwrap_or(1).clamp(1, 16) as usize,
        one_call_only: body["parallel_tool_calls"] == false,
        ..Ask::default()
    };
    if body.get("stream_options").is_some_and(|o| !o.is_null()) && !ask.stream {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(ApiError::param("stream_options", message));
    }
    tools(body, &mut ask)?;
    messages(body, &mut ask)?;
    ask.max_tokens = limit(body)?;
    ask.stop = match &body["stop"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    ask.reasoning = reasoning(body);
    if model.contains("reasoner") && body["thinking"]["type"] != "disabled" {
        ask.reasoning = ask.reasoning.or(Some(2));
    }
    if deepseek && ask.reasoning.is_some() {
        reasoning_is_carried(&body["messages"])?;
    }
    ask.shape = match body["response_format"]["type"].as_str() {
        Some("json_schema") => {
            let schema = body["response_format"]["json_schema"].get("schema");
            let missing = "Missing required parameter: 'response_format.json_schema.schema'.";
            Some(schema.ok_or_else(|| ApiError::param("response_format", missing))?.clone())
        }
        Some("json_object") => Some(Value::Object(serde_json::Map::new())),
        _ => None,
    };
    Ok(ask)
}

fn limit(body: &Value) -> Result<Option<u64>, ApiError> {
    for name in ["max_completion_tokens", "max_tokens"] {
        match body.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let message =
                    format!("Invalid '{name}': integer below minimum value. Expected a value >= 1.");
                let limit = value.as_u64().filter(|n| *n > 0);
                return limit.map(Some).ok_or_else(|| ApiError::param("max_tokens", message));
            }
        }
    }
    Ok(None)
}

fn reasoning(body: &Value) -> Option<u8> {
    let effort = body["reasoning_effort"].as_str().or_else(|| body["reasoning"]["effort"].as_str());
    let steps = match effort {
        Some("none") => return None,
        Some("minimal" | "low") => 1,
        Some("high" | "xhigh" | "max") => 3,
        Some(_) => 2,
        None => 2,
    };
    let asked = effort.is_some()
        || body["reasoning"] == true
        || body["reasoning"]["enabled"] == true
        || body["reasoning"].get("max_tokens").is_some()
        || body["thinking"]["type"] == "enabled";
    (asked && body["reasoning"]["enabled"] != false).then_some(steps)
}

/// Checks that assistant turns with tool calls behind the last user message bring their reasoning.
fn reasoning_is_carried(messages: &Value) -> Result<(), ApiError> {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let turn = messages.iter().rposition(|m| m["role"] == "user").map_or(0, |at| at + 1);
    let bare = |message: &Value| {
        message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty())
            && !message["reasoning_content"].is_string()
    };
    match messages.iter().skip(turn).position(bare) {
        None => Ok(()),
        Some(at) => {
            let message = format!(
                "Missing `reasoning_content` field in the assistant message at message index {}.",
                turn + at
            );
            Err(ApiError::param("messages", message))
        }
    }
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    for tool in body["tools"].as_array().into_iter().flatten() {
        let function = &tool["function"];
        let Some(name) = function["name"].as_str().filter(|n| !n.is_empty()) else {
            if tool["type"].as_str().is_some_and(|t| t != "function") {
                continue;
            }
            return Err(ApiError::param("tools", "Missing required parameter: 'tools[0].function.name'."));
        };
        ask.say(&function.to_string());
        ask.tools.push(Tool { name: name.to_owned(), schema: function["parameters"].clone(), custom: false });
    }
    ask.choice = match &body["tool_choice"] {
        Value::String(word) if word == "none" => Choice::None,
        Value::String(word) if word == "required" => Choice::Required,
        Value::Object(choice) => match choice.get("function").and_then(|f| f["name"].as_str()) {
            Some(name) if ask.tools.iter().any(|t| t.name == name) => Choice::Named(name.to_owned()),
            Some(name) => {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                return Err(ApiError::param("tool_choice", message));
            }
            None => Choice::Auto,
        },
        _ => Choice::Auto,
    };
    Ok(())
}

fn messages(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    let Some(messages) = body["messages"].as_array() else {
        return Err(ApiError::param("messages", "Missing required parameter: 'messages'."));
    };
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1.";
        return Err(ApiError::param("messages", message));
    }
    let mut called: HashSet<&str> = HashSet::new();
    for message in messages {
        ask.message();
        let role = message["role"].as_str().unwrap_or_default();
        match role {
            "system" | "developer" => {
                content(&message["content"], ask);
            }
            "user" => {
                ask.attachments.clear();
                ask.results.clear();
                ask.question = content(&message["content"], ask);
            }
            "assistant" => {
                ask.results.clear();
                if let Some(text) = message["reasoning_content"].as_str() {
                    ask.say(text);
                }
                content(&message["content"], ask);
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    called.extend(call["id"].as_str());
                    ask.say(&call["function"].to_string());
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if !called.contains(id) {
                    let text = "Invalid parameter: messages with role 'tool' must be a response to a preceding \
                                message with 'tool_calls'.";
                    return Err(ApiError::param("messages", text));
                }
                let result = content(&message["content"], ask);
                ask.results.push(result);
            }
            other => {
                let text = format!(
                    "Invalid value: '{other}'. Supported values are: 'system', 'assistant', 'user', 'function', \
                     'tool', and 'developer'."
                );
                return Err(ApiError::param("messages", text));
            }
        }
    }
    Ok(())
}

/// Takes a content in, and gives its text.
fn content(content: &Value, ask: &mut Ask) -> String {
    let mut text = String::new();
    match content {
        Value::String(all) => text.push_str(all),
        Value::Array(parts) => {
            for part in parts {
                match part["type"].as_str() {
                    Some("image_url") => {
                        let url = part["image_url"]["url"].as_str().unwrap_or_default();
                        ask.attach(Attachment::from_url(url, "image"));
                    }
                    Some("file") => {
                        let data = part["file"]["file_data"].as_str().unwrap_or_default();
                        ask.attach(Attachment::from_url(data, "file"));
                    }
                    Some("input_audio") => {
                        let audio = &part["input_audio"];
                        let format = format!("audio/{}", audio["format"].as_str().unwrap_or("wav"));
                        ask.attach(Attachment::from_base64(
                            &format,
                            audio["data"].as_str().unwrap_or_default(),
                        ));
                    }
                    _ => text.push_str(part["text"].as_str().unwrap_or_default()),
                }
            }
        }
        _ => return text,
    }
    ask.say(&text);
    text
}
