use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, File, FileData, ReasoningKind,
};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::Routing;
use tollgate_domain::reply::FinishReason;
use tollgate_domain::usage::Usage;
use tollgate_domain::{GenerationId, JsonText, ModelId, Nanodollars, Warning};

use super::*;
use crate::ai_sdk::whole;

const VERSIONS: [Version; 3] = [Version::V2, Version::V3, Version::V4];

pub(in crate::ai_sdk) fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_700_000_000_000, 7)),
        created_seconds: 1_700_000_000,
        model: "anthropic/claude-sonnet-4".into(),
        fingerprint: "fp_0123456789".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

pub(in crate::ai_sdk) fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude-sonnet-4"),
            canonical_model: ModelId::new("anthropic/claude-sonnet-4"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude-sonnet-4-20250514".into(),
            fallbacks: vec!["bedrock".into()],
            reasoning: "default ranking".into(),
            final_provider: "anthropic".into(),
            attempts: Vec::new(),
        },
        usage: Usage {
            input_uncached: 10,
            input_cache_read: 4,
            input_cache_write_5m: 2,
            output_text: 5,
            output_reasoning: 3,
            ..Usage::default()
        },
        cost: Some(Nanodollars(123_000)),
        market_cost: Some(Nanodollars(123_000)),
        byok: false,
        native: None,
        service_tier: None,
        warnings: vec![Warning::unsupported("topK", "left out")],
    }
}

fn finish(reason: FinishReason) -> Finish {
    let native = Some(JsonText::from(&json!({"usage": {"input_tokens": 10}})));
    Finish { reason, raw: Some("end_turn".into()), stop_sequence: None, native }
}

fn generation() -> String {
    context().generation.to_string()
}

/// The parts of a stream.
fn parts(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"));
    let events = text.split("\n\n").filter(|e| !e.is_empty());
    let data = events.map(|e| e.strip_prefix("data: ").expect("a data line").to_owned());
    data.filter(|d| d != "[DONE]").map(|d| serde_json::from_str(&d).unwrap()).collect()
}

fn stream(version: Version, names: &ToolNames, events: &[ReplyEvent]) -> Vec<Value> {
    let mut encoder = LanguageStream::new(version, context(), names.clone());
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt(), &finish(FinishReason::Stop), &mut out);
    assert!(out.ends_with(b"\n\ndata: [DONE]\n\n"));
    parts(&out)
}

fn whole(version: Version, names: &ToolNames, events: &[ReplyEvent]) -> Value {
    let finish = finish(FinishReason::Stop);
    let body = whole::encode(version, &context(), names.clone(), events, &finish, &receipt());
    serde_json::from_slice(&body).unwrap()
}

/// Puts a stream together as clients do: the last metadata of a block replaces earlier ones, and a call is
/// its `tool-call` part. Checks on the way that blocks begin once, end once and are known.
fn accumulate(parts: &[Value]) -> Vec<Value> {
    let mut content: Vec<Value> = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut inputs: Vec<(String, String)> = Vec::new();
    for part in &parts[2..parts.len() - 1] {
        let id = part["id"].as_str().unwrap_or_default().to_owned();
        let (kind, step) = part["type"].as_str().unwrap().rsplit_once('-').unwrap_or_default();
        match (kind, step) {
            ("text" | "reasoning", "start") => {
                assert!(!seen.contains(&id), "ids are not used twice");
                seen.push(id.clone());
                open.push((id, content.len()));
                let mut block = json!({"type": kind, "text": ""});
                if let Some(metadata) = part.get("providerMetadata") {
                    block["providerMetadata"] = metadata.clone();
                }
                content.push(block);
            }
            ("text" | "reasoning", _) => {
                let at = open.iter().position(|(o, _)| *o == id).expect("a block that is open");
                let block = &mut content[open[at].1];
                assert_eq!(block["type"], kind);
                if step == "delta" {
                    let text = block["text"].as_str().unwrap().to_owned() + part["delta"].as_str().unwrap();
                    block["text"] = text.into();
                } else {
                    if let Some(metadata) = part.get("providerMetadata") {
                        block["providerMetadata"] = metadata.clone();
                    }
                    open.remove(at);
                }
            }
            ("tool-input", "start") => inputs.push((id, String::new())),
            ("tool-input", "delta") => {
                let input = inputs.iter_mut().rfind(|(i, _)| *i == id).expect("an input that has begun");
                input.1.push_str(part["delta"].as_str().unwrap());
            }
            ("tool-input", _) => assert!(inputs.iter().any(|(i, _)| *i == id)),
            _ => {
                if part["type"] == "tool-call" && part.get("providerExecuted").is_none() {
                    let call = part["toolCallId"].as_str().unwrap();
                    let at = inputs.iter().position(|(i, _)| i == call).expect("the input comes first");
                    assert_eq!(part["input"], inputs.remove(at).1);
                }
                content.push(part.clone());
            }
        }
    }
    assert!(open.is_empty() && inputs.is_empty(), "everything ends");
    content
}

