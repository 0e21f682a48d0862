//! Neutral events that bytes name, as a decoder might give them, for the targets of our own streams.

use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, File, FileData, Reasoning, ReasoningKind,
};
use tollgate_domain::reply::FinishReason;

/// The reason with this number, counted round and round.
pub fn reason(number: u8) -> FinishReason {
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
pub fn events(script: &[u8]) -> Vec<ReplyEvent> {
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
            format: [FORMAT_ANTHROPIC, FORMAT_OPENAI, FORMAT_UNKNOWN, FORMAT_GEMINI]
                [usize::from(choice / 64)],
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
        0 => ReplyEvent::Source(match choice / 64 {
            0 | 1 => Value::from(text),
            2 => json!({"type": "url_citation", "url": text, "title": "t"}),
            _ => json!({"type": "char_location", "cited_text": text}),
        }),
        1 => ReplyEvent::Custom {
            namespace: ["anthropic", "openai", "google"][usize::from(choice / 4 % 3)],
            value: match choice / 64 {
                0 | 1 => Value::from(text),
                2 => json!({"type": text, "id": "own", "name": "n", "input": {"a": 1}}),
                _ => json!({"type": "server_tool_use", "id": "own", "name": text, "input": {"a": 1}}),
            },
        },
        2 => ReplyEvent::File(File {
            media_type: if choice < 128 { "image/png".into() } else { text.clone() },
            data: FileData::Base64(text.clone()),
            filename: Some(text),
            detail: None,
        }),
        _ => ReplyEvent::Info(Default::default()),
    }
}

/// All visible text but refusals.
pub fn text_of(events: &[ReplyEvent]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        ReplyEvent::TextDelta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    deltas.collect()
}

/// All refusals.
pub fn refusal_of(events: &[ReplyEvent]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        ReplyEvent::RefusalDelta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    deltas.collect()
}

/// Id, name, arguments.
pub type Call = (String, String, String);

/// The calls in the order in which they begin.
pub fn calls(events: &[ReplyEvent]) -> Vec<Call> {
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

/// The reasoning items, each with all of its text.
pub fn reasoning(events: &[ReplyEvent]) -> Vec<Reasoning> {
    let mut found: Vec<(u32, Reasoning)> = Vec::new();
    for event in events {
        let of = |found: &mut Vec<(u32, Reasoning)>, block: u32| {
            found.iter().position(|(b, _)| *b == block).expect("a started item")
        };
        match event {
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                let format = Some((*format).to_owned());
                found.push((
                    *block,
                    Reasoning { kind: *kind, id: id.clone(), format, ..Reasoning::default() },
                ));
            }
            ReplyEvent::ReasoningDelta { block, text } => {
                let at = of(&mut found, *block);
                found[at].1.text.push_str(text);
            }
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                let at = of(&mut found, *block);
                found[at].1.signature = signature.clone();
                found[at].1.data = data.clone();
            }
            _ => {}
        }
    }
    found.into_iter().map(|(_, item)| item).collect()
}
