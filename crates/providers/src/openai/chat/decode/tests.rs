use serde_json::json;
use tollgate_domain::JsonText;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_GEMINI, FileData};
use tollgate_domain::reply::FinishReason;

use super::*;

fn decode(provider: &str, form: BodyForm, bytes: &[u8]) -> Vec<ReplyEvent> {
    let target = Target { provider: provider.to_owned(), ..Target::default() };
    let mut decoder = Decoder::new(&target, form);
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    events
}

fn stream(provider: &str, chunks: &[Value]) -> Vec<ReplyEvent> {
    let mut text = String::new();
    for chunk in chunks {
        text.push_str(&format!("data: {chunk}\n\n"));
    }
    text.push_str("data: [DONE]\n\n");
    decode(provider, BodyForm::Stream, text.as_bytes())
}

fn delta(delta: Value) -> Value {
    json!({"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn stop() -> Value {
    json!({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
}

#[test]
fn i19_signatures_and_encrypted_reasoning_are_kept_bit_exact() {
    let detail = |value: Value| delta(json!({"reasoning_details": [value]}));
    let events = stream(
        "openrouter",
        &[
            detail(
                json!({"type": "reasoning.text", "text": "a", "format": "anthropic-claude-v1", "index": 0}),
            ),
            detail(
                json!({"type": "reasoning.text", "signature": "sIg+/=", "format": "anthropic-claude-v1", "index": 0}),
            ),
            detail(
                json!({"type": "reasoning.encrypted", "data": "eNc+/=", "id": "rs_1", "format": "openai-responses-v1"}),
            ),
            delta(json!({"content": "x"})),
            stop(),
        ],
    );
    let reasoning: Vec<&ReplyEvent> = events
        .iter()
        .filter(|e| matches!(e, ReplyEvent::ReasoningStart { .. } | ReplyEvent::ReasoningEnd { .. }))
        .collect();
    assert_eq!(
        reasoning,
        [
            &ReplyEvent::ReasoningStart {
                block: 0,
                kind: ReasoningKind::Text,
                id: None,
                format: FORMAT_ANTHROPIC
            },
            &ReplyEvent::ReasoningEnd { block: 0, signature: Some("sIg+/=".into()), data: None },
            &ReplyEvent::ReasoningStart {
                block: 1,
                kind: ReasoningKind::Encrypted,
                id: Some("rs_1".into()),
                format: "openai-responses-v1"
            },
            &ReplyEvent::ReasoningEnd { block: 1, signature: None, data: Some("eNc+/=".into()) },
        ]
    );
}

#[test]
fn gemini_signatures_of_calls_come_before_their_call() {
    let body = json!({"id": "x", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"tool_calls": [
        {"id": "c9", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "c2ln"}}}]}}]});
    let events = decode("google", BodyForm::Whole, body.to_string().as_bytes());
    let start = ReplyEvent::ReasoningStart {
        block: 0,
        kind: ReasoningKind::Encrypted,
        id: Some("c9".into()),
        format: FORMAT_GEMINI,
    };
    let end = ReplyEvent::ReasoningEnd { block: 0, signature: None, data: Some("c2ln".into()) };
    assert_eq!(events[1..3], [start, end]);
    assert_eq!(events[3], ReplyEvent::ToolStart { block: 1, id: "c9".into(), name: "f".into() });
}

#[test]
fn sources_and_files() {
    let citation =
        json!({"type": "url_citation", "url_citation": {"url": "https://example.com/1", "title": "One"}});
    let mut last = stop();
    last["citations"] = json!(["https://example.com/1", "https://example.com/2"]);
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/webp;base64,QUJD"}});
    let events = stream(
        "x",
        &[delta(json!({"content": "t", "annotations": [citation]})), delta(json!({"images": [image]})), last],
    );
    let sources: Vec<&Value> = events
        .iter()
        .filter_map(|e| if let ReplyEvent::Source(value) = e { Some(value) } else { None })
        .collect();
    let second = json!({"type": "url_citation", "url_citation": {"url": "https://example.com/2"}});
    assert_eq!(sources, [&citation, &second], "a source named twice is given once");
    let file =
        events.iter().find_map(|e| if let ReplyEvent::File(file) = e { Some(file) } else { None }).unwrap();
    assert_eq!((file.media_type.as_str(), &file.data), ("image/webp", &FileData::Base64("QUJD".into())));
}