fn reasoning(block: u32, kind: ReasoningKind, id: Option<&str>, format: &'static str) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id: id.map(str::to_owned), format }
}

fn ended(block: u32, signature: Option<&str>, data: Option<&str>) -> ReplyEvent {
    let own = |text: Option<&str>| text.map(str::to_owned);
    ReplyEvent::ReasoningEnd { block, signature: own(signature), data: own(data) }
}

fn call(block: u32, id: &str, name: &str, arguments: &[&str]) -> Vec<ReplyEvent> {
    let mut events = vec![ReplyEvent::ToolStart { block, id: id.into(), name: name.into() }];
    let deltas = arguments.iter().map(|a| ReplyEvent::ToolDelta { block, arguments: (*a).to_owned() });
    events.extend(deltas);
    events.push(ReplyEvent::ToolEnd { block });
    events
}

fn example() -> Vec<ReplyEvent> {
    let mut events = vec![
        ReplyEvent::Info(Default::default()),
        reasoning(0, ReasoningKind::Text, None, FORMAT_ANTHROPIC),
        ReplyEvent::ReasoningDelta { block: 0, text: "why".into() },
        ended(0, Some("sig=="), None),
        reasoning(1, ReasoningKind::Encrypted, None, FORMAT_ANTHROPIC),
        ended(1, None, Some("red==")),
        ReplyEvent::TextStart { block: 2 },
        ReplyEvent::TextDelta { block: 2, text: "Olá ".into() },
        ReplyEvent::TextDelta { block: 2, text: "\"you\"".into() },
        ReplyEvent::TextEnd { block: 2 },
    ];
    events.extend(call(3, "c1", "f", &["{\"a\":", "1}"]));
    events.push(ReplyEvent::File(File {
        media_type: "image/png".into(),
        data: FileData::Base64("QUJD".into()),
        filename: None,
        detail: None,
    }));
    events.push(ReplyEvent::Source(
        json!({"type": "url_citation", "url_citation": {"url": "https://x.test/a", "title": "A"}}),
    ));
    events
}

