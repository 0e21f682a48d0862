//! Requests and answers of our own: `examples/<name>.request.json` with the facts that must be read from it,
//! and answers byte for byte.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::ReplyContext;
use tollgate_dialects::chat_completions::{Request, StreamEncoder, encode_whole};
use tollgate_domain::conversation::{Content, FORMAT_ANTHROPIC, ReasoningKind, ResponseFormat, ToolChoice};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{AttemptRecord, CredentialKind, Receipt, Routing};
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::usage::InclusiveUsage;
use tollgate_domain::{Conversation, GenerationId, JsonText, ModelId, Nanodollars, ReplyEvent, Usage};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects/examples")
}

fn read(name: &str) -> (Request, Conversation) {
    let body = std::fs::read(folder().join(name)).unwrap();
    let request = Request::parse(&Bytes::from(body)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let conversation = request.conversation().unwrap_or_else(|e| panic!("{name}: {e}"));
    (request, conversation)
}

#[test]
fn cline_3_38() {
    let (request, conversation) = read("cline-3.38.request.json");
    assert!(request.head.stream && request.include_usage && !request.head.exclude_reasoning);
    assert_eq!(request.head.max_tokens, None, "its catalog's 0 means absent");
    assert!(request.head.needs.tools && request.head.needs.reasoning && !request.head.needs.images);
    assert_eq!(conversation.reasoning.unwrap().max_tokens, Some(1024));
    assert_eq!(
        (conversation.parallel_tool_calls, conversation.tool_choice),
        (Some(false), Some(ToolChoice::Auto))
    );
    assert!(conversation.messages[0].cache.is_some(), "the mark beside a string content");
    let marked: Vec<_> =
        conversation.messages.iter().filter(|m| m.parts.iter().any(|p| p.cache.is_some())).collect();
    assert_eq!(marked.len(), 2, "the last text part of the last two user messages");
    let signatures = conversation.messages.iter().flat_map(|m| &m.parts).filter(
        |p| matches!(&p.content, Content::Reasoning(r) if r.signature.as_deref() == Some("c2lnbmF0dXJl")),
    );
    assert_eq!(signatures.count(), 1);
}

#[test]
fn cline_3_89() {
    let (request, conversation) = read("cline-3.89.request.json");
    assert_eq!((request.head.max_tokens, request.head.needs.reasoning), (Some(8192), true));
    assert_eq!(conversation.reasoning.as_ref().and_then(|r| r.enabled), Some(true));
    assert_eq!(conversation.verbosity.as_deref(), Some("high"));
    assert!(conversation.messages[0].parts[0].cache.is_some(), "the mark on the system's text part");
    assert!(request.head.needs.images);
}

#[test]
fn current_cline() {
    let (request, conversation) = read("cline-4.request.json");
    assert_eq!((request.head.max_tokens, request.head.exclude_reasoning), (Some(32000), true));
    assert!(conversation.cache.is_some(), "the mark on the whole body");
    assert!(conversation.messages.iter().any(|m| {
        m.parts
            .iter()
            .any(|p| matches!(&p.content, Content::Reasoning(r) if r.text == "I should look at the file."))
    }));
}

#[test]
fn files_schema_and_routing() {
    let (request, conversation) = read("files-and-schema.request.json");
    assert!(
        request.head.needs.images
            && request.head.needs.files
            && request.head.needs.audio
            && request.head.needs.json_schema
    );
    assert_eq!(request.head.options.only, ["azure", "openai"]);
    assert_eq!(
        (request.head.options.tags.len(), request.head.options.user.as_deref()),
        (2, Some("customer-17"))
    );
    assert!(matches!(
        conversation.response_format,
        Some(ResponseFormat::JsonSchema { strict: Some(true), .. })
    ));
    assert_eq!(conversation.provider_options[0].0, "openai");
}

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_785_881_890_000, 99)),
        created_seconds: 1_785_881_890,
        model: "anthropic/claude-haiku-4.5".into(),
        fingerprint: "fp_abcdefghij".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt() -> Receipt {
    let attempt = |provider: &str, success| AttemptRecord {
        provider: provider.into(),
        provider_model: "claude-haiku-4-5".into(),
        credential: CredentialKind::System,
        success,
        start_nanos: 1_000_000_500,
        end_nanos: 1_250_000_000,
        status: Some(if success { 200 } else { 529 }),
        error: (!success).then(|| "Overloaded".to_owned()),
        response_id: success.then(|| "msg_1".to_owned()),
        request_id: None,
    };
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude-haiku-4.5"),
            canonical_model: ModelId::new("anthropic/claude-haiku-4.5"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude-haiku-4-5".into(),
            fallbacks: vec!["bedrock".into()],
            reasoning: "default ranking: anthropic, bedrock".into(),
            final_provider: "bedrock".into(),
            attempts: vec![attempt("anthropic", false), attempt("bedrock", true)],
        },
        usage: Usage::from(InclusiveUsage {
            input_total: 120,
            cache_read: 100,
            output_total: 30,
            reasoning: 12,
            ..Default::default()
        }),
        cost: Some(Nanodollars(200_500)),
        market_cost: Some(Nanodollars(200_500)),
        byok: false,
        native: Some(("bedrock".into(), JsonText::from(&json!({"usage": {"totalTokens": 150}})))),
        service_tier: None,
        warnings: Vec::new(),
    }
}

fn events() -> Vec<ReplyEvent> {
    vec![
        ReplyEvent::ReasoningStart {
            block: 0,
            kind: ReasoningKind::Text,
            id: None,
            format: FORMAT_ANTHROPIC,
        },
        ReplyEvent::ReasoningDelta { block: 0, text: "Two lookups.".into() },
        ReplyEvent::ReasoningEnd { block: 0, signature: Some("c2ln".into()), data: None },
        ReplyEvent::TextStart { block: 1 },
        ReplyEvent::TextDelta { block: 1, text: "Looking \"both\" up…\n".into() },
        ReplyEvent::TextEnd { block: 1 },
        ReplyEvent::ToolStart { block: 2, id: "toolu_1".into(), name: "lookup".into() },
        ReplyEvent::ToolStart { block: 3, id: "toolu_2".into(), name: "lookup".into() },
        ReplyEvent::ToolDelta { block: 3, arguments: "{\"q\":2}".into() },
        ReplyEvent::ToolDelta { block: 2, arguments: "{\"q\":".into() },
        ReplyEvent::ToolEnd { block: 3 },
        ReplyEvent::ToolDelta { block: 2, arguments: "1}".into() },
        ReplyEvent::ToolEnd { block: 2 },
    ]
}

/// Compares with a committed file; `TOLLGATE_BLESS=1` writes it anew.
fn expect(name: &str, bytes: &[u8]) {
    let path = folder().join(name);
    if std::env::var_os("TOLLGATE_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&committed), "{name}");
}

#[test]
fn an_answer_byte_for_byte() {
    let finish = Finish { reason: FinishReason::ToolCalls, raw: None, stop_sequence: None, native: None };
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    for event in events() {
        encoder.event(&event, &mut out);
    }
    encoder.close(&receipt(), &finish, &mut out);
    expect("answer.sse", &out);
    let whole = encode_whole(&context(), &events(), &finish, &receipt());
    expect("answer.json", &whole);
    let value: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(value["choices"][0]["message"]["tool_calls"][1]["function"]["arguments"], "{\"q\":2}");
}
