//! OpenAI Responses (providers §3): reading, answering whole or as events, state between requests,
//! compaction.

mod compact;
mod input;
mod items;
pub(crate) mod memory;
mod output;
mod stream;

use bytes::Bytes;
use serde_json::{Value, json};

use super::cache::PromptCache;
use super::{Meta, Said, Tokens};
use crate::api_error::ApiError;
use crate::behaviour::Answer;
use crate::reply::Reply;
use input::Conversation;
use memory::Memory;

pub(crate) use compact::compact;

/// Answers `…/responses`.
pub(crate) fn answer(
    body: &Value,
    model: &str,
    answer: &Answer,
    cache: &mut PromptCache,
    memory: &mut Memory,
    meta: &Meta<'_>,
) -> Result<Reply, ApiError> {
    let conversation = input::read(body, model, memory, meta.seal)?;
    let said = super::decide(&conversation.ask, answer);
    let (output, reasoning) = super::output_tokens(&said);
    let tokens = Tokens { output, reasoning, ..cache.openai(&conversation.ask) };
    let Conversation { ask, mut items, encrypted } = conversation;
    let writer = Writer { body, said: &said, model, encrypted, tokens, meta };
    let output = output::items(&writer, &ask.tools);
    let reply = if ask.stream {
        Reply::events(stream::events(&writer, &output))
    } else {
        Reply::json(200, &output::response(&writer, output::status(&said), &output))
    };
    if body["store"] != false {
        items.extend(output.iter().cloned());
        memory.store(response_id(meta.order), items, &output);
    }
    Ok(reply)
}

/// What the answer is written from.
struct Writer<'a> {
    body: &'a Value,
    said: &'a Said,
    model: &'a str,
    /// Whether `include` asks for `reasoning.encrypted_content`.
    encrypted: bool,
    tokens: Tokens,
    meta: &'a Meta<'a>,
}

fn response_id(order: u64) -> String {
    format!("resp_sim{order:020x}")
}

/// A response that failed.
fn failed(error: &ApiError, order: u64) -> Value {
    json!({"id": response_id(order), "object": "response", "created_at": 0, "status": "failed",
        "error": {"code": "server_error", "message": error.message}, "incomplete_details": null,
        "output": [], "usage": null})
}

/// A whole answer that is a failed response under a 200.
pub(crate) fn failed_body(error: &ApiError, order: u64) -> Bytes {
    failed(error, order).to_string().into()
}

/// The two events with which a stream fails after so many events.
pub(crate) fn failed_events(error: &ApiError, order: u64, events_before: usize) -> Bytes {
    let first = json!({"type": "error", "sequence_number": events_before, "code": "server_error",
        "message": error.message, "param": null});
    let last = json!({"type": "response.failed", "sequence_number": events_before + 1,
        "response": failed(error, order)});
    format!("event: error\ndata: {first}\n\nevent: response.failed\ndata: {last}\n\n").into()
}
