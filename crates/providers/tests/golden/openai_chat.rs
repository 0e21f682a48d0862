//! Chat completions: every example and recorded exchange, decoded and tapped, whole and split anywhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::Digest as _;
use tollgate_domain::failure::{Failure, FailureClass, Retry};
use tollgate_domain::reply::{Finish, ReplyEvent};
use tollgate_domain::usage::{InclusiveUsage, Usage};
use tollgate_providers::classify::classify;
use tollgate_providers::openai::chat::{ChatTap, Decoder, adapt};
use tollgate_providers::{BodyForm, ReplyDecoder, Tap, Tapped, Target};

use crate::fixture::{self, Fixture};

/// Recorded exchanges of this protocol that the folder holds, so that none is skipped unseen.
const RECORDED: usize = 343;

/// The endpoint that a fixture was recorded at.
fn target(fixture: &Fixture) -> Target {
    let asked = fixture.request.as_ref().and_then(|body| body["model"].as_str()).map(str::to_owned);
    let model = asked.or_else(|| answering_model(&fixture.body)).unwrap_or_default();
    Target { provider: fixture.provider.clone(), model, ..Target::default() }
}

/// The model named in an answer.
fn answering_model(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let at = text.find("\"model\":")? + "\"model\":".len();
    text[at..].split('"').nth(1).map(str::to_owned)
}

/// What decoding gave.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    text: String,
    reasoning: String,
    calls: Vec<(String, String, String)>,
    usage: Option<Usage>,
    finish: Option<Finish>,
    failure: Option<Failure>,
    content: bool,
    ends: usize,
}

/// Pushes the pieces and gathers the events, checking their order on the way.
fn decode(fixture: &Fixture, pieces: &[&[u8]]) -> (Decoded, Option<InclusiveUsage>) {
    let form = if fixture.sse { BodyForm::Stream } else { BodyForm::Whole };
    let mut decoder = Decoder::new(&target(fixture), form);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    (gather(&fixture.name, &events), decoder.report().map(|report| report.inclusive))
}

fn gather(name: &str, events: &[ReplyEvent]) -> Decoded {
    let mut got = Decoded::default();
    let mut open: BTreeMap<u32, &'static str> = BTreeMap::new();
    let mut tool = None;
    for event in events {
        assert_eq!(got.ends, 0, "{name}: {event:?} after the end");
        got.content |= event.is_content();
        match event {
            ReplyEvent::TextStart { block } => assert_eq!(open.insert(*block, "text"), None, "{name}"),
            ReplyEvent::TextDelta { block, text } | ReplyEvent::RefusalDelta { block, text } => {
                assert_eq!(open.get(block), Some(&"text"), "{name}");
                got.text.push_str(text);
            }
            ReplyEvent::TextEnd { block } => assert_eq!(open.remove(block), Some("text"), "{name}"),
            ReplyEvent::ReasoningStart { block, .. } => {
                assert_eq!(open.insert(*block, "reasoning"), None, "{name}")
            }
            ReplyEvent::ReasoningDelta { block, text } => {
                assert_eq!(open.get(block), Some(&"reasoning"), "{name}");
                got.reasoning.push_str(text);
            }
            ReplyEvent::ReasoningEnd { block, .. } => {
                assert_eq!(open.remove(block), Some("reasoning"), "{name}")
            }
            ReplyEvent::ToolStart { block, id, name: tool_name } => {
                assert_eq!(tool.replace(*block), None, "{name}: calls interleave");
                assert!(!id.is_empty(), "{name}");
                got.calls.push((id.clone(), tool_name.clone(), String::new()));
            }
            ReplyEvent::ToolDelta { block, arguments } => {
                assert_eq!(tool, Some(*block), "{name}");
                got.calls.last_mut().unwrap().2.push_str(arguments);
            }
            ReplyEvent::ToolEnd { block } => assert_eq!(tool.take(), Some(*block), "{name}"),
            ReplyEvent::Usage(usage) => got.usage = Some(*usage),
            ReplyEvent::Finish(finish) => {
                assert!(open.is_empty() && tool.is_none(), "{name}: blocks left open");
                got.finish = Some(finish.clone());
                got.ends += 1;
            }
            ReplyEvent::Failure(failure) => {
                got.failure = Some(failure.clone());
                got.ends += 1;
            }
            ReplyEvent::Info(_) | ReplyEvent::File(_) | ReplyEvent::Source(_) | ReplyEvent::Custom { .. } => {
            }
        }
    }
    assert_eq!(got.ends, 1, "{name}: exactly one end");
    got
}

