//! Rules of replies.

use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Failure, ReplyEvent, Usage};

use super::super::Decoder;
use super::sonnet;
use crate::codec::{BodyForm, ReplyDecoder};

fn stream(events: &[Value]) -> String {
    events.iter().map(|e| format!("event: {}\ndata: {e}\n\n", e["type"].as_str().unwrap())).collect()
}

fn decode_with(form: BodyForm, bytes: &[u8], json_tool: Option<&str>) -> Vec<ReplyEvent> {
    let mut decoder = Decoder::new(&sonnet(), form, json_tool.map(str::to_owned));
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    let ends = events.iter().filter(|e| matches!(e, ReplyEvent::Finish(_) | ReplyEvent::Failure(_))).count();
    assert_eq!(ends, 1, "{events:?}");
    assert!(matches!(events.last(), Some(ReplyEvent::Finish(_) | ReplyEvent::Failure(_))));
    events
}

fn decode(events: &[Value]) -> Vec<ReplyEvent> {
    decode_with(BodyForm::Stream, stream(events).as_bytes(), None)
}

fn start(id: &str) -> Value {
    json!({"type": "message_start", "message": {"id": id, "model": "m", "content": [],
        "usage": {"input_tokens": 5, "output_tokens": 1, "service_tier": "standard"}}})
}

fn block(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn ending(reason: &str) -> Vec<Value> {
    vec![json!({"type": "message_delta", "delta": {"stop_reason": reason}}), json!({"type": "message_stop"})]
}

fn said(events: &[ReplyEvent]) -> String {
    events
        .iter()
        .filter_map(|e| if let ReplyEvent::TextDelta { text, .. } = e { Some(text.as_str()) } else { None })
        .collect()
}

fn finish(events: &[ReplyEvent]) -> &Finish {
    match events.last() {
        Some(ReplyEvent::Finish(finish)) => finish,
        other => panic!("{other:?}"),
    }
}

fn failure(events: &[ReplyEvent]) -> &Failure {
    match events.last() {
        Some(ReplyEvent::Failure(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i15_usage_is_known_before_content() {
    let events = decode(&[start("a")]);
    let usage = Usage { input_uncached: 5, output_text: 1, ..Usage::default() };
    assert!(events.contains(&ReplyEvent::Usage(usage)));
    assert!(!events.iter().any(ReplyEvent::is_content));
    assert_eq!(failure(&events).class, FailureClass::Truncated);
    let ReplyEvent::Info(info) = &events[0] else { panic!("{events:?}") };
    assert_eq!((info.id.as_deref(), info.service_tier.as_deref()), (Some("a"), Some("standard")));
}

#[test]
fn reasons_are_neutral_words() {
    for (raw, expected) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("pause_turn", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("tool_use", FinishReason::ToolCalls),
        ("refusal", FinishReason::ContentFilter),
        ("compaction", FinishReason::Other),
        ("something_new", FinishReason::Other),
    ] {
        let mut events = vec![start("a")];
        events.extend(ending(raw));
        let events = decode(&events);
        assert_eq!((finish(&events).reason, finish(&events).raw.as_deref()), (expected, Some(raw)));
    }
}

#[test]
fn a_call_makes_the_end_tool_calls_and_lacking_arguments_an_empty_object() {
    let mut events =
        vec![start("a"), block(3, json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}}))];
    events.extend(ending("end_turn"));
    let events = decode(&events);
    assert_eq!(finish(&events).reason, FinishReason::ToolCalls);
    let calls: Vec<_> = events
        .iter()
        .filter(|e| {
            matches!(
                e,
                ReplyEvent::ToolStart { .. } | ReplyEvent::ToolDelta { .. } | ReplyEvent::ToolEnd { .. }
            )
        })
        .collect();
    assert_eq!(
        calls,
        [
            &ReplyEvent::ToolStart { block: 0, id: "t1".into(), name: "f".into() },
            &ReplyEvent::ToolDelta { block: 0, arguments: "{}".into() },
            &ReplyEvent::ToolEnd { block: 0 },
        ]
    );
}

#[test]
fn i18_interleaved_calls_keep_their_blocks() {
    let part = |index, text: &str| delta(index, json!({"type": "input_json_delta", "partial_json": text}));
    let mut events = vec![
        start("a"),
        block(1, json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}})),
        block(4, json!({"type": "tool_use", "id": "", "name": "g", "input": {"x": 1}})),
        part(1, ""),
        part(4, "{\"b\":"),
        part(1, "{\"a\": 1"),
        part(4, "2}"),
        part(1, "}"),
    ];
    events.extend(ending("tool_use"));
    let events = decode(&events);
    let arguments = |wanted: u32| -> String {
        events
            .iter()
            .filter_map(|e| match e {
                ReplyEvent::ToolDelta { block, arguments } if *block == wanted => Some(arguments.as_str()),
                _ => None,
            })
            .collect()
    };
    assert_eq!((arguments(0).as_str(), arguments(1).as_str()), ("{\"a\": 1}", "{\"b\":2}"));
    assert!(
        events.iter().any(|e| matches!(e, ReplyEvent::ToolStart { block: 1, id, .. } if id == "toolu_a_1"))
    );
}

