//! Responses over a WebSocket (gateway-api §7.3), with a real client.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tollgate_simulator::{Behaviour, CutHow, ErrorBody, Fault, Pace};
use tollgate_store::RowStatus;

use super::setup::Surfaces;
use crate::client::{request, soon};
use crate::world::until;

/// One connection.
struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn try_open(at: &Surfaces, path: &str, key: Option<&str>) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(at.addr).await.unwrap();
        let mut request = format!("ws://{}{path}", at.addr).into_client_request().unwrap();
        if let Some(key) = key {
            request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        let handshake = tokio_tungstenite::client_async(request, stream);
        soon("the handshake", handshake).await.map(|(socket, _)| Self(socket))
    }

    async fn open(at: &Surfaces) -> Self {
        Self::try_open(at, "/v1/responses", Some(&at.key)).await.unwrap()
    }

    async fn send(&mut self, body: &Value) {
        let mut frame = body.clone();
        frame["type"] = json!("response.create");
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next event.
    async fn event(&mut self) -> Value {
        loop {
            match soon("a frame", self.0.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no event: {other:?}"),
            }
        }
    }

    /// Events up to one of these types.
    async fn until(&mut self, kinds: &[&str]) -> Vec<Value> {
        let mut all = vec![self.event().await];
        while !kinds.contains(&all[all.len() - 1]["type"].as_str().unwrap()) {
            all.push(self.event().await);
        }
        all
    }

    /// One exchange; its last event's response.
    async fn ask(&mut self, body: &Value) -> Value {
        self.send(body).await;
        let all = self.until(&["response.completed", "response.failed", "error"]).await;
        let last = all.last().unwrap().clone();
        assert_eq!(last["type"], "response.completed", "{last}");
        for (at, event) in all.iter().enumerate() {
            assert_eq!(event["sequence_number"], at, "{event}");
        }
        last["response"].clone()
    }

    /// An error frame: its `error`.
    async fn refused(&mut self, status: u16) -> Value {
        let frame = self.event().await;
        assert_eq!((&frame["type"], &frame["status"]), (&json!("error"), &json!(status)), "{frame}");
        let members: Vec<_> = frame["error"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["type", "code", "message", "param"], "{frame}");
        frame["error"].clone()
    }

    /// The code and the reason with which the gateway closes.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match soon("the end", self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => panic!("closed without a reason"),
                Some(Ok(_)) => {}
            }
        }
    }
}

fn asks(text: &str) -> Value {
    json!({"model": "test/responses", "store": false, "input": [{"role": "user", "content": text}]})
}

