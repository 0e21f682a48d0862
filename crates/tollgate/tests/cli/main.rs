//! The real binary, driven as people and scripts drive it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests stop a test as tests themselves do, and show the log of what they started"
)]

mod agents;
mod catalog;
mod configuration;
mod demo;
mod doctor;
mod folder;
mod gateway;
mod http;
mod keys;
mod serving;
mod shutdown;
mod usage;
