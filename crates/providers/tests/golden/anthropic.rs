//! Anthropic's Messages protocol.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tollgate_domain::failure::{FailureClass, Retry};
use tollgate_domain::{ReplyEvent, Usage};
use tollgate_providers::anthropic::messages::{Decoder, MessagesTap};
use tollgate_providers::{BodyForm, ReplyDecoder, Tap, Tapped, Target};
use tollgate_wire::sse;

use crate::fixture::{Fixture, examples, recorded};

const PROTOCOL: &str = "anthropic-messages";

fn decode(fixture: &Fixture, cuts: &[usize]) -> Vec<ReplyEvent> {
    decode_until(fixture, fixture.body.len(), cuts)
}

/// Decodes the reply's first `end` bytes, split at `cuts`.
fn decode_until(fixture: &Fixture, end: usize, cuts: &[usize]) -> Vec<ReplyEvent> {
    let target = Target { provider: fixture.provider.clone(), ..Target::default() };
    let form = if fixture.sse { BodyForm::Stream } else { BodyForm::Whole };
    let mut decoder = Decoder::new(&target, form, None);
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
        let mut all = examples("anthropic", PROTOCOL);
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
                ReplyEvent::TextDelta { text, .. } | ReplyEvent::RefusalDelta { text, .. } => {
                    decoded.text += text
                }
                ReplyEvent::ReasoningDelta { text, .. } => decoded.reasoning += text,
                ReplyEvent::ToolStart { block, id, name } => {
                    decoded.calls.push((*block, id.clone(), name.clone(), String::new()));
                }
                ReplyEvent::ToolDelta { block, arguments } => {
                    let call =
                        decoded.calls.iter_mut().find(|call| call.0 == *block).expect("a started call");
                    call.3 += arguments;
                }
                ReplyEvent::Usage(usage) => decoded.usage = Some(*usage),
                ReplyEvent::Finish(_) | ReplyEvent::Failure(_) => decoded.last = Some(event.clone()),
                _ => {}
            }
        }
        assert!(decoded.last.is_some(), "{name}: no last event");
        decoded
    }

    fn calls(&self) -> Value {
        let parsed = |arguments: &str| {
            serde_json::from_str(arguments).unwrap_or_else(|_| json!({"_unparsed": arguments}))
        };
        self.calls
            .iter()
            .map(|(_, id, name, arguments)| json!({"id": id, "name": name, "arguments": parsed(arguments)}))
            .collect()
    }

    fn usage(&self, wanted: &Value) -> Value {
        let usage = self.usage.expect("a report");
        let all = json!({
            "input_total": usage.input_total(),
            "cache_read": usage.input_cache_read,
            "cache_write": usage.cache_write(),
            "cache_write_5m": usage.input_cache_write_5m,
            "cache_write_1h": usage.input_cache_write_1h,
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
    assert_eq!(decoded.calls(), calls, "{name}");
    assert_eq!(decoded.usage(&expect["usage"]), expect["usage"], "{name}");
    assert!(!decoded.usage.expect("a report").anomaly, "{name}");
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
    assert_eq!(same, expect["retry_same_endpoint"], "{name}");
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
        *(if fixture.sse { &mut streamed } else { &mut whole }) += 1;
    }
    [whole, streamed, errors]
}

#[test]
fn anthropic_recorded_exchanges_decode_as_expected() {
    let [whole, streamed, errors] = assert_all(&recorded(PROTOCOL, "chat"));
    eprintln!("anthropic: {whole} whole replies, {streamed} streams, {errors} errors as expected");
}

#[test]
fn anthropic_examples_decode_as_expected() {
    let [whole, streamed, errors] = assert_all(&examples("anthropic", PROTOCOL));
    assert!(whole > 0 && streamed > 0 && errors > 0, "{whole} {streamed} {errors}");
}

#[test]
fn i02_anthropic_taps_see_what_decoders_give() {
    for fixture in replies() {
        let mut tap = MessagesTap::new(&Target { provider: fixture.provider.clone(), ..Target::default() });
        let mut content = false;
        let end = if fixture.sse {
            let mut stream = sse::Decoder::default();
            let mut each = |e: sse::Event<'_>| content |= tap.event(e.name, e.data) == Tapped::Content;
            stream.feed(&fixture.body, &mut each).expect("small events");
            stream.finish(&mut each);
            tap.end()
        } else {
            tap.whole(&fixture.body)
        };
        let decoded = Decoded::of(&decode(fixture, &[]), &fixture.name);
        assert_eq!(tap.seen().usage, decoded.usage, "{}", fixture.name);
        match decoded.last {
            Some(ReplyEvent::Finish(finish)) => {
                assert_eq!(end, Tapped::Finished, "{}", fixture.name);
                assert_eq!(tap.seen().finish, Some(finish.reason), "{}", fixture.name);
                assert_eq!(tap.seen().native, finish.native, "{}", fixture.name);
            }
            Some(ReplyEvent::Failure(failure)) => {
                assert_eq!(end, Tapped::Failure(failure), "{}", fixture.name)
            }
            other => panic!("{}: {other:?}", fixture.name),
        }
        assert!(!fixture.sse || content == decoded.content, "{}", fixture.name);
    }
}

#[test]
fn i20_anthropic_byte_by_byte() {
    // Each byte alone for the first part of a reply, short pieces after it: long replies repeat themselves.
    const ALONE: usize = 12 << 10;
    for fixture in replies() {
        let len = fixture.body.len();
        let every: Vec<usize> = (1..len.min(ALONE)).chain((ALONE..len).step_by(97)).collect();
        assert_eq!(decode(fixture, &every), decode(fixture, &[]), "{}", fixture.name);
    }
}

#[test]
fn i16_anthropic_cut_streams_never_finish() {
    let complete = |f: &&Fixture| f.sse && !f.expect["finish_reason"].is_null();
    for fixture in replies().iter().filter(complete) {
        let stop = String::from_utf8_lossy(&fixture.body).rfind("message_stop\"").expect("a terminal event");
        for end in (0..stop).step_by((stop / 40).max(1)) {
            let events = decode_until(fixture, end, &[]);
            let Some(ReplyEvent::Failure(failure)) = events.last() else {
                panic!("{} cut at {end}: {:?}", fixture.name, events.last());
            };
            assert_eq!(failure.class, FailureClass::Truncated, "{} cut at {end}", fixture.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn i20_anthropic_random_splits(
        pick in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let fixture = &replies()[pick.index(replies().len())];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(fixture.body.len())).collect();
        cuts.sort_unstable();
        prop_assert_eq!(decode(fixture, &cuts), decode(fixture, &[]), "{}", &fixture.name);
    }
}