#[test]
fn the_parts_of_a_stream_in_order() {
    let id = generation();
    let own = json!({"generationId": id});
    for version in VERSIONS {
        let parts = stream(version, &ToolNames::default(), &example());
        let data =
            if version == Version::V4 { json!({"type": "data", "data": "QUJD"}) } else { json!("QUJD") };
        let expected = [
            json!({"type": "stream-start", "warnings": []}),
            json!({"type": "response-metadata", "id": id, "timestamp": "2023-11-14T22:13:20.000Z", "modelId": "anthropic/claude-sonnet-4"}),
            json!({"type": "reasoning-start", "id": "0", "providerMetadata": {"gateway": own}}),
            json!({"type": "reasoning-delta", "id": "0", "delta": "why"}),
            json!({"type": "reasoning-end", "id": "0", "providerMetadata": {"anthropic": {"signature": "sig=="}, "gateway": own}}),
            json!({"type": "reasoning-start", "id": "1"}),
            json!({"type": "reasoning-end", "id": "1", "providerMetadata": {"anthropic": {"redactedData": "red=="}}}),
            json!({"type": "text-start", "id": "2"}),
            json!({"type": "text-delta", "id": "2", "delta": "Olá "}),
            json!({"type": "text-delta", "id": "2", "delta": "\"you\""}),
            json!({"type": "text-end", "id": "2"}),
            json!({"type": "tool-input-start", "id": "c1", "toolName": "f"}),
            json!({"type": "tool-input-delta", "id": "c1", "delta": "{\"a\":"}),
            json!({"type": "tool-input-delta", "id": "c1", "delta": "1}"}),
            json!({"type": "tool-input-end", "id": "c1"}),
            json!({"type": "tool-call", "toolCallId": "c1", "toolName": "f", "input": "{\"a\":1}"}),
            json!({"type": "file", "mediaType": "image/png", "data": data}),
            json!({"type": "source", "sourceType": "url", "id": format!("{id}-1"), "url": "https://x.test/a", "title": "A"}),
        ];
        assert_eq!(parts[..parts.len() - 1], expected, "{version:?}");
    }
}

#[test]
fn the_last_part_says_what_was_consumed_and_why_it_ended() {
    for version in VERSIONS {
        let parts = stream(version, &ToolNames::default(), &[]);
        let last = parts.last().unwrap();
        assert_eq!(last["type"], "finish");
        if version == Version::V2 {
            let usage = json!({"inputTokens": 16, "outputTokens": 8, "totalTokens": 24, "reasoningTokens": 3, "cachedInputTokens": 4});
            assert_eq!((&last["usage"], &last["finishReason"]), (&usage, &json!("stop")));
        } else {
            let usage = json!({
                "inputTokens": {"total": 16, "noCache": 10, "cacheRead": 4, "cacheWrite": 2},
                "outputTokens": {"total": 8, "text": 5, "reasoning": 3},
            });
            assert_eq!(last["usage"], usage);
            assert_eq!(last["finishReason"], json!({"unified": "stop", "raw": "end_turn"}));
        }
        let metadata = &last["providerMetadata"];
        assert_eq!(metadata["anthropic"], json!({"usage": {"input_tokens": 10}}));
        assert_eq!(
            (&metadata["gateway"]["cost"], &metadata["gateway"]["generationId"]),
            (&json!("0.000123"), &json!(generation()))
        );
        assert_eq!(metadata["gateway"]["warnings"][0]["feature"], "topK", "known at the end only");
    }
}

#[test]
fn reasons_have_the_protocols_words() {
    for (reason, word) in [
        (FinishReason::Length, "length"),
        (FinishReason::ToolCalls, "tool-calls"),
        (FinishReason::ContentFilter, "content-filter"),
        (FinishReason::Error, "error"),
        (FinishReason::Other, "other"),
    ] {
        let end = Finish { reason, raw: None, stop_sequence: None, native: None };
        let names = ToolNames::default();
        let body: Value = serde_json::from_slice(&whole::encode(
            Version::V4,
            &context(),
            names.clone(),
            &[],
            &end,
            &receipt(),
        ))
        .unwrap();
        assert_eq!(body["finishReason"], json!({"unified": word}));
        let body: Value =
            serde_json::from_slice(&whole::encode(Version::V2, &context(), names, &[], &end, &receipt()))
                .unwrap();
        assert_eq!(body["finishReason"], word);
    }
}

#[test]
fn a_whole_answer_has_the_same_parts() {
    for version in VERSIONS {
        let body = whole(version, &ToolNames::default(), &example());
        let parts = stream(version, &ToolNames::default(), &example());
        assert_eq!(body["content"], Value::Array(accumulate(&parts)));
        let last = parts.last().unwrap();
        for member in ["usage", "finishReason", "providerMetadata"] {
            assert_eq!(body[member], last[member], "{member}");
        }
        assert_eq!(body["warnings"].as_array().unwrap().len(), 1);
        assert_eq!(body["response"]["timestamp"], "2023-11-14T22:13:20.000Z");
        let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["content", "usage", "finishReason", "providerMetadata", "warnings", "response"]);
    }
}

