//! Neutral events as streams and whole answers of Messages, Responses and the AI SDK: the same answer in both
//! forms (I2), nothing of it lost, and state of any family that comes back as it was (I19).

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::ai_sdk::{LanguageRequest, Version};
use tollgate_dialects::{ConversationRequest, ReplyContext, messages, responses};
use tollgate_domain::conversation::{Content, FORMAT_ANTHROPIC, FORMAT_OPENAI, Reasoning};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::Finish;
use tollgate_domain::{Failure, ReplyEvent};

use crate::{chunk_stream, event_script, message_events, response_events, sdk_parts, shown};

const MESSAGES: &[u8] = br#"{"model":"a/b","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
/// With a custom tool, whose argument is a text.
const RESPONSES: &[u8] =
    br#"{"model":"a/b","input":"hi","tools":[{"type":"custom","name":"c"},{"type":"function","name":"f"}]}"#;
const AI_SDK: &[u8] = br#"{"prompt":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#;

/// The longest script, in bytes.
const LONGEST: usize = 2048;

/// One answer.
struct Case {
    context: ReplyContext,
    events: Vec<ReplyEvent>,
    finish: Finish,
}

/// Bytes that name events one after the other; the first names the dialect, the reason of the end and whether
/// reasoning is left out.
pub fn check(data: &[u8]) {
    let Some((first, script)) = data.split_first() else { return };
    let script = &script[..script.len().min(LONGEST)];
    let reason = event_script::reason(first / 2);
    let case = Case {
        context: chunk_stream::context(first % 2 == 1),
        events: event_script::events(script),
        finish: Finish { reason, raw: None, stop_sequence: None, native: None },
    };
    match first / 12 % 5 {
        0 => messages(&case),
        1 => responses(&case),
        2 => ai_sdk(&case, Version::V2),
        3 => ai_sdk(&case, Version::V3),
        _ => ai_sdk(&case, Version::V4),
    }
}

impl Case {
    fn stream(&self, request: &dyn ConversationRequest) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = request.stream_encoder(self.context.clone());
        for event in &self.events {
            writer.event(event, &mut out);
        }
        writer.close(&chunk_stream::receipt(), &self.finish, &mut out);
        out
    }

    /// The same answer, broken behind its last event.
    fn broken(&self, request: &dyn ConversationRequest) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = request.stream_encoder(self.context.clone());
        for event in &self.events {
            writer.event(event, &mut out);
        }
        writer.fail(&Failure::provider(FailureClass::Truncated, "The stream was cut."), &mut out);
        out
    }

    /// `None`: a call's arguments are JSON that serde_json cannot hold.
    fn whole(&self, request: &dyn ConversationRequest) -> Option<Value> {
        let receipt = chunk_stream::receipt();
        let whole = request.encode_whole(&self.context, &self.events, &self.finish, &receipt);
        let read = serde_json::from_slice(&whole).ok();
        let beyond = |text: &str| text.contains(['e', 'E']) || text.contains("\\u") || text.len() > 100;
        let excused = event_script::calls(&self.events).iter().any(|(_, _, arguments)| beyond(arguments));
        assert!(read.is_some() || excused, "no JSON: {}", shown(&whole));
        read
    }

    fn reasoning(&self) -> Vec<Reasoning> {
        if self.context.exclude_reasoning { Vec::new() } else { event_script::reasoning(&self.events) }
    }
}