#[test]
fn i16_a_second_message_is_a_broken_stream_and_the_same_one_is_ignored() {
    let mut events = vec![start("a"), block(0, json!({"type": "text", "text": ""})), text(0, "one")];
    let mut repeated = events.clone();
    repeated.extend([start("a"), text(0, " two")]);
    repeated.extend(ending("end_turn"));
    let repeated = decode(&repeated);
    assert_eq!((said(&repeated).as_str(), finish(&repeated).reason), ("one two", FinishReason::Stop));
    events.extend([start("b"), text(0, "three")]);
    events.extend(ending("end_turn"));
    let events = decode(&events);
    assert_eq!((said(&events).as_str(), failure(&events).class), ("one", FailureClass::Server));
}

#[test]
fn what_is_unknown_is_ignored_and_lost_starts_are_made_up() {
    let mut events = vec![
        start("a"),
        json!({"type": "ping"}),
        json!({"type": "telemetry", "index": "x"}),
        text(7, "hi"),
        delta(7, json!({"type": "shiny_delta", "text": "no"})),
        delta(9, json!({"type": "input_json_delta", "partial_json": "{}"})),
    ];
    events.extend(ending("end_turn"));
    let events = decode(&events);
    assert_eq!(said(&events), "hi");
    assert!(events.contains(&ReplyEvent::TextEnd { block: 0 }));
}

#[test]
fn i16_errors_under_200_fail_in_every_form() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    for (form, bytes) in [
        (BodyForm::Whole, error.to_string()),
        (BodyForm::Stream, error.to_string()),
        (BodyForm::Stream, stream(&[start("a"), error.clone()])),
        (BodyForm::Stream, format!(": hello\n\ndata: {error}")),
    ] {
        let events = decode_with(form, bytes.as_bytes(), None);
        assert_eq!(failure(&events).class, FailureClass::Overloaded, "{bytes}");
        assert_eq!(failure(&events).message, "Overloaded");
    }
}

#[test]
fn i16_bodies_that_are_no_message_fail() {
    for (bytes, class) in [
        ("{\"type\":\"message\",\"content\":[{\"type\":\"te", FailureClass::Truncated),
        ("", FailureClass::Truncated),
        ("<html>bad gateway</html>", FailureClass::Server),
        ("{\"hello\":1}", FailureClass::Server),
    ] {
        let events = decode_with(BodyForm::Whole, bytes.as_bytes(), None);
        assert_eq!(failure(&events).class, class, "{bytes}");
    }
    let cut = format!("{}data: {{\"type\":\"message_st", stream(&[start("a")]));
    let events = decode_with(BodyForm::Stream, cut.as_bytes(), None);
    assert_eq!(failure(&events).class, FailureClass::Truncated);
    let broken = format!("{}data: {{\"type\":\n\n", stream(&[start("a")]));
    let events = decode_with(BodyForm::Stream, broken.as_bytes(), None);
    assert_eq!(failure(&events).class, FailureClass::Server);
}

#[test]
fn a_last_event_without_its_blank_line_counts() {
    let mut events = vec![start("a")];
    events.extend(ending("end_turn"));
    let bytes = stream(&events);
    let events = decode_with(BodyForm::Stream, bytes.trim_end().as_bytes(), None);
    assert_eq!(finish(&events).reason, FinishReason::Stop);
}

