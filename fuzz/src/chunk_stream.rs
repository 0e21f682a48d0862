//! What clients rely on in our own streams: events of one line of JSON, a delta in each chunk, one finish
//! reason, then `[DONE]` or an error (clients §0.1, I16).

use serde_json::Value;
use tollgate_dialects::ReplyContext;
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{Receipt, Routing};
use tollgate_domain::{GenerationId, ModelId, Nanodollars, Usage};
use tollgate_wire::json;

use crate::shown;

/// The chunks of a stream that we wrote.
pub struct Chunks {
    /// Every chunk but the error.
    pub chunks: Vec<Value>,
    /// It ended in `[DONE]`.
    pub done: bool,
    /// It ended in an error.
    pub failed: bool,
}

/// Reads our own stream, checking each event.
pub fn read(bytes: &[u8]) -> Chunks {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("not UTF-8: {}", shown(bytes)));
    let mut found = Chunks { chunks: Vec::new(), done: false, failed: false };
    assert!(text.is_empty() || text.ends_with("\n\n"), "the last event is open: {text:?}");
    for event in text.split_terminator("\n\n") {
        assert!(!found.done && !found.failed, "an event after the end: {event:?}");
        assert!(!event.contains(['\n', '\r']), "an event of several lines: {event:?}");
        let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("no data: {event:?}"));
        if data == "[DONE]" {
            found.done = true;
            continue;
        }
        assert_eq!(json::validate(data.as_bytes()), Ok(()), "{data}");
        // Numbers beyond the range of a double and lone surrogates pass through unread.
        let Ok(chunk) = serde_json::from_str::<Value>(data) else { continue };
        if chunk.get("error").is_some_and(|e| !e.is_null()) {
            found.failed = true;
            continue;
        }
        assert!(chunk["choices"][0]["delta"].is_object(), "no delta: {data}");
        found.chunks.push(chunk);
    }
    let finishes = found.chunks.iter().filter(|chunk| finish_reason(chunk).is_some()).count();
    assert_eq!(finishes, usize::from(found.done), "finish reasons of a stream that ended: {}", found.done);
    found
}

/// The finish reason of the first choice.
pub fn finish_reason(chunk: &Value) -> Option<&Value> {
    let choice = &chunk["choices"][0];
    Some(&choice["finish_reason"])
        .filter(|reason| !reason.is_null() && choice["index"].as_u64().unwrap_or(0) == 0)
}

/// The facts of some answer.
pub fn context(exclude_reasoning: bool) -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_785_881_890_000, 99)),
        created_seconds: 1_785_881_890,
        model: "anthropic/claude-haiku-4.5".into(),
        fingerprint: "fp_abcdefghij".into(),
        exclude_reasoning,
        prompt_tokens_estimate: 0,
    }
}

/// What is said of it at its end.
pub fn receipt() -> Receipt {
    Receipt {
        generation: context(false).generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude-haiku-4.5"),
            canonical_model: ModelId::new("anthropic/claude-haiku-4.5"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude-haiku-4-5".into(),
            fallbacks: vec!["bedrock".into()],
            reasoning: "default ranking: anthropic, bedrock".into(),
            final_provider: "anthropic".into(),
            attempts: Vec::new(),
        },
        usage: Usage { input_uncached: 20, output_text: 30, ..Usage::default() },
        cost: Some(Nanodollars(200_500)),
        market_cost: Some(Nanodollars(200_500)),
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}