/// Compares with `expect`; gives every difference in words.
fn differences(fixture: &Fixture, got: &Decoded, inclusive: Option<InclusiveUsage>) -> Vec<String> {
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
            // Long texts are kept as a digest.
            Some(digest) => {
                let sha: String = sha2::Sha256::digest(got).iter().map(|b| format!("{b:02x}")).collect();
                check(&format!("{what}'s characters"), json!(got.chars().count()), &digest["chars"]);
                check(&format!("{what}'s digest"), json!(sha), &digest["sha256"]);
            }
            None if expect.get("text").is_some() => check(what, json!(got), &json!("")),
            None => {}
        }
    }
    if expect.get("finish_reason").is_some() {
        let finish = got.finish.as_ref();
        check("finish", json!(finish.map(|f| f.reason.as_str())), &expect["finish_reason"]);
        check("raw finish", json!(finish.and_then(|f| f.raw.clone())), &expect["raw_finish_reason"]);
    }
    if expect.get("text").is_some() {
        let calls: Vec<Value> = got.calls.iter().map(call).collect();
        let wanted: Vec<Value> =
            expect["tool_calls"].as_array().into_iter().flatten().zip(&got.calls).map(wanted_call).collect();
        let count = expect["tool_calls"].as_array().map_or(0, Vec::len);
        check("number of calls", json!(calls.len()), &json!(count));
        check("calls", json!(calls), &json!(wanted));
    }
    if let Some(want) = expect.get("usage") {
        check("usage", inclusive.map_or(Value::Null, |usage| usage_value(&usage, want)), want);
    }
    found
}

fn call((id, name, arguments): &(String, String, String)) -> Value {
    let parsed: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({"_unparsed": arguments}));
    json!({"id": id, "name": name, "arguments": parsed})
}

/// An id that was not sent is minted: then only its form is known.
fn wanted_call((want, got): (&Value, &(String, String, String))) -> Value {
    let mut want = want.clone();
    if want["id"].as_str().unwrap_or_default().is_empty() && got.0.starts_with("call_") {
        want["id"] = json!(got.0);
    }
    want
}

fn usage_value(usage: &InclusiveUsage, want: &Value) -> Value {
    let mut value = json!({
        "input_total": usage.input_total,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write_5m + usage.cache_write_1h,
        "output_total": usage.output_total,
        "reasoning": usage.reasoning,
    });
    if want.get("cache_write_5m").is_some() {
        value["cache_write_5m"] = json!(usage.cache_write_5m);
        value["cache_write_1h"] = json!(usage.cache_write_1h);
    }
    value
}

/// Compares a failure with the expected class and what may be tried next.
fn failure_differences(
    fixture: &Fixture,
    failure: &Failure,
    class: &Value,
    after_content: bool,
) -> Vec<String> {
    let expect = &fixture.expect;
    let mut found = Vec::new();
    if *class != failure.class.as_str() {
        found.push(format!(
            "{}: class is {}, expected {class} ({})",
            fixture.name,
            failure.class.as_str(),
            failure.message
        ));
    }
    // After content was forwarded nothing can be repeated, whatever the failure says.
    if !after_content {
        let same = matches!(failure.retry, Retry::SameTarget(_));
        let next = same || failure.retry == Retry::OtherTarget;
        let wanted = (expect["retry_same_endpoint"] == true, expect["fallback_next_endpoint"] == true);
        if (same, next) != wanted {
            found.push(format!(
                "{}: same/next target is {:?}, expected {wanted:?}",
                fixture.name,
                (same, next)
            ));
        }
    }
    if failure.message.trim().is_empty() || failure.message.chars().count() > 2000 {
        found.push(format!("{}: message {:?}", fixture.name, failure.message));
    }
    found
}

