//! The recorded service is the reference: an answer rebuilt from a recording's own content must have the
//! recording's members, types, nesting, order and values, but for the differences listed here, which
//! `docs/wire-differences.md` explains.

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate_dialects::chat_completions::{StreamEncoder, StreamSplice, encode_whole, splice_whole};

use crate::fixtures::{folder, load, our_chunks, stream_data};
use crate::rebuilt::{Events, context, finish, receipt};

/// A difference that is meant.
fn allowed(path: &str, expected: Option<&Value>, found: Option<&Value>) -> Option<&'static str> {
    if expected.is_none()
        && (path.ends_with(".delta.reasoning_content") || path.ends_with(".message.reasoning_content"))
    {
        return Some("reasoning_content");
    }
    let (Some(expected), Some(found)) = (expected, found) else { return None };
    let counts = path.ends_with("usage.completion_tokens") || path.ends_with("usage.total_tokens");
    (counts && found.as_u64() > expected.as_u64()).then_some("gemini thoughts")
}

/// Compares all of two values; `used` gathers the allowed differences that occurred.
fn compare(
    path: &str,
    expected: &Value,
    found: &Value,
    used: &mut BTreeSet<&'static str>,
    wrong: &mut Vec<String>,
) {
    match (expected, found) {
        (Value::Object(e), Value::Object(f)) => {
            let mut ours = Vec::new();
            for (key, value) in f {
                if e.contains_key(key) {
                    ours.push(key);
                } else if let Some(reason) = allowed(&format!("{path}.{key}"), None, Some(value)) {
                    used.insert(reason);
                } else {
                    wrong.push(format!("{path}.{key}: not in the recording"));
                }
            }
            let theirs: Vec<_> = e.keys().collect();
            if ours != theirs {
                wrong.push(format!("{path}: members {ours:?}, recorded {theirs:?}"));
            }
            for (key, value) in e.iter().filter(|(key, _)| f.contains_key(*key)) {
                compare(&format!("{path}.{key}"), value, &f[key], used, wrong);
            }
        }
        (Value::Array(e), Value::Array(f)) if e.len() == f.len() => {
            for (i, (e, f)) in e.iter().zip(f).enumerate() {
                compare(&format!("{path}[{i}]"), e, f, used, wrong);
            }
        }
        // The recordings write `0` and `0.000543` alike as numbers; amounts are compared as such.
        (Value::Number(e), Value::Number(f)) if e.as_f64() == f.as_f64() => {}
        (e, f) if e == f => {}
        (e, f) => match allowed(path, Some(e), Some(f)) {
            Some(reason) => {
                used.insert(reason);
            }
            None => wrong.push(format!("{path}: {f}, recorded {e}")),
        },
    }
}

#[test]
fn every_recording_is_written_again() {
    let Some(folder) = folder() else { return };
    let recordings = load(&folder.join("gateway"), "gateway-chat");
    assert_eq!(recordings.len(), 23);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, exchange) in &recordings {
        let response = &exchange["response"];
        match stream_data(response) {
            Some(data) => streamed(name, &data, &mut used, &mut wrong),
            None => whole(name, &response["body"], &mut used, &mut wrong),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected = BTreeSet::from(["empty content", "gemini thoughts", "reasoning_content"]);
    assert_eq!(used, expected, "a listed difference that no longer occurs must leave the list");
}

fn streamed(name: &str, data: &[Vec<u8>], used: &mut BTreeSet<&'static str>, wrong: &mut Vec<String>) {
    assert_eq!(data.last().map(|d| &d[..]), Some(&b"[DONE]"[..]), "{name}");
    let recorded: Vec<Value> =
        data[..data.len() - 1].iter().map(|d| serde_json::from_slice(d).unwrap()).collect();
    let last = recorded.last().unwrap();
    let choice = &last["choices"][0];
    let receipt = receipt(last, &choice["delta"]["provider_metadata"]);
    let mut events = Events::default();
    for chunk in &recorded {
        events.take(&chunk["choices"][0]["delta"]);
    }
    events.end_tool();

    let mut out = Vec::new();
    let mut encoder = StreamEncoder::new(context(last));
    for event in &events.events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt, &finish(choice), &mut out);

    // The same stream as a provider's own, passed through.
    let mut passed = Vec::new();
    let mut splice = StreamSplice::new(context(last));
    for data in data {
        splice.event(data, &mut passed);
    }
    splice.close(&receipt, &mut passed);

    let visible: Vec<_> = recorded.iter().filter(|c| c["choices"][0]["delta"]["content"] != "").collect();
    if visible.len() < recorded.len() {
        used.insert("empty content");
    }
    compare_chunks(&format!("{name} encoded"), &visible, &out, used, wrong);
    compare_chunks(&format!("{name} passed"), &recorded.iter().collect::<Vec<_>>(), &passed, used, wrong);
}

fn compare_chunks(
    name: &str,
    recorded: &[&Value],
    out: &[u8],
    used: &mut BTreeSet<&'static str>,
    wrong: &mut Vec<String>,
) {
    let (ours, done) = our_chunks(out);
    if ours.len() != recorded.len() || !done {
        wrong.push(format!("{name}: {} chunks, recorded {}; done {done}", ours.len(), recorded.len()));
    }
    for (i, (expected, found)) in recorded.iter().zip(&ours).enumerate() {
        compare(&format!("{name} {i}"), expected, found, used, wrong);
    }
}

fn whole(name: &str, recorded: &Value, used: &mut BTreeSet<&'static str>, wrong: &mut Vec<String>) {
    let choice = &recorded["choices"][0];
    let message = &choice["message"];
    let receipt = receipt(recorded, &message["provider_metadata"]);
    let mut events = Events::default();
    events.take(message);
    events.end_tool();
    let ours = encode_whole(&context(recorded), &events.events, &finish(choice), &receipt);
    compare(&format!("{name} encoded"), recorded, &serde_json::from_slice(&ours).unwrap(), used, wrong);
    let passed = splice_whole(&context(recorded), recorded.to_string().as_bytes(), &receipt).unwrap();
    compare(&format!("{name} passed"), recorded, &serde_json::from_slice(&passed).unwrap(), used, wrong);
}
