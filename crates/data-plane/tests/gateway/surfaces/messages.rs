//! Anthropic Messages (gateway-api §8): whose models, whose headers, whose credential, and the counts.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, UsageOverride};

use super::setup::{OPERATORS_KEY, Surfaces, events};
use crate::client::Exchange;
use crate::client::{Answer, request};
use crate::world::cost;

const CLAUDE: &str = "anthropic/claude-haiku-4.5";

fn asks(model: &str, stream: bool) -> Value {
    json!({"model": model, "max_tokens": 200, "stream": stream,
        "messages": [{"role": "user", "content": "What is a tollgate?"}]})
}

/// 60 tokens of the prompt, 40 from the cache beside them, 20 generated.
fn counted() -> Behaviour {
    let usage = UsageOverride {
        input_tokens: Some(60),
        cached_tokens: Some(40),
        cache_write_tokens: Some(0),
        output_tokens: Some(20),
        ..UsageOverride::default()
    };
    Behaviour { usage, ..Behaviour::text("It bars a road.") }
}

async fn send(at: &Surfaces, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let raw = request("POST", path, headers, body.to_string().as_bytes());
    Exchange::send(at.addr, &raw).await.answer().await
}

#[tokio::test]
async fn the_ids_that_claudes_own_clients_send_are_found() {
    let at = Surfaces::start().await;
    for path in ["/v1/messages", "/v1/messages?beta=true", "/claude-code/v1/messages?beta=true"] {
        for model in [
            CLAUDE,
            "anthropic/claude-haiku-4.5[1m]",
            "claude-haiku-4.5",
            "claude-haiku-4-5",
            "claude-haiku-4-5[1m]",
            "claude-haiku-4-5-latest",
            "claude-code/anthropic/claude-haiku-4.5[1M]",
        ] {
            let answer = at.post(path, &asks(model, false)).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
            assert_eq!(at.row_of(&answer).await.intent.canonical_model, CLAUDE, "{path} {model}");
            let sent = at.main.requests().pop().unwrap().json();
            assert_eq!(sent["model"], "claude-haiku-4.5", "{path} {model}");
        }
    }
    // Elsewhere a name needs its creator.
    let body = json!({"model": "claude-haiku-4.5", "messages": [{"role": "user", "content": "x"}]});
    let answer = at.post("/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 404);
    assert!(answer.message().contains(CLAUDE), "{}", answer.message());
}

#[tokio::test]
async fn betas_go_to_anthropic_and_nowhere_else() {
    let at = Surfaces::start().await;
    let betas = "interleaved-thinking-2025-05-14,context-management-2025-06-27";
    let headers =
        [("anthropic-beta", betas), ("anthropic-version", "2023-06-01"), ("anthropic-dangerous", "x")];
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        let answer = at.post_with(path, &headers, asks(CLAUDE, false).to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = at.main.requests().pop().unwrap();
        let seen: Vec<_> = sent.header("anthropic-beta").unwrap().split(',').map(str::trim).collect();
        assert_eq!(seen, betas.split(',').collect::<Vec<_>>(), "{path}");
        assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"), "{path}");
        assert_eq!(sent.header("anthropic-dangerous"), None, "{path}");
        assert_eq!(sent.headers.iter().filter(|(n, _)| n == "anthropic-beta").count(), 1, "{path}");
    }
    for model in ["test/chat", "test/responses", "test/gemini"] {
        let answer = at.post_with("/v1/messages", &headers, asks(model, false).to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let sent = at.main.requests().pop().unwrap();
        assert!(
            sent.headers.iter().all(|(name, _)| !name.starts_with("anthropic")),
            "{model}: {:?}",
            sent.headers
        );
    }
}

/// Known deviations of the service that are not copied: 0/0 in `message_start`, no cache breakdown (§8.1).
#[tokio::test]
async fn i03_usage_is_real_from_the_first_event_on() {
    let at = Surfaces::start().await;
    at.main.set_default(counted());
    let answer = at.post("/v1/messages", &asks(CLAUDE, true)).await;
    let all = events(&answer.body);
    assert!(all.iter().all(|(name, data)| data["type"] == *name), "{}", answer.text());
    let (first, start) = &all[0];
    let usage = &start["message"]["usage"];
    assert_eq!(first, "message_start");
    assert_eq!((&usage["input_tokens"], &usage["cache_read_input_tokens"]), (&json!(60), &json!(40)));
    let (_, delta) = all.iter().find(|(name, _)| name == "message_delta").unwrap();
    assert_eq!(delta["usage"]["output_tokens"], 20);
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!(all.last().unwrap().0, "message_stop");
    let row = at.row_of(&answer).await;
    assert_eq!(row.cost.unwrap().0, cost(60, 40, 20));
    assert_eq!(start["message"]["id"], json!(answer.header("x-generation-id").unwrap()));

    let whole = at.post("/v1/messages", &asks(CLAUDE, false)).await.json();
    assert_eq!(whole["usage"]["input_tokens"], 60, "{whole}");
    assert_eq!(whole["usage"]["cache_read_input_tokens"], 40, "{whole}");
    assert_eq!(whole["usage"]["output_tokens"], 20, "{whole}");
    assert_eq!(whole["provider_metadata"]["gateway"]["cost"], "0.000124", "{whole}");

    // Who reports at the end only is estimated at the beginning and told truly at the end.
    for model in ["test/chat", "test/responses", "test/gemini"] {
        let usage = UsageOverride { input_tokens: Some(100), cached_tokens: Some(40), ..counted().usage };
        at.main.set_default(Behaviour { usage, ..counted() });
        let answer = at.post("/v1/messages", &asks(model, true)).await;
        let all = events(&answer.body);
        assert!(
            all[0].1["message"]["usage"]["input_tokens"].as_u64().unwrap() > 0,
            "{model}: {}",
            answer.text()
        );
        let (_, delta) = all.iter().find(|(name, _)| name == "message_delta").unwrap();
        let usage = &delta["usage"];
        assert_eq!(
            (&usage["input_tokens"], &usage["cache_read_input_tokens"], &usage["output_tokens"]),
            (&json!(60), &json!(40), &json!(20)),
            "{model}: {}",
            answer.text()
        );
        assert_eq!(at.row_of(&answer).await.cost.unwrap().0, cost(60, 40, 20), "{model}");
    }
}

#[tokio::test]
async fn tokens_are_counted_by_who_can_and_estimated_for_others() {
    let at = Surfaces::start().await;
    let mut body = asks(CLAUDE, false);
    body.as_object_mut().unwrap().remove("max_tokens");
    let path = "/v1/messages/count_tokens?beta=true";
    for (model, provider_path) in [
        (CLAUDE, Some("/v1/messages/count_tokens")),
        ("claude-haiku-4-5[1m]", Some("/v1/messages/count_tokens")),
        ("test/gemini", Some("/v1beta/models/gemini:countTokens")),
        ("test/chat", None),
        ("test/responses", None),
    ] {
        body["model"] = json!(model);
        let before = at.main.stats().requests;
        let answer = at.post(path, &body).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let count = answer.json()["input_tokens"].as_u64().unwrap();
        assert!((3..200).contains(&count), "{model}: {count}");
        assert_eq!(answer.json().as_object().unwrap().len(), 1, "{model}: {}", answer.text());
        let estimated = answer.header("x-tollgate-estimated");
        assert_eq!(estimated, provider_path.is_none().then_some("true"), "{model}");
        assert_eq!(at.main.stats().requests - before, u64::from(provider_path.is_some()), "{model}");
        if let Some(path) = provider_path {
            assert_eq!(at.main.requests().pop().unwrap().path(), path, "{model}");
        }
    }
    assert!(at.rows().await.is_empty(), "counting is free");
}

/// A Claude subscription: its token goes to Anthropic in place of the operator's key, and nothing is charged.
#[tokio::test]
async fn a_subscriptions_token_goes_to_anthropic_only_and_its_use_is_free() {
    let at = Surfaces::start().await;
    at.main.set_default(counted());
    let token = "Bearer sk-ant-oat01-not-a-real-token";
    let key = format!("Bearer {}", at.key);
    let headers =
        [("authorization", token), ("x-ai-gateway-api-key", &key), ("anthropic-beta", "oauth-2025-04-20")];
    for stream in [false, true] {
        let answer = send(&at, "/v1/messages", &headers, &asks(CLAUDE, stream)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = at.main.requests().pop().unwrap();
        assert_eq!((sent.header("authorization"), sent.header("x-api-key")), (Some(token), None));
        assert_eq!(sent.header("x-ai-gateway-api-key"), None);
        let row = at.row_of(&answer).await;
        assert_eq!((row.byok, row.cost.unwrap().0), (true, 0));
        assert_eq!(row.market_cost.unwrap().0, cost(60, 40, 20), "what it would have cost");
        if !stream {
            let gateway = answer.json()["provider_metadata"]["gateway"].clone();
            assert_eq!(
                (&gateway["cost"], &gateway["marketCost"]),
                (&json!("0"), &json!("0.000124")),
                "{gateway}"
            );
            assert_eq!(gateway["routing"]["attempts"][0]["credentialType"], "byok", "{gateway}");
        }
    }
    // The same request to somebody else's model is the operator's.
    let answer = send(&at, "/v1/messages", &headers, &asks("test/chat", false)).await;
    let sent = at.main.requests().pop().unwrap();
    assert_eq!(sent.header("authorization").unwrap(), format!("Bearer {OPERATORS_KEY}"));
    let row = at.row_of(&answer).await;
    assert!(!row.byok && row.cost.unwrap().0 > 0, "{row:?}");
    // So it is where somebody else speaks Anthropic's protocol (I28).
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        assert_eq!(send(&at, path, &headers, &asks("test/other-messages", false)).await.status, 200);
        let sent = at.main.requests().pop().unwrap();
        assert_eq!(
            (sent.header("authorization"), sent.header("x-api-key")),
            (None, Some(OPERATORS_KEY)),
            "{path}"
        );
    }
    // Counting asks with the same token.
    let answer = send(&at, "/v1/messages/count_tokens", &headers, &asks(CLAUDE, false)).await;
    assert_eq!((answer.status, answer.header("x-tollgate-estimated")), (200, None));
    let sent = at.main.requests().pop().unwrap();
    assert_eq!((sent.header("authorization"), sent.header("x-api-key")), (Some(token), None));
    // Nor is a key of the gateway in both headers anybody else's to see (I28).
    let both = [("authorization", key.as_str()), ("x-ai-gateway-api-key", &key)];
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        assert_eq!(send(&at, path, &both, &asks(CLAUDE, false)).await.status, 200, "{path}");
        let sent = at.main.requests().pop().unwrap();
        assert_eq!(
            (sent.header("authorization"), sent.header("x-api-key")),
            (None, Some(OPERATORS_KEY)),
            "{path}"
        );
    }
    // A key in `authorization` alone is the gateway's and is never passed on.
    at.post("/v1/messages", &asks(CLAUDE, false)).await;
    let sent = at.main.requests().pop().unwrap();
    assert_eq!((sent.header("authorization"), sent.header("x-api-key")), (None, Some(OPERATORS_KEY)));
}

/// What Anthropic has against the caller's own token is the caller's to mend; Claude Code renews its token when
/// it hears 401.
#[tokio::test]
async fn a_subscription_that_is_refused_is_not_the_operators_affair() {
    let at = Surfaces::start().await;
    let key = format!("Bearer {}", at.key);
    let headers = [("authorization", "Bearer sk-ant-oat01-expired"), ("x-ai-gateway-api-key", key.as_str())];
    for (status, kind) in [(401, "authentication_error"), (402, "billing_error"), (403, "permission_error")] {
        at.main.set_default(Behaviour::status(status));
        for stream in [false, true] {
            let answer = send(&at, "/v1/messages", &headers, &asks(CLAUDE, stream)).await;
            assert_eq!(
                (answer.status, &answer.json()["error"]["type"]),
                (status, &json!(kind)),
                "{}",
                answer.text()
            );
            assert_eq!(at.row_of(&answer).await.client_status, status);
        }
        // The operator's key is no concern of the caller's.
        assert_eq!(at.post("/v1/messages", &asks(CLAUDE, false)).await.status, 502);
    }
}

/// The service has been seen to put the text first (§8.1).
#[tokio::test]
async fn thinking_comes_before_text_and_is_signed() {
    let at = Surfaces::start().await;
    let mut body = asks(CLAUDE, false);
    body["max_tokens"] = json!(4000);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let answer = at.post("/v1/messages", &body).await;
    let blocks = answer.json()["content"].as_array().unwrap().clone();
    let kinds: Vec<_> = blocks.iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "text"], "{}", answer.text());
    assert!(!blocks[0]["signature"].as_str().unwrap().is_empty(), "{}", answer.text());
}
