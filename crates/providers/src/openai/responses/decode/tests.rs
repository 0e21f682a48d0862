use serde_json::{Value, json};
use tollgate_domain::conversation::ReasoningKind::{Encrypted, Summary, Text};
use tollgate_domain::conversation::{FORMAT_OPENAI, FileData};

use super::*;
use crate::openai::responses::ResponsesTap;
use crate::{Tap, Tapped};

fn target(provider: &str) -> Target {
    Target { provider: provider.into(), model: "m".into(), ..Target::default() }
}

fn stream(provider: &str, events: &[Value]) -> Vec<ReplyEvent> {
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let mut decoder = Decoder::new(&target(provider), BodyForm::Stream);
    let mut out = Vec::new();
    decoder.push(text.as_bytes(), &mut out);
    decoder.end(&mut out);
    out
}

fn whole(body: &Value) -> Vec<ReplyEvent> {
    let mut decoder = Decoder::new(&target("openai"), BodyForm::Whole);
    let mut out = Vec::new();
    decoder.push(body.to_string().as_bytes(), &mut out);
    decoder.end(&mut out);
    out
}

fn added(place: u64, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": place, "item": item})
}

fn done(place: u64, item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": place, "item": item})
}

fn completed(usage: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [], "usage": usage}})
}

/// Everything before the usage and the finish.
fn content(events: &[ReplyEvent]) -> Vec<ReplyEvent> {
    let is_content = |event: &&ReplyEvent| {
        !matches!(event, ReplyEvent::Info(_) | ReplyEvent::Usage(_) | ReplyEvent::Finish(_))
    };
    events.iter().filter(is_content).cloned().collect()
}

