//! The Messages dialect and the codec of Anthropic's own protocol together: what one writes the other reads,
//! and nothing is lost on the way (I18, I19). Examples of our own, and recorded exchanges where they are.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::ReplyContext;
use tollgate_dialects::messages::{Request, StreamEncoder, encode_whole};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::Routing;
use tollgate_domain::reply::Finish;
use tollgate_domain::{GenerationId, ModelId, Receipt, ReplyEvent, Usage};
use tollgate_providers::anthropic::messages::{Decoder, adapt, encode};
use tollgate_providers::{BodyForm, ReplyDecoder, Target};

fn target(model: &str) -> Target {
    Target {
        provider: "anthropic".to_owned(),
        model: model.to_owned(),
        max_output_tokens: Some(128_000),
        reasoning: true,
        reasoning_efforts: ["low", "medium", "high", "max"].map(str::to_owned).to_vec(),
        reasoning_budget_min: Some(1024),
        explicit_caching: true,
        structured_output: true,
        ..Target::default()
    }
}

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1, 1)),
        created_seconds: 1,
        model: "anthropic/claude".into(),
        fingerprint: "fp_0000000000".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt(usage: Usage) -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude"),
            canonical_model: ModelId::new("anthropic/claude"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude".into(),
            fallbacks: Vec::new(),
            reasoning: String::new(),
            final_provider: "anthropic".into(),
            attempts: Vec::new(),
        },
        usage,
        cost: None,
        market_cost: None,
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

/// The recorded exchanges of the protocol: (name, exchange); none, and a line that says so, without them.
fn recorded() -> Vec<(String, Value)> {
    let folder = std::env::var_os("TOLLGATE_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    let folder = folder.join("anthropic");
    if !folder.is_dir() {
        println!("skipped: no recorded exchanges at {} (set TOLLGATE_FIXTURES)", folder.display());
        return Vec::new();
    }
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files
        .filter(|path| {
            path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("anthropic-messages"))
        })
        .map(|path| {
            (path.display().to_string(), serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
        })
        .filter(|(_, exchange): &(String, Value)| exchange["operation"] == "chat")
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// An answer as it was decoded.
struct Reply {
    events: Vec<ReplyEvent>,
    finish: Finish,
    usage: Usage,
}

/// Decodes an answer; `None` when it was cut or failed.
fn decode(form: BodyForm, bytes: &[u8]) -> Option<Reply> {
    let mut decoder = Decoder::new(&target("claude"), form, None);
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    let Some(ReplyEvent::Finish(finish)) = events.pop() else { return None };
    let reported = events.iter().rev().find_map(|event| match event {
        ReplyEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    Some(Reply { events, finish, usage: reported.unwrap_or_default() })
}

fn whole(reply: &Reply) -> Value {
    let body = encode_whole(&context(), &reply.events, &reply.finish, &receipt(reply.usage));
    serde_json::from_slice(&body).unwrap()
}

fn streamed(reply: &Reply) -> Vec<u8> {
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    for event in &reply.events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt(reply.usage), &reply.finish, &mut out);
    out
}

/// Values with their members in order of name, without what says nothing: `null`, `false` and empty text.
fn plain(value: &Value, leave_out: &[&str]) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept: Vec<_> = members
                .iter()
                .filter(|(name, v)| {
                    !(v.is_null() || **v == false || **v == "" || leave_out.contains(&name.as_str()))
                })
                .map(|(name, v)| (name.clone(), plain(v, leave_out)))
                .collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(|v| plain(v, leave_out)).collect(),
        other => other.clone(),
    }
}

/// Content in blocks also where the client wrote a string.
fn in_blocks(content: &Value) -> Value {
    match content {
        Value::String(text) => json!([{"type": "text", "text": text}]),
        other => other.clone(),
    }
}

fn history(body: &Value) -> Value {
    let turns = body["messages"].as_array().expect("messages").iter();
    let turns = turns.map(|m| json!({"role": m["role"], "content": in_blocks(&m["content"])}));
    plain(&json!({"system": in_blocks(&body["system"]), "messages": turns.collect::<Vec<_>>()}), &[])
}

/// The body as the codec writes it anew.
fn encoded(body: &Value) -> Value {
    let request = Request::parse(&Bytes::from(body.to_string())).unwrap();
    let conversation = request.conversation().unwrap();
    let stream = body["stream"] == true;
    let encoded = encode(&conversation, &target(body["model"].as_str().unwrap()), stream).unwrap();
    serde_json::from_slice(&encoded.body).unwrap()
}

fn answer() -> Value {
    json!([
        {"type": "thinking", "thinking": "Let me\n see. ", "signature": "RXhhbXBsZSs/PQ=="},
        {"type": "redacted_thinking", "data": "RXhhbXBsZSBkYXRhKy8="},
        {"type": "text", "text": "Looking it up."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "E/+="}]},
        {"type": "text", "text": "Found it.", "citations": [{"type": "char_location", "cited_text": "x", "document_index": 0}]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, {"b": "é"}], "big": 12345678901234567u64}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ])
}

