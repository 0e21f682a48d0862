//! The bytes of whole answers and the JSON shared with streams, per protocol.
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};

use crate::params::Params;

/// Text for answers of any size.
pub static FILLER: LazyLock<Bytes> = LazyLock::new(|| {
    Bytes::from("the quick brown fox jumps over the lazy dog and writes some ordinary words. ".repeat(16384))
});

/// The protocol a request speaks, told by its path.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    OpenAi,
    Anthropic,
    Responses,
}

pub fn num(b: &mut BytesMut, n: u32) {
    let mut i = itoa::Buffer::new();
    b.extend_from_slice(i.format(n).as_bytes());
}
pub fn oai_head(b: &mut BytesMut, model: &[u8]) {
    b.extend_from_slice(br#"data: {"id":"chatcmpl-mock00000000000000001","object":"chat.completion.chunk","created":1700000000,"model":""#);
    b.extend_from_slice(model);
    b.extend_from_slice(br#"","service_tier":"default","system_fingerprint":"fp_mock","#);
}
pub fn oai_usage(b: &mut BytesMut, p: &Params, out: u32) {
    b.extend_from_slice(br#""usage":{"prompt_tokens":"#);
    num(b, p.prompt_tokens);
    b.extend_from_slice(br#","completion_tokens":"#);
    num(b, out);
    b.extend_from_slice(br#","total_tokens":"#);
    num(b, p.prompt_tokens + out);
    b.extend_from_slice(br#","prompt_tokens_details":{"cached_tokens":"#);
    num(b, p.cached_tokens);
    b.extend_from_slice(br#","audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#);
}
pub fn responses_object(b: &mut BytesMut, model: &[u8], p: &Params, out: u32, size: usize) {
    b.extend_from_slice(br#"{"id":"resp_mock1","object":"response","created_at":1700000000,"status":"completed","error":null,"incomplete_details":null,"model":""#);
    b.extend_from_slice(model);
    b.extend_from_slice(br#"","output":[{"id":"msg_mock1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":""#);
    b.extend_from_slice(&FILLER[..size.min(FILLER.len())]);
    b.extend_from_slice(br#"","annotations":[]}]}],"usage":{"input_tokens":"#);
    num(b, p.prompt_tokens);
    b.extend_from_slice(br#","input_tokens_details":{"cached_tokens":"#);
    num(b, p.cached_tokens);
    b.extend_from_slice(br#"},"output_tokens":"#);
    num(b, out);
    b.extend_from_slice(br#","output_tokens_details":{"reasoning_tokens":0},"total_tokens":"#);
    num(b, p.prompt_tokens + out);
    b.extend_from_slice(b"}}");
}
pub fn chat_json(model: &[u8], p: &Params) -> Bytes {
    let mut b = BytesMut::with_capacity(p.size + 1024);
    b.extend_from_slice(br#"{"id":"chatcmpl-mock00000000000000001","object":"chat.completion","created":1700000000,"model":""#);
    b.extend_from_slice(model);
    b.extend_from_slice(br#"","choices":[{"index":0,"message":{"role":"assistant","content":""#);
    b.extend_from_slice(&FILLER[..p.size.min(FILLER.len())]);
    b.extend_from_slice(br#"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"#);
    oai_usage(&mut b, p, (p.size / 4) as u32);
    b.extend_from_slice(br#","service_tier":"default","system_fingerprint":"fp_mock"}"#);
    b.freeze()
}
pub fn message_json(model: &[u8], p: &Params) -> Bytes {
    let mut b = BytesMut::with_capacity(p.size + 512);
    b.extend_from_slice(br#"{"id":"msg_mock0000000000000001","type":"message","role":"assistant","model":""#);
    b.extend_from_slice(model);
    b.extend_from_slice(br#"","content":[{"type":"text","text":""#);
    b.extend_from_slice(&FILLER[..p.size.min(FILLER.len())]);
    b.extend_from_slice(br#""}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":"#);
    num(&mut b, p.prompt_tokens);
    b.extend_from_slice(br#","cache_creation_input_tokens":"#);
    num(&mut b, p.cache_write_tokens);
    b.extend_from_slice(br#","cache_read_input_tokens":"#);
    num(&mut b, p.cached_tokens);
    b.extend_from_slice(br#","output_tokens":"#);
    num(&mut b, (p.size / 4) as u32);
    b.extend_from_slice(b"}}");
    b.freeze()
}
pub fn error_json(kind: Kind, status: u16) -> String {
    match kind {
        Kind::Anthropic => {
            let t = match status {
                400 => "invalid_request_error",
                401 => "authentication_error",
                403 => "permission_error",
                404 => "not_found_error",
                413 => "request_too_large",
                429 => "rate_limit_error",
                529 => "overloaded_error",
                _ => "api_error",
            };
            format!(
                r#"{{"type":"error","error":{{"type":"{t}","message":"mock error {status}"}},"request_id":"req_mock"}}"#
            )
        }
        _ => {
            let t = match status {
                400 | 404 | 413 => "invalid_request_error",
                401 => "authentication_error",
                429 => "rate_limit_exceeded",
                _ => "server_error",
            };
            format!(
                r#"{{"error":{{"message":"mock error {status}","type":"{t}","param":null,"code":null}}}}"#
            )
        }
    }
}