fn contents(body: &Value) -> Vec<String> {
    let text = |item: &Value| match &item["content"] {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    body["input"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn two_turns_chain_inside_the_connection_though_nothing_is_stored() {
    let at = Surfaces::start().await;
    for path in ["/v1/responses", "/codex/v1/responses"] {
        at.main.reset();
        at.main.set_default(Behaviour::text("Noted."));
        let mut socket = Socket::try_open(&at, path, Some(&at.key)).await.unwrap();
        let first = socket.ask(&asks("My name is Ada.")).await;
        assert_eq!(first["output"][0]["content"][0]["text"], "Noted.", "{first}");
        let mut second = asks("What is my name?");
        second["previous_response_id"] = first["id"].clone();
        let second = socket.ask(&second).await;
        let sent = at.main.requests().pop().unwrap().json();
        assert_eq!(contents(&sent), ["My name is Ada.", "Noted.", "What is my name?"], "{sent}");
        assert!(sent.get("previous_response_id").is_none(), "{sent}");
        let mut third = asks("And now?");
        third["previous_response_id"] = second["id"].clone();
        socket.ask(&third).await;
        let sent = at.main.requests().pop().unwrap().json();
        assert_eq!(contents(&sent).len(), 5, "{sent}");
        // Each turn is a request of its own in the ledger.
        let row = at.row(first["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((row.status, row.intent.streamed), (RowStatus::Settled, true));
    }
    assert_eq!(at.rows().await.len(), 6);
}

#[tokio::test]
async fn a_chain_does_not_leave_its_connection() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    let mut body = asks("one");
    body["previous_response_id"] = json!("gen_01KKHTV13RQ8R92YDVT3EBXPV4");
    socket.send(&body).await;
    let error = socket.refused(404).await;
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("previous_response_not_found"), &json!("previous_response_id"))
    );
    // The connection goes on, and what was stored is found from another one.
    let mut stored = asks("one");
    stored["store"] = json!(true);
    let first = socket.ask(&stored).await;
    let mut other = Socket::open(&at).await;
    stored["previous_response_id"] = first["id"].clone();
    other.ask(&stored).await;
    let sent = at.main.requests().pop().unwrap().json();
    assert!(sent["previous_response_id"].as_str().unwrap().starts_with("resp_sim"), "{sent}");
}

#[tokio::test]
async fn errors_are_frames_and_the_connection_goes_on() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    for (frame, status, says) in [
        ("{", 400, "not valid JSON"),
        ("{}", 400, "type"),
        (r#"{"type":"session.update"}"#, 400, "response.create"),
        (r#"{"type":"response.create","input":"x"}"#, 400, "model"),
        (r#"{"type":"response.create","model":"test/responses"}"#, 400, "input"),
        (r#"{"type":"response.create","model":"test/responses","input":[{"role":7}]}"#, 400, "input[0].role"),
        (r#"{"type":"response.create","model":"test/response","input":"x"}"#, 404, "'test/responses'"),
    ] {
        // A model that does not exist is not the connection's: each tries its own connection.
        let mut own = Socket::open(&at).await;
        own.0.send(Message::text(frame)).await.unwrap();
        let error = own.refused(status).await;
        assert!(error["message"].as_str().unwrap().contains(says), "{frame}: {error}");
        assert_eq!(own.ask(&asks("still there?")).await["status"], "completed", "{frame}");
    }
    for (status, client, kind) in [
        (401, 502, "failed_dependency"),
        (403, 502, "failed_dependency"),
        (429, 429, "rate_limit_exceeded"),
        (500, 502, "internal_server_error"),
        (503, 503, "internal_server_error"),
    ] {
        at.main.set_default(Behaviour::status(status));
        socket.send(&asks("one")).await;
        let error = socket.refused(client).await;
        assert_eq!(error["type"], kind, "{status}: {error}");
    }
    at.main.reset();
    assert_eq!(socket.ask(&asks("still there?")).await["status"], "completed");
}

#[tokio::test]
async fn i16_a_broken_answer_is_told_and_the_connection_goes_on() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    for fault in [Fault::Cut { after: 2, how: CutHow::Reset }, Fault::Cut { after: 2, how: CutHow::End }] {
        at.main.set_default(Behaviour { fault: Some(fault), ..Behaviour::text("one two three four") });
        socket.send(&asks("count")).await;
        let all = socket.until(&["response.failed", "response.completed"]).await;
        let last = all.last().unwrap();
        assert_eq!(
            (&last["type"], &last["response"]["status"]),
            (&json!("response.failed"), &json!("failed"))
        );
        assert_eq!(all[all.len() - 2]["type"], "error");
    }
    at.main.reset();
    assert_eq!(socket.ask(&asks("still there?")).await["status"], "completed");
}

#[tokio::test]
async fn what_the_provider_says_of_the_request_is_told_word_for_word() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    for (sentence, code) in [
        ("prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded"),
        ("Your request was rejected: input was flagged by our moderation.", "content_filter"),
    ] {
        let body = ErrorBody::Message(sentence.to_owned());
        at.main.set_default(Behaviour::fault(Fault::Status { status: 400, headers: Vec::new(), body }));
        socket.send(&asks("one")).await;
        let error = socket.refused(400).await;
        assert_eq!(
            (&error["type"], &error["code"], &error["message"]),
            (&json!("invalid_request_error"), &json!(code), &json!(sentence))
        );
    }
    let mut other = Socket::open(&at).await;
    for (model, says) in
        [("test/embed", "use a model of type 'language'"), ("test/blind", "does not take images")]
    {
        let image = json!({"type": "input_image", "image_url": "data:image/png;base64,aGk="});
        let body = json!({"model": model, "input": [{"role": "user", "content": [image]}]});
        other.send(&body).await;
        let error = other.refused(400).await;
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}

#[tokio::test]
async fn i15_a_failover_is_invisible() {
    let at = Surfaces::start().await;
    at.main.set_default(Behaviour::status(500));
    at.spare.set_default(Behaviour::text("all is well"));
    let mut socket = Socket::open(&at).await;
    let mut body = asks("one");
    body["model"] = json!("test/responses-duo");
    let response = socket.ask(&body).await;
    assert_eq!(response["output"][0]["content"][0]["text"], "all is well");
    let row = at.row(response["id"].as_str().unwrap()).await.unwrap();
    assert_eq!((row.provider.as_str(), row.attempts), ("responses-backup", 3));
}

#[tokio::test]
async fn i23_a_stalled_answer_is_told_and_the_connection_goes_on() {
    let at = Surfaces::with(|setup| setup.settings.event_gap_timeout = Duration::from_millis(120)).await;
    at.main.set_default(Behaviour { fault: Some(Fault::Stall { after: 1 }), ..Behaviour::text("one two") });
    let mut socket = Socket::open(&at).await;
    socket.send(&asks("count")).await;
    let all = socket.until(&["response.failed", "response.completed"]).await;
    let last = all.last().unwrap();
    assert_eq!(last["type"], "response.failed", "{last}");
    assert!(last["response"]["error"]["message"].as_str().unwrap().contains("stalled"), "{last}");
    at.main.reset();
    assert_eq!(socket.ask(&asks("still there?")).await["status"], "completed");
}

#[tokio::test]
async fn the_handshake_needs_a_key_and_a_websocket() {
    let at = Surfaces::start().await;
    for key in [None, Some(at.revoked_key.as_str()), Some("tgk_nonsense")] {
        let error = Socket::try_open(&at, "/v1/responses", key).await.err().unwrap();
        let tungstenite::Error::Http(response) = error else { panic!("{error}") };
        assert_eq!(response.status(), 401);
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(body["error"]["type"], "authentication_error");
    }
    let error = Socket::try_open(&at, "/v1/chat/completions", Some(&at.key)).await.err().unwrap();
    assert!(matches!(&error, tungstenite::Error::Http(r) if r.status() == 405), "{error}");
    let bearer = format!("Bearer {}", at.key);
    let upgrade = [("authorization", bearer.as_str()), ("connection", "Upgrade"), ("upgrade", "websocket")];
    for (more, status, says) in [
        (vec![("sec-websocket-version", "13")], 400, "Sec-WebSocket-Key"),
        (
            vec![("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", "8")],
            426,
            "version 13",
        ),
    ] {
        let headers: Vec<_> = upgrade.into_iter().chain(more).collect();
        let raw = request("GET", "/v1/responses", &headers, b"");
        let answer = crate::client::Exchange::send(at.addr, &raw).await.answer().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.message().contains(says), "{}", answer.message());
    }
}

#[tokio::test]
async fn what_a_connection_does_not_take_closes_it() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    socket.ask(&asks("one")).await;
    let mut other = asks("two");
    other["model"] = json!("test/responses-duo");
    socket.send(&other).await;
    let (code, reason) = socket.closed().await;
    assert!(code == 1008 && reason.contains("one model"), "{code} {reason}");

    let mut socket = Socket::open(&at).await;
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    let (code, reason) = socket.closed().await;
    assert!(code == 1008 && reason.contains("text frames"), "{code} {reason}");

    let mut socket = Socket::open(&at).await;
    // All of it is sent before anything is read.
    socket.0.send(Message::text("x".repeat(24 << 20))).await.unwrap();
    let (code, reason) = socket.closed().await;
    assert!(code == 1008 && reason.contains("4 MiB"), "{code} {reason}");
    assert_eq!(at.rows().await.len(), 1);

    // Also while an answer runs, which then ends with the connection.
    at.main.set_default(Behaviour::text("one two").paced(Pace { gap_ms: Some(60_000), ..Pace::default() }));
    let mut socket = Socket::open(&at).await;
    socket.send(&asks("count")).await;
    socket.until(&["response.output_text.delta"]).await;
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    let (code, reason) = socket.closed().await;
    assert!(code == 1008 && reason.contains("text frames"), "{code} {reason}");
    soon("the provider to see it", at.main.wait_for_aborts(1)).await;
    let rows = at.rows().await;
    assert_eq!(rows.last().unwrap().failure.as_deref(), Some("client_closed"));
}

#[tokio::test]
async fn i22_a_client_that_leaves_in_mid_answer_frees_the_provider() {
    let at = Surfaces::start().await;
    for by_close in [true, false] {
        at.main.reset();
        let slow = Pace { gap_ms: Some(60_000), ..Pace::default() };
        at.main.set_default(Behaviour::text("one two three").paced(slow));
        let mut socket = Socket::open(&at).await;
        socket.send(&asks("count")).await;
        let begun = socket.until(&["response.output_text.delta"]).await;
        let id = begun[0]["response"]["id"].as_str().unwrap().to_owned();
        if by_close {
            socket.0.close(None).await.unwrap();
        } else {
            drop(socket);
        }
        soon("the provider to see it", at.main.wait_for_aborts(1)).await;
        until("the request to be settled", || at.gateway.open_requests() == 0).await;
        let row = at.row(&id).await.unwrap();
        assert_eq!(
            (row.failure.as_deref(), row.client_status, row.status),
            (Some("client_closed"), 499, RowStatus::Estimated)
        );
        assert!(row.cost.unwrap().0 > 0, "{row:?}");
    }
}

/// A client may not run two requests at once on a connection, and is told so without losing the first.
#[tokio::test]
async fn a_second_request_during_an_answer_is_refused() {
    let at = Surfaces::start().await;
    at.main.set_default(Behaviour::text("one two").paced(Pace { gap_ms: Some(300), ..Pace::default() }));
    let mut socket = Socket::open(&at).await;
    socket.send(&asks("count")).await;
    socket.until(&["response.output_text.delta"]).await;
    socket.send(&asks("again")).await;
    let all = socket.until(&["response.completed"]).await;
    let refused: Vec<_> = all.iter().filter(|e| e["type"] == "error").collect();
    assert_eq!(refused.len(), 1, "{all:?}");
    assert_eq!(refused[0]["status"], 409);
    assert_eq!(at.main.stats().requests, 1);
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_lets_answers_finish() {
    let at = Surfaces::start().await;
    let mut idle = Socket::open(&at).await;
    idle.ask(&asks("one")).await;
    at.main.set_default(Behaviour::text("one two three").paced(Pace { gap_ms: Some(60), ..Pace::default() }));
    let mut busy = Socket::open(&at).await;
    busy.send(&asks("count")).await;
    busy.until(&["response.output_text.delta"]).await;
    at.shutdown.cancel();
    let (code, reason) = idle.closed().await;
    assert!(code == 1001 && reason.contains("shutting down"), "{code} {reason}");
    let all = busy.until(&["response.completed", "response.failed", "error"]).await;
    assert_eq!(all.last().unwrap()["type"], "response.completed");
    assert_eq!(busy.closed().await.0, 1001);
    assert_eq!(at.rows().await.len(), 2);
}

/// A key that is revoked ends with the answer that is running: the next request on the connection is refused.
#[tokio::test]
async fn i25_a_key_that_is_revoked_counts_from_the_next_request_on() {
    let at = Surfaces::start().await;
    let mut socket = Socket::open(&at).await;
    socket.ask(&asks("one")).await;
    let now = at.gateway.snapshot();
    let none = std::sync::Arc::new(std::collections::HashMap::new());
    let without =
        tollgate_data_plane::Snapshot::new(now.catalog.clone(), none, std::sync::Arc::clone(&now.access));
    at.gateway.swap(without);
    socket.send(&asks("two")).await;
    assert_eq!(socket.refused(401).await["type"], "authentication_error");
}

#[tokio::test]
async fn a_silent_answer_keeps_its_connection() {
    let at = Surfaces::with(|setup| setup.settings.keep_alive = Duration::from_millis(20)).await;
    at.main.set_default(Behaviour::text("one two").paced(Pace { gap_ms: Some(150), ..Pace::default() }));
    let mut socket = Socket::open(&at).await;
    // Keep-alive comments of the event stream are no frames.
    assert_eq!(socket.ask(&asks("count")).await["status"], "completed");
}