#[test]
fn i16_a_broken_stream_has_an_error_and_no_finish() {
    let mut encoder = LanguageStream::new(Version::V4, context(), ToolNames::default());
    let mut out = Vec::new();
    encoder.event(&ReplyEvent::ToolStart { block: 0, id: "c".into(), name: "f".into() }, &mut out);
    encoder.event(&ReplyEvent::ToolDelta { block: 0, arguments: "{\"a\"".into() }, &mut out);
    encoder.fail(&Failure::provider(FailureClass::ContextLength, "prompt is too long"), &mut out);
    let parts = parts(&out);
    let kinds: Vec<_> = parts.iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stream-start", "response-metadata", "tool-input-start", "tool-input-delta", "error"]);
    let error = &parts.last().unwrap()["error"];
    assert_eq!(
        (&error["message"], &error["type"]),
        (&json!("prompt is too long"), &json!("invalid_request_error"))
    );
    assert_eq!((&error["code"], &error["statusCode"]), (&json!("context_length_exceeded"), &json!(400)));
    assert_eq!(error["generationId"], generation());
    assert!(!String::from_utf8(out).unwrap().contains("[DONE]"));
    assert_eq!(encoder.keep_alive(), b": ping\n\n");
}

#[test]
fn i19_a_signature_of_a_call_rides_on_the_call() {
    let state =
        [reasoning(7, ReasoningKind::Encrypted, Some("c1"), FORMAT_GEMINI), ended(7, None, Some("sig=="))];
    let mut before = state.to_vec();
    before.extend(call(1, "c1", "f", &["{}"]));
    let mut inside = call(1, "c1", "f", &["{}"]);
    inside.splice(1..1, state.clone());
    for events in [before, inside] {
        let content = accumulate(&stream(Version::V3, &ToolNames::default(), &events));
        let metadata =
            json!({"google": {"thoughtSignature": "sig=="}, "gateway": {"generationId": generation()}});
        let part = json!({"type": "tool-call", "toolCallId": "c1", "toolName": "f", "input": "{}", "providerMetadata": metadata});
        assert_eq!(content, [part]);
    }
    let mut behind = call(1, "c1", "f", &["{}"]);
    behind.extend(state);
    let content = accumulate(&stream(Version::V3, &ToolNames::default(), &behind));
    assert_eq!(content.len(), 2);
    let token = content[1]["providerMetadata"]["gateway"]["reasoning"].as_str().unwrap();
    let item = crate::carried_state::unwrap(token, "").unwrap();
    assert_eq!((item.id.as_deref(), item.data.as_deref()), (Some("c1"), Some("sig==")));
}

#[test]
fn a_file_at_an_address_has_a_form_in_every_version() {
    let file = File {
        media_type: "image/png".into(),
        data: FileData::Url("https://x.test/i.png".into()),
        filename: None,
        detail: None,
    };
    for version in VERSIONS {
        let content = accumulate(&stream(version, &ToolNames::default(), &[ReplyEvent::File(file.clone())]));
        if version == Version::V4 {
            assert_eq!(content[0]["data"], json!({"type": "url", "url": "https://x.test/i.png"}));
        } else {
            assert_eq!(
                (&content[0]["type"], &content[0]["url"]),
                (&json!("source"), &json!("https://x.test/i.png"))
            );
        }
    }
}

#[test]
fn reasoning_may_be_left_out() {
    let mut encoder = LanguageStream::new(
        Version::V4,
        ReplyContext { exclude_reasoning: true, ..context() },
        ToolNames::default(),
    );
    let mut out = Vec::new();
    for event in example() {
        encoder.event(&event, &mut out);
    }
    assert!(!String::from_utf8(out).unwrap().contains("reasoning"));
}

