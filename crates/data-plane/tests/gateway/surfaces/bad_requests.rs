//! Requests that cannot be served, over all surfaces: each in its own envelope, with the place that is wrong.

use serde_json::{Value, json};

use super::setup::Surfaces;
use super::table::{ALL, Envelope, PIXEL, Surface, Work};
use crate::client::{Exchange, request};

const INVALID: &str = "invalid_request_error";

/// Nothing of these reaches a provider or the ledger.
async fn untouched(at: &Surfaces) {
    assert_eq!((at.main.stats().requests, at.spare.stats().requests), (0, 0));
    assert!(at.rows().await.is_empty());
}

#[tokio::test]
async fn malformed_json_names_the_line() {
    let at = Surfaces::start().await;
    for surface in ALL {
        let body = "{\"input\": \"x\",\n \"oops\": [}";
        let answer = surface.send(&at, surface.model(), body.as_bytes()).await;
        surface.check(&answer, 400, INVALID, &["not valid JSON", "line 2", "column 11"]);
        let answer = surface.send(&at, surface.model(), b" ").await;
        surface.check(&answer, 400, INVALID, &["body is empty", "expected a JSON object"]);
        let answer = surface.send(&at, surface.model(), b"[1]").await;
        surface.check(&answer, 400, INVALID, &["is an array", "expected a JSON object"]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(answer.json()["error"]["code"], "invalid_type", "{}", surface.name);
        }
    }
    untouched(&at).await;
}

#[tokio::test]
async fn a_wrong_type_is_named_with_its_path() {
    let at = Surfaces::start().await;
    for surface in ALL {
        let (pointer, value, path) = surface.wrong;
        let mut body = surface.request(surface.model(), false);
        let value: Value = serde_json::from_str(value).unwrap();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[&pointer[1..]] = value,
        }
        let answer = surface.send(&at, surface.model(), body.to_string().as_bytes()).await;
        surface.check(&answer, 400, INVALID, &[path, " be "]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(answer.json()["error"]["param"], path, "{}", surface.name);
        }
    }
    untouched(&at).await;
}

#[tokio::test]
async fn a_missing_member_is_named() {
    let at = Surfaces::start().await;
    for surface in ALL {
        let mut required = vec![surface.required];
        if surface.model_header.is_none() {
            required.push("model");
        }
        for name in required {
            let mut body = surface.request(surface.model(), false);
            body.as_object_mut().unwrap().remove(name);
            let answer = surface.send(&at, surface.model(), body.to_string().as_bytes()).await;
            surface.check(&answer, 400, INVALID, &[name]);
            if surface.envelope == Envelope::OpenAi {
                assert_eq!(answer.json()["error"]["param"], name, "{}", surface.name);
            }
        }
        if let Some(header) = surface.model_header {
            let body = surface.request("", false).to_string();
            let answer = at.post_with(surface.path, &[], body.as_bytes()).await;
            surface.check(&answer, 400, INVALID, &[header, "header"]);
        }
    }
    untouched(&at).await;
}

#[tokio::test]
async fn i26_oversized_bodies_are_413_in_every_envelope() {
    let at = Surfaces::with(|setup| setup.settings.max_body_bytes = 2048).await;
    for surface in ALL {
        let mut body = surface.request(surface.model(), false).to_string();
        body.push_str(&" ".repeat(2049 - body.len()));
        let answer = surface.send(&at, surface.model(), body.as_bytes()).await;
        surface.check(&answer, 413, INVALID, &["2048 bytes", "server.max_body"]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(answer.json()["error"]["code"], "request_too_large", "{}", surface.name);
        }
    }
    untouched(&at).await;
}