#[test]
fn the_finish_carries_the_providers_own_metadata() {
    let mut last = stop();
    last["usage"] = json!({"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5});
    last["service_tier"] = json!("flex");
    let events = stream("openai", &[delta(json!({"content": "t"})), last]);
    let Some(ReplyEvent::Finish(finish)) = events.last() else { panic!("{events:?}") };
    assert_eq!((finish.reason, finish.raw.as_deref()), (FinishReason::Stop, Some("stop")));
    let native = json!({"responseId": "c1", "serviceTier": "flex", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5}});
    assert_eq!(finish.native.as_ref().map(JsonText::to_value), Some(native));
}

#[test]
fn i02_a_later_usage_replaces_an_earlier_one() {
    let usage =
        |tokens: u64| json!({"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens});
    let mut first = delta(json!({"content": "a"}));
    first["usage"] = usage(1);
    let mut last = stop();
    last["usage"] = usage(3);
    let events = stream("perplexity", &[first, last]);
    let seen: Vec<u64> = events
        .iter()
        .filter_map(|e| if let ReplyEvent::Usage(u) = e { Some(u.output_total()) } else { None })
        .collect();
    assert_eq!(seen, [1, 3]);
}

#[test]
fn a_stream_that_nobody_asked_for_is_understood() {
    let text = format!("data: {}\n\ndata: {}\n\ndata: [DONE]\n\n", delta(json!({"content": "a"})), stop());
    let events = decode("x", BodyForm::Whole, text.as_bytes());
    assert!(matches!(events.last(), Some(ReplyEvent::Finish(_))), "{events:?}");
}

#[test]
fn what_makes_no_sense_is_the_providers_failure() {
    for text in ["data: {\"choices\":[\n\n", "data: hello\n\n", "<html>", "{\"choices\":"] {
        let events = decode("x", BodyForm::Stream, text.as_bytes());
        let [ReplyEvent::Failure(failure)] = events.as_slice() else { panic!("{text}: {events:?}") };
        assert_eq!(failure.class, FailureClass::Server, "{text}");
    }
    for text in ["", "\n\n", ": ping\n\n", "data: [DONE]\n\n"] {
        let events = decode("x", BodyForm::Stream, text.as_bytes());
        let [ReplyEvent::Failure(failure)] = events.as_slice() else { panic!("{text}: {events:?}") };
        assert_eq!(failure.class, FailureClass::Truncated, "{text}");
    }
}

#[test]
fn i20_white_space_before_a_stream_means_nothing_however_it_is_cut() {
    let text = format!(" data: {}\n\ndata: [DONE]\n\n", stop());
    for form in [BodyForm::Stream, BodyForm::Whole] {
        let events = decode("x", form, text.as_bytes());
        assert!(matches!(events.last(), Some(ReplyEvent::Finish(_))), "{form:?}: {events:?}");
        let mut decoder = Decoder::new(&Target { provider: "x".into(), ..Target::default() }, form);
        let mut bytewise = Vec::new();
        text.bytes().for_each(|byte| decoder.push(&[byte], &mut bytewise));
        decoder.end(&mut bytewise);
        assert_eq!(bytewise, events, "{form:?}");
    }
}

proptest::proptest! {
    /// Whatever comes, there is exactly one end, it is last, and the splits do not matter (I20).
    #[test]
    fn i20_any_bytes_have_one_end(pieces in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..14), cut in 0usize..400) {
        let text = pieces.concat().into_bytes();
        for form in [BodyForm::Whole, BodyForm::Stream] {
            let events = decode("xai", form, &text);
            let ends = events.iter().filter(|e| matches!(e, ReplyEvent::Finish(_) | ReplyEvent::Failure(_))).count();
            proptest::prop_assert_eq!(ends, 1);
            proptest::prop_assert!(matches!(events.last(), Some(ReplyEvent::Finish(_) | ReplyEvent::Failure(_))));
            let (head, tail) = text.split_at(cut.min(text.len()));
            let mut decoder = Decoder::new(&Target { provider: "xai".into(), ..Target::default() }, form);
            let mut split = Vec::new();
            decoder.push(head, &mut split);
            decoder.push(tail, &mut split);
            decoder.end(&mut split);
            proptest::prop_assert_eq!(split, events);
        }
    }
}

/// Pieces of streams, good and bad.
const PIECES: [&str; 17] = [
    "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"r\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"u\",\"function\":{\"name\":\"g\",\"arguments\":{\"a\":1}}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[null,7,{}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"},\"finish_reason\":\"\"}]}\n\n",
    "data: {\"choices\":[{\"delta\":null,\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":-2}}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\"},3]}}]}\n\n",
    "data: {\"error\":{\"message\":\"m\"}}\n\n",
    "data: [DONE]\n\n",
    ": ping\n\n",
    "data: {\"half\":",
    "\n",
    " ",
    "{\"choices\":[{\"message\":{\"content\":\"w\"},\"finish_reason\":\"stop\"}]}",
];
