//! Recorded streams and answers of real providers of this protocol, passed through: whatever they send,
//! clients get the service's sequence, and nothing that was said is lost.

use serde_json::{Value, json};
use tollgate_dialects::ReplyContext;
use tollgate_dialects::chat_completions::{StreamSplice, splice_whole};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{Receipt, Routing};
use tollgate_domain::{GenerationId, ModelId, Nanodollars, Usage};

use crate::fixtures::{folder, our_chunks, provider_chats, stream_data};

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1, 1)),
        created_seconds: 1,
        model: "a/model".into(),
        fingerprint: "fp_0000000000".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("a/model"),
            canonical_model: ModelId::new("a/model"),
            resolved_provider: "p".into(),
            resolved_provider_model: "m".into(),
            fallbacks: Vec::new(),
            reasoning: String::new(),
            final_provider: "p".into(),
            attempts: Vec::new(),
        },
        usage: Usage::default(),
        cost: Some(Nanodollars::ZERO),
        market_cost: Some(Nanodollars::ZERO),
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

/// Visible text, reasoning and arguments of the first choice over all chunks.
fn said<'a>(chunks: impl Iterator<Item = &'a Value>) -> (String, String, String) {
    let (mut text, mut reasoning, mut arguments) = (String::new(), String::new(), String::new());
    for chunk in chunks {
        let delta = &chunk["choices"][0]["delta"];
        match &delta["content"] {
            Value::String(t) => text.push_str(t),
            Value::Array(parts) => text.push_str(&json!(parts).to_string()),
            _ => {}
        }
        let piece = delta["reasoning_content"].as_str().or_else(|| delta["reasoning"].as_str());
        reasoning.push_str(piece.unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
    (text, reasoning, arguments)
}

#[test]
fn recorded_provider_streams_come_out_in_the_services_sequence() {
    let Some(folder) = folder() else { return };
    let mut seen = 0;
    for (name, exchange) in provider_chats(&folder) {
        let Some(data) = stream_data(&exchange["response"]) else { continue };
        let upstream: Vec<Value> = data.iter().filter_map(|d| serde_json::from_slice(d).ok()).collect();
        let mut splice = StreamSplice::new(context());
        let mut out = Vec::new();
        for data in &data {
            splice.event(data, &mut out);
        }
        let finished = splice.finished();
        let expected_end = upstream.iter().any(|c| c["choices"][0]["finish_reason"].is_string());
        assert_eq!(finished, expected_end, "{name}");
        splice.close(&receipt(), &mut out);
        let (ours, done) = our_chunks(&out);
        assert_eq!(done, finished, "{name}: no [DONE] without an end");
        if !finished {
            assert!(ours.last().unwrap()["error"].is_object(), "{name}");
            continue;
        }
        assert_eq!(ours[0]["choices"][0]["delta"], json!({"role": "assistant"}), "{name}");
        for (i, chunk) in ours.iter().enumerate() {
            let last = i + 1 == ours.len();
            let choice = &chunk["choices"][0];
            assert!(choice["delta"].is_object(), "{name} {i}");
            assert_eq!(choice["finish_reason"].is_string(), last, "{name} {i}");
            assert_eq!(chunk["usage"].is_object(), last, "{name} {i}");
            assert_eq!(
                (chunk["id"].as_str(), chunk["model"].as_str()),
                (Some("gen_00000000010000000000000001"), Some("a/model")),
                "{name} {i}"
            );
        }
        assert_eq!(said(ours.iter()), said(upstream.iter()), "{name}");
        seen += 1;
    }
    println!("{seen} streams passed");
    assert!(seen > 40, "only {seen} streams were found");
}

#[test]
fn recorded_provider_answers_keep_their_members() {
    let Some(folder) = folder() else { return };
    let mut seen = 0;
    for (name, exchange) in provider_chats(&folder) {
        let body = &exchange["response"]["body"];
        if !body["choices"][0]["message"].is_object() {
            continue;
        }
        let out = splice_whole(&context(), body.to_string().as_bytes(), &receipt())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let ours: Value = serde_json::from_slice(&out).unwrap();
        let kept: Vec<_> = body.as_object().unwrap().keys().collect();
        let after: Vec<_> = ours.as_object().unwrap().keys().filter(|k| kept.contains(k)).collect();
        assert_eq!(after, kept, "{name}: order and presence of the provider's members");
        for (key, value) in body.as_object().unwrap() {
            if !matches!(key.as_str(), "id" | "model" | "usage" | "choices") {
                assert_eq!(&ours[key], value, "{name}.{key}");
            }
        }
        for (key, value) in
            body["choices"][0]["message"].as_object().unwrap().iter().filter(|(_, v)| !v.is_null())
        {
            assert_eq!(&ours["choices"][0]["message"][key], value, "{name} message.{key}");
        }
        for key in body["usage"].as_object().into_iter().flat_map(|u| u.keys()) {
            assert!(ours["usage"].get(key).is_some(), "{name} usage.{key}");
        }
        seen += 1;
    }
    assert!(seen > 150, "only {seen} answers were found");
}
