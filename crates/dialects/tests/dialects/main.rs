//! Dialects against recorded exchanges and against examples of our own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

mod attribution;
mod examples;
mod fixtures;
mod golden;
mod messages;
mod passthrough;
mod reasoning;
mod rebuilt;
mod requests;
mod responses;
mod tasks;
