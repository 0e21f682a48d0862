//! `…/responses/compact`: a conversation made short (gateway-api §7.2). What the users said is kept, the
//! rest goes into a sealed summary that only this provider reads.

use serde_json::{Value, json};

use super::input;
use super::memory::Memory;
use super::response_id;
use crate::answer::cache::PromptCache;
use crate::answer::{Meta, text};
use crate::api_error::ApiError;
use crate::reply::Reply;
use crate::seal::Kind;

const SUMMARY_BYTES: usize = 400;

/// Answers `…/responses/compact`.
pub(crate) fn compact(
    body: &Value,
    model: &str,
    cache: &mut PromptCache,
    memory: &Memory,
    meta: &Meta<'_>,
) -> Result<Reply, ApiError> {
    let conversation = input::read(body, model, memory, meta.seal)?;
    let summary = text::excerpt(&conversation.ask.prompt, SUMMARY_BYTES);
    let users = conversation.items.iter().filter(|item| item["role"] == "user");
    let mut output: Vec<Value> = users
        .enumerate()
        .map(|(index, item)| {
            let content = match &item["content"] {
                Value::String(text) => json!([{"type": "input_text", "text": text}]),
                parts => parts.clone(),
            };
            json!({"id": format!("msg_sim{:016x}{index:02}", meta.order), "type": "message",
                "status": "completed", "role": "user", "content": content})
        })
        .collect();
    output.push(json!({"id": format!("cmp_sim{:016x}00", meta.order), "type": "compaction",
        "encrypted_content": meta.seal.issue(Kind::Compaction, &summary)}));
    let counted = cache.openai(&conversation.ask);
    let input = meta.usage.input_tokens.unwrap_or(counted.input);
    let cached = meta.usage.cached_tokens.unwrap_or(counted.cache_read);
    let written = meta.usage.output_tokens.unwrap_or(text::tokens(summary.len()));
    Ok(Reply::json(
        200,
        &json!({"id": response_id(meta.order), "object": "response.compaction", "created_at": meta.created,
            "output": output, "usage": {"input_tokens": input,
                "input_tokens_details": {"cached_tokens": cached}, "output_tokens": written,
                "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": input + written}}),
    ))
}
