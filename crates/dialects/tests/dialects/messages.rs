//! Messages: recorded answers of Anthropic passed through, recorded requests understood, and Claude Code's
//! own request (clients §4).

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::messages::{CountTokens, Request, StreamSplice, splice_whole};
use tollgate_dialects::{ConversationRequest, ReplyContext};
use tollgate_domain::conversation::{Content, Conversation, Part, Role, Tool, ToolOutput};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{Receipt, Routing};
use tollgate_domain::{GenerationId, ModelId, Nanodollars, Usage};
use tollgate_wire::sse;

use crate::fixtures::{folder, load};

const ID: &str = "gen_00000000010000000000000001";
const MODEL: &str = "anthropic/claude-of-the-client";

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1, 1)),
        created_seconds: 1,
        model: MODEL.into(),
        fingerprint: "fp_0000000000".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new(MODEL),
            canonical_model: ModelId::new(MODEL),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "m".into(),
            fallbacks: Vec::new(),
            reasoning: String::new(),
            final_provider: "anthropic".into(),
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

/// All recorded exchanges of the protocol, of whatever provider: (name, exchange).
fn recorded() -> Vec<(String, Value)> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut providers: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    providers.sort();
    providers.iter().flat_map(|p| load(p, "anthropic-messages")).collect()
}

/// (name, data) of a stream's events, as the wire's own reader finds them.
type Events = Vec<(Vec<u8>, Vec<u8>)>;

fn read_events(bytes: &[u8]) -> Events {
    let mut found = Vec::new();
    let mut decoder = sse::Decoder::default();
    let mut each = |event: sse::Event<'_>| found.push((event.name.to_vec(), event.data.to_vec()));
    decoder.feed(bytes, &mut each).unwrap();
    decoder.finish(&mut each);
    found
}

/// A recorded stream's events; `None` when it was no stream.
fn stream_events(response: &Value) -> Option<Events> {
    let Some(events) = response["events"].as_array() else {
        return response["sse"].as_str().map(|text| read_events(text.as_bytes()));
    };
    let data = events.iter().map(|e| e.as_str().map_or_else(|| e.to_string(), str::to_owned));
    Some(
        data.map(|data| {
            let value: Value = serde_json::from_str(&data).unwrap_or_default();
            (value["type"].as_str().unwrap_or_default().as_bytes().to_vec(), data.into_bytes())
        })
        .collect(),
    )
}

fn value(data: &[u8]) -> Value {
    serde_json::from_slice(data).unwrap_or_default()
}

#[test]
fn i17_recorded_streams_pass_byte_for_byte() {
    let recorded = recorded();
    let mut seen = 0;
    for (name, exchange) in &recorded {
        let Some(upstream) = stream_events(&exchange["response"]) else { continue };
        let mut splice = StreamSplice::new(context());
        let mut out = Vec::new();
        for (event, data) in &upstream {
            splice.event(event, data, &mut out);
        }
        let finished = splice.finished();
        assert_eq!(finished, upstream.iter().any(|(_, d)| value(d)["type"] == "message_stop"), "{name}");
        splice.close(&receipt(), &mut out);
        let ours = read_events(&out);
        let mut starts = 0;
        let kept = upstream.iter().filter(|(_, data)| {
            let kind = value(data)["type"].as_str().map(str::to_owned);
            starts += usize::from(kind.as_deref() == Some("message_start"));
            let again = kind.as_deref() == Some("message_start") && starts > 1;
            !again && !matches!(kind.as_deref(), None | Some("error" | "message_stop"))
        });
        let kept: Vec<_> = kept.collect();
        assert_eq!(ours.len(), kept.len() + 1, "{name}: every event, and the end");
        for ((ours, theirs), at) in ours.iter().zip(kept).zip(0..) {
            assert_eq!(ours.0, theirs.0, "{name} {at}");
            if value(&theirs.1)["type"] == "message_start" {
                let (ours, mut expected) = (value(&ours.1), value(&theirs.1));
                expected["message"]["id"] = json!(ID);
                expected["message"]["model"] = json!(MODEL);
                assert_eq!(ours, expected, "{name}");
            } else {
                assert_eq!(ours.1, theirs.1, "{name} {at}: byte for byte");
            }
        }
        let (last, data) = ours.last().unwrap();
        let expected = if finished { "message_stop" } else { "error" };
        assert_eq!(
            (String::from_utf8_lossy(last).as_ref(), &value(data)["type"]),
            (expected, &json!(expected))
        );
        assert_eq!(value(data)["provider_metadata"]["gateway"]["generationId"] == ID, finished, "{name}");
        seen += 1;
    }
    println!("{seen} streams passed");
    assert!(recorded.is_empty() || seen >= 50, "only {seen} streams were found");
}

#[test]
fn i17_recorded_answers_keep_every_member() {
    let recorded = recorded();
    let mut seen = 0;
    for (name, exchange) in &recorded {
        let body = &exchange["response"]["body"];
        if !body["content"].is_array() {
            continue;
        }
        let sent = body.to_string();
        let out =
            splice_whole(&context(), sent.as_bytes(), &receipt()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut expected = body.clone();
        expected["id"] = json!(ID);
        expected["model"] = json!(MODEL);
        // What was added stands last, so the rest is compared as text.
        let expected = expected.to_string();
        let out = String::from_utf8(out).unwrap();
        let kept = expected.strip_suffix('}').unwrap();
        assert!(out.starts_with(&format!("{kept},\"provider_metadata\":{{\"gateway\":")), "{name}: {out}");
        seen += 1;
    }
    println!("{seen} answers passed");
    assert!(recorded.is_empty() || seen >= 60, "only {seen} answers were found");
}

/// All parts, those within results of tools included.
fn all_parts<'c>(parts: &'c [Part], found: &mut Vec<&'c Part>) {
    for part in parts {
        found.push(part);
        if let Content::ToolResult(result) = &part.content
            && let ToolOutput::Parts(inner) = &result.output
        {
            all_parts(inner, found);
        }
    }
}