/// Everything that is wrong with one exchange.
fn problems(fixture: &Fixture) -> Vec<String> {
    let expect = &fixture.expect;
    if expect.is_null() {
        return vec![format!("{}: no expectation", fixture.name)];
    }
    if let Some(class) = expect.get("error_class").filter(|_| fixture.status >= 400) {
        let failure = classify(&fixture.provider, fixture.status, &fixture.headers, &fixture.body);
        return failure_differences(fixture, &failure, class, false);
    }
    let (got, inclusive) = decode(fixture, &[&fixture.body]);
    let mut found = differences(fixture, &got, inclusive);
    let class = expect.get("error_class").or_else(|| expect.get("stream_error_class"));
    match (&got.failure, class) {
        (Some(failure), Some(class)) => {
            let after = expect["content_before_error"] == true;
            if expect.get("content_before_error").is_some() && got.content != after {
                found.push(format!("{}: content before the error is {}", fixture.name, got.content));
            }
            found.extend(failure_differences(fixture, failure, class, after));
        }
        (None, Some(class)) => found.push(format!("{}: no failure, expected {class}", fixture.name)),
        (Some(failure), None)
            if expect.get("stream_error").is_none() && expect["finish_reason"].is_string() =>
        {
            found.push(format!("{}: failed with {failure:?}", fixture.name));
        }
        (Some(failure), None) => {
            if let Some(message) = expect.pointer("/stream_error/message").and_then(Value::as_str)
                && message != failure.message
            {
                found.push(format!("{}: message {:?}, expected {message:?}", fixture.name, failure.message));
            }
        }
        (None, None) => {}
    }
    found.extend(usage_problems(fixture, &got, inclusive));
    found.extend(tap_problems(fixture, &got));
    found
}

/// I1: buckets are disjoint and sum to the totals; I3: contradictions are flagged.
fn usage_problems(fixture: &Fixture, got: &Decoded, inclusive: Option<InclusiveUsage>) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(usage), Some(report)) = (got.usage, inclusive) {
        if (usage.input_total(), usage.output_total()) != (report.input_total, report.output_total) {
            found.push(format!("{}: {usage:?} does not sum to {report:?}", fixture.name));
        }
        let contradicts = report.cache_read + report.cache_write_5m + report.cache_write_1h
            > report.input_total
            || report.reasoning > report.output_total;
        if contradicts && !usage.anomaly {
            found.push(format!("{}: a contradiction is not flagged", fixture.name));
        }
    }
    found
}

/// The tap sees what the decoder sees.
fn tap_problems(fixture: &Fixture, got: &Decoded) -> Vec<String> {
    let mut tap = ChatTap::new(&target(fixture));
    let mut content = false;
    let mut last = Tapped::Nothing;
    // Whoever taps has seen the content type; a plain body to a stream request is tapped as a whole.
    let events = fixture.sse && !fixture.body.starts_with(b"{");
    if events {
        let mut sse = tollgate_wire::sse::Decoder::default();
        let mut each = |event: tollgate_wire::sse::Event<'_>| match tap.event(event.name, event.data) {
            Tapped::Content => content = true,
            Tapped::Nothing => {}
            end => last = end,
        };
        sse.feed(&fixture.body, &mut each).unwrap();
        sse.finish(&mut each);
        last = tap.end();
    } else {
        last = tap.whole(&fixture.body).max_end(last);
    }
    let mut found = Vec::new();
    let mut check = |what: &str, same: bool| {
        if !same {
            found.push(format!(
                "{}: tap and decoder differ on {what}: {:?}, {last:?}",
                fixture.name,
                tap.seen()
            ));
        }
    };
    check("usage", tap.seen().usage == got.usage);
    check("finish", tap.seen().finish == got.finish.as_ref().map(|finish| finish.reason));
    check("native", tap.seen().native == got.finish.as_ref().and_then(|finish| finish.native.clone()));
    check(
        "failure",
        matches!(&last, Tapped::Failure(failure) if Some(failure) == got.failure.as_ref())
            == got.failure.is_some(),
    );
    check("completion", (last == Tapped::Finished) == got.finish.is_some());
    if events {
        check("content", content == got.content);
    }
    let visible = !(got.text.is_empty() && got.reasoning.is_empty());
    check("bytes", tap.seen().output_bytes > 0 || !visible);
    found
}

trait MaxEnd {
    fn max_end(self, other: Self) -> Self;
}