fn messages(case: &Case) {
    let request = messages::Request::parse(&Bytes::from_static(MESSAGES)).expect("a request");
    let read = message_events::read(&case.stream(&request));
    assert!(read.stopped && !read.failed);
    let broken = message_events::read(&case.broken(&request));
    assert!(broken.failed && !broken.stopped);

    // Blocks wait for one another, so that all is told, but not always in the order it came.
    let sent = event_script::text_of(&case.events) + &event_script::refusal_of(&case.events);
    assert_eq!(sorted(&read.text), sorted(&sent), "text");
    let thoughts: String = case.reasoning().iter().map(|item| item.text.as_str()).collect();
    assert_eq!(sorted(&read.thinking), sorted(&thoughts), "reasoning");
    let calls = read.content.iter().filter(|b| b["id"].as_str().is_some_and(|id| id.starts_with("call_")));
    let calls: Vec<(Value, Value, Value)> =
        calls.map(|b| (b["id"].clone(), b["name"].clone(), b["input"].clone())).collect();
    let expected: Vec<(Value, Value, Value)> = event_script::calls(&case.events)
        .into_iter()
        .map(|(id, name, arguments)| (id.into(), name.into(), message_events::object(&arguments)))
        .collect();
    assert_eq!(calls, expected, "calls");

    if let Some(whole) = case.whole(&request) {
        let content = whole["content"].as_array().expect("a list");
        // Another family's reasoning stands before the text that came of it in a whole answer.
        for thinking in [false, true] {
            let only = |list: &[Value]| -> Vec<Value> {
                list.iter().filter(|b| (b["type"] == "thinking") == thinking).cloned().collect()
            };
            assert_eq!(only(&read.content), only(content), "thinking: {thinking}");
        }
        assert_eq!(read.delta.expect("a delta")["stop_reason"], whole["stop_reason"]);
    }
    state_returns_to_messages(case, &read.content);
}

fn state_returns_to_messages(case: &Case, content: &[Value]) {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let expected =
        case.reasoning().into_iter().filter(|item| item.format.as_deref() != Some(FORMAT_ANTHROPIC));
    let expected: Vec<Reasoning> = expected
        .map(|item| Reasoning { signature: filled(&item.signature), data: filled(&item.data), ..item })
        .filter(|i| !i.text.is_empty() || i.signature.is_some() || i.data.is_some() || i.id.is_some())
        .collect();
    let is_state = |b: &&Value| match b["type"].as_str() {
        Some("thinking") => b["signature"].is_string(),
        Some("redacted_thinking") => b["data"].is_string(),
        _ => false,
    };
    let blocks: Vec<&Value> = content.iter().filter(is_state).collect();
    let body = json!({"model": "a/b", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": blocks}, {"role": "user", "content": "go on"},
    ]});
    if !blocks.is_empty() {
        let request = messages::Request::parse(&Bytes::from(body.to_string())).expect("our own content");
        let found = reasoning_in(&request, FORMAT_ANTHROPIC);
        assert_eq!(sorted_items(found), sorted_items(expected), "state that came back");
    } else {
        assert!(expected.is_empty(), "lost state: {expected:?}");
    }
}

fn responses(case: &Case) {
    let request = responses::Request::parse(&Bytes::from_static(RESPONSES)).expect("a request");
    let read = response_events::read(&case.stream(&request));
    assert!(!read.failed);
    let broken = response_events::read(&case.broken(&request));
    assert!(broken.failed && broken.response.is_some_and(|r| r["status"] == "failed"));

    assert_eq!(read.text, event_script::text_of(&case.events), "text");
    assert_eq!(read.refusal, event_script::refusal_of(&case.events), "refusal");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let functions = read.output.iter().filter(|item| item["type"] == "function_call" && item["id"] != "own");
    let functions: Vec<event_script::Call> =
        functions.map(|i| (text(&i["call_id"]), text(&i["name"]), text(&i["arguments"]))).collect();
    let expected: Vec<event_script::Call> =
        event_script::calls(&case.events).into_iter().filter(|(_, name, _)| name != "c").collect();
    assert_eq!(functions, expected, "calls");

    // The whole answer of a stream that was closed is what its last event says.
    let whole = case.whole(&request).expect("arguments are text in this protocol");
    assert_eq!(read.response, Some(whole), "stream and whole answer");
    state_returns_to_responses(case, &read.output);
}

