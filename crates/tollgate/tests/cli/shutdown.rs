//! The end: streams finish, the ledger is complete, the exit code is 0.

use std::net::TcpStream;

use crate::folder::Folder;
use crate::gateway::{Gateway, PATIENCE};
use crate::http;

/// A stream that takes about a second, from a simulator of its own.
const SLOW: &str = r#"[{"behaviour": "chunks=40,chunk_size=8,gap_ms=25", "times": 1}]"#;

const STREAM: &str =
    r#"{"model":"own/slow","stream":true,"messages":[{"role":"user","content":"Take your time"}]}"#;

#[test]
fn sigterm_lets_streams_finish_and_exits_with_0() {
    let folder = Folder::new();
    folder.write("slow.json", SLOW);
    let simulate = folder.command(&["simulate", "--listen", "127.0.0.1:0", "--script", "slow.json"]);
    let simulator = Gateway::start(simulate, "Simulating providers on http://");
    folder.write(
        "tollgate.toml",
        &format!(
            "[providers.own]\nprotocol = \"openai-chat\"\nbase_url = \"http://{}/v1\"\napi_key = \"fake\"\nmodels = [{{ id = \"own/slow\", input = \"0.000001\", output = \"0.000002\" }}]\n",
            simulator.address
        ),
    );
    let mut gateway = Gateway::serve(&folder, &[]);
    let authorization = format!("Bearer {}", gateway.key());
    let mut stream =
        http::open(&gateway.address, "/v1/chat/completions", &[("authorization", &authorization)], STREAM);
    assert_eq!(stream.status, 200);
    let first = loop {
        let line = stream.line().expect("content");
        if line.contains("\"content\":\"") {
            break line;
        }
    };
    assert!(!first.contains("[DONE]"));
    gateway.terminate();
    // It no longer accepts while the stream goes on.
    let begun = std::time::Instant::now();
    while TcpStream::connect(&gateway.address).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "connections are still accepted");
    }
    let mut rest = String::new();
    while let Some(line) = stream.line() {
        rest.push_str(&line);
    }
    assert!(rest.contains("data: [DONE]"), "{rest}");
    assert!(rest.matches("\"content\":\"").count() > 10, "{rest}");
    assert_eq!(gateway.ended(), 0);
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = Folder::new();
    folder.write("stall.json", r#"[{"behaviour": "stall_after=1", "times": 1}]"#);
    let simulate = folder.command(&["simulate", "--listen", "127.0.0.1:0", "--script", "stall.json"]);
    let simulator = Gateway::start(simulate, "Simulating providers on http://");
    folder.write(
        "tollgate.toml",
        &format!(
            "[providers.own]\nprotocol = \"openai-chat\"\nbase_url = \"http://{}/v1\"\napi_key = \"fake\"\nmodels = [{{ id = \"own/slow\" }}]\n",
            simulator.address
        ),
    );
    let mut gateway = Gateway::serve(&folder, &[]);
    let authorization = format!("Bearer {}", gateway.key());
    let mut stream =
        http::open(&gateway.address, "/v1/chat/completions", &[("authorization", &authorization)], STREAM);
    while !stream.line().expect("content").contains("\"content\":\"") {}
    gateway.terminate();
    let begun = std::time::Instant::now();
    while TcpStream::connect(&gateway.address).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "connections are still accepted");
    }
    gateway.terminate();
    assert_eq!(gateway.ended(), 130);
}
