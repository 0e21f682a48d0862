//! Rules of the dialect, one by one.

mod conversation;
mod mixes;
mod request;
mod splice;
mod stream;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::Routing;
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Conversation, GenerationId, InputError, ModelId, Nanodollars, Receipt, Usage};

use super::Request;
use crate::ReplyContext;

fn parse(text: &str) -> Result<Request, InputError> {
    Request::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

/// A valid body with some members replaced or added.
fn with(extra: Value) -> String {
    let mut body = json!({
        "model": "anthropic/claude-sonnet-4.5",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "hi"}],
    });
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string()
}

fn request(extra: Value) -> Request {
    parse(&with(extra)).unwrap()
}

fn conversation(extra: Value) -> Conversation {
    request(extra).conversation().unwrap()
}

/// The error of parsing, or of the conversation.
fn error(text: &str) -> InputError {
    match parse(text) {
        Err(error) => error,
        Ok(request) => request.conversation().unwrap_err(),
    }
}

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_700_000_000_000, 7)),
        created_seconds: 1_700_000_000,
        model: "anthropic/claude-sonnet-4.5[1m]".into(),
        fingerprint: "fp_0123456789".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 321,
    }
}

fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude-sonnet-4.5"),
            canonical_model: ModelId::new("anthropic/claude-sonnet-4.5"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude-sonnet-4-5".into(),
            fallbacks: Vec::new(),
            reasoning: "default ranking".into(),
            final_provider: "anthropic".into(),
            attempts: Vec::new(),
        },
        usage: Usage {
            input_uncached: 10,
            input_cache_read: 4,
            input_cache_write_5m: 2,
            output_text: 5,
            ..Usage::default()
        },
        cost: Some(Nanodollars(123_000)),
        market_cost: Some(Nanodollars(123_000)),
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

fn finish(reason: FinishReason) -> Finish {
    Finish { reason, raw: None, stop_sequence: None, native: None }
}

/// The events of a stream of ours: (name, data), each of exactly two lines and a blank one.
fn events(bytes: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"), "the last event is closed");
    text.split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            assert!(!data.contains('\n'), "one data line an event");
            (name.strip_prefix("event: ").unwrap().to_owned(), serde_json::from_str(data).unwrap())
        })
        .collect()
}