#[test]
fn i19_each_part_of_reasoning_is_a_block_and_the_last_one_carries_the_state() {
    let delta = |part: u64, text: &str| json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": part, "delta": text});
    let item = json!({"id": "rs_1", "type": "reasoning", "summary": [{"text": "ab"}, {"text": "c"}], "encrypted_content": "seal/+="});
    let events = stream(
        "openai",
        &[
            added(0, json!({"id": "rs_1", "type": "reasoning", "summary": []})),
            delta(0, "a"),
            delta(0, "b"),
            delta(1, "c"),
            done(0, item),
            done(1, json!({"id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "x"})),
            completed(Value::Null),
        ],
    );
    let start = |block, kind, id: &str| ReplyEvent::ReasoningStart {
        block,
        kind,
        id: Some(id.into()),
        format: FORMAT_OPENAI,
    };
    let more = |block, text: &str| ReplyEvent::ReasoningDelta { block, text: text.into() };
    let end = |block, data: Option<&str>| ReplyEvent::ReasoningEnd {
        block,
        signature: None,
        data: data.map(Into::into),
    };
    assert_eq!(
        content(&events),
        [
            start(0, Summary, "rs_1"),
            more(0, "a"),
            more(0, "b"),
            end(0, None),
            start(1, Summary, "rs_1"),
            more(1, "c"),
            end(1, Some("seal/+=")),
            start(2, Encrypted, "rs_2"),
            end(2, Some("x")),
        ]
    );
}

#[test]
fn i18_calls_keep_their_place_when_ids_rotate_and_names_come_late() {
    let call = |id: &str, name: &str, arguments: &str| json!({"type": "function_call", "id": id, "call_id": "call_1", "name": name, "arguments": arguments});
    let events = stream(
        "github-copilot",
        &[
            added(0, call("a", "", "")),
            done(0, call("b", "late", r#"{"x": 1}"#)),
            added(1, json!({"type": "function_call", "name": "bare", "arguments": ""})),
            done(1, json!({"type": "function_call", "name": "bare", "arguments": null})),
            completed(Value::Null),
        ],
    );
    let call = |block, id: &str, name: &str, arguments: &str| {
        [
            ReplyEvent::ToolStart { block, id: id.into(), name: name.into() },
            ReplyEvent::ToolDelta { block, arguments: arguments.into() },
            ReplyEvent::ToolEnd { block },
        ]
    };
    let wanted = [call(0, "call_1", "late", r#"{"x": 1}"#), call(1, "call__1", "bare", "{}")].concat();
    assert_eq!(content(&events), wanted);
}

#[test]
fn parts_that_are_written_by_turns_are_never_written_to_once_closed() {
    let text = |part: u64, text: &str| json!({"type": "response.output_text.delta", "output_index": 0, "content_index": part, "delta": text});
    let events = stream("openai", &[text(0, "a"), text(1, "b"), text(0, "c"), completed(Value::Null)]);
    let start = |block| ReplyEvent::TextStart { block };
    let more = |block, text: &str| ReplyEvent::TextDelta { block, text: text.into() };
    let end = |block| ReplyEvent::TextEnd { block };
    let wanted =
        [start(0), more(0, "a"), end(0), start(1), more(1, "b"), start(2), more(2, "c"), end(1), end(2)];
    let mut found = content(&events);
    // Both parts are open at the end; which one closes first does not matter.
    found[7..].sort_by_key(|event| format!("{event:?}"));
    assert_eq!(found, wanted);
}

#[test]
fn what_the_providers_tools_did_is_told_and_counted() {
    let search = json!({"id": "ws_1", "type": "web_search_call", "action": {"type": "search", "query": "q"}});
    let opened = json!({"id": "ws_2", "type": "web_search_call", "action": {"type": "open_page"}});
    let image = json!({"type": "image_generation_call", "output_format": "jpeg", "result": "aGk="});
    let cite = json!({"type": "url_citation", "url": "https://example.com", "title": "T", "start_index": 0, "end_index": 1});
    let file = json!({"type": "file_citation", "file_id": "file_1"});
    let text = json!({"type": "output_text", "text": "x", "annotations": [cite, file]});
    let message = json!({"type": "message", "content": [text]});
    let mut body = json!({"id": "resp_1", "status": "completed", "output": [search, opened, image, message]});
    body["usage"] = json!({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3});
    let events = whole(&body);
    let custom = |value: &Value| ReplyEvent::Custom { namespace: "openai", value: value.clone() };
    let found = content(&events);
    assert_eq!(found[..2], [custom(&search), custom(&opened)]);
    assert!(
        matches!(&found[2], ReplyEvent::File(file) if file.media_type == "image/jpeg" && file.data == FileData::Base64("aGk=".into()))
    );
    assert_eq!(
        found[5],
        ReplyEvent::Source(
            json!({"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "T", "start_index": 0, "end_index": 1}})
        )
    );
    assert_eq!(found[6], ReplyEvent::Source(file));
    let usage = events.iter().find_map(|event| match event {
        ReplyEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    assert_eq!(usage.map(|usage| (usage.searches, usage.images)), Some((1, 1)));
    body["tool_usage"] = json!({"web_search": {"num_requests": 4}});
    assert!(whole(&body).iter().any(|e| matches!(e, ReplyEvent::Usage(usage) if usage.searches == 4)));
}

#[test]
fn the_end_says_what_the_provider_said() {
    let response = json!({"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
        "service_tier": "flex", "output": [], "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}});
    let Some(ReplyEvent::Finish(finish)) = whole(&response).pop() else { panic!("no finish") };
    assert_eq!((finish.reason, finish.raw.as_deref()), (FinishReason::Length, Some("incomplete")));
    assert_eq!(
        finish.native.unwrap().as_str(),
        r#"{"responseId":"resp_1","serviceTier":"flex","incompleteReason":"max_output_tokens","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#
    );
}

#[test]
fn i16_a_broken_event_within_a_stream_is_not_passed_over() {
    let mut decoder = Decoder::new(&target("openai"), BodyForm::Stream);
    let mut out = Vec::new();
    decoder.push(b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\n\n", &mut out);
    assert_eq!(out, []);
    decoder.push(format!("data: {}\n\n", completed(Value::Null)).as_bytes(), &mut out);
    assert!(matches!(&out[..], [ReplyEvent::Failure(failure)] if failure.class == FailureClass::Server));
    for end in [&b"{\"status\":\"completed\",\"out"[..], b""] {
        let mut decoder = Decoder::new(&target("openai"), BodyForm::Whole);
        let mut out = Vec::new();
        decoder.push(end, &mut out);
        decoder.end(&mut out);
        assert!(
            matches!(&out[..], [ReplyEvent::Failure(f)] if f.class == FailureClass::Truncated),
            "{out:?}"
        );
    }
}

#[test]
fn bodies_that_are_no_responses_fail() {
    for (body, class) in [
        ("<html><title>Bad gateway</title></html>", FailureClass::Server),
        (r#"{"hello":1}"#, FailureClass::Server),
        (r#"{"status":"cancelled","output":[]}"#, FailureClass::Server),
        (
            r#"{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"}}"#,
            FailureClass::RateLimit,
        ),
        (r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#, FailureClass::ContextLength),
    ] {
        let mut decoder = Decoder::new(&target("openai"), BodyForm::Whole);
        let mut out = Vec::new();
        decoder.push(body.as_bytes(), &mut out);
        decoder.end(&mut out);
        let Some(ReplyEvent::Failure(failure)) = out.last() else { panic!("{body}: {out:?}") };
        assert_eq!(failure.class, class, "{body}");
        assert!(!failure.message.is_empty());
    }
}

#[test]
fn a_failed_answer_still_tells_what_it_consumed() {
    let events = whole(&json!({"status": "failed", "error": {"code": "server_error", "message": "m"},
        "usage": {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}}));
    assert!(
        matches!(&events[..], [ReplyEvent::Usage(usage), ReplyEvent::Failure(_)] if usage.input_total() == 5)
    );
}

#[test]
fn reasoning_of_open_hosts_is_text() {
    let item = json!({"id": "r", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    let events = stream("deepseek", &[added(0, item.clone()), done(0, item), completed(Value::Null)]);
    assert!(matches!(events[0], ReplyEvent::ReasoningStart { kind: Text, .. }), "{events:?}");
}

#[test]
fn i15_a_tap_takes_a_working_tool_for_content() {
    let mut tap = ResponsesTap::new(&target("openai"));
    let mut look = |event: Value| tap.event(b"", event.to_string().as_bytes());
    assert_eq!(look(json!({"type": "response.created", "response": {"id": "resp_1"}})), Tapped::Nothing);
    assert_eq!(look(added(0, json!({"type": "reasoning", "summary": []}))), Tapped::Nothing);
    assert_eq!(look(added(1, json!({"type": "web_search_call", "status": "in_progress"}))), Tapped::Content);
    assert_eq!(look(json!({"type": "response.web_search_call.searching"})), Tapped::Nothing);
    assert_eq!(look(completed(Value::Null)), Tapped::Finished);
    assert_eq!(look(completed(Value::Null)), Tapped::Nothing);
    assert_eq!(tap.end(), Tapped::Finished);
}

#[test]
fn i26_items_that_never_end_do_not_pile_up() {
    let events: Vec<Value> =
        (0..3000).map(|place| added(place, json!({"type": "function_call", "name": "f"}))).collect();
    let ended = stream("openai", &events).iter().filter(|e| matches!(e, ReplyEvent::ToolEnd { .. })).count();
    assert!(ended >= 1900, "{ended}");
}

mod any_order {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// An event about one of a few items, of any kind, in any order.
    fn event() -> impl Strategy<Value = Value> {
        let kinds = prop::sample::select(vec![
            "output_item.added",
            "output_item.done",
            "output_text.delta",
            "refusal.delta",
            "reasoning_summary_text.delta",
            "reasoning_text.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_text.annotation.added",
        ]);
        let items = prop::sample::select(vec![
            "message",
            "reasoning",
            "function_call",
            "custom_tool_call",
            "web_search_call",
            "apply_patch_call",
        ]);
        (kinds, items, 0u64..4, 0u64..3, "[a-c]{0,3}", any::<bool>()).prop_map(
            |(kind, item, place, part, text, named)| {
                let name = if named { "f" } else { "" };
                json!({
                    "type": format!("response.{kind}"), "output_index": place, "content_index": part, "summary_index": part,
                    "delta": text, "arguments": text, "annotation": {"type": "x"},
                    "item": {"type": item, "name": name, "arguments": text, "input": text, "encrypted_content": text,
                        "summary": [{"text": text}], "content": [{"type": "output_text", "text": text, "annotations": [1, {}]}]},
                })
            },
        )
    }

    proptest! {
        /// Whatever comes, blocks begin before they go on, end once, and the answer ends once.
        #[test]
        fn i18_blocks_are_sound_in_any_order(events in prop::collection::vec(event(), 0..30), whole in any::<bool>()) {
            let mut events = events;
            if whole {
                events.push(completed(Value::Null));
            }
            let mut open: BTreeMap<u32, u8> = BTreeMap::new();
            let mut ends = 0;
            for event in stream("openai", &events) {
                prop_assert_eq!(ends, 0);
                match event {
                    ReplyEvent::TextStart { block } => prop_assert_eq!(open.insert(block, 1), None),
                    ReplyEvent::ReasoningStart { block, .. } => prop_assert_eq!(open.insert(block, 2), None),
                    ReplyEvent::ToolStart { block, .. } => prop_assert_eq!(open.insert(block, 3), None),
                    ReplyEvent::TextDelta { block, .. } | ReplyEvent::RefusalDelta { block, .. } => {
                        prop_assert_eq!(open.get(&block), Some(&1));
                    }
                    ReplyEvent::ReasoningDelta { block, .. } => prop_assert_eq!(open.get(&block), Some(&2)),
                    ReplyEvent::ToolDelta { block, .. } => prop_assert_eq!(open.get(&block), Some(&3)),
                    ReplyEvent::TextEnd { block } => prop_assert_eq!(open.insert(block, 0), Some(1)),
                    ReplyEvent::ReasoningEnd { block, .. } => prop_assert_eq!(open.insert(block, 0), Some(2)),
                    ReplyEvent::ToolEnd { block } => prop_assert_eq!(open.insert(block, 0), Some(3)),
                    ReplyEvent::Finish(_) => {
                        prop_assert!(whole && open.values().all(|kind| *kind == 0));
                        ends += 1;
                    }
                    ReplyEvent::Failure(_) => ends += 1,
                    _ => {}
                }
            }
            prop_assert_eq!(ends, 1);
        }

        /// Arguments of calls that are written by turns keep their bytes.
        #[test]
        fn i18_interleaved_arguments_keep_their_bytes(pieces in prop::collection::vec((0u64..4, r#"[{}":a\\é ]{1,4}"#), 1..40)) {
            let call = |place: u64, id: u64| {
                json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": format!("call_{place}"), "name": "f", "arguments": ""})
            };
            let mut events: Vec<Value> = (0..4).map(|place| added(place, call(place, place))).collect();
            let mut wanted = vec![String::new(); 4];
            for (turn, (place, piece)) in (0u64..).zip(&pieces) {
                wanted[usize::try_from(*place).unwrap()].push_str(piece);
                events.push(json!({"type": "response.function_call_arguments.delta", "item_id": format!("x{turn}"), "output_index": place, "delta": piece}));
            }
            events.extend((0..4).rev().map(|place| done(place, call(place, place + 9))));
            events.push(completed(Value::Null));
            let mut found = vec![String::new(); 4];
            for event in stream("openai", &events) {
                if let ReplyEvent::ToolDelta { block, arguments } = event {
                    found[usize::try_from(block).unwrap()].push_str(&arguments);
                }
            }
            let wanted: Vec<String> =
                wanted.into_iter().map(|text| if text.is_empty() { "{}".to_owned() } else { text }).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}

#[test]
fn the_largest_content_index_is_no_fault() {
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": u64::MAX, "delta": "a"});
    let parts = json!([{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]);
    let item = json!({"type": "message", "content": parts});
    let events = stream("openai", &[delta, done(0, item), completed(json!({}))]);
    assert!(matches!(events.last(), Some(ReplyEvent::Finish(_))), "{events:?}");
}
