//! Recorded exchanges come back byte for byte however they are cut.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Chunking, CutHow, Fault, Replay, Script};

use crate::client::{BEARER, Client, Ending, post};
use crate::simulator;

fn example() -> Value {
    json!({"request": null, "response": {"status": 200,
        "headers": {"content-type": "text/event-stream", "x-request-id": "req_1", "content-length": "3"},
        "sse": ": keep-alive\r\n\r\ndata: {\"a\":\"é\"}\r\n\r\ndata: {\"b\":1}\n\ndata: [DONE]\n\n"}})
}

#[tokio::test]
async fn every_chunking_gives_the_same_bytes() {
    let sim = simulator().await;
    let expected = example()["response"]["sse"].as_str().unwrap().to_owned();
    let gap = Duration::from_millis(1);
    for (chunking, chunks) in [
        (Chunking::whole(), 0),
        (Chunking::every(1), expected.len()),
        (Chunking::every(10), expected.len().div_ceil(10)),
        (Chunking::at([5, 6, 40]), 4),
        (Chunking::random(3), Replay::new(&example(), Chunking::random(3)).unwrap().pieces().len()),
        (Chunking::events(), 4),
        (Chunking::events().with_gap(gap), 4),
    ] {
        sim.control().push_script(Script::replay(&example(), chunking.clone()).unwrap());
        let response = post(sim.addr(), "/any/path:at-all", &json!({})).await;
        assert_eq!(response.text(), expected, "{chunking:?}");
        assert_eq!(response.chunks.len(), chunks, "{chunking:?}");
        assert_eq!(response.header("x-request-id"), Some("req_1"));
        assert_eq!(response.headers.iter().filter(|(n, _)| n == "content-type").count(), 1);
    }
}

#[tokio::test]
async fn a_replay_can_be_cut_and_paced_as_well() {
    let sim = simulator().await;
    let mut script = Script::replay(&example(), Chunking::events()).unwrap();
    script.behaviour.fault = Some(Fault::Cut { after: 2, how: CutHow::Reset });
    sim.control().push_script(script);
    let response = post(sim.addr(), "/v1/chat/completions", &json!({})).await;
    assert_eq!((response.ending, response.chunks.len()), (Ending::Reset, 2));
}

#[tokio::test]
async fn errors_and_empty_bodies_are_replayed() {
    let sim = simulator().await;
    let error = json!({"response": {"status": 429, "headers": {"retry-after": "17"}, "body": {"error": {"code": 1}}}});
    sim.control().push_script(Script::replay(&error, Chunking::whole()).unwrap());
    sim.control().push_script(
        Script::replay(&json!({"response": {"status": 204, "body": null}}), Chunking::every(3)).unwrap(),
    );
    let mut client = Client::connect(sim.addr()).await;
    client.send("POST", "/v1/messages", &[], b"not even JSON").await;
    let response = client.response().await;
    assert_eq!((response.status, response.header("retry-after")), (429, Some("17")));
    assert_eq!(response.text(), r#"{"error":{"code":1}}"#);
    client.send("GET", "/v1/models", &[BEARER], b"").await;
    assert_eq!(client.response().await.status, 204);
    client.send("GET", "/v1/models", &[BEARER], b"").await;
    assert_eq!(client.response().await.status, 200, "the connection goes on after a 204");
}

pub fn fixtures() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folder = std::env::var_os("TOLLGATE_FIXTURES").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The body a recording stands for, computed apart from the replay; none for payloads framed by name.
fn expected_body(response: &Value) -> Option<Vec<u8>> {
    for member in ["sse", "ndjson", "text"] {
        if let Some(text) = response[member].as_str() {
            return Some(text.as_bytes().to_vec());
        }
    }
    if let Some(encoded) = response["eventstream_base64"].as_str() {
        return Some(STANDARD.decode(encoded).unwrap());
    }
    response.get("body").filter(|b| !b.is_null()).map(|b| b.to_string().into_bytes())
}

#[tokio::test]
async fn recorded_exchanges_are_replayed_byte_for_byte() {
    let Some(folder) = fixtures() else {
        println!("skipped: no folder of recorded exchanges (set TOLLGATE_FIXTURES to one)");
        return;
    };
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    let mut replayed = 0;
    for provider in
        std::fs::read_dir(folder).unwrap().filter_map(|e| std::fs::read_dir(e.unwrap().path()).ok())
    {
        for path in provider.map(|e| e.unwrap().path()).filter(|p| !p.ends_with("index.json")) {
            let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let chunkings =
                [Chunking::whole(), Chunking::every(4096), Chunking::random(replayed), Chunking::events()];
            let chunking = chunkings[(replayed % 4) as usize].clone();
            let script =
                Script::replay(&fixture, chunking).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            sim.control().push_script(script);
            client.send("POST", "/v1/chat/completions", &[BEARER], b"{}").await;
            let response = client.response().await;
            assert_eq!(response.ending, Ending::Complete, "{}", path.display());
            assert_eq!(u64::from(response.status), fixture["response"]["status"].as_u64().unwrap());
            if let Some(expected) = expected_body(&fixture["response"]) {
                assert!(response.body == expected, "{}", path.display());
            } else {
                assert!(
                    !response.body.is_empty() || fixture["response"]["body"].is_null(),
                    "{}",
                    path.display()
                );
            }
            replayed += 1;
        }
    }
    assert!(replayed > 0, "the folder holds no recorded exchange");
    println!("{replayed} recorded exchanges replayed");
}

#[tokio::test]
async fn a_default_of_a_replay_answers_every_request() {
    let sim = simulator().await;
    let answer = tollgate_simulator::Answer::Replay(Replay::new(&example(), Chunking::events()).unwrap());
    sim.control().set_default(Behaviour { answer, ..Behaviour::default() });
    for _ in 0..2 {
        assert_eq!(post(sim.addr(), "/x", &json!({})).await.chunks.len(), 4);
    }
}
