//! Requests that cannot be served: the answer says what happened, what was expected, what to do next.

use serde_json::{Value, json};

use crate::client::{Answer, Exchange, request};
use crate::world::{World, question};

async fn post(world: &World, headers: &[(&str, &str)], body: &str) -> Answer {
    world.raw("POST", "/v1/chat/completions", headers, body.as_bytes()).await
}

/// An error in OpenAI's envelope: status, type, and that the message contains all of `says`.
fn check(answer: &Answer, status: u16, kind: &str, says: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["error"]["type"], kind, "{body}");
    for part in says {
        assert!(answer.message().contains(part), "'{part}' is not in: {}", answer.message());
    }
}

#[tokio::test]
async fn credentials_are_explained() {
    let world = World::start().await;
    let body = question("test/solo", false).to_string();
    let bearer = |key: &str| format!("Bearer {key}");
    let mut typo = world.key.clone();
    typo.replace_range(10..11, if &typo[10..11] == "x" { "y" } else { "x" });
    let unknown = tollgate_crypto::GatewayKey::generate().unwrap();
    for (name, value, says) in [
        ("authorization", bearer("sk-someone-elses"), "does not begin with 'tgk_'"),
        ("authorization", bearer(&world.key[..40]), "40 characters long, expected 44"),
        ("authorization", bearer(&typo), "checksum"),
        ("authorization", bearer(unknown.secret().expose()), "does not know it"),
        ("authorization", bearer(&world.revoked_key), "'key 3' has been revoked"),
        ("authorization", bearer(&world.expired_key), "'key 4' has expired"),
        ("authorization", format!("Basic {}", world.key), "wrong scheme (Basic); expected 'Bearer'"),
        ("authorization", world.key.clone(), "expected 'Bearer'"),
        ("x-api-key", "nothing".to_owned(), "does not begin with 'tgk_'"),
        ("x-unrelated", "1".to_owned(), "No API key was sent"),
    ] {
        let answer = post(&world, &[(name, &value)], &body).await;
        check(&answer, 401, "authentication_error", &[says, "tollgate key create"]);
        assert!(!answer.text().contains(&world.key), "the key itself is never repeated");
    }
    for (name, value) in [
        ("authorization", format!("bearer {}", world.key)),
        ("x-api-key", world.key.clone()),
        ("x-ai-gateway-api-key", bearer(&world.key)),
        ("x-ai-gateway-api-key", world.key.clone()),
    ] {
        assert_eq!(post(&world, &[(name, &value)], &body).await.status, 200, "{name}");
    }
    let both = [("authorization", "Bearer some-providers-token"), ("x-ai-gateway-api-key", &world.key)];
    assert_eq!(post(&world, &both, &body).await.status, 200, "the gateway's own header goes first");
    assert_eq!(world.rows().await.len(), 5, "refused requests have no row");
}

#[tokio::test]
async fn malformed_requests_name_the_place() {
    let world = World::start().await;
    let bearer = format!("Bearer {}", world.key);
    let headers = [("authorization", bearer.as_str())];
    for (body, says) in [
        ("", vec!["body is empty"]),
        ("{\"model\": \"test/solo\",\n  \"messages\": [}", vec!["not valid JSON", "line 2", "column 16"]),
        ("[1]", vec!["expected a JSON object"]),
        ("{\"messages\": []}", vec!["model"]),
        ("{\"model\": \"test/solo\"}", vec!["messages"]),
        ("{\"model\": 7, \"messages\": []}", vec!["model", "string", "7"]),
        ("{\"model\": \"test/solo\", \"messages\": [{\"role\": \"user\"}, 5]}", vec!["messages"]),
        (
            "{\"model\": \"test/solo\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": 3}]}]}",
            vec!["messages[0].content[0].type"],
        ),
        (
            "{\"model\": \"test/solo\", \"stream\": \"yes\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}",
            vec!["stream"],
        ),
        (
            "{\"model\": \"test/solo\", \"temperature\": \"warm\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}",
            vec!["temperature", "number"],
        ),
    ] {
        let answer = post(&world, &headers, body).await;
        check(&answer, 400, "invalid_request_error", &says);
    }
    let wrong =
        json!({"model": "test/solo", "messages": [{"role": "user", "content": "x"}], "max_tokens": "many"});
    let answer = post(&world, &headers, &wrong.to_string()).await;
    assert_eq!(answer.json()["error"]["param"], "max_tokens", "{}", answer.text());
    assert_eq!((world.primary.stats().requests, world.rows().await.len()), (0, 0));
}

