//! Clients that go away are noticed at once, and counted.

use std::time::{Duration, Instant};

use serde_json::json;
use tollgate_simulator::{Behaviour, Fault, Pace};

use crate::client::{BEARER, Client, chat, chat_body};
use crate::simulator;

/// Much less than any timer in play, much more than a busy machine needs.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn leaves(behaviour: Behaviour, stream: bool, after: Option<&str>) {
    let sim = simulator().await;
    let control = sim.control();
    control.set_default(behaviour);
    let mut client = Client::connect(sim.addr()).await;
    let body = chat_body("sim-1", "tell me about rain", json!({"stream": stream}));
    client.send("POST", "/v1/chat/completions", &[BEARER], body.to_string().as_bytes()).await;
    assert_eq!(control.wait_for_requests(1).await.aborted, 0);
    if let Some(text) = after {
        client.read_past(text).await;
    }
    let before = Instant::now();
    drop(client);
    let stats = tokio::time::timeout(AT_ONCE, control.wait_for_aborts(1)).await.expect("noticed");
    assert_eq!((stats.aborted, stats.finished), (1, 0));
    let seen = control.requests().remove(0);
    assert!(seen.client_left());
    assert!(seen.client_left_at.unwrap() >= before && seen.left_after().is_some());
    let stats = control.wait_until(|s| s.in_flight == 0).await;
    assert_eq!(stats.open_streams, 0);
}

#[tokio::test]
async fn while_hanging_before_the_headers() {
    leaves(Behaviour::fault(Fault::Hang), false, None).await;
    leaves(Behaviour::fault(Fault::Hang), true, None).await;
}

#[tokio::test]
async fn during_a_delay_before_the_headers() {
    let hour = 3_600_000;
    leaves(Behaviour::natural().paced(Pace { delay_ms: hour, ..Pace::default() }), false, None).await;
    leaves(Behaviour::natural().paced(Pace { ttft_ms: hour, ..Pace::default() }), true, None).await;
}

#[tokio::test]
async fn in_the_middle_of_a_stream() {
    let hour = 3_600_000;
    let pace = Pace { gap_ms: Some(hour), ..Pace::default() };
    leaves(Behaviour::natural().paced(pace), true, Some("\"delta\":{\"content\":\"")).await;
    let pace = Pace { first_ms: hour, ..Pace::default() };
    leaves(Behaviour::natural().paced(pace), true, Some("\"role\":\"assistant\"")).await;
    leaves(Behaviour::fault(Fault::Stall { after: 1 }), true, Some("\"delta\":{\"content\":\"")).await;
}

#[tokio::test]
async fn while_the_simulator_cannot_write() {
    // More than the socket buffers hold, with a client that does not read.
    let body = Behaviour::from_directives("size=50000000").unwrap();
    leaves(body, false, Some("HTTP/1.1 200")).await;
}

#[tokio::test]
async fn a_client_that_takes_its_answer_is_not_counted() {
    let sim = simulator().await;
    for _ in 0..20 {
        assert_eq!(chat(sim.addr(), &chat_body("sim-1", "x", json!({"stream": true}))).await.status, 200);
    }
    let stats = sim.control().wait_until(|s| s.in_flight == 0).await;
    assert_eq!((stats.requests, stats.finished, stats.aborted), (20, 20, 0));
}
