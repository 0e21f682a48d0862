//! What must hold for any bytes at all, one module for each fuzz target: `check` panics when it does not.
//! The programs in `fuzz_targets/` only hand libFuzzer's bytes to these functions.

pub mod anthropic_decoder;
pub mod chat_adapt;
pub mod chat_decoder;
pub mod chat_encode;
pub mod chat_request;
pub mod chat_splice;
pub mod chat_stream_encoder;
pub mod chat_tap;
pub mod classify;
pub mod dialect_encoder;
pub mod dialect_request;
pub mod gemini_decoder;
pub mod json_mutation;
pub mod json_object;
pub mod money;
pub mod native_adapt;
pub mod native_splice;
pub mod overlay;
pub mod responses_decoder;
pub mod round_trip;
pub mod sse;
pub mod task_answer;
pub mod task_request;

mod chunk_stream;
mod endpoints;
mod event_script;
mod message_events;
mod own_events;
mod reply_events;
mod response_events;
mod sdk_parts;
mod split;
mod tasks;

use std::fmt::Display;

/// Bytes as text for the message of a failed check.
fn shown(bytes: &[u8]) -> impl Display + '_ {
    bytes.escape_ascii()
}
