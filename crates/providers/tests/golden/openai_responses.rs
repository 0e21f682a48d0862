//! OpenAI Responses: every example and recorded exchange, decoded and tapped, whole and split anywhere;
//! recorded requests passed through.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Digest as _;
use tollgate_domain::failure::{Failure, FailureClass, Retry};
use tollgate_domain::reply::{Finish, FinishReason, ReplyEvent};
use tollgate_domain::usage::{InclusiveUsage, Usage};
use tollgate_providers::classify::classify;
use tollgate_providers::openai::responses::{Decoder, ResponsesTap, adapt, adapt_compact};
use tollgate_providers::{BodyForm, ReplyDecoder, Tap, Tapped, Target};

use crate::fixture::{self, Fixture};

const PROTOCOL: &str = "openai-responses";
/// Recorded exchanges of this protocol that the folder holds, so that none is skipped unseen.
const RECORDED: usize = 173;
/// Recorded exchanges with `POST /responses/compact`.
const COMPACTED: usize = 5;

fn target(fixture: &Fixture) -> Target {
    let model = fixture.request.as_ref().and_then(|body| body["model"].as_str()).unwrap_or_default();
    Target { provider: fixture.provider.clone(), model: model.to_owned(), ..Target::default() }
}

/// What decoding gave.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    events: Vec<ReplyEvent>,
    text: String,
    reasoning: String,
    /// Block, id, name, arguments.
    calls: Vec<(u32, String, String, String)>,
    usage: Option<Usage>,
    inclusive: Option<InclusiveUsage>,
    finish: Option<Finish>,
    failure: Option<Failure>,
    content: bool,
}

/// Pushes the pieces and gathers the events, checking their order on the way.
fn decode(fixture: &Fixture, pieces: &[&[u8]]) -> Decoded {
    let form = if fixture.sse { BodyForm::Stream } else { BodyForm::Whole };
    let mut decoder = Decoder::new(&target(fixture), form);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    let mut got = gather(&fixture.name, events);
    got.inclusive = decoder.report().map(|report| report.inclusive);
    got
}

fn gather(name: &str, events: Vec<ReplyEvent>) -> Decoded {
    let mut got = Decoded::default();
    let mut open: BTreeMap<u32, &'static str> = BTreeMap::new();
    for event in &events {
        assert!(got.finish.is_none() && got.failure.is_none(), "{name}: {event:?} after the end");
        got.content |= event.is_content();
        match event {
            ReplyEvent::TextStart { block } => assert_eq!(open.insert(*block, "text"), None, "{name}"),
            ReplyEvent::TextDelta { block, text } | ReplyEvent::RefusalDelta { block, text } => {
                assert_eq!(open.get(block), Some(&"text"), "{name}");
                got.text.push_str(text);
            }
            ReplyEvent::TextEnd { block } => assert_eq!(open.remove(block), Some("text"), "{name}"),
            ReplyEvent::ReasoningStart { block, .. } => {
                assert_eq!(open.insert(*block, "reasoning"), None, "{name}");
            }
            ReplyEvent::ReasoningDelta { block, text } => {
                assert_eq!(open.get(block), Some(&"reasoning"), "{name}");
                got.reasoning.push_str(text);
            }
            ReplyEvent::ReasoningEnd { block, .. } => {
                assert_eq!(open.remove(block), Some("reasoning"), "{name}");
            }
            ReplyEvent::ToolStart { block, id, name: tool } => {
                assert_eq!(open.insert(*block, "tool"), None, "{name}");
                assert!(!id.is_empty(), "{name}");
                got.calls.push((*block, id.clone(), tool.clone(), String::new()));
            }
            ReplyEvent::ToolDelta { block, arguments } => {
                assert_eq!(open.get(block), Some(&"tool"), "{name}");
                let call = got.calls.iter_mut().find(|call| call.0 == *block).unwrap();
                call.3.push_str(arguments);
            }
            ReplyEvent::ToolEnd { block } => assert_eq!(open.remove(block), Some("tool"), "{name}"),
            ReplyEvent::Usage(usage) => got.usage = Some(*usage),
            ReplyEvent::Finish(finish) => {
                assert!(open.is_empty(), "{name}: blocks left open");
                got.finish = Some(finish.clone());
            }
            ReplyEvent::Failure(failure) => got.failure = Some(failure.clone()),
            ReplyEvent::Info(_) | ReplyEvent::File(_) | ReplyEvent::Source(_) | ReplyEvent::Custom { .. } => {
            }
        }
    }
    assert!(got.finish.is_some() || got.failure.is_some(), "{name}: no end");
    got.events = events;
    got
}

