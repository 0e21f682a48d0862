//! Reading an Anthropic Messages request (providers §4), with the checks a provider makes.

use std::collections::HashSet;

use serde_json::Value;

use super::ask::{Ask, Attachment, Choice, Tool};
use crate::api_error::ApiError;
use crate::seal::{Kind, Seal};

/// A prompt with this in it gets its thinking as a redacted block, as Anthropic's documentation has it.
const REDACT: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4CCD4253D5E2D82641E52CC2876D9E";

/// Reads the request into neutral words. Counting tokens needs no `max_tokens`.
pub(crate) fn read(body: &Value, model: &str, counting: bool, seal: Seal) -> Result<Ask, ApiError> {
    let mut ask =
        Ask { model: model.to_owned(), stream: body["stream"] == true, choices: 1, ..Ask::default() };
    if !counting {
        ask.max_tokens = Some(limit(body)?);
    }
    thinking(body, &mut ask)?;
    tools(body, &mut ask)?;
    match &body["system"] {
        Value::String(text) => ask.say(text),
        Value::Array(blocks) => {
            for block in blocks {
                ask.say(block["text"].as_str().unwrap_or_default());
                ask.mark(block);
            }
        }
        _ => {}
    }
    messages(body, &mut ask, seal)?;
    ask.reasoning_redacted = ask.question.contains(REDACT);
    // A mark on the request itself caches up to its end.
    ask.mark(body);
    ask.stop = body["stop_sequences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| s.as_str().map(str::to_owned))
        .collect();
    ask.shape = match body["output_config"]["format"]["type"].as_str() {
        Some("json_schema") => Some(body["output_config"]["format"]["schema"].clone()),
        _ => None,
    };
    Ok(ask)
}

fn limit(body: &Value) -> Result<u64, ApiError> {
    match body.get("max_tokens") {
        None | Some(Value::Null) => Err(ApiError::new(400, "max_tokens: Field required")),
        Some(value) => value
            .as_u64()
            .filter(|n| *n > 0)
            .ok_or_else(|| ApiError::new(400, "max_tokens: Input should be greater than or equal to 1")),
    }
}

fn thinking(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    let thinking = &body["thinking"];
    let effort = match body["output_config"]["effort"].as_str() {
        Some("low") => 1,
        Some("high" | "xhigh" | "max") => 3,
        _ => 2,
    };
    match thinking["type"].as_str() {
        Some("enabled") => {
            let budget = thinking["budget_tokens"].as_u64().unwrap_or(0);
            if budget < 1024 {
                let message = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
                return Err(ApiError::new(400, message));
            }
            if ask.max_tokens.is_some_and(|limit| limit <= budget) {
                return Err(ApiError::new(
                    400,
                    "`max_tokens` must be greater than `thinking.budget_tokens`.",
                ));
            }
            ask.reasoning = Some(effort);
        }
        Some("adaptive") => ask.reasoning = Some(effort),
        _ => {}
    }
    ask.reasoning_hidden = thinking["display"] == "omitted";
    let forced = matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
    if ask.reasoning.is_some() && forced {
        return Err(ApiError::new(400, "Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok(())
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), ApiError> {
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        let Some(name) = tool["name"].as_str().filter(|n| !n.is_empty()) else {
            return Err(ApiError::new(400, format!("tools.{at}.name: Field required")));
        };
        ask.say(name);
        ask.say(tool["description"].as_str().unwrap_or_default());
        ask.say(&tool["input_schema"].to_string());
        ask.mark(tool);
        if tool.get("input_schema").is_some() {
            let schema = tool["input_schema"].clone();
            ask.tools.push(Tool { name: name.to_owned(), schema, custom: false });
        } else if tool["type"].as_str().is_some_and(|t| t.starts_with("web_search_")) {
            ask.web_search = true;
        } else if tool["type"].as_str().is_none_or(|t| t == "custom") {
            return Err(ApiError::new(400, format!("tools.{at}.custom.input_schema: Field required")));
        }
    }
    let choice = &body["tool_choice"];
    ask.one_call_only = choice["disable_parallel_tool_use"] == true;
    ask.choice = match choice["type"].as_str() {
        Some("none") => Choice::None,
        Some("any") => Choice::Required,
        Some("tool") => {
            let name = choice["name"].as_str().unwrap_or_default();
            if !ask.tools.iter().any(|t| t.name == name) {
                return Err(ApiError::new(400, format!("Tool '{name}' not found in provided tools")));
            }
            Choice::Named(name.to_owned())
        }
        _ => Choice::Auto,
    };
    Ok(())
}

fn messages(body: &Value, ask: &mut Ask, seal: Seal) -> Result<(), ApiError> {
    let Some(messages) = body["messages"].as_array() else {
        return Err(ApiError::new(400, "messages: Field required"));
    };
    if messages.is_empty() {
        return Err(ApiError::new(400, "messages: at least one message is required"));
    }
    let mut called: HashSet<&str> = HashSet::new();
    for (at, message) in messages.iter().enumerate() {
        ask.message();
        let user = match message["role"].as_str() {
            Some("user" | "system") => true,
            Some("assistant") => false,
            _ => {
                let text = format!("messages.{at}.role: Input should be 'user' or 'assistant'");
                return Err(ApiError::new(400, text));
            }
        };
        let before = ask.question.clone();
        ask.results.clear();
        if user {
            ask.attachments.clear();
            ask.question.clear();
        }
        match &message["content"] {
            Value::String(text) => {
                ask.say(text);
                if user {
                    ask.question.push_str(text);
                }
            }
            Value::Array(blocks) => {
                for (n, block) in blocks.iter().enumerate() {
                    let place = Place { at, n, user, seal };
                    read_block(block, &place, &mut called, ask)?;
                    ask.mark(block);
                }
            }
            _ => return Err(ApiError::new(400, format!("messages.{at}.content: Field required"))),
        }
        if user && ask.question.is_empty() {
            // A turn of tool results alone goes on with the question before it.
            ask.question = before;
        }
    }
    Ok(())
}

struct Place {
    at: usize,
    n: usize,
    user: bool,
    seal: Seal,
}

fn read_block<'a>(
    block: &'a Value,
    place: &Place,
    called: &mut HashSet<&'a str>,
    ask: &mut Ask,
) -> Result<(), ApiError> {
    let Place { at, n, user, seal } = place;
    let refuse = |text: String| Err(ApiError::new(400, format!("messages.{at}.content.{n}: {text}")));
    match block["type"].as_str() {
        Some("text") => {
            let text = block["text"].as_str().unwrap_or_default();
            if text.is_empty() {
                return Err(ApiError::new(400, "messages: text content blocks must be non-empty"));
            }
            ask.say(text);
            if *user {
                ask.question.push_str(text);
            }
        }
        Some("image" | "document") => ask.attach(source(&block["source"], block["type"] == "image")),
        Some("tool_use") => {
            let id = block["id"].as_str().unwrap_or_default();
            if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
                return Err(ApiError::new(
                    400,
                    format!(
                        "messages.{at}.content.{n}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
                    ),
                ));
            }
            if !block["input"].is_object() {
                return refuse("tool_use.input: Input should be a valid dictionary".to_owned());
            }
            called.insert(id);
            ask.say(block["name"].as_str().unwrap_or_default());
            ask.say(&block["input"].to_string());
        }
        Some("tool_result") => {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            if !called.contains(id) {
                return refuse(format!(
                    "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must \
                     have a corresponding `tool_use` block in the previous message."
                ));
            }
            let result = result_text(&block["content"]);
            ask.say(&result);
            ask.results.push(result);
        }
        Some("thinking" | "redacted_thinking" | "web_search_tool_result") => {
            read_sealed(block, *seal, ask).or_else(|what| refuse(format!("Invalid {what} block")))?;
        }
        Some(_) => ask.say(&block.to_string()),
        None => return refuse("type: Field required".to_owned()),
    }
    Ok(())
}

/// Takes in what the provider signed or sealed; the error says what is wrong with it.
fn read_sealed(block: &Value, seal: Seal, ask: &mut Ask) -> Result<(), &'static str> {
    let text = |of: &Value, member: &str| of[member].as_str().unwrap_or_default().to_owned();
    match block["type"].as_str() {
        Some("thinking") => {
            let shown = text(block, "thinking");
            let signed = seal.open(Kind::Thinking, &text(block, "signature"));
            // A block whose text was not shown comes back with the signature alone.
            if signed.is_none_or(|signed| !shown.is_empty() && shown != signed) {
                return Err("`signature` in `thinking`");
            }
            ask.say(&shown);
        }
        Some("redacted_thinking") => {
            let data = seal.open(Kind::Redacted, &text(block, "data"));
            ask.say(&data.ok_or("`data` in `redacted_thinking`")?);
        }
        _ => {
            for result in block["content"].as_array().into_iter().flatten() {
                let found = seal.open(Kind::SearchResult, &text(result, "encrypted_content"));
                ask.say(&found.ok_or("`encrypted_content` in `web_search_result`")?);
            }
        }
    }
    Ok(())
}

fn source(source: &Value, image: bool) -> Attachment {
    let text = |member: &str| source[member].as_str().unwrap_or_default();
    let kind = if image { "image" } else { "document" };
    match source["type"].as_str() {
        Some("base64") => Attachment::from_base64(text("media_type"), text("data")),
        Some("text") => Attachment { media_type: "text/plain".to_owned(), bytes: Some(text("data").len()) },
        _ => Attachment { media_type: kind.to_owned(), bytes: None },
    }
}

fn result_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|b| b["text"].as_str()).collect(),
        _ => String::new(),
    }
}