#[tokio::test]
async fn credentials_are_asked_for_before_anything_else() {
    let at = Surfaces::start().await;
    let unknown = tollgate_crypto::GatewayKey::generate().unwrap();
    let unknown = format!("Bearer {}", unknown.secret().expose());
    let (basic, revoked) = (format!("Basic {}", at.key), format!("Bearer {}", at.revoked_key));
    for surface in ALL {
        for (header, value, says) in [
            ("x-unrelated", "1", "No API key was sent"),
            ("authorization", basic.as_str(), "wrong scheme (Basic)"),
            ("authorization", unknown.as_str(), "does not know it"),
            ("authorization", revoked.as_str(), "has been revoked"),
            ("x-api-key", "sk-ant-something", "does not begin with 'tgk_'"),
        ] {
            // Wrong in every other way as well.
            let raw = request("POST", surface.path, &[(header, value)], b"{");
            let answer = Exchange::send(at.addr, &raw).await.answer().await;
            surface.check(&answer, 401, "authentication_error", &[says, "tollgate key create"]);
        }
        let body = surface.request(surface.model(), false).to_string();
        let mut headers = surface.headers(surface.model(), false);
        headers.push(("x-api-key", &at.key));
        let raw = request("POST", surface.path, &headers, body.as_bytes());
        let answer = Exchange::send(at.addr, &raw).await.answer().await;
        assert_eq!(answer.status, 200, "{}: {}", surface.name, answer.text());
    }
}

#[tokio::test]
async fn unknown_models_are_answered_with_the_nearest() {
    let at = Surfaces::start().await;
    for surface in ALL {
        let typo = format!("{}x", surface.model());
        let answer = surface.ask(&at, &typo).await;
        let nearest = format!("'{}'", surface.model());
        surface.check(&answer, 404, "model_not_found", &[&typo, "Did you mean", &nearest, "/v1/models"]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(answer.json()["error"]["param"], json!({ "modelId": typo }), "{}", surface.name);
            assert_eq!(answer.json()["error"]["code"], "model_not_found", "{}", surface.name);
        }
        let answer = surface.ask(&at, "zzz/qqqqqq").await;
        surface.check(&answer, 404, "model_not_found", &["'zzz/qqqqqq'", "GET /v1/models lists all"]);
    }
    untouched(&at).await;
}

#[tokio::test]
async fn a_model_of_another_kind_is_refused() {
    let at = Surfaces::start().await;
    for surface in ALL {
        let (model, kind) = surface.wrong_kind();
        let answer = surface.ask(&at, model).await;
        surface.check(&answer, 400, INVALID, &[model, &format!("use a model of type '{kind}'")]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(answer.json()["error"]["param"], "model", "{}", surface.name);
        }
    }
    untouched(&at).await;
}

/// The first user message of a request, with a picture.
fn with_picture(surface: &Surface, model: &str) -> Value {
    let mut body = surface.request(model, false);
    let url = format!("data:image/png;base64,{PIXEL}");
    match surface.name {
        "chat" => {
            let part = json!({"type": "image_url", "image_url": {"url": url}});
            body["messages"][0]["content"] = json!([part]);
        }
        "messages" | "count_tokens" => {
            let source = json!({"type": "base64", "media_type": "image/png", "data": PIXEL});
            body["messages"][0]["content"] = json!([{"type": "image", "source": source}]);
        }
        "responses" | "compact" => {
            body["input"][0]["content"] = json!([{"type": "input_image", "image_url": url}]);
        }
        _ => {
            let data = json!({"type": "data", "data": PIXEL});
            body["prompt"][0]["content"] = json!([{"type": "file", "mediaType": "image/png", "data": data}]);
        }
    }
    body
}

#[tokio::test]
async fn content_that_the_model_does_not_take_is_refused() {
    let at = Surfaces::start().await;
    for surface in ALL {
        if !matches!(surface.work, Work::Conversation | Work::Count | Work::Compact) {
            continue;
        }
        let body = with_picture(&surface, "test/blind").to_string();
        let answer = surface.send(&at, "test/blind", body.as_bytes()).await;
        surface.check(&answer, 400, INVALID, &["'test/blind' does not take images", "vision"]);
    }
    untouched(&at).await;
}

