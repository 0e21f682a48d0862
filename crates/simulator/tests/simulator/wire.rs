//! HTTP/1.1 itself: keep-alive, pipelining, request bodies, limits, shutdown.

use serde_json::json;
use tollgate_simulator::{Options, Simulator};

use crate::client::{BEARER, Client, Ending, chat_body};
use crate::simulator;

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    for n in 0..50 {
        let body = chat_body("sim-1", &format!("question {n}"), json!({"stream": n % 2 == 0})).to_string();
        client.send("POST", CHAT, &[BEARER], body.as_bytes()).await;
        let response = client.response().await;
        assert_eq!((response.status, response.ending), (200, Ending::Complete));
        assert!(response.text().contains("question") || n % 2 == 0);
    }
    assert_eq!(sim.control().stats().connections, 1);
    assert_eq!(sim.control().stats().requests, 50);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    for model in ["a@gap_ms=1", "b", "c"] {
        let body = chat_body(model, "q", json!({"stream": true})).to_string();
        client.send("POST", CHAT, &[BEARER], body.as_bytes()).await;
    }
    for model in ["a", "b", "c"] {
        assert_eq!(client.response().await.events()[0]["model"], model);
    }
}

#[tokio::test]
async fn chunked_bodies_and_expectations_are_understood() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    let body = chat_body("sim-1", "chunked question", json!({})).to_string();
    let (one, two) = body.split_at(20);
    client
        .write(
            format!("POST {CHAT} HTTP/1.1\r\nauthorization: Bearer x\r\ntransfer-encoding: chunked\r\n\r\n")
                .as_bytes(),
        )
        .await;
    client
        .write(
            format!(
                "{:x};ext=1\r\n{one}\r\n{:X}\r\n{two}\r\n0\r\nx-trailer: 1\r\n\r\n",
                one.len(),
                two.len()
            )
            .as_bytes(),
        )
        .await;
    assert!(client.response().await.text().contains("chunked question"));

    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nauthorization: Bearer x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write(head.as_bytes()).await;
    client.read_past("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.write(body.as_bytes()).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(sim.control().requests()[1].json()["model"], "sim-1");
}

#[tokio::test]
async fn a_connection_closes_when_asked_to() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    let body = chat_body("sim-1", "q", json!({})).to_string();
    client.send("POST", CHAT, &[BEARER, ("connection", "close")], body.as_bytes()).await;
    let response = client.response().await;
    assert_eq!((response.status, response.header("connection")), (200, Some("close")));
    assert_eq!(client.response().await.ending, Ending::Closed);
}

#[tokio::test]
async fn what_is_too_large_or_no_http_is_refused() {
    let sim = simulator().await;
    for (bytes, status) in [
        (format!("POST {CHAT} HTTP/1.1\r\ncontent-length: {}\r\n\r\n", (64 << 20) + 1), 413),
        (format!("POST {CHAT} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n"), 413),
        (format!("POST {CHAT} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), 400),
        (format!("POST {CHAT} HTTP/1.1\r\ncontent-length: ten\r\n\r\n"), 400),
        ("\u{16}\u{3}\u{1} TLS by mistake\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(66 << 10)), 431),
    ] {
        let mut client = Client::connect(sim.addr()).await;
        client.write(bytes.as_bytes()).await;
        let response = client.response().await;
        assert_eq!(response.status, status, "{}", &bytes[..40.min(bytes.len())]);
    }
    assert_eq!(sim.control().stats().requests, 0);
}

#[tokio::test]
async fn unknown_paths_and_missing_keys_are_refused_as_a_provider_does() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    client.send("POST", "/v1/nothing", &[BEARER], b"{}").await;
    let response = client.response().await;
    assert_eq!((response.status, response.json()["error"]["code"].as_str()), (404, Some("unknown_url")));
    client.send("POST", CHAT, &[], b"{}").await;
    let response = client.response().await;
    assert_eq!((response.status, response.json()["error"]["code"].as_str()), (401, Some("invalid_api_key")));
    client.send("POST", CHAT, &[("authorization", "Bearer ")], b"{}").await;
    assert_eq!(client.response().await.status, 401);
    client.send("POST", CHAT, &[BEARER], b"{not JSON").await;
    assert_eq!(client.response().await.status, 400);
    client.send("GET", CHAT, &[BEARER], b"").await;
    assert_eq!(client.response().await.status, 405);
}

#[tokio::test]
async fn shutdown_and_drop_close_every_connection() {
    for shut in [true, false] {
        let sim = Simulator::start(Options::default()).await.unwrap();
        let control = sim.control();
        let mut client = Client::connect(sim.addr()).await;
        let body = chat_body("sim-1@fault=hang", "q", json!({})).to_string();
        client.send("POST", CHAT, &[BEARER], body.as_bytes()).await;
        control.wait_for_requests(1).await;
        let addr = sim.addr();
        if shut {
            sim.shutdown().await;
            assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
        } else {
            drop(sim);
        }
        assert_ne!(client.response().await.ending, Ending::Complete);
        assert_eq!(control.wait_until(|s| s.in_flight == 0).await.finished, 0);
    }
}
