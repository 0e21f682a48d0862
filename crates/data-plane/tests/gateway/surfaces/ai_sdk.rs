//! The AI SDK's gateway protocol (gateway-api §17): lists, versions, headers, and the other models.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, UsageOverride};

use super::setup::{Surfaces, events};
use super::table::PIXEL;
use crate::client::Answer;
use crate::world::cost;

const PREFIXES: [(&str, &str, &str); 4] =
    [("/v4/ai", "v4", "4"), ("/v3/ai", "v3", "3"), ("/v1/ai", "v2", "2"), ("/v1", "v2", "2")];

fn prompt() -> Value {
    json!({"prompt": [{"role": "user", "content": [{"type": "text", "text": "What is a tollgate?"}]}]})
}

fn counted() -> Behaviour {
    let usage = UsageOverride {
        input_tokens: Some(100),
        cached_tokens: Some(40),
        output_tokens: Some(20),
        ..UsageOverride::default()
    };
    Behaviour { usage, ..Behaviour::text("It bars a road.") }
}

async fn language(at: &Surfaces, path: &str, headers: &[(&str, &str)], stream: bool, body: &Value) -> Answer {
    let mut all = vec![("ai-language-model-id", "test/chat"), ("ai-gateway-protocol-version", "0.0.1")];
    all.push(("ai-language-model-streaming", if stream { "true" } else { "false" }));
    all.extend_from_slice(headers);
    at.post_with(path, &all, body.to_string().as_bytes()).await
}

/// A wrong literal in any entry fails the client's parse of the whole list (§17.3).
#[tokio::test]
async fn each_prefix_lists_models_with_its_own_literal() {
    let at = Surfaces::start().await;
    for (prefix, literal, _) in PREFIXES {
        let list = at.get(&format!("{prefix}/config")).await;
        assert_eq!(list.status, 200, "{prefix}: {}", list.text());
        let models = list.json()["models"].as_array().unwrap().clone();
        for model in &models {
            let specification = &model["specification"];
            assert_eq!(specification["specificationVersion"], literal, "{prefix}: {model}");
            assert_eq!(specification["modelId"], model["id"], "{model}");
            assert!(specification["provider"].is_string() && model["name"].is_string(), "{model}");
            let pricing = &model["pricing"];
            assert!(
                pricing.is_null() || (pricing["input"].is_string() && pricing["output"].is_string()),
                "{model}"
            );
        }
        let kind = |id: &str| models.iter().find(|m| m["id"] == id).map(|m| m["modelType"].clone());
        for (id, wanted) in [("test/chat", "language"), ("test/embed", "embedding"), ("test/image", "image")]
        {
            assert_eq!(kind(id), Some(json!(wanted)), "{prefix}");
        }
        // The first clients refuse the whole list for a kind that they do not know.
        assert_eq!(kind("test/rerank"), (literal != "v2").then(|| json!("reranking")), "{prefix}");
    }
    let refused = at.raw("GET", "/v4/ai/config", &[], b"").await;
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (401, &json!("authentication_error")));
}

/// What a version looks like: finish reason and usage of a result.
fn check_result(version: &str, result: &Value, what: &str) {
    let usage = &result["usage"];
    if version == "2" {
        assert_eq!(result["finishReason"], "stop", "{what}");
        assert_eq!(
            (
                &usage["inputTokens"],
                &usage["outputTokens"],
                &usage["totalTokens"],
                &usage["cachedInputTokens"]
            ),
            (&json!(100), &json!(20), &json!(120), &json!(40)),
            "{what}"
        );
    } else {
        assert_eq!(result["finishReason"]["unified"], "stop", "{what}");
        assert_eq!(
            usage["inputTokens"],
            json!({"total": 100, "noCache": 60, "cacheRead": 40, "cacheWrite": 0}),
            "{what}"
        );
        assert_eq!(usage["outputTokens"], json!({"total": 20, "text": 20, "reasoning": 0}), "{what}");
    }
    assert_eq!(result["providerMetadata"]["gateway"]["cost"], "0.000124", "{what}");
}

#[tokio::test]
async fn prefix_and_header_choose_the_version() {
    let at = Surfaces::start().await;
    at.main.set_default(counted());
    for (prefix, _, version) in PREFIXES {
        for (header, version) in [(None, version), (Some("2"), "2"), (Some("3"), "3"), (Some("4"), "4")] {
            let headers: Vec<_> =
                header.into_iter().map(|v| ("ai-language-model-specification-version", v)).collect();
            let path = format!("{prefix}/language-model");
            let what = format!("{path} {header:?}");
            let answer = language(&at, &path, &headers, false, &prompt()).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            let result = answer.json();
            check_result(version, &result, &format!("{what}: {result}"));
            assert_eq!(result["content"][0]["text"], "It bars a road.", "{what}");
            assert_eq!(at.row_of(&answer).await.cost.unwrap().0, cost(60, 40, 20), "{what}");

            let answer = language(&at, &path, &headers, true, &prompt()).await;
            assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"), "{what}");
            let parts: Vec<Value> = events(&answer.body).into_iter().map(|(_, data)| data).collect();
            let parts: Vec<&Value> = parts.iter().filter(|p| **p != "[DONE]").collect();
            assert_eq!(parts[0], &json!({"type": "stream-start", "warnings": []}), "{what}");
            let last = parts[parts.len() - 1];
            assert_eq!(last["type"], "finish", "{what}");
            check_result(version, last, &what);
            // The id is known from the first content on, for what follows it may never come (§17.5).
            let id = json!(answer.header("x-generation-id").unwrap());
            let first = parts.iter().find(|p| p["type"].as_str().unwrap().starts_with("text-")).unwrap();
            assert_eq!(first["type"], "text-start", "{what}");
            assert_eq!(first["providerMetadata"]["gateway"]["generationId"], id, "{what}: {first}");
            assert_eq!(last["providerMetadata"]["gateway"]["generationId"], id, "{what}");
        }
    }
}

