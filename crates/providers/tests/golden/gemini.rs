//! Gemini's protocol, by the Gemini API and by Vertex AI.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tollgate_domain::conversation::{
    Content, Conversation, Message, Part, Reasoning, Role, ToolCall, ToolOutput, ToolResult,
};
use tollgate_domain::failure::{FailureClass, Retry};
use tollgate_domain::task::{EmbeddingInput, EmbeddingRequest, Vector};
use tollgate_domain::{ReplyEvent, Usage};
use tollgate_providers::gemini::{embeddings, generate, read_count};
use tollgate_providers::{BodyForm, ReplyDecoder, Target};

use crate::fixture::{Fixture, examples, recorded};

const PROTOCOL: &str = "gemini";

fn target(fixture: &Fixture, model: &str) -> Target {
    Target { provider: fixture.provider.clone(), model: model.to_owned(), ..Target::default() }
}

fn decode(fixture: &Fixture, cuts: &[usize]) -> Vec<ReplyEvent> {
    decode_until(fixture, fixture.body.len(), cuts)
}

/// Decodes the reply's first `end` bytes, split at `cuts`.
fn decode_until(fixture: &Fixture, end: usize, cuts: &[usize]) -> Vec<ReplyEvent> {
    let form = if fixture.streaming { BodyForm::Stream } else { BodyForm::Whole };
    let mut decoder = generate::Decoder::new(&target(fixture, "gemini-2.5-flash"), form);
    let mut events = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([end]) {
        decoder.push(&fixture.body[from..cut], &mut events);
        from = cut;
    }
    decoder.end(&mut events);
    events
}

/// Examples and recordings that are replies, loaded once.
fn replies() -> &'static [Fixture] {
    static REPLIES: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
        let mut all = examples("gemini", PROTOCOL);
        all.extend(recorded(PROTOCOL, "chat"));
        all.retain(|f| f.status < 400 && !f.body.is_empty());
        all
    });
    &REPLIES
}

/// A reply in the words of `expect`.
#[derive(Default)]
struct Decoded {
    text: String,
    reasoning: String,
    calls: Vec<(u32, String, String, String)>,
    usage: Option<Usage>,
    last: Option<ReplyEvent>,
    content: bool,
}

impl Decoded {
    fn of(events: &[ReplyEvent], name: &str) -> Self {
        let mut decoded = Self::default();
        for event in events {
            assert!(decoded.last.is_none(), "{name}: {event:?} after the end");
            decoded.content |= event.is_content();
            match event {
                ReplyEvent::TextDelta { text, .. } => decoded.text += text,
                ReplyEvent::ReasoningDelta { text, .. } => decoded.reasoning += text,
                ReplyEvent::ToolStart { block, id, name } => {
                    decoded.calls.push((*block, id.clone(), name.clone(), String::new()));
                }
                ReplyEvent::ToolDelta { block, arguments } => {
                    decoded.calls.iter_mut().find(|call| call.0 == *block).expect("a started call").3 +=
                        arguments;
                }
                ReplyEvent::Usage(usage) => decoded.usage = Some(*usage),
                ReplyEvent::Finish(_) | ReplyEvent::Failure(_) => decoded.last = Some(event.clone()),
                _ => {}
            }
        }
        assert!(decoded.last.is_some(), "{name}: no last event");
        decoded
    }

    /// The calls. Where the provider gave no id, one was made.
    fn calls(&self, wanted: &Value, name: &str) -> Value {
        let parsed = |arguments: &str| serde_json::from_str::<Value>(arguments).expect("JSON arguments");
        self.calls
            .iter()
            .enumerate()
            .map(|(at, (_, id, function, arguments))| {
                let minted = wanted[at]["id"].is_null();
                assert_eq!(minted, id.starts_with("call_gem"), "{name}: {id}");
                let id = if minted { Value::Null } else { id.as_str().into() };
                json!({"id": id, "name": function, "arguments": parsed(arguments)})
            })
            .collect()
    }

    fn usage(&self, wanted: &Value) -> Value {
        let Some(usage) = self.usage else { return Value::Null };
        let all = json!({
            "input_total": usage.input_total(),
            "cache_read": usage.input_cache_read,
            "cache_write": usage.cache_write(),
            "output_total": usage.output_total(),
            "reasoning": usage.output_reasoning,
        });
        let wanted = wanted.as_object().expect("an object");
        wanted.keys().map(|key| (key.clone(), all[key].clone())).collect::<Map<_, _>>().into()
    }
}

/// Text as `expect` writes it: long text as its digest.
fn assert_text(name: &str, what: &str, found: &str, wanted: &Value) {
    match wanted {
        Value::Null => assert_eq!(found, "", "{name}: {what}"),
        Value::String(text) => assert_eq!(found, text, "{name}: {what}"),
        digest => {
            let sum: String = Sha256::digest(found).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sum, digest["sha256"].as_str().unwrap_or_default(), "{name}: {what} {found:.100}");
        }
    }
}