#[test]
fn a_whole_body_instead_of_a_stream_is_taken() {
    let body = json!({"type": "message", "id": "a", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"});
    let events = decode_with(BodyForm::Stream, format!("\n\n {body}").as_bytes(), None);
    assert_eq!((said(&events).as_str(), finish(&events).reason), ("hi", FinishReason::Stop));
}

#[test]
fn an_answer_that_came_as_a_tool_is_text() {
    let mut events = vec![
        start("a"),
        block(0, json!({"type": "text", "text": "Here it is:"})),
        block(1, json!({"type": "tool_use", "id": "t", "name": "json", "input": {}})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{\"a\": 1}"})),
    ];
    events.extend(ending("tool_use"));
    let decoded = decode_with(BodyForm::Stream, stream(&events).as_bytes(), Some("json"));
    assert_eq!((said(&decoded).as_str(), finish(&decoded).reason), ("{\"a\": 1}", FinishReason::Stop));
    assert!(!decoded.iter().any(|e| matches!(e, ReplyEvent::ToolStart { .. })));
    let whole = json!({"type": "message", "id": "a", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t", "name": "json", "input": {"a": 1}}]});
    let decoded = decode_with(BodyForm::Whole, whole.to_string().as_bytes(), Some("json"));
    assert_eq!((said(&decoded).as_str(), finish(&decoded).reason), ("{\"a\":1}", FinishReason::Stop));
    events.remove(2);
    events.remove(2);
    let decoded = decode_with(BodyForm::Stream, stream(&events).as_bytes(), Some("json"));
    assert_eq!(said(&decoded), "Here it is:");
}

#[test]
fn citations_become_annotations() {
    let url = json!({"type": "web_search_result_location", "url": "https://a.example/x", "title": "X", "cited_text": "c"});
    let page = json!({"type": "page_location", "document_index": 0, "start_page_number": 1});
    let whole = json!({"type": "message", "id": "a", "stop_reason": "end_turn", "content": [
        {"type": "text", "text": "Hä: "}, {"type": "text", "text": "it is.", "citations": [url, page]}]});
    let events = decode_with(BodyForm::Whole, whole.to_string().as_bytes(), None);
    let sources: Vec<_> =
        events.iter().filter_map(|e| if let ReplyEvent::Source(s) = e { Some(s) } else { None }).collect();
    let annotation = json!({"type": "url_citation",
        "url_citation": {"url": "https://a.example/x", "title": "X", "start_index": 4, "end_index": 10}});
    assert_eq!(sources, [&annotation, &page]);
    let mut streamed = vec![
        start("a"),
        block(0, json!({"type": "text", "text": "Hä: "})),
        block(1, json!({"type": "text", "text": "", "citations": []})),
        delta(1, json!({"type": "citations_delta", "citation": url})),
        text(1, "it is."),
    ];
    streamed.extend(ending("end_turn"));
    assert!(decode(&streamed).contains(&ReplyEvent::Source(annotation)));
}

#[test]
fn a_compaction_summary_is_no_text() {
    let mut events = vec![
        start("a"),
        block(0, json!({"type": "compaction", "content": null})),
        delta(0, json!({"type": "compaction_delta", "content": "Summary", "encrypted_content": "E+/="})),
        json!({"type": "content_block_stop", "index": 0}),
    ];
    events.extend(ending("end_turn"));
    let events = decode(&events);
    assert_eq!(said(&events), "");
    let value = json!({"type": "compaction", "content": "Summary", "encrypted_content": "E+/="});
    assert!(events.contains(&ReplyEvent::Custom { namespace: "anthropic", value }));
}

#[test]
fn blocks_that_came_with_the_start_are_given() {
    let mut first = start("a");
    first["message"]["content"] = json!([{"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, 2]},
        "caller": {"type": "code_execution_20250825"}}]);
    let mut events = vec![first];
    events.extend(ending("tool_use"));
    let events = decode(&events);
    assert!(events.contains(&ReplyEvent::ToolDelta { block: 0, arguments: "{\"a\":[1,2]}".into() }));
    assert!(events.contains(&ReplyEvent::ToolEnd { block: 0 }));
}

#[test]
fn metadata_has_the_real_services_keys_in_its_order() {
    let mut events = vec![
        start("a"),
        json!({"type": "message_delta",
            "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END", "container": {"id": "c", "expires_at": "t"}},
            "usage": {"output_tokens": 9, "cache_creation_input_tokens": 3,
                "iterations": [{"type": "message", "input_tokens": 5, "output_tokens": 9}]},
            "context_management": {"applied_edits": []}}),
    ];
    events.push(json!({"type": "message_stop"}));
    let events = decode(&events);
    assert_eq!(finish(&events).stop_sequence.as_deref(), Some("END"));
    assert_eq!(
        finish(&events).native.as_ref().unwrap().to_string(),
        r#"{"usage":{"input_tokens":5,"output_tokens":9,"service_tier":"standard","cache_creation_input_tokens":3,"iterations":[{"type":"message","input_tokens":5,"output_tokens":9}]},"cacheCreationInputTokens":3,"stopSequence":"END","iterations":[{"type":"message","inputTokens":5,"outputTokens":9}],"container":{"id":"c","expiresAt":"t"},"contextManagement":{"appliedEdits":[]}}"#
    );
    let whole = json!({"type": "message", "id": "a", "content": [], "stop_reason": "end_turn", "usage": {
        "input_tokens": 16, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": 33, "service_tier": "standard"}});
    let events = decode_with(BodyForm::Whole, whole.to_string().as_bytes(), None);
    assert_eq!(
        finish(&events).native.as_ref().unwrap().to_string(),
        r#"{"usage":{"input_tokens":16,"output_tokens":33,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"service_tier":"standard"},"cacheCreationInputTokens":0,"stopSequence":null,"iterations":null,"container":null,"contextManagement":null}"#
    );
}

proptest::proptest! {
    #[test]
    fn any_bytes_end_in_exactly_one_last_event(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), whole: bool) {
        let form = if whole { BodyForm::Whole } else { BodyForm::Stream };
        decode_with(form, &bytes, None);
    }
}
