//! Reading a generateContent request (providers §5), with the checks Google makes.

use serde_json::Value;

use super::{fields, history, member, signs_calls};
use crate::answer::ask::{Ask, Choice, Tool};
use crate::api_error::ApiError;
use crate::seal::Seal;

const MOST_STOP_SEQUENCES: usize = 5;

/// Reads the request into neutral words.
pub(crate) fn read(body: &Value, model: &str, stream: bool, seal: Seal) -> Result<Ask, ApiError> {
    fields::check(body)?;
    let mut ask = Ask { model: model.to_owned(), stream, choices: 1, ..Ask::default() };
    tools(body, &mut ask)?;
    for part in member(body, "systemInstruction")["parts"].as_array().into_iter().flatten() {
        ask.say(part["text"].as_str().unwrap_or_default());
    }
    history::read(body, &mut ask, seal)?;
    generation(member(body, "generationConfig"), &mut ask)?;
    Ok(ask)
}

/// Reads a request to count tokens: contents alone, or a whole request inside.
pub(crate) fn read_count(body: &Value, model: &str, seal: Seal) -> Result<Ask, ApiError> {
    let inner = member(body, "generateContentRequest");
    read(if inner.is_object() { inner } else { body }, model, false, seal)
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    let mut at = 0;
    for tool in body["tools"].as_array().into_iter().flatten() {
        for function in member(tool, "functionDeclarations").as_array().into_iter().flatten() {
            let Some(name) = function["name"].as_str().filter(|n| !n.is_empty()) else {
                let message = format!(
                    "GenerateContentRequest.tools[0].function_declarations[{at}].name: [FIELD_INVALID] Invalid function name."
                );
                return Err(ApiError::new(400, message));
            };
            ask.say(&function.to_string());
            let json_schema = member(function, "parametersJsonSchema");
            let schema = if json_schema.is_null() {
                let place = format!("tools[0].function_declarations[{at}].parameters");
                fields::check_schema(&function["parameters"], &place)?;
                lowered(&function["parameters"])
            } else {
                json_schema.clone()
            };
            ask.tools.push(Tool { name: name.to_owned(), schema, custom: false });
            at += 1;
        }
        ask.web_search |= member(tool, "googleSearch").is_object();
    }
    if ask.web_search && !ask.tools.is_empty() && !signs_calls(&ask.model) {
        let message =
            "Built-in tools ({google_search}) and Function Calling cannot be combined in the same request.";
        return Err(ApiError::new(400, message));
    }
    let config = member(member(body, "toolConfig"), "functionCallingConfig");
    let allowed: Vec<&str> = member(config, "allowedFunctionNames")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(unknown) = allowed.iter().find(|name| !ask.tools.iter().any(|t| t.name == **name)) {
        let message = format!("allowed_function_names contains {unknown}, which is no declared function.");
        return Err(ApiError::new(400, message));
    }
    ask.choice = match (config["mode"].as_str(), allowed.as_slice()) {
        (Some("NONE"), _) => Choice::None,
        (Some("ANY"), [one]) => Choice::Named((*one).to_owned()),
        (Some("ANY"), []) => Choice::Required,
        (Some("ANY" | "VALIDATED"), names) if !names.is_empty() => {
            ask.tools.retain(|tool| names.contains(&tool.name.as_str()));
            if config["mode"] == "ANY" { Choice::Required } else { Choice::Auto }
        }
        (_, []) => Choice::Auto,
        _ => {
            let message =
                "allowed_function_names should be set only when function_calling_config mode is ANY.";
            return Err(ApiError::new(400, message));
        }
    };
    Ok(())
}

fn generation(config: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    ask.max_tokens = match member(config, "maxOutputTokens") {
        Value::Null => None,
        value => Some(
            value
                .as_u64()
                .filter(|n| *n > 0)
                .ok_or_else(|| ApiError::new(400, "max_output_tokens must be positive."))?,
        ),
    };
    ask.stop = member(config, "stopSequences")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| s.as_str().map(str::to_owned))
        .collect();
    if ask.stop.len() > MOST_STOP_SEQUENCES {
        return Err(ApiError::new(400, "The number of stop_sequences is more than the maximum of 5."));
    }
    ask.choices = member(config, "candidateCount").as_u64().unwrap_or(1).clamp(1, 8) as usize;
    ask.image_output =
        member(config, "responseModalities").as_array().is_some_and(|l| l.iter().any(|m| m == "IMAGE"));
    let json_schema = member(config, "responseJsonSchema");
    let own_schema = member(config, "responseSchema");
    let as_json = member(config, "responseMimeType") == "application/json";
    let shaped = !json_schema.is_null() || !own_schema.is_null();
    if shaped && !as_json {
        let message = "response_schema is only supported when response_mime_type is application/json.";
        return Err(ApiError::new(400, message));
    }
    ask.shape = if !json_schema.is_null() {
        Some(json_schema.clone())
    } else if !own_schema.is_null() {
        fields::check_schema(own_schema, "generation_config.response_schema")?;
        Some(lowered(own_schema))
    } else {
        as_json.then(|| Value::Object(serde_json::Map::new()))
    };
    thinking(member(config, "thinkingConfig"), ask);
    Ok(())
}

/// Gemini 3 thinks unasked; the thoughts are shown only when they are asked for.
fn thinking(config: &Value, ask: &mut Ask) {
    let shown = member(config, "includeThoughts") == true;
    ask.reasoning_hidden = !shown;
    let level = match member(config, "thinkingLevel").as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("minimal" | "low") => Some(1),
        Some("high") => Some(3),
        Some(_) => Some(2),
        None => None,
    };
    ask.reasoning = match member(config, "thinkingBudget").as_i64() {
        Some(0) => None,
        Some(_) => Some(2),
        None => level.or((shown || signs_calls(&ask.model)).then_some(2)),
    };
}

/// Google writes types in capitals.
fn lowered(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("type", Value::String(kind)) => (name.clone(), kind.to_ascii_lowercase().into()),
                _ => (name.clone(), lowered(value)),
            })
            .collect(),
        Value::Array(list) => list.iter().map(lowered).collect(),
        other => other.clone(),
    }
}