#[tokio::test]
async fn a_whole_answers_first_content_part_has_the_id_too() {
    let at = Surfaces::start().await;
    let answer = language(&at, "/v4/ai/language-model", &[], false, &prompt()).await;
    let id = json!(answer.header("x-generation-id").unwrap());
    assert_eq!(
        answer.json()["content"][0]["providerMetadata"]["gateway"]["generationId"],
        id,
        "{}",
        answer.text()
    );
    assert_eq!(answer.json()["response"]["modelId"], "test/chat");
}

/// The client sends the user's own headers in the body and as headers; none of it reaches a provider.
#[tokio::test]
async fn the_protocols_headers_stay_here_and_attribution_is_recorded() {
    let at = Surfaces::start().await;
    let mut body = prompt();
    body["headers"] = json!({"x-mine": "1", "authorization": "Bearer stolen"});
    body["providerOptions"] = json!({"gateway": {"tags": ["from-body"], "user": "u-body"}});
    let headers = [
        ("ai-language-model-specification-version", "4"),
        ("ai-gateway-auth-method", "api-key"),
        ("ai-o11y-request-id", "req-1"),
        ("x-mine", "1"),
        ("ai-reporting-tags", "from-header, from-body"),
        ("ai-reporting-user", "u-header"),
        ("user-agent", "ai/7 ai-sdk-gateway/4.0.146"),
    ];
    let answer = language(&at, "/v4/ai/language-model", &headers, false, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let row = at.row_of(&answer).await;
    assert_eq!(row.intent.tags, ["from-body", "from-header"]);
    assert_eq!(row.intent.end_user.as_deref(), Some("u-header"));
    assert_eq!(row.intent.dialect, "ai_sdk");
    let sent = at.main.requests().pop().unwrap();
    let own: Vec<_> = sent.headers.iter().filter(|(n, _)| n.starts_with("ai-") || n == "x-mine").collect();
    assert!(own.is_empty(), "{own:?}");
    assert!(!String::from_utf8_lossy(&sent.body).contains("stolen"), "{:?}", sent.json());
}

/// Cline takes any other host's address as the base of this protocol as it stands (§19).
#[tokio::test]
async fn other_models_are_served_under_every_prefix() {
    let at = Surfaces::start().await;
    for (prefix, _, _) in PREFIXES {
        for (call, model, body, wanted) in [
            ("embedding-model", "test/embed", json!({"values": ["one", "two"]}), "/embeddings/1/0"),
            ("image-model", "test/image", json!({"prompt": "A gate", "n": 2}), "/images/1"),
            (
                "reranking-model",
                "test/rerank",
                json!({"query": "gate", "topN": 1, "documents": {"type": "text", "values": ["a road", "a gate"]}}),
                "/ranking/0/relevanceScore",
            ),
        ] {
            let path = format!("{prefix}/{call}");
            let answer = at.post_with(&path, &[("ai-model-id", model)], body.to_string().as_bytes()).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let said = answer.json();
            assert!(said.pointer(wanted).is_some_and(|v| !v.is_null()), "{path}: {said}");
            let gateway = &said["providerMetadata"]["gateway"];
            assert_eq!(gateway["generationId"], json!(answer.header("x-generation-id").unwrap()), "{path}");
            let row = at.row_of(&answer).await;
            assert_eq!(gateway["cost"], json!(row.cost.unwrap().to_string()), "{path}");
            assert!(row.cost.unwrap().0 > 0, "{path}");
        }
    }
    let body = json!({"query": "gate", "documents": {"type": "text", "values": ["a road", "a gate"]}});
    let answer = at
        .post_with("/v4/ai/reranking-model", &[("ai-model-id", "test/rerank")], body.to_string().as_bytes())
        .await;
    let ranking = answer.json()["ranking"].clone();
    assert_eq!((&ranking[0]["index"], &ranking[1]["index"]), (&json!(1), &json!(0)), "{ranking}");
}

/// Files are tagged objects in v4 and texts before it (§17.4).
#[tokio::test]
async fn files_are_read_in_the_form_of_each_version() {
    let at = Surfaces::start().await;
    let url = format!("data:image/png;base64,{PIXEL}");
    for (prefix, data) in [
        ("/v4/ai", json!({"type": "data", "data": PIXEL})),
        ("/v4/ai", json!({"type": "url", "url": url})),
        ("/v3/ai", json!(url)),
        ("/v1/ai", json!(url)),
        ("/v1", json!(PIXEL)),
    ] {
        let mut body = prompt();
        let file = json!({"type": "file", "mediaType": "image/png", "data": data});
        body["prompt"][0]["content"].as_array_mut().unwrap().push(file);
        let answer = language(&at, &format!("{prefix}/language-model"), &[], false, &body).await;
        assert_eq!(answer.status, 200, "{prefix} {data}: {}", answer.text());
        let sent = at.main.requests().pop().unwrap().json();
        assert_eq!(
            sent["messages"][0]["content"][1]["image_url"]["url"],
            json!(url),
            "{prefix} {data}: {sent}"
        );
    }
}
