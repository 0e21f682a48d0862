//! Answers that a provider gives only as a stream, or that would be waited for too long: the client gets them
//! whole all the same (providers §2).

use serde_json::{Value, json};
use tollgate_catalog::Protocol;
use tollgate_simulator::{Behaviour, SeenRequest};

use crate::client::Answer;
use crate::world::{World, model, question};

const SAID: &str = "Long roads have many tollgates.";

async fn world() -> World {
    let world = World::with(|setup| {
        setup.providers = vec![
            ("alibaba", Protocol::OpenaiChat, vec![model("test/qwen3-32b")]),
            ("fireworks", Protocol::OpenaiChat, vec![model("test/long")]),
        ];
    })
    .await;
    world.primary.set_default(Behaviour::text(SAID));
    world
}

/// Asks in one piece; gives the answer, and what the provider was asked for.
async fn ask(world: &World, path: &str, body: &Value) -> (Answer, SeenRequest) {
    let bearer = format!("Bearer {}", world.key);
    let answer = world.raw("POST", path, &[("authorization", &bearer)], body.to_string().as_bytes()).await;
    let seen = world.primary.requests().last().unwrap().clone();
    (answer, seen)
}

fn limited(model: &str, most: u64) -> Value {
    let mut body = question(model, false);
    body["max_tokens"] = json!(most);
    body
}

#[tokio::test]
async fn a_stream_is_collected_where_the_provider_gives_nothing_else() {
    let world = world().await;
    let mut off = question("test/qwen3-32b", false);
    off["reasoning"] = json!({"enabled": false});
    for (body, streams) in [
        (question("test/qwen3-32b", false), true),
        (off, false),
        (limited("test/long", 4097), true),
        (limited("test/long", 4096), false),
        (limited("test/claude", 21_334), true),
        (limited("test/claude", 21_333), false),
    ] {
        let (answer, seen) = ask(&world, "/v1/chat/completions", &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let value = answer.json();
        assert_eq!(
            (&value["object"], &value["choices"][0]["message"]["content"]),
            (&json!("chat.completion"), &json!(SAID)),
            "{body}"
        );
        assert_eq!(value["choices"][0]["finish_reason"], "stop", "{body}");
        assert!(value["usage"]["completion_tokens"].as_u64().unwrap() > 0, "{body}: {value}");
        assert_eq!(seen.json()["stream"] == true, streams, "{body}");
        let accept = if streams { "text/event-stream" } else { "application/json" };
        assert_eq!(seen.header("accept"), Some(accept), "{body}");
    }
}

#[tokio::test]
async fn a_stream_is_collected_for_clients_of_other_protocols_too() {
    let world = world().await;
    let body =
        json!({"model": "test/long", "max_tokens": 5000, "messages": [{"role": "user", "content": "x"}]});
    let (answer, seen) = ask(&world, "/v1/messages", &body).await;
    assert_eq!((answer.status, &answer.json()["content"][0]["text"]), (200, &json!(SAID)));
    assert_eq!(seen.json()["stream"], true);
    // A body that is passed through stays as the client asked.
    let body =
        json!({"model": "test/claude", "max_tokens": 30_000, "messages": [{"role": "user", "content": "x"}]});
    let (answer, seen) = ask(&world, "/v1/messages", &body).await;
    assert_eq!((answer.status, &answer.json()["content"][0]["text"]), (200, &json!(SAID)));
    assert_ne!(seen.json()["stream"], true);
}