impl MaxEnd for Tapped {
    /// A whole body has one verdict; there is none before it.
    fn max_end(self, other: Self) -> Self {
        assert_eq!(other, Tapped::Nothing);
        self
    }
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn recorded() -> Vec<Fixture> {
    let found = fixture::recorded("openai-chat", "chat");
    assert!(
        found.is_empty() || found.len() >= RECORDED,
        "only {} of {RECORDED} recorded exchanges",
        found.len()
    );
    found
}

fn examples() -> Vec<Fixture> {
    fixture::examples("openai_chat", "openai-chat")
}

#[test]
fn examples_decode_to_what_is_expected() {
    assert_none(examples().iter().flat_map(problems).collect());
}

#[test]
fn recorded_exchanges_decode_to_what_is_expected() {
    let found = recorded();
    eprintln!("{} recorded chat exchanges", found.len());
    assert_none(found.iter().flat_map(problems).collect());
}

/// Splits at every byte must give what one piece gives.
fn assert_bytewise(fixture: &Fixture) {
    let (whole, _) = decode(fixture, &[&fixture.body]);
    let pieces: Vec<&[u8]> = fixture.body.chunks(1).collect();
    assert_eq!(decode(fixture, &pieces).0, whole, "{}", fixture.name);
}

#[test]
fn i20_byte_by_byte_decodes_the_same() {
    for fixture in examples().iter().chain(&recorded()).filter(|f| f.status < 400) {
        assert_bytewise(fixture);
    }
}

#[test]
fn i20_any_split_decodes_the_same() {
    use proptest::prelude::*;
    let fixtures: Vec<Fixture> =
        examples().into_iter().chain(recorded()).filter(|f| f.status < 400).collect();
    let wholes: Vec<Decoded> = fixtures.iter().map(|f| decode(f, &[&f.body]).0).collect();
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 600, ..ProptestConfig::default() });
    let strategy = (0..fixtures.len(), proptest::collection::vec(any::<prop::sample::Index>(), 0..12));
    runner
        .run(&strategy, |(at, cuts)| {
            let body = &fixtures[at].body;
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&decode(&fixtures[at], &pieces).0, &wholes[at], "{}", fixtures[at].name);
            Ok(())
        })
        .unwrap();
}

/// I16: a stream that is cut anywhere before its end fails, and never ends well.
#[test]
fn i16_a_cut_stream_never_finishes() {
    for fixture in examples().iter().filter(|f| f.sse && f.expect["finish_reason"].is_string()) {
        let text = String::from_utf8_lossy(&fixture.body).into_owned();
        let Some(at) = text.rfind("\"finish_reason\":\"") else { continue };
        for cut in [0, at / 3, at / 2, at] {
            let (got, _) = decode(fixture, &[&fixture.body[..cut]]);
            let failure = got.failure.unwrap_or_else(|| panic!("{} cut at {cut} ended well", fixture.name));
            assert_eq!(failure.retry, Retry::SameTarget(None), "{}", fixture.name);
            assert!(matches!(failure.class, FailureClass::Truncated | FailureClass::Server), "{failure:?}");
        }
    }
}

/// I17: every recorded request can be adapted for its own provider, and what nobody owns stays.
#[test]
fn i17_recorded_requests_are_adapted_and_unknown_members_stay() {
    let mut adapted = 0;
    for fixture in examples().iter().chain(&recorded()) {
        let Some(request) = &fixture.request else { continue };
        let mut request = request.clone();
        request["x_unknown"] = json!({"big": 12_345_678_901_234_567_890_u64, "list": [1, 2.50, null]});
        request["temperature_of_the_room"] = json!(21.5);
        let before = serde_json::to_vec(&request).unwrap();
        let after = adapt(&before, &target(fixture), fixture.streaming)
            .unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
        let after: Value = serde_json::from_slice(&after).unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
        for member in
            ["x_unknown", "temperature_of_the_room", "web_search_options", "transforms", "min_p", "thinking"]
        {
            assert_eq!(after.get(member), request.get(member), "{}: {member}", fixture.name);
        }
        let count = |body: &Value| body["messages"].as_array().map_or(0, Vec::len);
        if fixture.provider != "perplexity" {
            assert!(count(&after) >= count(&request), "{}: messages were lost", fixture.name);
        }
        adapted += 1;
    }
    assert!(adapted > 0);
}