fn count_blocks(content: &Value) -> usize {
    match content {
        Value::Array(blocks) => blocks
            .iter()
            .map(|b| {
                1 + if b["type"] == "tool_result" && b["content"].is_array() {
                    count_blocks(&b["content"])
                } else {
                    0
                }
            })
            .sum(),
        Value::String(_) => 1,
        _ => 0,
    }
}

/// Nothing of a request may be lost: blocks, marks, tools, calls and their input, reasoning state.
fn check(name: &str, body: &Value, conversation: &Conversation) {
    let system = usize::from(count_blocks(&body["system"]) > 0);
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(conversation.messages.len(), messages.len() + system, "{name}");
    assert_eq!(conversation.tools.len(), body["tools"].as_array().map_or(0, Vec::len), "{name}");
    let mut parts = Vec::new();
    for message in &conversation.messages {
        all_parts(&message.parts, &mut parts);
    }
    let blocks =
        count_blocks(&body["system"]) + messages.iter().map(|m| count_blocks(&m["content"])).sum::<usize>();
    assert_eq!(parts.len(), blocks, "{name}");
    let marks = body.to_string().matches("\"cache_control\":{").count();
    let tools = conversation.tools.iter().filter(|t| matches!(t, Tool::Function(f) if f.cache.is_some()));
    let found = parts.iter().filter(|p| p.cache.is_some()).count()
        + conversation.messages.iter().filter(|m| m.cache.is_some()).count()
        + usize::from(conversation.cache.is_some())
        + tools.count();
    assert_eq!(found, marks, "{name}: every cache mark is found");
    let text = body.to_string();
    for part in parts {
        match &part.content {
            Content::ToolCall(call) => {
                let input: Value = serde_json::from_str(&call.arguments).unwrap();
                assert!(text.contains(&input.to_string()) && text.contains(&call.id), "{name}");
            }
            Content::Reasoning(reasoning) => {
                let state = reasoning.signature.as_ref().or(reasoning.data.as_ref()).unwrap();
                assert!(text.contains(state.as_str()), "{name}");
            }
            Content::Custom { value, .. } => assert!(text.contains(&value.to_string()), "{name}"),
            _ => {}
        }
    }
}

#[test]
fn all_recorded_requests_are_read() {
    let recorded = recorded();
    let (mut seen, mut counted) = (0, 0);
    for (name, exchange) in &recorded {
        let body = &exchange["request"]["body"];
        if !body["messages"].is_array() || !body["model"].is_string() || exchange["response"]["status"] == 400
        {
            continue;
        }
        let bytes = Bytes::from(body.to_string());
        if exchange["operation"] == "count_tokens" {
            let request = CountTokens::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            let conversation = request.conversation().unwrap_or_else(|e| panic!("{name}: {e}"));
            check(name, body, &conversation);
            if let Some(tokens) = exchange["response"]["body"]["input_tokens"].as_u64() {
                let estimate = CountTokens::estimate(&conversation);
                println!("{name}: {tokens} tokens, estimated {estimate}");
                assert!(estimate <= tokens * 3 + 50 && tokens <= estimate * 3 + 50, "{name}");
                counted += 1;
            }
            continue;
        }
        let request = Request::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(request.head.stream, body["stream"].as_bool().unwrap_or(false), "{name}");
        assert_eq!(request.head.max_tokens, body["max_tokens"].as_u64(), "{name}");
        let conversation = request.conversation().unwrap_or_else(|e| panic!("{name}: {e}"));
        check(name, body, &conversation);
        seen += 1;
    }
    println!("{seen} requests read, {counted} counts compared");
    assert!(recorded.is_empty() || (seen > 90 && counted >= 3), "only {seen} and {counted} were found");
}

#[test]
fn claude_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects/examples/claude-code.request.json");
    let body = std::fs::read(path).unwrap();
    let request = Request::parse(&Bytes::from(body.clone())).unwrap();
    let head = request.head();
    assert_eq!(
        (head.model.as_str(), request.model_as_sent.as_str()),
        ("claude-opus-4-6", "claude-opus-4-6[1m]")
    );
    assert_eq!((head.stream, head.max_tokens), (true, Some(32_000)));
    assert!(head.needs.tools && head.needs.reasoning && head.needs.images);
    assert!(head.options.user.is_some(), "attributed");
    let conversation = request.conversation().unwrap();
    check("claude-code", &serde_json::from_slice(&body).unwrap(), &conversation);
    assert_eq!(conversation.messages[0].role, Role::System);
    assert_eq!(conversation.messages[0].parts.len(), 3);
    assert_eq!(conversation.tools.len(), 3);
    let reasoning = conversation.reasoning.unwrap();
    assert_eq!((reasoning.enabled, reasoning.effort.as_deref()), (Some(true), Some("high")));
    let own = &conversation.provider_options[0].1;
    assert!(own["context_management"]["edits"].is_array() && own["metadata"]["user_id"].is_string());
}
