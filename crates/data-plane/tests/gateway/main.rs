//! The gateway over real sockets: simulated providers before it, a real ledger behind it.
//!
//! - [`world`]: a gateway with its providers, keys and ledger; [`client`]: a raw HTTP client;
//!   [`puppet`]: a provider that the test moves by hand; [`chunks`]: what a streamed answer says
//! - [`matrix`]: every dialect, protocol and case
//! - [`surfaces`]: every surface that clients speak, and its errors
//! - [`tls`]: lanes over TLS
//! - [`recordings`]: the wire against that of the recorded service; [`wire_differences`]: the differences
//!   that are meant

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

mod accounts;
mod answers;
mod bad_input;
mod chunks;
mod client;
mod departures;
mod drain;
mod failover;
mod fault_matrix;
mod ledger_faults;
mod long_answers;
mod matrix;
mod messages_round_trip;
mod puppet;
mod recorded_upstream;
mod recordings;
mod reuse;
mod routing;
mod streams;
mod surfaces;
mod tls;
mod wire_differences;
mod world;
