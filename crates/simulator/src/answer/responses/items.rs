//! Reading the items of a conversation: their order, their references, and what was sealed.

use std::collections::HashSet;

use serde_json::Value;

use super::memory::Memory;
use crate::answer::ask::{Ask, Attachment};
use crate::api_error::ApiError;
use crate::seal::{Kind, Seal};

/// Takes the items in.
pub(super) fn read(items: &[Value], ask: &mut Ask, memory: &Memory, seal: Seal) -> Result<(), ApiError> {
    let mut reader = Reader { ask, seal, called: HashSet::new(), open: Vec::new() };
    for (at, item) in items.iter().enumerate() {
        let item = resolved(item, memory)?;
        if item["type"] == "reasoning" {
            let next = items.get(at + 1).map(|next| resolved(next, memory)).transpose()?;
            reader.reasoning(item, next, memory)?;
        } else {
            reader.item(item, at)?;
        }
    }
    match reader.open.first() {
        Some(id) => Err(ApiError::param("input", format!("No tool output found for function call {id}."))),
        None => Ok(()),
    }
}

/// The item a reference means, or the item itself.
fn resolved<'a>(item: &'a Value, memory: &'a Memory) -> Result<&'a Value, ApiError> {
    if item["type"] != "item_reference" {
        return Ok(item);
    }
    let id = item["id"].as_str().unwrap_or_default();
    memory.item(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    let message = format!(
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with \
         `store` set to true, or remove this item from your input."
    );
    ApiError { param: Some("input"), ..ApiError::new(404, message) }
}

struct Reader<'a, 'i> {
    ask: &'a mut Ask,
    seal: Seal,
    called: HashSet<&'i str>,
    /// Calls without an output so far.
    open: Vec<&'i str>,
}

impl<'i> Reader<'_, 'i> {
    fn item(&mut self, item: &'i Value, at: usize) -> Result<(), ApiError> {
        let text = |member: &str| item[member].as_str().unwrap_or_default();
        match item["type"].as_str() {
            None | Some("message") => self.message(item, at)?,
            Some("function_call" | "custom_tool_call") => {
                let given = if item["type"] == "function_call" { "arguments" } else { "input" };
                let Some(given) = item[given].as_str() else {
                    let message = format!("Invalid type for 'input[{at}].{given}': expected a string.");
                    return Err(ApiError { code: Some("invalid_type"), ..ApiError::param("input", message) });
                };
                if text("call_id").is_empty() {
                    let message = format!("Missing required parameter: 'input[{at}].call_id'.");
                    return Err(ApiError::param("input", message));
                }
                self.called.insert(text_of(item, "call_id"));
                self.open.push(text_of(item, "call_id"));
                self.ask.message();
                self.ask.say(text("name"));
                self.ask.say(given);
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                let id = text("call_id");
                if !self.called.contains(id) {
                    let message = format!("No tool call found for function call output with call_id {id}.");
                    return Err(ApiError::param("input", message));
                }
                self.open.retain(|open| *open != id);
                let result = self.content(&item["output"], at, Side::Either)?;
                self.ask.results.push(result);
            }
            Some("compaction") => {
                let sealed = text("encrypted_content");
                let summary = self.seal.open(Kind::Compaction, sealed).ok_or_else(|| unverified(sealed))?;
                self.ask.say(&summary);
            }
            Some(kind) if kind.ends_with("_call") || kind.ends_with("_call_output") => {
                self.ask.say(&item.to_string());
            }
            Some(other) => return Err(invalid(at, other, "message, function_call, reasoning and others")),
        }
        Ok(())
    }

    fn message(&mut self, item: &Value, at: usize) -> Result<(), ApiError> {
        self.ask.message();
        match item["role"].as_str() {
            Some("user") => {
                self.ask.attachments.clear();
                self.ask.results.clear();
                self.ask.question = self.content(&item["content"], at, Side::Input)?;
            }
            Some("system" | "developer") => {
                self.content(&item["content"], at, Side::Input)?;
            }
            Some("assistant") => {
                self.ask.results.clear();
                self.content(&item["content"], at, Side::Output)?;
            }
            other => {
                let supported = "'assistant', 'system', 'developer', and 'user'";
                return Err(invalid(at, other.unwrap_or_default(), supported));
            }
        }
        Ok(())
    }

    fn content(&mut self, content: &Value, at: usize, side: Side) -> Result<String, ApiError> {
        let mut text = String::new();
        match content {
            Value::String(all) => text.push_str(all),
            Value::Array(parts) => {
                for part in parts {
                    let kind = part["type"].as_str().unwrap_or_default();
                    let fits = match side {
                        Side::Input => kind.starts_with("input_"),
                        Side::Output => matches!(kind, "output_text" | "refusal"),
                        Side::Either => kind.starts_with("input_") || kind == "output_text",
                    };
                    if !fits {
                        return Err(invalid(at, kind, side.supported()));
                    }
                    self.part(part, kind, &mut text);
                }
            }
            _ => {
                let message = format!("Missing required parameter: 'input[{at}].content'.");
                return Err(ApiError::param("input", message));
            }
        }
        self.ask.say(&text);
        Ok(text)
    }

    fn part(&mut self, part: &Value, kind: &str, text: &mut String) {
        match kind {
            "input_image" => {
                let url = part["image_url"].as_str().unwrap_or_default();
                self.ask.attach(Attachment::from_url(url, "image"));
            }
            "input_file" => {
                let data = part["file_data"].as_str().unwrap_or_default();
                self.ask.attach(Attachment::from_url(data, "file"));
            }
            "refusal" => text.push_str(part["refusal"].as_str().unwrap_or_default()),
            _ => text.push_str(part["text"].as_str().unwrap_or_default()),
        }
    }

    fn reasoning(&mut self, item: &Value, next: Option<&Value>, memory: &Memory) -> Result<(), ApiError> {
        let id = item["id"].as_str().unwrap_or_default();
        match item["encrypted_content"].as_str() {
            Some(sealed) => {
                let text = self.seal.open(Kind::Reasoning, sealed).ok_or_else(|| unverified(sealed))?;
                self.ask.say(&text);
            }
            None if memory.item(id).is_some() => {}
            None => return Err(not_found(id)),
        }
        let followed = next.is_some_and(|next| match next["type"].as_str() {
            None | Some("message") => next["role"] == "assistant",
            Some(kind) => !kind.ends_with("_output"),
        });
        if followed {
            return Ok(());
        }
        let message =
            format!("Item '{id}' of type 'reasoning' was provided without its required following item.");
        Err(ApiError::param("input", message))
    }
}

/// What parts a content may have.
#[derive(Clone, Copy)]
enum Side {
    Input,
    Output,
    Either,
}

impl Side {
    fn supported(self) -> &'static str {
        match self {
            Self::Output => "'output_text' and 'refusal'",
            _ => "'input_text', 'input_image', 'input_file', and 'input_audio'",
        }
    }
}

fn text_of<'i>(item: &'i Value, member: &str) -> &'i str {
    item[member].as_str().unwrap_or_default()
}

fn invalid(at: usize, value: &str, supported: &str) -> ApiError {
    let message = format!("Invalid value: '{value}' at 'input[{at}]'. Supported values are: {supported}.");
    ApiError { code: Some("invalid_value"), ..ApiError::param("input", message) }
}

fn unverified(sealed: &str) -> ApiError {
    let shown: String = sealed.chars().take(12).collect();
    let message = format!(
        "The encrypted content {shown}... could not be verified. Reason: Encrypted content could not be decrypted \
         or parsed."
    );
    ApiError { code: Some("invalid_encrypted_content"), ..ApiError::param("input", message) }
}
