//! Replies, event by event.

use serde_json::{Value, json};
use tollgate_domain::conversation::{FORMAT_GEMINI, FileData, ReasoningKind};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::FinishReason;
use tollgate_domain::{Failure, ReplyEvent, Usage};

use super::target;
use crate::codec::{BodyForm, ReplyDecoder};
use crate::gemini::generate::Decoder;

fn decode(bytes: &[u8], form: BodyForm) -> Vec<ReplyEvent> {
    let mut decoder = Decoder::new(&target("gemini-3-flash"), form);
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    events
}

fn whole(body: &Value) -> Vec<ReplyEvent> {
    decode(body.to_string().as_bytes(), BodyForm::Whole)
}

fn parts(parts: Value) -> Value {
    json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "responseId": "r", "modelVersion": "m"})
}

fn failure(events: &[ReplyEvent]) -> &Failure {
    match events.last() {
        Some(ReplyEvent::Failure(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i18_calls_keep_their_bytes_and_get_ids() {
    let body = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{ "n": 1.50,"big":12345678901234567890123 }},"thoughtSignature":"S"},{"functionCall":{"id":"x1","name":"g"}}]},"finishReason":"STOP"}]}"#;
    let events = decode(body.as_bytes(), BodyForm::Whole);
    let ReplyEvent::ReasoningStart {
        block: 0,
        kind: ReasoningKind::Encrypted,
        id: Some(id),
        format: FORMAT_GEMINI,
    } = &events[0]
    else {
        panic!("{events:?}")
    };
    assert!(super::super::call_id::is_minted(id));
    assert_eq!(
        events[1..8],
        [
            ReplyEvent::ReasoningEnd { block: 0, signature: None, data: Some("S".into()) },
            ReplyEvent::ToolStart { block: 1, id: id.clone(), name: "f".into() },
            ReplyEvent::ToolDelta {
                block: 1,
                arguments: r#"{ "n": 1.50,"big":12345678901234567890123 }"#.into()
            },
            ReplyEvent::ToolEnd { block: 1 },
            ReplyEvent::ToolStart { block: 2, id: "x1".into(), name: "g".into() },
            ReplyEvent::ToolDelta { block: 2, arguments: "{}".into() },
            ReplyEvent::ToolEnd { block: 2 },
        ]
    );
    let ReplyEvent::Finish(finish) = &events[8] else { panic!("{events:?}") };
    assert_eq!((finish.reason, finish.raw.as_deref()), (FinishReason::ToolCalls, Some("STOP")));
}

#[test]
fn files_drafts_and_the_providers_own_parts() {
    let code = json!({"executableCode": {"code": "1"}, "thoughtSignature": "S"});
    let events = whole(&parts(json!([
        {"inlineData": {"mimeType": "image/png", "data": "DRAFT"}, "thought": true},
        code,
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "T"},
        {"fileData": {"fileUri": "https://x.test/v", "mimeType": "video/mp4"}},
    ])));
    let ReplyEvent::Custom { namespace: "google", value } = &events[1] else { panic!("{events:?}") };
    assert_eq!(*value, code);
    let files: Vec<&FileData> = events
        .iter()
        .filter_map(|e| if let ReplyEvent::File(file) = e { Some(&file.data) } else { None })
        .collect();
    assert_eq!(files, [&FileData::Base64("AA==".into()), &FileData::Url("https://x.test/v".into())]);
    assert_eq!(events[4], ReplyEvent::ReasoningEnd { block: 0, signature: None, data: Some("T".into()) });
}

