//! Golden tests of the provider codecs: every example and every recorded exchange must decode to what was
//! expected of it, however its bytes are split.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the whole binary is a test; functions that tests call are not seen as such"
)]

mod anthropic;
mod anthropic_adapt;
mod client_options;
mod fixture;
mod gemini;
mod openai_chat;
mod openai_responses;
mod tasks;