/// Compares with `expect`; gives every difference in words.
fn differences(fixture: &Fixture, got: &Decoded) -> Vec<String> {
    let expect = &fixture.expect;
    let mut found = Vec::new();
    let mut check = |what: &str, got: Value, want: &Value| {
        if got != *want {
            found.push(format!("{}: {what} is {got}, expected {want}", fixture.name));
        }
    };
    for (what, got) in [("text", &got.text), ("reasoning", &got.reasoning)] {
        match expect.get(what) {
            Some(Value::String(text)) => check(what, json!(got), &json!(text)),
            Some(digest) => {
                let sha: String = sha2::Sha256::digest(got).iter().map(|b| format!("{b:02x}")).collect();
                check(&format!("{what}'s characters"), json!(got.chars().count()), &digest["chars"]);
                check(&format!("{what}'s digest"), json!(sha), &digest["sha256"]);
            }
            None => check(what, json!(got), &json!("")),
        }
    }
    let finish = got.finish.as_ref();
    check("raw finish", json!(finish.and_then(|f| f.raw.clone())), &expect["raw_finish_reason"]);
    if expect["finish_reason"].is_null() {
        // Accepted to be answered in the background: no reason of the table.
        check("unfinished", json!(finish.map(|f| f.reason == FinishReason::Other)), &json!(true));
    } else {
        check("finish", json!(finish.map(|f| f.reason.as_str())), &expect["finish_reason"]);
    }
    let wanted = expect["tool_calls"].as_array().cloned().unwrap_or_default();
    check("number of calls", json!(got.calls.len()), &json!(wanted.len()));
    for (call, mut want) in got.calls.iter().zip(wanted) {
        let raw = want.as_object_mut().and_then(|want| want.shift_remove("item_type"))
            == Some(json!("custom_tool_call"));
        let arguments = if raw {
            json!(call.3)
        } else {
            serde_json::from_str(&call.3).unwrap_or_else(|_| json!({"_unparsed": call.3}))
        };
        check("call", json!({"id": call.1, "name": call.2, "arguments": arguments}), &want);
    }
    if let Some(want) = expect.get("usage") {
        check("usage", got.inclusive.map_or(Value::Null, |usage| usage_value(&usage)), want);
    }
    found
}

fn usage_value(usage: &InclusiveUsage) -> Value {
    json!({
        "input_total": usage.input_total,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write_5m + usage.cache_write_1h,
        "output_total": usage.output_total,
        "reasoning": usage.reasoning,
    })
}

/// Compares a failure with the expected class and what may be tried next.
fn failure_differences(fixture: &Fixture, failure: &Failure, class: &Value, after: bool) -> Vec<String> {
    let expect = &fixture.expect;
    let mut found = Vec::new();
    if *class != failure.class.as_str() {
        found.push(format!("{}: {failure:?}, expected {class}", fixture.name));
    }
    // After content was forwarded nothing can be repeated, whatever the failure says.
    if !after {
        let same = matches!(failure.retry, Retry::SameTarget(_));
        let next = failure.retry != Retry::Never;
        let wanted = (expect["retry_same_endpoint"] == true, expect["fallback_next_endpoint"] == true);
        if (same, next) != wanted {
            found.push(format!("{}: same/next is {:?}, expected {wanted:?}", fixture.name, (same, next)));
        }
    }
    if failure.message.trim().is_empty() {
        found.push(format!("{}: no message", fixture.name));
    }
    found
}