fn state_returns_to_responses(case: &Case, output: &[Value]) {
    let items = case.reasoning();
    let mut ids: Vec<&String> = items.iter().filter_map(|item| item.id.as_ref()).collect();
    ids.sort();
    // Blocks with one id share an item, as OpenAI's own do.
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return;
    }
    let foreign = |item: &&Reasoning| {
        item.format.as_deref() != Some(FORMAT_OPENAI) && (item.signature.is_some() || item.data.is_some())
    };
    let expected: Vec<Reasoning> = items.iter().filter(foreign).cloned().collect();
    let state =
        output.iter().filter(|item| item["type"] == "reasoning" && item["encrypted_content"].is_string());
    let mut input: Vec<Value> = state.cloned().collect();
    input.push(json!({"role": "user", "content": "go on"}));
    let body = json!({"model": "a/b", "input": input});
    let request = responses::Request::parse(&Bytes::from(body.to_string())).expect("our own items");
    let found = reasoning_in(&request, FORMAT_OPENAI);
    let stateful = |i: &Reasoning| i.signature.is_some() || i.data.is_some();
    let found = found.into_iter().filter(stateful).collect();
    assert_eq!(sorted_items(found), sorted_items(expected), "state that came back");
}

fn ai_sdk(case: &Case, version: Version) {
    let body = Bytes::from_static(AI_SDK);
    let request = LanguageRequest::parse(version, "a/b", true, &body).expect("a request");
    let read = sdk_parts::read(&case.stream(&request));
    assert!(read.done && read.finish.is_some() && !read.failed);
    let broken = sdk_parts::read(&case.broken(&request));
    assert!(broken.failed && broken.finish.is_none() && !broken.done);

    let of = |kind: &str| -> String {
        read.content.iter().filter(|p| p["type"] == kind).filter_map(|p| p["text"].as_str()).collect()
    };
    let sent = event_script::text_of(&case.events) + &event_script::refusal_of(&case.events);
    assert_eq!(sorted(&of("text")), sorted(&sent), "text");
    let thoughts: String = case.reasoning().iter().map(|item| item.text.as_str()).collect();
    assert_eq!(sorted(&of("reasoning")), sorted(&thoughts), "reasoning");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calls = read.content.iter().filter(|p| p["type"] == "tool-call" && p["providerExecuted"] != true);
    let mut calls: Vec<event_script::Call> =
        calls.map(|p| (text(&p["toolCallId"]), text(&p["toolName"]), text(&p["input"]))).collect();
    calls.sort();
    let mut expected = event_script::calls(&case.events);
    for (_, _, arguments) in expected.iter_mut().filter(|(_, _, arguments)| arguments.is_empty()) {
        arguments.push_str("{}");
    }
    expected.sort();
    assert_eq!(calls, expected, "calls");

    let whole = case.whole(&request).expect("arguments are text in this protocol");
    assert_eq!(Value::from(read.content), whole["content"], "stream and whole answer");
    let finish = read.finish.expect("a finish");
    assert_eq!(finish["finishReason"], whole["finishReason"]);
    assert_eq!(finish["usage"], whole["usage"]);
}

/// The reasoning items of a history that are not of this family.
fn reasoning_in(request: &dyn ConversationRequest, own: &str) -> Vec<Reasoning> {
    let conversation = request.conversation().expect("our own content");
    let parts = conversation.messages.into_iter().flat_map(|message| message.parts);
    let items = parts.filter_map(|part| match part.content {
        Content::Reasoning(item) => Some(item),
        _ => None,
    });
    items.filter(|item| item.format.as_deref() != Some(own)).collect()
}

fn sorted(text: &str) -> Vec<char> {
    let mut found: Vec<char> = text.chars().collect();
    found.sort_unstable();
    found
}

fn sorted_items(mut items: Vec<Reasoning>) -> Vec<Reasoning> {
    items.sort_by_key(|item| format!("{item:?}"));
    items
}