#[test]
fn grounding_gives_sources_searches_and_metadata() {
    let mut body = parts(json!([{"text": "Rain."}]));
    let grounding = json!({
        "webSearchQueries": ["a", "b"],
        "groundingChunks": [
            {"web": {"uri": "https://a.test", "title": "A"}}, {"web": {"uri": "https://a.test"}},
            {"retrievedContext": {"uri": "gs://no", "text": "t"}}, {"maps": {"uri": "https://m.test"}},
        ],
    });
    body["candidates"][0]["groundingMetadata"] = grounding.clone();
    body["usageMetadata"] = json!({"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5});
    let events = whole(&body);
    let sources: Vec<&Value> =
        events.iter().filter_map(|e| if let ReplyEvent::Source(s) = e { Some(s) } else { None }).collect();
    assert_eq!(
        sources,
        [
            &json!({"type": "url_citation", "url_citation": {"url": "https://a.test", "title": "A"}}),
            &json!({"type": "url_citation", "url_citation": {"url": "https://m.test"}}),
        ]
    );
    let usage = Usage { input_uncached: 3, output_text: 2, searches: 2, ..Usage::default() };
    assert!(events.contains(&ReplyEvent::Usage(usage)), "{events:?}");
    let Some(ReplyEvent::Finish(finish)) = events.last() else { panic!("{events:?}") };
    assert_eq!(
        finish.native.as_ref().unwrap().to_value(),
        json!({
            "promptFeedback": null, "groundingMetadata": grounding, "urlContextMetadata": null, "safetyRatings": null,
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        })
    );
}

#[test]
fn i02_the_last_whole_report_counts() {
    let chunk = |usage: &str, finish: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"a\"}}]}}{finish}}}],\"usageMetadata\":{usage}}}\r\n\r\n"
        )
    };
    let stream = [
        chunk(r#"{"trafficType":"ON_DEMAND"}"#, ""),
        chunk(
            r#"{"promptTokenCount":9,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":17}"#,
            "",
        ),
        chunk(
            r#"{"promptTokenCount":9,"candidatesTokenCount":6,"totalTokenCount":15}"#,
            r#","finishReason":"STOP""#,
        ),
        chunk(r#"{"trafficType":"ON_DEMAND"}"#, ""),
    ]
    .concat();
    let events = decode(stream.as_bytes(), BodyForm::Stream);
    let told: Vec<(u64, u64)> = events
        .iter()
        .filter_map(|e| {
            if let ReplyEvent::Usage(u) = e { Some((u.output_total(), u.output_reasoning)) } else { None }
        })
        .collect();
    assert_eq!(told, [(8, 3), (6, 0)]);
}

#[test]
fn i16_answers_without_an_end_are_failures() {
    let cut = b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\r\n\r\ndata: {\"cand";
    assert_eq!(failure(&decode(cut, BodyForm::Stream)).class, FailureClass::Truncated);
    assert_eq!(failure(&decode(b"", BodyForm::Stream)).class, FailureClass::Truncated);
    assert_eq!(
        failure(&decode(b"[{\"candidates\":[{\"content\":{\"parts\":[{\"thought\":tr", BodyForm::Stream))
            .class,
        FailureClass::Truncated
    );
    assert_eq!(
        failure(&decode(b"data: {\"a\":x}\n\ndata: {}\n\n", BodyForm::Stream)).class,
        FailureClass::Server
    );
    assert_eq!(failure(&decode(b"<html>", BodyForm::Stream)).class, FailureClass::Server);
    assert_eq!(failure(&decode(b"{}", BodyForm::Whole)).class, FailureClass::Server);
    // A whole body that is complete but for its reason is taken.
    let events = whole(&json!({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}));
    assert!(
        matches!(events.last(), Some(ReplyEvent::Finish(f)) if f.reason == FinishReason::Stop && f.raw.is_none())
    );
}

#[test]
fn a_text_stays_one_whatever_else_is_said_of_it() {
    let events = whole(&parts(json!([
        {"text": "a", "partMetadata": {"x": 1}},
        {"text": "b", "thoughtSignature": "S", "newMember": true},
        {"thoughtSignature": "T"},
        {"newKind": {}},
        {},
    ])));
    assert_eq!(events[2], ReplyEvent::TextDelta { block: 0, text: "a".into() });
    assert_eq!(events[5], ReplyEvent::TextDelta { block: 1, text: "b".into() });
    let states: Vec<&str> = events
        .iter()
        .filter_map(|e| if let ReplyEvent::ReasoningEnd { data, .. } = e { data.as_deref() } else { None })
        .collect();
    assert_eq!(states, ["S", "T"]);
    assert!(
        events
            .iter()
            .any(|e| matches!(e, ReplyEvent::Custom { value, .. } if *value == json!({"newKind": {}})))
    );
}

#[test]
fn only_the_first_candidate_is_the_answer() {
    let body = json!({"candidates": [
        {"index": 1, "content": {"parts": [{"text": "other"}]}, "finishReason": "SAFETY"},
        {"index": 0, "content": {"parts": [{"text": "this"}]}, "finishReason": "STOP"},
    ]});
    let events = whole(&body);
    assert_eq!(events[1], ReplyEvent::TextDelta { block: 0, text: "this".into() });
    assert!(matches!(events.last(), Some(ReplyEvent::Finish(f)) if f.reason == FinishReason::Stop));
}
