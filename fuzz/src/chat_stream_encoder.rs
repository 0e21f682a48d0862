//! Neutral events as our own stream and as a whole answer: the same text and the same calls in both (I2).

use serde_json::Value;
use tollgate_dialects::chat_completions::{StreamEncoder, encode_whole};
use tollgate_domain::reply::Finish;

use crate::chunk_stream::{self, finish_reason};
use crate::event_script::{Call, calls as calls_of_events, events, reason, refusal_of, text_of};

/// Bytes that name events one after the other.
pub fn check(data: &[u8]) {
    let Some((first, script)) = data.split_first() else { return };
    let context = chunk_stream::context(first % 2 == 1);
    let events = events(script);
    let finish = Finish { reason: reason(first / 2), raw: None, stop_sequence: None, native: None };
    let receipt = chunk_stream::receipt();

    let mut out = Vec::new();
    let mut encoder = StreamEncoder::new(context.clone());
    for event in &events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt, &finish, &mut out);
    let read = chunk_stream::read(&out);
    assert!(read.done);
    let (head, last) = (&read.chunks[0], read.chunks.last().expect("a last chunk"));
    assert_eq!(head["choices"][0]["delta"], serde_json::json!({"role": "assistant"}), "the role alone");
    assert_eq!(*finish_reason(last).expect("a finish reason"), finish.reason.as_str());
    assert!(last["usage"].is_object() && last["generationId"].is_string());

    let whole: Value =
        serde_json::from_slice(&encode_whole(&context, &events, &finish, &receipt)).expect("whole answer");
    let message = &whole["choices"][0]["message"];
    for (member, text) in [("content", text_of(&events)), ("refusal", refusal_of(&events))] {
        assert_eq!(joined(&read.chunks, member), text, "{member} of the stream");
        assert_eq!(message[member].as_str().unwrap_or_default(), text, "{member} of the whole answer");
    }
    assert_eq!(calls_of_stream(&read.chunks), calls_of_events(&events), "calls of the stream");
    assert_eq!(calls_of_message(message), calls_of_events(&events), "calls of the whole answer");
    if context.exclude_reasoning {
        assert!(message["reasoning"].is_null() && joined(&read.chunks, "reasoning").is_empty());
    } else {
        assert_eq!(joined(&read.chunks, "reasoning"), message["reasoning"].as_str().unwrap_or_default());
    }
}

/// The pieces of a member of all deltas, put together.
fn joined(chunks: &[Value], member: &str) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"][member].as_str()).collect()
}

/// The calls as a client that ignores `index` puts them together: pieces belong to the call begun last.
fn calls_of_stream(chunks: &[Value]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for piece in chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].as_array()) {
        for piece in piece {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if piece["id"].is_string() {
                calls.push((text(&piece["id"]), text(&piece["function"]["name"]), String::new()));
            }
            assert_eq!(piece["index"].as_u64(), Some(calls.len() as u64 - 1), "index");
            let call = calls.last_mut().expect("arguments before a call");
            call.2.push_str(&text(&piece["function"]["arguments"]));
        }
    }
    calls
}

fn calls_of_message(message: &Value) -> Vec<Call> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    calls.map(|c| (text(&c["id"]), text(&c["function"]["name"]), text(&c["function"]["arguments"]))).collect()
}