#[test]
fn i19_an_answer_comes_out_as_it_went_in_and_goes_back_so() {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": answer(),
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 0, "output_tokens": 9},
    });
    let reply = decode(BodyForm::Whole, message.to_string().as_bytes()).unwrap();
    let ours = whole(&reply);
    assert_eq!(ours["content"], answer());
    assert_eq!(ours["stop_reason"], "tool_use");
    assert_eq!(plain(&ours["usage"], &[]), plain(&message["usage"], &[]));
    let again = decode(BodyForm::Stream, &streamed(&reply)).unwrap();
    assert_eq!((&whole(&again)["content"], again.usage), (&answer(), reply.usage));

    let results = json!([
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "r"}], "is_error": true},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]);
    let body = json!({
        "model": "claude", "max_tokens": 4096, "stream": true,
        "system": [{"type": "text", "text": "rules", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "T", "context": "C", "citations": {"enabled": true}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
            ]},
            {"role": "assistant", "content": ours["content"]},
            {"role": "user", "content": results},
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "metadata": {"user_id": "u".repeat(100)},
    });
    let written = encoded(&body);
    assert_eq!(plain(&written, &[]), plain(&body, &[]));
    let passed = adapt(body.to_string().as_bytes(), &target("claude"), true).unwrap();
    assert_eq!(String::from_utf8(passed).unwrap(), body.to_string());
}

#[test]
fn recorded_answers_come_out_as_they_went_in() {
    let recorded = recorded();
    let mut seen = 0;
    for (name, exchange) in &recorded {
        let response = &exchange["response"];
        let (form, bytes) = if response["body"]["content"].is_array() {
            (BodyForm::Whole, response["body"].to_string().into_bytes())
        } else if let Some(text) = response["sse"].as_str() {
            (BodyForm::Stream, text.as_bytes().to_vec())
        } else {
            continue;
        };
        let Some(reply) = decode(form, &bytes) else { continue };
        let ours = whole(&reply);
        let again = decode(BodyForm::Stream, &streamed(&reply)).unwrap_or_else(|| panic!("{name}: cut"));
        assert_eq!(ours["content"], whole(&again)["content"], "{name}");
        assert_eq!(reply.usage, again.usage, "{name}");
        if form == BodyForm::Whole {
            // A neutral citation is an address with a title; who called a tool has no neutral form.
            let neutral = ["citations", "caller"];
            assert_eq!(
                plain(&ours["content"], &neutral),
                plain(&response["body"]["content"], &neutral),
                "{name}"
            );
        }
        seen += 1;
    }
    println!("{seen} answers went round");
    assert!(recorded.is_empty() || seen > 110, "only {seen} answers were found");
}

#[test]
fn recorded_histories_are_written_again_as_they_were() {
    let recorded = recorded();
    let mut seen = 0;
    for (name, exchange) in &recorded {
        let body = &exchange["request"]["body"];
        let text = body.to_string();
        // An automatic breakpoint moves to the block it stands for, and instructions within the conversation
        // are folded into the person's turn.
        if !body["model"].is_string()
            || !body["cache_control"].is_null()
            || text.contains("\"role\":\"system\"")
        {
            continue;
        }
        assert_eq!(history(&encoded(body)), history(body), "{name}");
        seen += 1;
    }
    println!("{seen} histories were written again");
    assert!(recorded.is_empty() || seen > 90, "only {seen} histories were found");
}