/// One block of an answer: its events, in order.
fn block(number: u32) -> impl Strategy<Value = Vec<ReplyEvent>> {
    let texts = proptest::collection::vec("\\PC{0,6}", 0..4);
    let formats =
        proptest::sample::select(vec![FORMAT_ANTHROPIC, FORMAT_OPENAI, FORMAT_GEMINI, FORMAT_UNKNOWN]);
    let kinds =
        proptest::sample::select(vec![ReasoningKind::Text, ReasoningKind::Summary, ReasoningKind::Encrypted]);
    let state = proptest::option::of("[a-z]{1,5}");
    let ids = proptest::option::of(proptest::sample::select(vec!["c0", "c1", "c2", "rs_1"]));
    prop_oneof![
        (texts.clone(), any::<bool>(), any::<bool>()).prop_map(move |(texts, announced, ends)| {
            let mut events = Vec::new();
            if announced {
                events.push(ReplyEvent::TextStart { block: number });
            }
            events.extend(texts.into_iter().map(|text| ReplyEvent::TextDelta { block: number, text }));
            if ends {
                events.push(ReplyEvent::TextEnd { block: number });
            }
            events
        }),
        (texts.clone(), kinds, ids, formats, state.clone(), state).prop_map(
            move |(texts, kind, id, format, signature, data)| {
                let mut events = vec![reasoning(number, kind, id, format)];
                events
                    .extend(texts.into_iter().map(|text| ReplyEvent::ReasoningDelta { block: number, text }));
                events.push(ended(number, signature.as_deref(), data.as_deref()));
                events
            }
        ),
        (texts, any::<bool>()).prop_map(move |(texts, ends)| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut events = call(number, &format!("c{number}"), "f", &texts);
            if !ends {
                events.pop();
            }
            events
        }),
        Just(vec![ReplyEvent::Source(json!({"url": "https://x.test"}))]),
        Just(vec![ReplyEvent::Custom { namespace: "openai", value: json!({"type": "odd", "n": 1}) }]),
    ]
}

/// Blocks whose events interleave in any way.
fn answers() -> impl Strategy<Value = Vec<ReplyEvent>> {
    let blocks = (0..5u32).map(block).collect::<Vec<_>>();
    (blocks, proptest::collection::vec(0..5usize, 0..60)).prop_map(|(mut blocks, order)| {
        let mut events = Vec::new();
        for at in order.into_iter().chain(0..5) {
            if !blocks[at].is_empty() {
                events.push(blocks[at].remove(0));
            }
        }
        events.extend(blocks.into_iter().flatten());
        events
    })
}

proptest! {
    #[test]
    fn i02_a_stream_adds_up_to_the_whole_answer(events in answers(), version in 0..3usize) {
        let version = VERSIONS[version];
        let names = ToolNames::default();
        let parts = stream(version, &names, &events);
        let content = accumulate(&parts);
        prop_assert_eq!(&whole(version, &names, &events)["content"], &Value::Array(content.clone()));
        let first = content.iter().position(|part| part["providerMetadata"]["gateway"].get("generationId").is_some());
        let named = content.iter().filter(|part| part["providerMetadata"]["gateway"].get("generationId").is_some()).count();
        // A call's part follows later parts when its input began first.
        prop_assert_eq!(named, usize::from(!content.is_empty()), "{:?}", first);
    }

    #[test]
    fn i18_arguments_pass_byte_for_byte(pieces in proptest::collection::vec("\\PC{0,9}", 1..6)) {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let content = accumulate(&stream(Version::V4, &ToolNames::default(), &call(0, "id \"1\"", "f", &pieces)));
        let all = pieces.concat();
        prop_assert_eq!(&content[0]["input"], if all.is_empty() { "{}" } else { &all });
        prop_assert_eq!(&content[0]["toolCallId"], "id \"1\"");
    }
}
