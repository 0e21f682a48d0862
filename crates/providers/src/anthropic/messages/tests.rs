//! Rules of the codec, one by one; whole exchanges are golden tests of the crate.

mod decode;
mod encode_prompt;
mod encode_settings;
mod round_trip;
mod tap;

use serde_json::Value;
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{Content, Message, Part, Role, ToolCall, ToolOutput, ToolResult};

use super::{Encoded, encode};
use crate::codec::Target;

/// An older model, which takes budgets.
fn sonnet() -> Target {
    Target {
        provider: "anthropic".to_owned(),
        model: "claude-sonnet-4-20250514".to_owned(),
        canonical: "anthropic/claude-sonnet-4".to_owned(),
        max_output_tokens: Some(64_000),
        reasoning: true,
        reasoning_budget_min: Some(1024),
        explicit_caching: true,
        structured_output: true,
        ..Target::default()
    }
}

/// A newer model, which takes efforts.
fn opus() -> Target {
    Target {
        provider: "anthropic".to_owned(),
        model: "claude-opus-5".to_owned(),
        canonical: "anthropic/claude-opus-5".to_owned(),
        max_output_tokens: Some(128_000),
        reasoning: true,
        reasoning_efforts: ["low", "medium", "high", "xhigh"].map(str::to_owned).to_vec(),
        explicit_caching: true,
        structured_output: true,
        ..Target::default()
    }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, cache: None }
}

fn says(role: Role, text: &str) -> Message {
    message(role, vec![Part::text(text)])
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::new(Content::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }))
}

fn result(id: &str, output: ToolOutput) -> Part {
    Part::new(Content::ToolResult(ToolResult { call_id: id.to_owned(), name: None, output, is_error: false }))
}

fn conversation(messages: Vec<Message>) -> Conversation {
    Conversation { messages, ..Conversation::default() }
}

fn encoded(conversation: &Conversation, target: &Target) -> (Value, Encoded) {
    let encoded = encode(conversation, target, false).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

fn body(conversation: &Conversation, target: &Target) -> Value {
    encoded(conversation, target).0
}
