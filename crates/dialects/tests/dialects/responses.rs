//! Recorded exchanges of providers that speak Responses: what they were asked is understood, and what they
//! answered passes through with nothing changed but what the gateway owns.

use std::path::Path;

use serde_json::{Map, Value, json};
use tollgate_dialects::ReplyContext;
use tollgate_dialects::responses::{Request, StreamSplice, splice_whole};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{Receipt, Routing};
use tollgate_domain::{GenerationId, ModelId, Usage};

use crate::fixtures::{folder, load};

const GENERATION: &str = "gen_00000000010000000000000001";

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1, 1)),
        created_seconds: 1,
        model: "a/model".into(),
        fingerprint: String::new(),
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
        cost: None,
        market_cost: None,
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

/// All recorded exchanges of the protocol: (name, exchange).
fn recorded(folder: &Path) -> Vec<(String, Value)> {
    let mut providers: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    providers.sort();
    providers.iter().flat_map(|p| load(p, "openai-responses")).collect()
}

/// A stream's events: (name, data); `None` when the answer was no stream.
fn events(response: &Value) -> Option<Vec<(String, String)>> {
    if let Some(payloads) = response["events"].as_array() {
        let named = response["framing"] == "sse-event-data";
        let each = payloads.iter().map(|payload| {
            let data = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
            let kind =
                serde_json::from_str::<Value>(&data).ok().and_then(|v| v["type"].as_str().map(str::to_owned));
            (kind.filter(|_| named).unwrap_or_default(), data)
        });
        return Some(each.collect());
    }
    let mut found = Vec::new();
    let mut decoder = tollgate_wire::sse::Decoder::default();
    let mut each = |event: tollgate_wire::sse::Event<'_>| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        found.push((text(event.name), text(event.data)));
    };
    decoder.feed(response["sse"].as_str()?.as_bytes(), &mut each).unwrap();
    decoder.finish(&mut each);
    Some(found)
}

/// A `response` object without what the gateway replaces or adds, after a look at that.
fn without_ours(response: &Value, ours: bool) -> Map<String, Value> {
    let mut members = response.as_object().unwrap().clone();
    let (id, model) = (members.shift_remove("id"), members.shift_remove("model"));
    let (a, b) = (members.shift_remove("providerMetadata"), members.shift_remove("provider_metadata"));
    if ours {
        // A compaction names no model, and is given none.
        let named = members.get("object").is_none_or(|kind| kind != "response.compaction");
        assert_eq!((id, model), (Some(json!(GENERATION)), named.then(|| json!("a/model"))));
        assert_eq!(a, b);
    }
    members
}

#[test]
fn i17_recorded_streams_pass_with_nothing_else_changed() {
    let Some(folder) = folder() else { return };
    let (mut seen, mut plain) = (0, 0);
    for (name, exchange) in recorded(&folder) {
        let Some(upstream) = events(&exchange["response"]) else { continue };
        let mut splice = StreamSplice::new(context(), None);
        for (at, (kind, data)) in upstream.iter().enumerate() {
            let mut out = Vec::new();
            let finished = splice.finished();
            splice.event(kind.as_bytes(), data.as_bytes(), &mut out);
            let text = String::from_utf8(out).unwrap();
            let Ok(event) = serde_json::from_str::<Value>(data) else {
                assert!(text.is_empty(), "{name} {at}: {text}");
                continue;
            };
            let word = event["type"].as_str().unwrap_or_default();
            let broken = matches!(word, "error" | "response.failed" | "") || !event["error"].is_null();
            if broken || finished || matches!(word, "response.completed" | "response.incomplete") {
                assert!(text.is_empty(), "{name} {at}: {text}");
            } else if event["response"].is_object() {
                let sent = text.split_once("\ndata: ").unwrap().1;
                let sent: Value = serde_json::from_str(sent).unwrap();
                assert_eq!(
                    without_ours(&sent["response"], true),
                    without_ours(&event["response"], false),
                    "{name} {at}"
                );
                assert_eq!(sent["sequence_number"], event["sequence_number"], "{name} {at}");
            } else {
                let kind = if kind.is_empty() { word } else { kind };
                assert_eq!(text, format!("event: {kind}\ndata: {data}\n\n"), "{name} {at}");
                plain += 1;
            }
        }
        check_ending(&name, &upstream, splice);
        seen += 1;
    }
    println!("{seen} streams with {plain} events that passed byte for byte");
    assert!(seen > 40 && plain > 2000, "only {seen} streams were found");
}

fn check_ending(name: &str, upstream: &[(String, String)], mut splice: StreamSplice) {
    let parsed = upstream.iter().filter_map(|(_, data)| serde_json::from_str::<Value>(data).ok());
    let terminal = parsed
        .into_iter()
        .find(|e| matches!(e["type"].as_str(), Some("response.completed" | "response.incomplete")));
    assert_eq!(splice.finished(), terminal.is_some(), "{name}");
    let mut out = Vec::new();
    splice.close(&receipt(), &mut out);
    let text = String::from_utf8(out).unwrap();
    let last = text.trim_end().rsplit_once("\ndata: ").unwrap().1;
    let last: Value = serde_json::from_str(last).unwrap();
    let Some(terminal) = terminal else {
        assert_eq!(
            (&last["type"], &last["response"]["status"]),
            (&json!("response.failed"), &json!("failed")),
            "{name}"
        );
        return;
    };
    assert_eq!(last["type"], terminal["type"], "{name}");
    assert_eq!(without_ours(&last["response"], true), without_ours(&terminal["response"], false), "{name}");
    assert_eq!(last["response"]["providerMetadata"]["gateway"]["generationId"], GENERATION, "{name}");
}

#[test]
fn i17_recorded_answers_keep_their_members() {
    let Some(folder) = folder() else { return };
    let mut seen = 0;
    for (name, exchange) in recorded(&folder) {
        let body = &exchange["response"]["body"];
        if !body["output"].is_array() {
            continue;
        }
        let out = splice_whole(&context(), None, body.to_string().as_bytes(), &receipt())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let ours: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(without_ours(&ours, true), without_ours(body, false), "{name}");
        let kept: Vec<_> = body.as_object().unwrap().keys().collect();
        let after: Vec<_> = ours.as_object().unwrap().keys().take(kept.len()).collect();
        assert_eq!(after, kept, "{name}: order of the provider's members");
        seen += 1;
    }
    println!("{seen} answers");
    assert!(seen > 80, "only {seen} answers were found");
}

#[test]
fn recorded_requests_are_understood() {
    let Some(folder) = folder() else { return };
    let (mut seen, mut stateful) = (0, 0);
    for (name, exchange) in recorded(&folder) {
        let body = &exchange["request"]["body"];
        let answered = exchange["response"]["status"].as_u64().is_some_and(|status| status < 300);
        if !answered || body["model"].is_null() {
            continue;
        }
        let request = Request::parse(&body.to_string().into()).unwrap_or_else(|e| panic!("{name}: {e}"));
        seen += 1;
        if request.needs_provider_state() {
            stateful += 1;
            continue;
        }
        let conversation = request.conversation().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!conversation.messages.is_empty(), "{name}");
        let tools = body["tools"].as_array().map_or(0, Vec::len);
        if body["tool_choice"]["type"] != "allowed_tools" {
            assert_eq!(conversation.tools.len(), tools, "{name}");
        }
    }
    println!("{seen} requests, {stateful} of them need the provider's store");
    assert!(seen > 80, "only {seen} requests were found");
}