/// Everything that is wrong with one exchange.
fn problems(fixture: &Fixture) -> Vec<String> {
    let expect = &fixture.expect;
    if let Some(class) = expect.get("error_class").filter(|_| fixture.status >= 400) {
        let failure = classify(&fixture.provider, fixture.status, &fixture.headers, &fixture.body);
        return failure_differences(fixture, &failure, class, false);
    }
    let got = decode(fixture, &[&fixture.body]);
    let mut found = tap_problems(fixture, &got);
    // One recording has no expectation, since its bytes are damaged: it only has to end.
    if expect.as_object().is_none_or(serde_json::Map::is_empty) {
        return found;
    }
    match (&got.failure, expect.get("stream_error_class").or_else(|| expect.get("error_class"))) {
        (Some(failure), Some(class)) => {
            let after = expect["content_before_error"] == true;
            if got.content != after {
                found.push(format!("{}: content before the error is {}", fixture.name, got.content));
            }
            found.extend(failure_differences(fixture, failure, class, after));
        }
        (None, None) => found.extend(differences(fixture, &got)),
        other => found.push(format!("{}: failure and expected class are {other:?}", fixture.name)),
    }
    if let (Some(usage), Some(report)) = (got.usage, got.inclusive)
        && (usage.input_total(), usage.output_total()) != (report.input_total, report.output_total)
    {
        found.push(format!("{}: {usage:?} does not sum to {report:?}", fixture.name));
    }
    found
}

/// The tap sees what the decoder sees.
fn tap_problems(fixture: &Fixture, got: &Decoded) -> Vec<String> {
    let mut tap = ResponsesTap::new(&target(fixture));
    let mut content = false;
    // Whoever taps has seen the content type; a plain body to a stream request is tapped as a whole.
    let events = fixture.sse && !fixture.body.trim_ascii_start().starts_with(b"{");
    let end = if events {
        let mut sse = tollgate_wire::sse::Decoder::default();
        let mut each = |event: tollgate_wire::sse::Event<'_>| {
            content |= tap.event(event.name, event.data) == Tapped::Content;
        };
        sse.feed(&fixture.body, &mut each).unwrap();
        sse.finish(&mut each);
        tap.end()
    } else {
        tap.whole(&fixture.body)
    };
    let seen = tap.seen();
    let finish = got.finish.as_ref();
    let same = [
        ("usage", seen.usage == got.usage),
        ("finish", seen.finish == finish.map(|finish| finish.reason)),
        ("native", seen.native == finish.and_then(|finish| finish.native.clone())),
        ("end", end == got.failure.clone().map_or(Tapped::Finished, Tapped::Failure)),
        // What comes with the final event only is finished at once.
        ("content", !events || content == got.content || fixture.name.contains("at-the-end")),
        ("bytes", seen.output_bytes >= (got.text.len() + got.reasoning.len()) as u64),
    ];
    let differ = same.into_iter().filter(|(_, same)| !same);
    differ.map(|(what, _)| format!("{}: tap and decoder differ on {what}: {seen:?}", fixture.name)).collect()
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn recorded() -> Vec<Fixture> {
    let found = fixture::recorded(PROTOCOL, "chat");
    let count = found.len();
    assert!(found.is_empty() || count >= RECORDED, "only {count} of {RECORDED} recorded exchanges");
    found
}

fn examples() -> Vec<Fixture> {
    fixture::examples("openai_responses", PROTOCOL)
}

#[test]
fn responses_examples_decode_to_what_is_expected() {
    assert_none(&examples().iter().flat_map(problems).collect::<Vec<_>>());
}

