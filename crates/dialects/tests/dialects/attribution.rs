//! The gateway's options hold on every surface alike: limits of attribution, in body and headers, and options
//! with few values (gateway-api §2.2, §4.1).

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::{
    ConversationRequest, TaskRequest, ai_sdk, chat_completions, embeddings, gateway_options, images,
    messages, rerank, responses,
};
use tollgate_domain::InputError;
use tollgate_domain::options::GatewayOptions;

type Read = fn(&Bytes) -> Result<GatewayOptions, InputError>;

fn conversation(request: &dyn ConversationRequest) -> GatewayOptions {
    request.head().options.clone()
}

fn task(request: &dyn TaskRequest) -> GatewayOptions {
    request.head().options.clone()
}

/// Every surface: its name, the least body it takes, its reader.
fn surfaces() -> Vec<(&'static str, Value, Read)> {
    use ai_sdk::Version::V4;
    let turns = json!([{"role": "user", "content": "x"}]);
    let prompt = json!([{"role": "user", "content": [{"type": "text", "text": "x"}]}]);
    let chat = json!({"model": "a/b", "messages": turns});
    vec![
        ("chat", chat.clone(), |b| chat_completions::Request::parse(b).map(|r| conversation(&r))),
        ("messages", json!({"model": "a/b", "max_tokens": 9, "messages": turns}), |b| {
            messages::Request::parse(b).map(|r| conversation(&r))
        }),
        ("count", chat, |b| messages::CountTokens::parse(b).map(|r| r.head.options)),
        ("responses", json!({"model": "a/b", "input": "x"}), |b| {
            responses::Request::parse(b).map(|r| conversation(&r))
        }),
        ("compact", json!({"model": "a/b", "input": "x"}), |b| {
            responses::CompactRequest::parse(b).map(|r| r.head.options)
        }),
        ("language", json!({"prompt": prompt}), |b| {
            ai_sdk::LanguageRequest::parse(V4, "a/b", false, b).map(|r| conversation(&r))
        }),
        ("embedding model", json!({"values": ["x"]}), |b| {
            ai_sdk::EmbeddingRequest::parse(V4, "a/b", b).map(|r| task(&r))
        }),
        ("image model", json!({"prompt": "x", "n": 1}), |b| {
            ai_sdk::ImageRequest::parse(V4, "a/b", b).map(|r| task(&r))
        }),
        ("reranking model", json!({"query": "x", "documents": {"type": "text", "values": ["y"]}}), |b| {
            ai_sdk::RerankRequest::parse(V4, "a/b", b).map(|r| task(&r))
        }),
        ("embeddings", json!({"model": "a/b", "input": "x"}), |b| {
            embeddings::Request::parse(b).map(|r| task(&r))
        }),
        ("images", json!({"model": "a/b", "prompt": "x"}), |b| {
            images::Request::generations(b).map(|r| task(&r))
        }),
        ("rerank", json!({"model": "a/b", "query": "x", "documents": ["y"]}), |b| {
            rerank::Request::parse(rerank::Version::V2, b).map(|r| task(&r))
        }),
    ]
}

fn with(body: &Value, gateway: Value) -> Bytes {
    let mut body = body.clone();
    body["providerOptions"] = json!({"gateway": gateway});
    Bytes::from(body.to_string())
}

fn tags(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("tag{n}")).collect()
}

#[test]
fn attribution_has_the_same_limits_on_every_surface() {
    for (name, body, read) in surfaces() {
        let longest = "ü".repeat(64);
        let user = "u".repeat(256);
        let mut most = tags(9);
        most.push(longest.clone());
        let mut options =
            read(&with(&body, json!({"tags": most, "user": user}))).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((&options.tags, options.user.as_deref()), (&most, Some(&*user)), "{name}");
        // Tags of the header are united with these; its user wins.
        gateway_options::attribution(Some("tag0"), Some("head"), &mut options).unwrap();
        assert_eq!((options.tags.len(), options.user.as_deref()), (10, Some("head")), "{name}");
        let error = gateway_options::attribution(Some("one-more"), None, &mut options).unwrap_err();
        assert_eq!((error.status(), error.param.as_deref()), (400, Some("ai-reporting-tags")), "{name}");
        for (gateway, path) in [
            (json!({"tags": tags(11)}), "providerOptions.gateway.tags"),
            (json!({"tags": ["ok", "ü".repeat(65)]}), "providerOptions.gateway.tags[1]"),
            (json!({"tags": [""]}), "providerOptions.gateway.tags[0]"),
            (json!({"user": "u".repeat(257)}), "providerOptions.gateway.user"),
        ] {
            let error = read(&with(&body, gateway.clone())).unwrap_err();
            assert_eq!(
                (error.status(), error.param.as_deref()),
                (400, Some(path)),
                "{name} {gateway}: {error}"
            );
        }
    }
}

#[test]
fn options_with_few_values_are_checked_on_every_surface() {
    for (name, body, read) in surfaces() {
        for gateway in [
            json!({"serviceTier": "flex", "speed": "fast", "safetyIdentifier": "s", "new": {"option": 1}}),
            json!({"serviceTier": "priority"}),
            json!({"serviceTier": "fast", "caching": "auto"}),
        ] {
            assert!(read(&with(&body, gateway.clone())).is_ok(), "{name} {gateway}");
        }
        for (gateway, path) in [
            (json!({"serviceTier": "standard"}), "providerOptions.gateway.serviceTier"),
            (json!({"speed": "slow"}), "providerOptions.gateway.speed"),
        ] {
            let error = read(&with(&body, gateway)).unwrap_err();
            assert_eq!((error.status(), error.param.as_deref()), (400, Some(path)), "{name}: {error}");
        }
    }
}

/// What a language model's surface makes of the gateway's wishes for the provider.
#[test]
fn wishes_reach_the_neutral_form_from_every_conversation() {
    let gateway = json!({"serviceTier": "fast", "safetyIdentifier": "s".repeat(70), "caching": "auto"});
    for (name, body, _) in surfaces() {
        let bytes = with(&body, gateway.clone());
        let request: Box<dyn ConversationRequest> = match name {
            "chat" => Box::new(chat_completions::Request::parse(&bytes).unwrap()),
            "messages" => Box::new(messages::Request::parse(&bytes).unwrap()),
            "responses" => Box::new(responses::Request::parse(&bytes).unwrap()),
            "language" => {
                Box::new(ai_sdk::LanguageRequest::parse(ai_sdk::Version::V4, "a/b", false, &bytes).unwrap())
            }
            _ => continue,
        };
        let read = request.conversation().unwrap();
        assert_eq!(read.service_tier.as_deref(), Some("priority"), "{name}");
        assert_eq!(read.safety_identifier.as_deref(), Some(&*"s".repeat(64)), "{name}");
        assert!(read.cache.is_some(), "{name}");
        assert!(read.provider_options.is_empty(), "the gateway's own part stays here: {name}");
    }
}