/// What only providers that keep state do is refused of others, with what to do instead.
#[tokio::test]
async fn what_no_provider_of_the_model_does_is_refused() {
    let at = Surfaces::start().await;
    for (path, body) in [
        ("/v1/responses", json!({"model": "test/chat", "input": "x", "previous_response_id": "resp_1"})),
        ("/v1/responses/compact", json!({"model": "test/chat", "input": "x"})),
    ] {
        let answer = at.post(path, &body).await;
        ALL[3].check(&answer, 400, INVALID, &["none of 'test/chat' does", "chat-main", "whole history"]);
        assert_eq!(answer.json()["error"]["code"], "unsupported_value", "{path}");
    }
    for (path, body, says) in [
        (
            "/v1/images/edits",
            json!({"model": "test/image", "prompt": "x", "images": [{"file_id": "file-1"}]}),
            "file_id",
        ),
        (
            "/v1/images/generations",
            json!({"model": "test/image", "prompt": "x", "stream": true, "partial_images": 2}),
            "stream",
        ),
        ("/v1/images/generations", json!({"model": "test/image", "prompt": "x", "n": 11}), "10"),
    ] {
        let answer = at.post(path, &body).await;
        ALL[6].check(&answer, 400, INVALID, &[says]);
    }
    let objects = json!({"model": "test/rerank", "query": "x", "documents": [{"text": "a"}]});
    let answer = at.post("/v2/rerank", &objects).await;
    ALL[9].check(&answer, 400, INVALID, &["documents[0]", "/v1/rerank"]);
    untouched(&at).await;
}

/// Flat where it is OpenAI's envelope (gateway-api §6.4), but for the AI SDK, whose client reads no flat one.
#[tokio::test]
async fn a_request_that_no_provider_is_left_for_lists_who_was_considered() {
    let at = Surfaces::start().await;
    for surface in ALL {
        // A compaction is refused in words of its own.
        if surface.work == Work::Compact {
            continue;
        }
        let mut body = surface.request(surface.model(), false);
        body["providerOptions"] = json!({"gateway": {"only": ["nobody"]}});
        let answer = surface.send(&at, surface.model(), body.to_string().as_bytes()).await;
        let says =
            [surface.model(), "Providers considered:", "removed by providerOptions.gateway.only", "only"];
        if surface.envelope != Envelope::OpenAi || surface.model_header.is_some() {
            surface.check(&answer, 400, "no_providers_available", &says);
            continue;
        }
        let flat = answer.json();
        let members: Vec<_> = flat.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((answer.status, members), (400, vec!["error", "type", "statusCode"]), "{flat}");
        assert_eq!((&flat["type"], &flat["statusCode"]), (&json!("no_providers_available"), &json!(400)));
        for part in says {
            assert!(flat["error"].as_str().unwrap().contains(part), "'{part}' is not in {flat}");
        }
    }
    untouched(&at).await;
}

#[tokio::test]
async fn wrong_methods_are_405_without_a_body() {
    let at = Surfaces::start().await;
    let agents = ["/codex/v1/responses", "/claude-code/v1/messages", "/v1/language-model"];
    for path in ALL.iter().map(|s| s.path).chain(agents) {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = at.raw(method, path, &[], b"").await;
            let allow = if path.ends_with("/responses") { "POST, GET" } else { "POST" };
            assert_eq!(
                (answer.status, answer.body.len(), answer.header("allow")),
                (405, 0, Some(allow)),
                "{method} {path}"
            );
        }
    }
    for path in ["/v4/ai/config", "/v1/ai/config", "/v1/report", "/v1/generation", "/claude-code/v1/models"] {
        let answer = at.raw("POST", path, &[], b"{}").await;
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("allow")),
            (405, 0, Some("GET")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn unknown_paths_are_json_under_known_prefixes_and_a_page_elsewhere() {
    let at = Surfaces::start().await;
    for path in [
        "/v1/nothing",
        "/v2/nothing",
        "/v4/ai/nothing",
        "/v3/ai/video-model",
        "/v1/ai/nothing",
        "/codex/v1/nothing",
        "/cursor/nothing",
        "/coding-agent/healthz",
    ] {
        for method in ["GET", "POST"] {
            let answer = at.raw(method, path, &[], b"{}").await;
            ALL[0].check(&answer, 404, "not_found_error", &[path, "does not exist"]);
        }
    }
    let answer = at.raw("POST", "/claude-code/v1/nothing", &[], b"{}").await;
    ALL[1].check(&answer, 404, "not_found_error", &["/claude-code/v1/nothing"]);
    for path in ["/nothing", "/v5/ai/language-model", "/codexes/v1/models", "/V1/models"] {
        let page = at.raw("POST", path, &[], b"{}").await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{path}");
    }
}