#[test]
fn responses_recorded_exchanges_decode_to_what_is_expected() {
    let found = recorded();
    eprintln!("{} recorded Responses exchanges", found.len());
    assert_none(&found.iter().flat_map(problems).collect::<Vec<_>>());
}

#[test]
fn i20_responses_byte_by_byte_decode_the_same() {
    // Each byte alone for the first part of a reply, short pieces after it: long replies repeat themselves.
    const ALONE: usize = 16 << 10;
    for fixture in examples().iter().chain(&recorded()).filter(|f| f.status < 400) {
        let (alone, rest) = fixture.body.split_at(fixture.body.len().min(ALONE));
        let pieces: Vec<&[u8]> = alone.chunks(1).chain(rest.chunks(89)).collect();
        assert_eq!(decode(fixture, &pieces), decode(fixture, &[&fixture.body]), "{}", fixture.name);
    }
}

#[test]
fn i20_responses_any_split_decodes_the_same() {
    let fixtures: Vec<Fixture> =
        examples().into_iter().chain(recorded()).filter(|f| f.status < 400).collect();
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    let strategy = (0..fixtures.len(), proptest::collection::vec(any::<prop::sample::Index>(), 0..12));
    runner
        .run(&strategy, |(at, cuts)| {
            let body = &fixtures[at].body;
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            let whole = decode(&fixtures[at], &[body]);
            prop_assert_eq!(decode(&fixtures[at], &pieces), whole, "{}", fixtures[at].name);
            Ok(())
        })
        .unwrap();
}

/// A stream that is cut anywhere before its final event fails, and never ends well.
#[test]
fn i16_responses_cut_streams_never_finish() {
    let complete = |f: &&Fixture| f.sse && f.expect["finish_reason"].is_string();
    let (examples, recorded) = (examples(), recorded());
    let mut cuts = 0;
    for fixture in examples.iter().chain(&recorded).filter(complete) {
        let text = String::from_utf8_lossy(&fixture.body);
        let last = ["response.completed", "response.incomplete"].iter().filter_map(|kind| text.rfind(kind));
        let Some(last) = last.max() else { continue };
        for end in (0..last).step_by((last / 20).max(1)) {
            let got = decode(fixture, &[&fixture.body[..end]]);
            let failure = got.failure.unwrap_or_else(|| panic!("{} cut at {end} ended well", fixture.name));
            assert_eq!(failure.class, FailureClass::Truncated, "{} cut at {end}", fixture.name);
            cuts += 1;
        }
    }
    assert!(cuts > 0);
}

/// What nobody owns stays as it stood, in every recorded request.
#[test]
fn i17_responses_requests_pass_through_unchanged() {
    for fixture in examples().iter().chain(&recorded()) {
        let Some(request) = &fixture.request else { continue };
        let mut request = request.clone();
        request["x_unknown"] = json!({"big": 12_345_678_901_234_567_890_u64, "list": [1, 2.50, null]});
        let before = serde_json::to_vec(&request).unwrap();
        let stream = request["stream"] == true;
        let after = adapt(&before, &target(fixture), stream, None).unwrap();
        assert_eq!(after, before, "{}", fixture.name);
    }
}

#[test]
fn i17_compactions_pass_through_unchanged() {
    let found = fixture::recorded(PROTOCOL, "compact");
    assert!(found.is_empty() || found.len() >= COMPACTED, "only {} of {COMPACTED}", found.len());
    for fixture in &found {
        let before = serde_json::to_vec(fixture.request.as_ref().unwrap()).unwrap();
        assert_eq!(adapt_compact(&before, &target(fixture)).unwrap(), before, "{}", fixture.name);
        let other = Target { model: "another".into(), ..target(fixture) };
        let mut wanted = fixture.request.clone().unwrap();
        wanted["model"] = json!("another");
        let after = adapt_compact(&before, &other).unwrap();
        assert_eq!(after, serde_json::to_vec(&wanted).unwrap(), "{}", fixture.name);
    }
}
