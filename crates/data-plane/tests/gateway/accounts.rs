//! Look-ups: models, one generation, credits, metrics.

use serde_json::json;

use crate::world::{World, question};

#[tokio::test]
async fn models_are_public_and_found_by_plain_and_encoded_ids() {
    let world = World::start().await;
    let list = world.raw("GET", "/v1/models?include_mappings=true", &[], b"").await;
    assert_eq!((list.status, list.json()["object"].clone()), (200, json!("list")));
    let listed = list.json()["data"].as_array().unwrap().iter().any(|m| m["id"] == "test/claude");
    assert!(listed, "{}", list.text());
    for path in ["/v1/models/test/claude", "/v1/models/test%2Fclaude", "/v1/models/test%2fclaude/"] {
        let one = world.raw("GET", path, &[], b"").await;
        assert_eq!((one.status, &one.json()["id"]), (200, &json!("test/claude")), "{path}");
    }
    for path in ["/v1/models/test/duo/endpoints", "/v1/models/test%2Fduo/endpoints"] {
        let endpoints = world.raw("GET", path, &[], b"").await.json();
        assert_eq!(endpoints["data"]["id"], "test/duo", "{path}");
        assert_eq!(endpoints["data"]["endpoints"].as_array().unwrap().len(), 2, "{path}");
    }
    let missing = world.raw("GET", "/v1/models/test/claud", &[], b"").await;
    assert_eq!((missing.status, &missing.json()["error"]["type"]), (404, &json!("model_not_found")));
    assert!(missing.message().contains("test/claude"), "{}", missing.message());
}

#[tokio::test]
async fn a_generation_is_there_at_once_and_is_the_teams_own() {
    let world = World::start().await;
    let answer = world.chat(&question("test/claude", true)).await;
    let id = answer.generation().unwrap();
    let found = world.get(&format!("/v1/generation?id={id}")).await;
    assert_eq!(found.status, 200, "{}", found.text());
    let data = found.json()["data"].clone();
    assert_eq!(
        (&data["id"], &data["model"], &data["provider_name"]),
        (&json!(id), &json!("test/claude"), &json!("claude-primary"))
    );
    assert_eq!(
        (&data["streamed"], &data["is_byok"], &data["finish_reason"]),
        (&json!(true), &json!(false), &json!("stop"))
    );
    let row = world.row(&id).await.unwrap();
    let dollars = row.cost.unwrap().to_string();
    assert_eq!(
        (data["total_cost"].to_string(), data["usage"].to_string()),
        (dollars.clone(), dollars.clone())
    );
    assert_eq!(data["native_tokens_prompt"].as_u64().unwrap(), row.usage.input_total());
    assert!(data.as_object().unwrap().values().all(|v| !v.is_null()), "clients refuse null: {data}");

    let bearer = format!("Bearer {}", world.foreign_key);
    let foreign =
        world.raw("GET", &format!("/v1/generation?id={id}"), &[("authorization", &bearer)], b"").await;
    assert_eq!((foreign.status, &foreign.json()["error"]), (404, &json!("Usage event not found")));
    assert_eq!(foreign.json()["id"], json!(id));

    for (path, error) in [
        ("/v1/generation", "id is required"),
        ("/v1/generation?id=", "id is required"),
        ("/v1/generation?id=gen_short", "Invalid generation ID format. Expected format: gen_<ulid>"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)), "{path}");
    }
    let none = world.get("/v1/generation?id=gen_01KKHTV13RQ8R92YDVT3EBXPV4").await;
    assert_eq!(none.status, 404);
    for path in ["/v1/generation?id=x", "/v1/credits"] {
        assert_eq!(world.raw("GET", path, &[], b"").await.status, 401, "{path}");
    }

    let credits = world.get("/v1/credits").await;
    assert_eq!(credits.json()["total_used"], json!(dollars), "{}", credits.text());
    let foreign = world.raw("GET", "/v1/credits", &[("authorization", &bearer)], b"").await;
    assert_eq!(foreign.json()["total_used"], "0", "another team has used nothing");
}

#[tokio::test]
async fn metrics_count_requests_attempts_and_money() {
    let world = World::start().await;
    let answer = world.chat(&question("test/solo", false)).await;
    let row = world.row(&answer.generation().unwrap()).await.unwrap();
    let metrics = world.raw("GET", "/metrics", &[], b"").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    let cost = row.cost.unwrap().0.to_string();
    for part in ["status=\"200\"", "provider=\"primary\"", "outcome=\"success\"", cost.as_str()] {
        assert!(text.contains(part), "'{part}' is not in the metrics: {text}");
    }
}

/// A generation that is still running has no row yet.
#[tokio::test]
async fn a_running_generation_is_not_found_yet() {
    let world = World::start().await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("Hello").await;
    exchange.head().await;
    let id = exchange.header("x-generation-id").unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/generation?id={id}")).await.status, 404);
    call.finish().await;
    exchange.rest().await;
    assert_eq!(world.get(&format!("/v1/generation?id={id}")).await.status, 200);
}
