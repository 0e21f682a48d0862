//! Tests of the whole codec.

mod decode;
mod encode_prompt;
mod encode_settings;
mod signatures;

use serde_json::Value;
use tollgate_domain::conversation::{
    Content, Conversation, FORMAT_GEMINI, Message, Part, Reasoning, ReasoningKind, Role, ToolCall,
    ToolOutput, ToolResult,
};

use super::encode;
use crate::codec::Target;

/// The Gemini API with a model that reasons.
fn target(model: &str) -> Target {
    Target { provider: "google".into(), model: model.into(), reasoning: true, ..Target::default() }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, cache: None }
}

fn user(text: &str) -> Message {
    message(Role::User, vec![Part::text(text)])
}

fn model(parts: Vec<Part>) -> Message {
    message(Role::Assistant, parts)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::new(Content::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }))
}

fn result(id: &str, output: ToolOutput) -> Part {
    Part::new(Content::ToolResult(ToolResult { call_id: id.into(), name: None, output, is_error: false }))
}

fn said(id: &str, text: &str) -> Message {
    message(Role::Tool, vec![result(id, ToolOutput::Text(text.into()))])
}

/// A signature that travels by itself.
fn state(id: Option<&str>, data: &str) -> Part {
    Part::new(Content::Reasoning(Reasoning {
        kind: ReasoningKind::Encrypted,
        data: Some(data.into()),
        id: id.map(str::to_owned),
        format: Some(FORMAT_GEMINI.into()),
        ..Reasoning::default()
    }))
}

fn thought(text: &str, signature: Option<&str>) -> Part {
    Part::new(Content::Reasoning(Reasoning {
        text: text.into(),
        signature: signature.map(str::to_owned),
        format: Some(FORMAT_GEMINI.into()),
        ..Reasoning::default()
    }))
}

/// The body and what was warned of.
fn body(conversation: &Conversation, target: &Target) -> (Value, Vec<String>) {
    let encoded = encode(conversation, target, false).unwrap();
    let features = encoded.warnings.into_iter().map(|warning| warning.feature).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), features)
}

fn contents(messages: Vec<Message>, model: &str) -> Value {
    let conversation = Conversation { messages, ..Conversation::default() };
    body(&conversation, &target(model)).0["contents"].take()
}
