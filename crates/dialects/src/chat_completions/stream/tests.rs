use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, ReasoningKind,
};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::Routing;
use tollgate_domain::reply::FinishReason;
use tollgate_domain::usage::Usage;
use tollgate_domain::{ModelId, Nanodollars};

use super::*;
use crate::chat_completions::encode_whole;

pub(in crate::chat_completions) fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_700_000_000_000, 7)),
        created_seconds: 1_700_000_000,
        model: "anthropic/claude-sonnet-4".into(),
        fingerprint: "fp_0123456789".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

pub(in crate::chat_completions) fn receipt() -> Receipt {
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
            ..Usage::default()
        },
        cost: Some(Nanodollars(123_000)),
        market_cost: Some(Nanodollars(123_000)),
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

pub(in crate::chat_completions) fn finish(reason: FinishReason) -> Finish {
    Finish { reason, raw: None, stop_sequence: None, native: None }
}

/// The chunks of a stream; whether it ended in `[DONE]`.
pub(in crate::chat_completions) fn chunks(bytes: &[u8]) -> (Vec<Value>, bool) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"), "the last event is closed");
    let mut found = Vec::new();
    let mut done = false;
    for event in text.split("\n\n").filter(|e| !e.is_empty()) {
        assert!(!done, "nothing follows [DONE]");
        let data = event.strip_prefix("data: ").expect("every event is a data line");
        assert!(!data.contains('\n'), "one line an event");
        match data {
            "[DONE]" => done = true,
            json => found.push(serde_json::from_str(json).unwrap()),
        }
    }
    (found, done)
}

fn encode(events: &[ReplyEvent], context: ReplyContext) -> (Vec<Value>, bool) {
    let mut encoder = StreamEncoder::new(context);
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt(), &finish(FinishReason::Stop), &mut out);
    chunks(&out)
}

/// What holds of every complete stream (clients §0.1, §1). Returns (text, reasoning, calls).
pub(in crate::chat_completions) fn check_sequence(
    chunks: &[Value],
    done: bool,
) -> (String, String, Vec<(String, String)>) {
    assert!(done, "a complete stream ends in [DONE]");
    assert_eq!(
        chunks[0]["choices"][0]["delta"],
        json!({"role": "assistant"}),
        "the role comes first and alone"
    );
    let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), Vec::<(String, String)>::new());
    for (i, chunk) in chunks.iter().enumerate() {
        let last = i + 1 == chunks.len();
        let choice = &chunk["choices"][0];
        assert!(choice["delta"].is_object(), "every chunk has choices[0].delta: {chunk}");
        assert!(choice.get("logprobs").is_some(), "{chunk}");
        assert_eq!(
            choice["finish_reason"].is_string(),
            last,
            "one chunk has a finish reason, the last: {chunk}"
        );
        assert_eq!(chunk.get("usage").is_some(), last, "{chunk}");
        assert_eq!(chunk.get("generationId").is_some(), last, "{chunk}");
        assert_eq!(choice["delta"].get("provider_metadata").is_some(), last, "{chunk}");
        assert_eq!(chunk["id"], context().generation.to_string());
        assert_eq!(chunk["model"], context().model);
        text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        if let Some(piece) = choice["delta"]["reasoning"].as_str() {
            assert_eq!(choice["delta"]["reasoning_content"], piece);
            reasoning.push_str(piece);
        }
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if call.get("id").is_some() {
                assert_eq!(index, calls.len(), "calls are numbered as they begin");
                assert_eq!(call["function"]["arguments"], "", "arguments follow id and name");
                calls.push((call["id"].as_str().unwrap().to_owned(), String::new()));
            } else {
                assert_eq!(index + 1, calls.len(), "calls do not interleave");
                calls[index].1.push_str(call["function"]["arguments"].as_str().unwrap());
            }
        }
    }
    (text, reasoning, calls)
}

fn reasoning_start(block: u32, kind: ReasoningKind, format: &'static str) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id: None, format }
}

#[test]
fn the_bytes_of_a_short_answer() {
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    encoder.event(&ReplyEvent::TextDelta { block: 0, text: "Olá \"you\"".into() }, &mut out);
    let id = context().generation.to_string();
    let chunk = |delta: &str| {
        format!(
            "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"anthropic/claude-sonnet-4\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":null}}],\"system_fingerprint\":\"fp_0123456789\"}}\n\n"
        )
    };
    assert_eq!(
        String::from_utf8(out).unwrap(),
        chunk("\"role\":\"assistant\"") + &chunk("\"content\":\"Olá \\\"you\\\"\"")
    );
}

#[test]
fn usage_is_inclusive_and_cost_a_number() {
    let (chunks, _) = encode(&[], context());
    let usage = &chunks[1]["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(16), &json!(5), &json!(21))
    );
    assert_eq!((&usage["cost"], &usage["market_cost"]), (&json!(0.000123), &json!(0.000123)));
    assert_eq!(
        (&usage["prompt_tokens_details"]["cached_tokens"], &usage["cache_creation_input_tokens"]),
        (&json!(4), &json!(2))
    );
    assert!(usage["cost_details"]["upstream_inference_cost"].is_null());
    assert_eq!(chunks[1]["choices"][0]["delta"]["provider_metadata"]["gateway"]["cost"], "0.000123");
}