#[tokio::test]
async fn unknown_models_are_answered_with_the_nearest() {
    let world = World::start().await;
    for asked in ["test/claud", "test/Claude-3", "nobody/claude"] {
        let answer = world.chat(&question(asked, true)).await;
        check(&answer, 404, "model_not_found", &[asked, "test/claude", "/v1/models"]);
        assert_eq!(answer.json()["error"]["param"], json!({"modelId": asked}));
        assert_eq!(answer.json()["error"]["code"], "model_not_found");
    }
    let answer = world.chat(&question("solo", true)).await;
    check(&answer, 404, "model_not_found", &["'solo'", "test/solo"]);
    check(
        &world.chat(&question("zzz/qqq", false)).await,
        404,
        "model_not_found",
        &["GET /v1/models lists all"],
    );
}

#[tokio::test]
async fn content_that_the_model_does_not_take_is_refused() {
    let world = World::start().await;
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});
    let mut body = question("test/blind", false);
    body["messages"][0]["content"] = json!([{"type": "text", "text": "What is this?"}, image]);
    check(
        &world.chat(&body).await,
        400,
        "invalid_request_error",
        &["'test/blind' does not take images", "vision"],
    );
    let mut body = question("test/blind", false);
    body["tools"] =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    check(&world.chat(&body).await, 400, "invalid_request_error", &["'test/blind' does not take tools"]);
    let answer = world.chat(&question("test/embedder", false)).await;
    check(&answer, 400, "invalid_request_error", &["'test/embedder'", "embedding", "language"]);
    assert_eq!(world.primary.stats().requests, 0);
}

#[tokio::test]
async fn i26_oversized_bodies_are_refused_by_length_and_by_count() {
    let world = World::with(|setup| setup.settings.max_body_bytes = 4096).await;
    let bearer = format!("Bearer {}", world.key);
    // Announced by a client that waits for leave: refused before it is sent.
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-length: 4097\r\nexpect: 100-continue\r\n\r\n"
    );
    let answer = Exchange::send(world.addr, head.as_bytes()).await.answer().await;
    check(&answer, 413, "invalid_request_error", &["4096 bytes", "server.max_body"]);
    // Not announced: refused when it passes the limit.
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let raw = format!("{head}1001\r\n{}\r\n0\r\n\r\n", "x".repeat(0x1001));
    let answer = Exchange::send(world.addr, raw.as_bytes()).await.answer().await;
    check(&answer, 413, "invalid_request_error", &["4096 bytes"]);
    let mut fits = question("test/solo", false).to_string();
    fits.push_str(&" ".repeat(4096 - fits.len()));
    assert_eq!(post(&world, &[("authorization", &bearer)], &fits).await.status, 200, "exactly the limit");
}

/// A client that sends all of a large body before it reads still gets the answer, not a broken connection.
#[tokio::test]
async fn a_client_that_sends_an_oversized_body_to_its_end_hears_why() {
    let world = World::with(|setup| setup.settings.max_body_bytes = 4096).await;
    let bearer = format!("Bearer {}", world.key);
    let body = vec![b'x'; 24 << 20];
    let raw = request("POST", "/v1/chat/completions", &[("authorization", &bearer)], &body);
    let answer = Exchange::send(world.addr, &raw).await.answer().await;
    check(&answer, 413, "invalid_request_error", &["4096 bytes"]);
}

#[tokio::test]
async fn a_client_that_stops_sending_is_told() {
    let world =
        World::with(|setup| setup.settings.request_body_timeout = std::time::Duration::from_millis(150))
            .await;
    let mut raw = world.chat_text(&question("test/solo", false));
    raw.truncate(raw.len() - 4);
    let answer = Exchange::send(world.addr, &raw).await.answer().await;
    check(&answer, 408, "invalid_request_error", &["stopped coming"]);
}

#[tokio::test]
async fn methods_and_paths() {
    let world = World::start().await;
    for (method, path, allow) in [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET"),
        ("POST", "/v1/credits", "GET"),
    ] {
        let answer = world.raw(method, path, &[], b"").await;
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("allow")),
            (405, 0, Some(allow)),
            "{method} {path}"
        );
    }
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/chat"] {
        check(&world.raw("GET", path, &[], b"").await, 404, "not_found_error", &[path]);
    }
    let page = world.raw("GET", "/nothing", &[], b"").await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{:?}", page.headers);
    assert_eq!(world.raw("GET", "/", &[], b"").await.status, 200);
    let ready = world.raw("GET", "/readyz", &[], b"").await;
    assert_eq!((ready.status, ready.json()["status"].clone()), (200, Value::from("ready")));
}
