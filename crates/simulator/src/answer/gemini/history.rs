//! The contents of a Gemini request: turns, calls and their responses, thought signatures.

use serde_json::{Value, json};

use super::{member, signs_calls};
use crate::answer::ask::{Ask, Attachment};
use crate::api_error::ApiError;
use crate::seal::{Kind, Seal};

/// Marks a call of another model's history, whose thoughts nobody signed (providers §5).
const UNSIGNED: &str = "skip_thought_signature_validator";

/// Takes the contents in.
pub(super) fn read(body: &Value, ask: &mut Ask, seal: Seal) -> Result<(), ApiError> {
    let contents = body["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if contents.is_empty() {
        return Err(ApiError::new(400, "* GenerateContentRequest.contents: contents is not specified\n"));
    }
    // The current turn begins behind the last thing the user said.
    let current = contents.iter().rposition(says).map_or(0, |at| at + 1);
    let mut waiting: Vec<String> = Vec::new();
    for (at, content) in contents.iter().enumerate() {
        ask.message();
        let parts = parts(content, at)?;
        match content["role"].as_str() {
            None | Some("user" | "function") => {
                answered(parts, &mut waiting)?;
                user(parts, says(content), ask, at)?;
            }
            Some("model") => {
                if at >= current && signs_calls(&ask.model) {
                    signed(parts, at)?;
                }
                ask.results.clear();
                model(parts, ask, seal, at)?;
                waiting = parts
                    .iter()
                    .filter_map(|p| member(p, "functionCall")["name"].as_str().map(str::to_owned))
                    .collect();
            }
            Some(_) => return Err(ApiError::new(400, "Please use a valid role: user, model.")),
        }
    }
    Ok(())
}

/// Whether a content is something the user says, not only responses of functions.
fn says(content: &Value) -> bool {
    content["role"] != "model"
        && content["parts"].as_array().into_iter().flatten().any(|p| member(p, "functionResponse").is_null())
}

fn parts(content: &Value, at: usize) -> Result<&[Value], ApiError> {
    let parts = content["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if parts.is_empty() {
        let message =
            format!("* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty.\n");
        return Err(ApiError::new(400, message));
    }
    Ok(parts)
}

/// As many responses as there were calls, each by a name that was called.
fn answered(parts: &[Value], waiting: &mut Vec<String>) -> Result<(), ApiError> {
    let responses: Vec<&Value> =
        parts.iter().map(|p| member(p, "functionResponse")).filter(|r| !r.is_null()).collect();
    if responses.len() != waiting.len() {
        let message = "Please ensure that the number of function response parts is equal to the number of function \
                       call parts of the function call turn.";
        return Err(ApiError::new(400, message));
    }
    for response in responses {
        let name = response["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            let message =
                "GenerateContentRequest.contents.parts.function_response.name: Name cannot be empty.";
            return Err(ApiError::new(400, message));
        }
        let Some(place) = waiting.iter().position(|called| called == name) else {
            let message =
                format!("The function response \"{name}\" answers no function call of the turn before.");
            return Err(ApiError::new(400, message));
        };
        waiting.remove(place);
        if !response["response"].is_object() {
            let message = "Invalid value at 'contents.parts.function_response.response' (type.googleapis.com/google.protobuf.Struct).";
            return Err(ApiError::new(400, message));
        }
    }
    Ok(())
}

fn user(parts: &[Value], says: bool, ask: &mut Ask, at: usize) -> Result<(), ApiError> {
    if says {
        ask.attachments.clear();
        ask.results.clear();
        ask.question.clear();
    }
    for part in parts {
        let response = member(part, "functionResponse");
        if !response.is_null() {
            let result = shown(&response["response"]);
            ask.say(&result);
            ask.results.push(result);
        } else if let Some(text) = part["text"].as_str() {
            ask.say(text);
            ask.question.push_str(text);
        } else {
            media(part, ask, at)?;
        }
    }
    Ok(())
}

/// A result as text: what stands alone under `result`, `content` or `output`, else the object.
fn shown(response: &Value) -> String {
    let members = response.as_object().map(|m| m.iter().collect::<Vec<_>>()).unwrap_or_default();
    match members.as_slice() {
        [(name, Value::String(text))] if matches!(name.as_str(), "result" | "content" | "output") => {
            text.clone()
        }
        _ => response.to_string(),
    }
}

fn media(part: &Value, ask: &mut Ask, at: usize) -> Result<(), ApiError> {
    let inline = member(part, "inlineData");
    let file = member(part, "fileData");
    let kind = |of: &Value| member(of, "mimeType").as_str().unwrap_or("file").to_owned();
    if let Some(data) = inline["data"].as_str() {
        ask.attach(Attachment::from_base64(&kind(inline), data));
    } else if member(file, "fileUri").is_string() {
        ask.attach(Attachment { media_type: kind(file), bytes: None });
    } else {
        let message = format!(
            "* GenerateContentRequest.contents[{at}].parts[0].data: required oneof field 'data' must have one initialized field\n"
        );
        return Err(ApiError::new(400, message));
    }
    Ok(())
}

fn signature(part: &Value) -> Option<&str> {
    member(part, "thoughtSignature").as_str()
}

/// The first call of a step carries the signature for all of them.
fn signed(parts: &[Value], at: usize) -> Result<(), ApiError> {
    let first = parts.iter().find(|part| !member(part, "functionCall").is_null());
    match first {
        Some(part) if signature(part).is_none() => {
            let name = member(part, "functionCall")["name"].as_str().unwrap_or_default();
            let message = format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to \
                 work correctly, and missing thought_signature may lead to degraded model performance. Additional \
                 data, function call `default_api:{name}` , position {}.",
                at + 1
            );
            Err(ApiError::new(400, message))
        }
        _ => Ok(()),
    }
}

fn model(parts: &[Value], ask: &mut Ask, seal: Seal, at: usize) -> Result<(), ApiError> {
    for part in parts {
        let call = member(part, "functionCall");
        if let Some(signature) = signature(part).filter(|s| *s != UNSIGNED) {
            // Google takes both alphabets of base64.
            let token = signature.replace('-', "+").replace('_', "/");
            let valid = if call.is_null() {
                seal.open(Kind::TextThought, &token).is_some()
            } else {
                seal.open(Kind::CallThought, &token).is_some_and(|issued| same_call(&issued, call))
            };
            if !valid {
                return Err(ApiError::new(400, "Thought signature is not valid."));
            }
        }
        if !call.is_null() {
            ask.say(call["name"].as_str().unwrap_or_default());
            ask.say(&call["args"].to_string());
        } else if let Some(text) = part["text"].as_str() {
            ask.say(text);
        } else {
            media(part, ask, at)?;
            ask.attachments.pop();
        }
    }
    Ok(())
}

/// What a call's signature is taken over.
pub(super) fn call_text(name: &str, args: &Value) -> String {
    json!({"name": name, "args": args}).to_string()
}

fn same_call(issued: &str, call: &Value) -> bool {
    let Ok(issued) = serde_json::from_str::<Value>(issued) else { return false };
    let args = if call["args"].is_null() { &json!({}) } else { &call["args"] };
    issued["name"] == call["name"] && issued["args"] == *args
}