fn assert_expected(fixture: &Fixture, events: &[ReplyEvent]) {
    let (name, expect) = (&fixture.name, &fixture.expect);
    let decoded = Decoded::of(events, name);
    if let Some(class) = expect["stream_error_class"].as_str().or_else(|| expect["error_class"].as_str()) {
        let Some(ReplyEvent::Failure(failure)) = &decoded.last else { panic!("{name}: {:?}", decoded.last) };
        assert_eq!(failure.class.as_str(), class, "{name}");
        assert!(!failure.message.is_empty(), "{name}");
        assert_eq!(decoded.content, expect["content_before_error"].as_bool().unwrap_or(false), "{name}");
        return;
    }
    let Some(ReplyEvent::Finish(finish)) = &decoded.last else { panic!("{name}: {:?}", decoded.last) };
    assert_eq!(finish.reason.as_str(), expect["finish_reason"], "{name}");
    assert_eq!(finish.raw.as_deref(), expect["raw_finish_reason"].as_str(), "{name}");
    assert_text(name, "text", &decoded.text, &expect["text"]);
    assert_text(name, "reasoning", &decoded.reasoning, &expect["reasoning"]);
    let calls = expect.get("tool_calls").cloned().unwrap_or_else(|| json!([]));
    assert_eq!(decoded.calls(&calls, name), calls, "{name}");
    if let Some(usage) = expect.get("usage") {
        assert_eq!(decoded.usage(usage), *usage, "{name}");
        assert!(!decoded.usage.expect("a report").anomaly, "{name}");
    } else {
        assert_eq!(decoded.usage, None, "{name}");
    }
}

fn assert_error(fixture: &Fixture) {
    let (name, expect) = (&fixture.name, &fixture.expect);
    let failure = tollgate_providers::classify::classify(
        &fixture.provider,
        fixture.status,
        &fixture.headers,
        &fixture.body,
    );
    assert_eq!(failure.class.as_str(), expect["error_class"], "{name}");
    assert_eq!(u64::from(fixture.status), expect["error_status"], "{name}");
    let same = matches!(failure.retry, Retry::SameTarget(_));
    assert_eq!(same, expect["retry_same_endpoint"], "{name}: {failure:?}");
    assert_eq!(failure.retry != Retry::Never, expect["fallback_next_endpoint"], "{name}");
}

fn assert_all(fixtures: &[Fixture]) -> [usize; 3] {
    let [mut whole, mut streamed, mut errors] = [0; 3];
    for fixture in fixtures {
        if fixture.status >= 400 {
            assert_error(fixture);
            errors += 1;
            continue;
        }
        assert_expected(fixture, &decode(fixture, &[]));
        *(if fixture.streaming { &mut streamed } else { &mut whole }) += 1;
    }
    [whole, streamed, errors]
}

#[test]
fn gemini_recorded_exchanges_decode_as_expected() {
    let [whole, streamed, errors] = assert_all(&recorded(PROTOCOL, "chat"));
    eprintln!("gemini: {whole} whole replies, {streamed} streams, {errors} errors as expected");
}

#[test]
fn gemini_examples_decode_as_expected() {
    let [whole, streamed, errors] = assert_all(&examples("gemini", PROTOCOL));
    assert!(whole > 0 && streamed > 0 && errors > 0, "{whole} {streamed} {errors}");
}

#[test]
fn gemini_recorded_counts_are_read() {
    for fixture in recorded(PROTOCOL, "count_tokens") {
        let body: Value = serde_json::from_slice(&fixture.body).unwrap();
        // Some counts were asked by generating; those are chat answers.
        if let Some(total) = body["totalTokens"].as_u64() {
            assert_eq!(read_count(&target(&fixture, "m"), &fixture.body), Ok(total), "{}", fixture.name);
        } else {
            assert!(read_count(&target(&fixture, "m"), &fixture.body).is_err(), "{}", fixture.name);
        }
    }
}

