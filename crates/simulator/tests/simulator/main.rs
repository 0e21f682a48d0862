//! The simulator over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail the test, and a skipped test says so"
)]

mod anthropic;
mod client;
mod cohere;
mod departures;
mod embeddings;
mod faults;
mod gemini;
mod images;
mod openai_chat;
mod protocol_faults;
mod recorded_requests;
mod replays;
mod responses;
mod scripts;
mod signatures;
mod wire;

use tollgate_simulator::{Options, Simulator};

async fn simulator() -> Simulator {
    Simulator::start(Options::default()).await.expect("start")
}
