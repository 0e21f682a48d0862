//! Neutral events as our own stream and as a whole answer: the same text and the same calls in both (I2).

use serde_json::Value;
use tollgate_dialects::chat_completions::{StreamEncoder, encode_whole};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_UNKNOWN, File, FileData, ReasoningKind};
use tollgate_domain::reply::{Finish, FinishReason};

use crate::chunk_stream::{self, finish_reason};

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

fn reason(number: u8) -> FinishReason {
    match number % 6 {
        0 => FinishReason::Stop,
        1 => FinishReason::Length,
        2 => FinishReason::ToolCalls,
        3 => FinishReason::ContentFilter,
        4 => FinishReason::Error,
        _ => FinishReason::Other,
    }
}

/// Reads a script: each event is a byte that names its kind, one for its block, and a length with as many
/// bytes of text. Blocks are opened and closed as decoders do; calls may interleave.
fn events(script: &[u8]) -> Vec<ReplyEvent> {
    let mut events = Vec::new();
    let mut open: Vec<(u32, u8)> = Vec::new();
    let mut next_block = 0;
    let mut rest = script;
    while let [kind, choice, length, more @ ..] = rest {
        let (text, more) = more.split_at(usize::from(*length % 64).min(more.len()));
        rest = more;
        let text = String::from_utf8_lossy(text).into_owned();
        match kind % 8 {
            start @ 0..=2 => {
                events.push(start_event(start, next_block, *choice, text));
                open.push((next_block, start));
                next_block += 1;
            }
            3..=5 if !open.is_empty() => {
                let (block, kind) = open[usize::from(*choice) % open.len()];
                events.push(delta_event(kind, block, *choice, text));
            }
            6 if !open.is_empty() => {
                let (block, kind) = open.remove(usize::from(*choice) % open.len());
                events.push(end_event(kind, block, *choice, text));
            }
            _ => events.push(other_event(*choice, text)),
        }
    }
    for (block, kind) in open {
        events.push(end_event(kind, block, 0, String::new()));
    }
    events
}

fn start_event(kind: u8, block: u32, choice: u8, text: String) -> ReplyEvent {
    match kind {
        0 => ReplyEvent::TextStart { block },
        1 => ReplyEvent::ReasoningStart {
            block,
            kind: match choice % 3 {
                0 => ReasoningKind::Text,
                1 => ReasoningKind::Summary,
                _ => ReasoningKind::Encrypted,
            },
            id: Some(text).filter(|id| !id.is_empty()),
            format: if choice < 128 { FORMAT_ANTHROPIC } else { FORMAT_UNKNOWN },
        },
        _ => ReplyEvent::ToolStart { block, id: format!("call_{block}"), name: text },
    }
}

fn delta_event(kind: u8, block: u32, choice: u8, text: String) -> ReplyEvent {
    match kind {
        0 if choice >= 128 => ReplyEvent::RefusalDelta { block, text },
        0 => ReplyEvent::TextDelta { block, text },
        1 => ReplyEvent::ReasoningDelta { block, text },
        _ => ReplyEvent::ToolDelta { block, arguments: text },
    }
}

fn end_event(kind: u8, block: u32, choice: u8, text: String) -> ReplyEvent {
    match kind {
        0 => ReplyEvent::TextEnd { block },
        1 => ReplyEvent::ReasoningEnd {
            block,
            signature: (choice & 64 != 0).then(|| text.clone()),
            data: (choice & 128 != 0).then_some(text),
        },
        _ => ReplyEvent::ToolEnd { block },
    }
}

fn other_event(choice: u8, text: String) -> ReplyEvent {
    match choice % 4 {
        0 => ReplyEvent::Source(Value::from(text)),
        1 => ReplyEvent::Custom { namespace: "anthropic", value: Value::from(text) },
        2 => ReplyEvent::File(File {
            media_type: if choice < 128 { "image/png".into() } else { text.clone() },
            data: FileData::Base64(text.clone()),
            filename: Some(text),
            detail: None,
        }),
        _ => ReplyEvent::Info(Default::default()),
    }
}

fn text_of(events: &[ReplyEvent]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        ReplyEvent::TextDelta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    deltas.collect()
}

fn refusal_of(events: &[ReplyEvent]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        ReplyEvent::RefusalDelta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    deltas.collect()
}

/// The pieces of a member of all deltas, put together.
fn joined(chunks: &[Value], member: &str) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"][member].as_str()).collect()
}

/// Id, name, arguments.
type Call = (String, String, String);

fn calls_of_events(events: &[ReplyEvent]) -> Vec<Call> {
    let mut calls: Vec<(u32, Call)> = Vec::new();
    for event in events {
        match event {
            ReplyEvent::ToolStart { block, id, name } => {
                calls.push((*block, (id.clone(), name.clone(), String::new())));
            }
            ReplyEvent::ToolDelta { block, arguments } => {
                let call = calls.iter_mut().find(|(b, _)| b == block).expect("a started call");
                call.1.2.push_str(arguments);
            }
            _ => {}
        }
    }
    calls.into_iter().map(|(_, call)| call).collect()
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