#[test]
fn gemini_recorded_embeddings_are_read() {
    let all = [(PROTOCOL, "embedding"), ("gemini-predict", "embedding"), ("gemini-predict", "predict")];
    for fixture in all.into_iter().flat_map(|(protocol, operation)| recorded(protocol, operation)) {
        if fixture.status >= 400 {
            assert_error(&fixture);
            continue;
        }
        let name = &fixture.name;
        let body: Value = serde_json::from_slice(&fixture.body).unwrap();
        let held =
            body.get("embeddings").or_else(|| body.get("predictions")).and_then(Value::as_array).unwrap();
        let inputs = held.iter().map(|_| EmbeddingInput::Text("text".to_owned())).collect();
        let request = EmbeddingRequest { inputs, ..EmbeddingRequest::default() };
        let model = if held.len() == 1 { "gemini-embedding-001" } else { "text-embedding-005" };
        let reply = embeddings::read(&request, &target(&fixture, model), 0, &fixture.body).unwrap();
        let wanted: Vec<Value> = held
            .iter()
            .map(|e| e.pointer("/embeddings/values").or_else(|| e.get("values")).unwrap().clone())
            .collect();
        let found: Vec<Value> = reply
            .vectors
            .iter()
            .map(|v| if let Vector::Json(text) = v { text.to_value() } else { Value::Null })
            .collect();
        assert_eq!(found, wanted, "{name}");
        let counted: Vec<u64> =
            held.iter().filter_map(|e| e.pointer("/embeddings/statistics/token_count")?.as_u64()).collect();
        let total = body.pointer("/usageMetadata/promptTokenCount").and_then(Value::as_u64);
        let total = total.or((!counted.is_empty()).then(|| counted.iter().sum()));
        assert_eq!(reply.usage.map(|u| u.input_total()), total, "{name}");
    }
}

#[test]
fn i20_gemini_byte_by_byte() {
    // Each byte alone for the first part of a reply, short pieces after it: long replies repeat themselves.
    const ALONE: usize = 12 << 10;
    for fixture in replies() {
        let len = fixture.body.len();
        let every: Vec<usize> = (1..len.min(ALONE)).chain((ALONE..len).step_by(97)).collect();
        assert_eq!(decode(fixture, &every), decode(fixture, &[]), "{}", fixture.name);
    }
}

#[test]
fn i16_gemini_cut_streams_never_finish() {
    let complete = |f: &&Fixture| f.streaming && f.expect["finish_reason"].is_string();
    for fixture in replies().iter().filter(complete) {
        let text = String::from_utf8_lossy(&fixture.body);
        let end = text.find("\"finishReason\"").or_else(|| text.find("\"blockReason\"")).expect("an ending");
        for end in (0..end).step_by((end / 40).max(1)) {
            let events = decode_until(fixture, end, &[]);
            let Some(ReplyEvent::Failure(failure)) = events.last() else {
                panic!("{} cut at {end}: {:?}", fixture.name, events.last());
            };
            assert_eq!(failure.class, FailureClass::Truncated, "{} cut at {end}", fixture.name);
        }
    }
}

/// The chunks of a reply.
fn chunks(fixture: &Fixture) -> Vec<Value> {
    let text = String::from_utf8_lossy(&fixture.body);
    if !fixture.sse {
        let value: Value = serde_json::from_str(&text).unwrap();
        return value.as_array().cloned().unwrap_or_else(|| vec![value]);
    }
    text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok()).collect()
}

/// What must be sent back of a reply, read from its own chunks: each part with its signature. Pieces of a
/// text are one part, thoughts without a signature stay away, calls in pieces are told by their name.
fn wanted_parts(fixture: &Fixture) -> Vec<Value> {
    let mut wanted: Vec<Value> = Vec::new();
    for chunk in chunks(fixture) {
        let parts = chunk.pointer("/candidates/0/content/parts").and_then(Value::as_array).cloned();
        let before = wanted.len();
        for mut part in parts.unwrap_or_default() {
            if part["thought"] == true && part["thoughtSignature"].is_null() {
                continue;
            }
            if let Some(text) = part["text"].as_str().map(str::to_owned) {
                if text.is_empty() && part["thoughtSignature"].is_null() {
                    continue;
                }
                let at = wanted.len();
                let open = wanted.last_mut().filter(|last| {
                    last["text"].is_string()
                        && last["thoughtSignature"].is_null()
                        && (at == before || text.is_empty())
                });
                if let Some(open) = open {
                    open["text"] = format!("{}{text}", open["text"].as_str().unwrap()).into();
                    if let Some(signature) = part.get("thoughtSignature") {
                        open["thoughtSignature"] = signature.clone();
                    }
                    continue;
                }
            }
            if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
                if !call.contains_key("name") {
                    continue;
                }
                call.retain(|key, _| matches!(key.as_str(), "name" | "id"));
            }
            wanted.push(part);
        }
    }
    wanted
}

