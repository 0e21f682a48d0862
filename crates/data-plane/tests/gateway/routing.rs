//! Which providers are asked, and in which order.

use serde_json::{Value, json};
use tollgate_simulator::Behaviour;

use crate::world::{World, question};

fn with_options(model: &str, gateway: Value) -> Value {
    let mut body = question(model, false);
    body["providerOptions"] = json!({ "gateway": gateway });
    body
}

fn routing(body: &Value) -> Value {
    body["choices"][0]["message"]["provider_metadata"]["gateway"]["routing"].clone()
}

#[tokio::test]
async fn a_providers_slug_in_the_creators_place_is_a_preference() {
    let world = World::start().await;
    let answer = world.chat(&question("backup/duo", false)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let routing = routing(&answer.json());
    assert_eq!(routing["originalModelId"], "backup/duo");
    assert_eq!(
        (&routing["canonicalSlug"], &routing["resolvedProvider"]),
        (&json!("test/duo"), &json!("backup"))
    );
    assert_eq!(routing["fallbacksAvailable"], json!(["primary"]));
    assert_eq!(answer.json()["model"], "backup/duo", "the client's own word is echoed");
    let row = world.row(&answer.generation().unwrap()).await.unwrap();
    assert_eq!(
        (row.intent.requested_model.as_str(), row.intent.canonical_model.as_str()),
        ("backup/duo", "test/duo")
    );

    world.backup.set_default(Behaviour::status(500));
    assert_eq!(world.chat(&question("backup/duo", false)).await.status, 200, "the others are fallbacks");
    assert_eq!(world.primary.stats().requests, 1);
}

#[tokio::test]
async fn order_and_only_choose_among_the_configured_endpoints() {
    let world = World::start().await;
    let first = |gateway| {
        let world = &world;
        async move { routing(&world.chat(&with_options("test/duo", gateway)).await.json()) }
    };
    assert_eq!(first(json!({})).await["resolvedProvider"], "primary");
    let ordered = first(json!({"order": ["nobody", "backup"]})).await;
    assert_eq!(
        (&ordered["resolvedProvider"], &ordered["fallbacksAvailable"]),
        (&json!("backup"), &json!(["primary"]))
    );
    let only = first(json!({"only": ["backup"], "order": ["primary"]})).await;
    assert_eq!((&only["resolvedProvider"], &only["fallbacksAvailable"]), (&json!("backup"), &json!([])));

    let none = world.chat(&with_options("test/duo", json!({"only": ["nobody"]}))).await;
    assert_eq!(none.status, 400);
    let text = none.text();
    assert!(
        text.contains("no_providers_available") && text.contains("primary") && text.contains("backup"),
        "{text}"
    );
    assert_eq!(world.primary.stats().requests + world.backup.stats().requests, 3);
}

#[tokio::test]
async fn attribution_of_body_and_headers_reaches_the_row() {
    let world = World::start().await;
    let body = with_options("test/solo", json!({"tags": ["a"], "user": "body-user"}));
    let bearer = format!("Bearer {}", world.key);
    let headers = [
        ("authorization", bearer.as_str()),
        ("ai-reporting-tags", "b, a"),
        ("ai-reporting-user", "header-user"),
    ];
    let answer = world.raw("POST", "/v1/chat/completions", &headers, body.to_string().as_bytes()).await;
    let row = world.row(&answer.generation().unwrap()).await.unwrap();
    assert_eq!(
        (row.intent.tags, row.intent.end_user.as_deref()),
        (vec!["a".to_owned(), "b".to_owned()], Some("header-user"))
    );
}