#[test]
fn i05_unknown_price_is_null_and_own_keys_cost_nothing() {
    let write = |cost, market_cost, byok| -> Value {
        let mut out = Vec::new();
        super::super::usage::write(&mut out, &Receipt { cost, market_cost, byok, ..receipt() }, None);
        serde_json::from_slice(&out).unwrap()
    };
    let unknown = write(None, None, false);
    assert!(unknown["cost"].is_null() && unknown["market_cost"].is_null());
    let own = write(Some(Nanodollars::ZERO), Some(Nanodollars(5_000)), true);
    assert_eq!(
        (&own["cost"], &own["cost_details"]["upstream_inference_cost"], &own["is_byok"]),
        (&json!(0), &json!(0.000005), &json!(true))
    );
}

#[test]
fn i19_signatures_and_state_are_written_as_recorded() {
    let events = [
        reasoning_start(0, ReasoningKind::Text, FORMAT_ANTHROPIC),
        ReplyEvent::ReasoningDelta { block: 0, text: "hm".into() },
        ReplyEvent::ReasoningEnd { block: 0, signature: Some("S==".into()), data: None },
        reasoning_start(1, ReasoningKind::Encrypted, FORMAT_ANTHROPIC),
        ReplyEvent::ReasoningEnd { block: 1, signature: None, data: Some("RED".into()) },
        ReplyEvent::ReasoningStart {
            block: 2,
            kind: ReasoningKind::Summary,
            id: Some("rs".into()),
            format: FORMAT_OPENAI,
        },
        ReplyEvent::ReasoningDelta { block: 2, text: "sum".into() },
        ReplyEvent::ReasoningEnd { block: 2, signature: None, data: Some("ENC".into()) },
        reasoning_start(3, ReasoningKind::Text, FORMAT_GEMINI),
        ReplyEvent::ReasoningDelta { block: 3, text: "g".into() },
        ReplyEvent::ReasoningEnd { block: 3, signature: Some("TS".into()), data: None },
        reasoning_start(4, ReasoningKind::Text, FORMAT_UNKNOWN),
        ReplyEvent::ReasoningDelta { block: 4, text: "d".into() },
        ReplyEvent::ReasoningEnd { block: 4, signature: None, data: None },
    ];
    let (chunks, _) = encode(&events, context());
    let details: Vec<_> = chunks
        .iter()
        .filter_map(|c| c["choices"][0]["delta"].get("reasoning_details"))
        .map(|d| d[0].clone())
        .collect();
    let expected = [
        json!({"type":"reasoning.text","text":"hm","signature":"","format":"anthropic-claude-v1","index":0}),
        json!({"type":"reasoning.text","text":"","signature":"S==","format":"anthropic-claude-v1","index":0}),
        json!({"type":"reasoning.encrypted","data":"RED","format":"anthropic-claude-v1","index":1}),
        json!({"type":"reasoning.summary","summary":"sum","id":"rs","format":"openai-responses-v1","index":2}),
        json!({"type":"reasoning.encrypted","data":"ENC","id":"rs","format":"openai-responses-v1","index":2}),
        json!({"type":"reasoning.text","text":"g","format":"google-gemini-v1","index":3}),
        json!({"type":"reasoning.encrypted","data":"TS","format":"google-gemini-v1","index":3}),
        json!({"type":"reasoning.text","text":"d","format":"unknown","index":4}),
    ];
    assert_eq!(details, expected);
    let whole: Value =
        serde_json::from_slice(&encode_whole(&context(), &events, &finish(FinishReason::Stop), &receipt()))
            .unwrap();
    let mut joined = expected.to_vec();
    joined.remove(1);
    joined[0]["signature"] = json!("S==");
    assert_eq!(whole["choices"][0]["message"]["reasoning_details"], json!(joined));
    assert_eq!(whole["choices"][0]["message"]["reasoning"], "hmsumgd");
    let excluded = ReplyContext { exclude_reasoning: true, ..context() };
    assert_eq!(encode(&events, excluded.clone()).0.len(), 2, "role and end only");
    let whole: Value =
        serde_json::from_slice(&encode_whole(&excluded, &events, &finish(FinishReason::Stop), &receipt()))
            .unwrap();
    assert!(whole["choices"][0]["message"].get("reasoning").is_none());
    assert!(whole["choices"][0]["message"].get("reasoning_details").is_none());
}