/// What a client that keeps everything would send back of an answer.
fn remembered(events: &[ReplyEvent]) -> Message {
    let mut blocks: Vec<(u32, Content)> = Vec::new();
    for event in events {
        match event {
            ReplyEvent::TextStart { block } => blocks.push((*block, Content::Text(String::new()))),
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                let reasoning = Reasoning {
                    kind: *kind,
                    id: id.clone(),
                    format: Some((*format).to_owned()),
                    ..Reasoning::default()
                };
                blocks.push((*block, Content::Reasoning(reasoning)));
            }
            ReplyEvent::ToolStart { block, id, name } => {
                let call = ToolCall { id: id.clone(), name: name.clone(), arguments: String::new() };
                blocks.push((*block, Content::ToolCall(call)));
            }
            ReplyEvent::Custom { namespace, value } => {
                let custom = Content::Custom { namespace: (*namespace).to_owned(), value: value.clone() };
                blocks.push((u32::MAX, custom));
            }
            ReplyEvent::File(file) => blocks.push((u32::MAX, Content::File(file.clone()))),
            ReplyEvent::TextDelta { block, text: added }
            | ReplyEvent::ReasoningDelta { block, text: added }
            | ReplyEvent::ToolDelta { block, arguments: added } => {
                match &mut blocks.iter_mut().find(|b| b.0 == *block).expect("a started block").1 {
                    Content::Text(text) => *text += added,
                    Content::Reasoning(reasoning) => reasoning.text += added,
                    Content::ToolCall(call) => call.arguments += added,
                    _ => {}
                }
            }
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                let Content::Reasoning(reasoning) =
                    &mut blocks.iter_mut().find(|b| b.0 == *block).expect("a started block").1
                else {
                    panic!("{event:?}")
                };
                reasoning.signature.clone_from(signature);
                reasoning.data.clone_from(data);
            }
            _ => {}
        }
    }
    let parts = blocks.into_iter().map(|(_, content)| Part::new(content)).collect();
    Message { role: Role::Assistant, name: None, parts, cache: None }
}

#[test]
fn i19_gemini_signatures_go_back_on_their_parts() {
    let mut signed = 0;
    for fixture in replies().iter().filter(|f| f.expect["finish_reason"].is_string()) {
        let answer = remembered(&decode(fixture, &[]));
        let results = answer.parts.iter().filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some(Part::new(Content::ToolResult(ToolResult {
                call_id: call.id.clone(),
                name: None,
                output: ToolOutput::Text("done".to_owned()),
                is_error: false,
            }))),
            _ => None,
        });
        let tool = Message { role: Role::Tool, name: None, parts: results.collect(), cache: None };
        let said =
            |text: &str| Message { role: Role::User, name: None, parts: vec![Part::text(text)], cache: None };
        let conversation =
            Conversation { messages: vec![said("go"), answer, tool, said("on")], ..Conversation::default() };
        let target =
            Target { provider: "google".to_owned(), model: "gemini-3-flash".to_owned(), ..Target::default() };
        let body = generate::encode(&conversation, &target, false).unwrap().body;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let mut found = body["contents"][1]["parts"].as_array().cloned().unwrap_or_default();
        if body["contents"][1]["role"] != "model" {
            found.clear();
        }
        for part in &mut found {
            if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
                assert!(call.remove("args").is_some_and(|args| args.is_object()), "{}", fixture.name);
            }
        }
        let wanted = wanted_parts(fixture);
        signed += wanted.iter().filter(|part| part.get("thoughtSignature").is_some()).count();
        assert_eq!(found, wanted, "{}", fixture.name);
    }
    assert!(signed > 0);
    eprintln!("gemini: {signed} signatures went back on their parts");
}

#[test]
fn google_errors_of_other_protocols_are_classified() {
    for (protocol, operation) in [("google-oauth", "token"), ("anthropic-vertex", "chat")] {
        for fixture in recorded(protocol, operation).iter().filter(|f| f.status >= 400) {
            assert_error(fixture);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn i20_gemini_random_splits(
        pick in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let fixture = &replies()[pick.index(replies().len())];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(fixture.body.len())).collect();
        cuts.sort_unstable();
        prop_assert_eq!(decode(fixture, &cuts), decode(fixture, &[]), "{}", &fixture.name);
    }

    /// A damaged reply ends once, too, and the same way wherever it is split.
    #[test]
    fn i20_gemini_damaged_replies_end_once(
        pick in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\0 \n{}[]\",:x\xff"[..])), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let sound = &replies()[pick.index(replies().len())];
        let mut body = sound.body.clone();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let fixture = Fixture { body, name: sound.name.clone(), provider: sound.provider.clone(), headers: http::HeaderMap::new(),
            request: None, expect: Value::Null, ..*sound };
        let events = decode(&fixture, &[]);
        let is_last = |e: &ReplyEvent| matches!(e, ReplyEvent::Finish(_) | ReplyEvent::Failure(_));
        prop_assert_eq!(events.iter().filter(|e| is_last(e)).count(), 1);
        prop_assert!(events.last().is_some_and(is_last));
        prop_assert_eq!(decode(&fixture, &[cut.index(fixture.body.len())]), events);
    }
}