#[test]
fn images_files_sources_and_refusals() {
    let file = |media: &str| File {
        media_type: media.into(),
        data: FileData::Base64("QUJD".into()),
        filename: None,
        detail: None,
    };
    let source = json!({"type": "url_citation", "url_citation": {"url": "https://x.test"}});
    let events = [
        ReplyEvent::File(file("image/png")),
        ReplyEvent::File(file("audio/wav")),
        ReplyEvent::Source(source.clone()),
        ReplyEvent::RefusalDelta { block: 0, text: "no".into() },
    ];
    let (chunks, _) = encode(&events, context());
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]);
    assert_eq!(chunks[1]["choices"][0]["delta"], json!({"images": image}));
    assert_eq!(chunks[2]["choices"][0]["delta"]["files"][0]["file"]["media_type"], "audio/wav");
    assert_eq!(chunks[3]["choices"][0]["delta"], json!({"annotations": [source]}));
    assert_eq!(chunks[4]["choices"][0]["delta"], json!({"refusal": "no"}));
    let whole: Value =
        serde_json::from_slice(&encode_whole(&context(), &events, &finish(FinishReason::Stop), &receipt()))
            .unwrap();
    let message = &whole["choices"][0]["message"];
    assert_eq!(
        (&message["images"], &message["refusal"], &message["content"]),
        (&image, &json!("no"), &Value::Null)
    );
}

#[test]
fn i16_a_broken_stream_ends_in_an_error_and_not_in_done() {
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    encoder.event(&ReplyEvent::TextDelta { block: 0, text: "half".into() }, &mut out);
    encoder.fail(&Failure::provider(FailureClass::Truncated, "cut"), &mut out);
    let (chunks, done) = chunks(&out);
    assert!(!done);
    let last = chunks.last().unwrap();
    assert_eq!(
        last["error"],
        json!({"message": "cut", "type": "internal_server_error", "param": null, "code": "truncated"})
    );
    assert_eq!(last["generationId"], context().generation.to_string());
    assert!(chunks.iter().all(|c| c["choices"][0]["finish_reason"].is_null()));
}

/// Events of an answer with interleaved blocks, as any provider might send them.
fn any_events() -> impl Strategy<Value = Vec<ReplyEvent>> {
    let piece = "[a-z\"\\\\\n é{}]{0,6}";
    let event = prop_oneof![
        piece.prop_map(|text| ReplyEvent::TextDelta { block: 0, text }),
        piece.prop_map(|text| ReplyEvent::ReasoningDelta { block: 1, text }),
        Just(ReplyEvent::ReasoningEnd { block: 1, signature: Some("s".into()), data: None }),
        (2u32..6).prop_map(|b| ReplyEvent::ToolStart { block: b, id: format!("c{b}"), name: "f".into() }),
        (2u32..6, piece).prop_map(|(block, arguments)| ReplyEvent::ToolDelta { block, arguments }),
        (2u32..6).prop_map(|block| ReplyEvent::ToolEnd { block }),
        Just(ReplyEvent::Info(Default::default())),
    ];
    // Tool events are kept only in an order that a decoder can give: start, deltas, end, once a block.
    prop::collection::vec(event, 0..40).prop_map(|events| {
        let mut state = [0u8; 6];
        let mut step = |block: u32, from: u8, to: u8| {
            let slot = &mut state[block as usize];
            let right = *slot == from;
            if right {
                *slot = to;
            }
            right
        };
        let mut keep = |event: &ReplyEvent| match event {
            ReplyEvent::ToolStart { block, .. } => step(*block, 0, 1),
            ReplyEvent::ToolDelta { block, .. } => step(*block, 1, 1),
            ReplyEvent::ToolEnd { block } => step(*block, 1, 2),
            _ => true,
        };
        events.into_iter().filter(|e| keep(e)).collect()
    })
}

proptest! {
    #[test]
    fn i18_any_answer_gives_a_valid_sequence_and_loses_nothing(events in any_events()) {
        let (chunks, done) = encode(&events, context());
        let (text, reasoning, mut calls) = check_sequence(&chunks, done);
        let joined = |pick: fn(&ReplyEvent) -> Option<&String>| events.iter().filter_map(pick).cloned().collect::<String>();
        prop_assert_eq!(&text, &joined(|e| match e { ReplyEvent::TextDelta { text, .. } => Some(text), _ => None }));
        prop_assert_eq!(&reasoning, &joined(|e| match e { ReplyEvent::ReasoningDelta { text, .. } => Some(text), _ => None }));
        let mut expected: Vec<(String, String)> = Vec::new();
        for event in &events {
            match event {
                ReplyEvent::ToolStart { id, .. } => expected.push((id.clone(), String::new())),
                ReplyEvent::ToolDelta { block, arguments } => {
                    let id = format!("c{block}");
                    expected.iter_mut().find(|(i, _)| *i == id).unwrap().1.push_str(arguments);
                }
                _ => {}
            }
        }
        calls.sort();
        let whole: Value = serde_json::from_slice(&encode_whole(&context(), &events, &finish(FinishReason::Stop), &receipt())).unwrap();
        let of_whole: Vec<_> = whole["choices"][0]["message"]["tool_calls"].as_array().into_iter().flatten()
            .map(|c| (c["id"].as_str().unwrap().to_owned(), c["function"]["arguments"].as_str().unwrap().to_owned())).collect();
        prop_assert_eq!(&of_whole, &expected);
        expected.sort();
        prop_assert_eq!(calls, expected);
        prop_assert_eq!(whole["choices"][0]["message"]["content"].as_str().unwrap_or_default(), text);
    }
}
