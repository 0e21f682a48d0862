//! The same protocol over a WebSocket (gateway-api §7.3), as far as it is a matter of text: frames of the
//! client into bodies, events into frames of the server, and the limits of a connection.

use std::time::Duration;

use bytes::Bytes;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::{GenerationId, InputError};
use tollgate_wire::json;

use super::item::member;
use super::reply::write_error_object;
use crate::body;
use crate::json_path::{Path, excerpt, string};
use crate::metadata::write_integer;
use crate::openai_error::OpenAiError;

/// The largest frame a client may send, in bytes.
pub const MAX_FRAME_BYTES: usize = 4 << 20;
/// How long a connection may be silent before it is closed with [`CLOSE_GOING_AWAY`].
pub const IDLE: Duration = Duration::from_secs(5 * 60);
/// How long a connection may live before it is closed with [`CLOSE_GOING_AWAY`].
pub const LIFETIME: Duration = Duration::from_secs(13 * 60);
/// Close code: idle too long, too old, or the gateway stops.
pub const CLOSE_GOING_AWAY: u16 = 1001;
/// Close code: a rule was broken, such as another model on the same connection.
pub const CLOSE_POLICY: u16 = 1008;
/// Close code: a fault of the gateway.
pub const CLOSE_INTERNAL: u16 = 1011;
/// Close code: a budget is used up, or there are no credits.
pub const CLOSE_PAYMENT: u16 = 4402;
/// The error code of a `previous_response_id` that is not one of the connection's own (`store: false`).
pub const PREVIOUS_RESPONSE_NOT_FOUND: &str = "previous_response_not_found";

/// Reads a frame of the client: `{"type":"response.create", …}` with the members of a Responses body beside
/// `type`. The body is to be answered as a stream.
///
/// # Errors
/// The frame is larger than [`MAX_FRAME_BYTES`], no JSON object, or of another type.
pub fn read_frame(text: &str) -> Result<Bytes, InputError> {
    if text.len() > MAX_FRAME_BYTES {
        return Err(InputError {
            kind: InputErrorKind::TooLarge,
            message: format!(
                "The frame has {} bytes; at most {MAX_FRAME_BYTES} are allowed. Send a shorter input, or POST it to /v1/responses.",
                text.len()
            ),
            param: None,
            code: Some("request_too_large"),
        });
    }
    let checked = body::check(&Bytes::copy_from_slice(text.as_bytes()), "'type', 'model' and 'input'")?;
    let mut frame = checked.object();
    let Some(raw) = frame.get("type").filter(|raw| !json::is_null(raw)) else {
        return Err(InputError::missing("type", "\"response.create\""));
    };
    let kind = string(&Path::Body.member("type"), raw)?;
    if kind != "response.create" {
        return Err(InputError::invalid(
            "type",
            format!("'type' is \"{}\"; expected \"response.create\".", excerpt(&kind)),
        ));
    }
    frame.remove("type");
    frame.set("stream", &b"true"[..]);
    Ok(frame.to_vec().into())
}

/// The frame that tells an error: `{"type":"error","status":…,"error":{type, code, message, param}}`, and the
/// request's id when it has one.
#[must_use]
pub fn error_frame(error: &OpenAiError, generation: Option<GenerationId>) -> String {
    let mut out = b"{\"type\":\"error\",\"status\":".to_vec();
    write_integer(&mut out, error.status);
    out.extend_from_slice(b",\"error\":");
    write_error_object(&mut out, error);
    if let Some(id) = generation {
        member(&mut out, b",\"generationId\":", &id.to_string());
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

/// The frames of what a stream's writer has appended: the data of each event, without names and keep-alive
/// comments. `events` must end where an event ends.
pub fn frames(events: &[u8]) -> impl Iterator<Item = &[u8]> {
    events.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_frame_is_a_body_with_its_type_beside() {
        let body =
            read_frame(r#"{"type":"response.create","model":"m","input":"hi","stream":false,"x":1.0}"#)
                .unwrap();
        assert_eq!(&body[..], br#"{"model":"m","input":"hi","stream":true,"x":1.0}"#);
        assert!(super::super::Request::parse(&body).unwrap().head.stream);
    }

    #[test]
    fn other_frames_are_refused_in_words() {
        for (text, param) in [
            ("{}", Some("type")),
            (r#"{"type":"session.update"}"#, Some("type")),
            (r#"{"type":7}"#, Some("type")),
            ("ping", None),
        ] {
            assert_eq!(read_frame(text).unwrap_err().param.as_deref(), param, "{text}");
        }
        let long = format!(r#"{{"type":"response.create","input":"{}"}}"#, "a".repeat(MAX_FRAME_BYTES));
        assert_eq!(read_frame(&long).unwrap_err().status(), 413);
    }

    #[test]
    fn an_error_is_one_frame() {
        let error = OpenAiError::new(404, "invalid_request_error", "No \"resp_1\" here.")
            .with_code(PREVIOUS_RESPONSE_NOT_FOUND)
            .with_param(json!("previous_response_id"));
        let frame: Value = serde_json::from_str(&error_frame(&error, None)).unwrap();
        assert_eq!(
            frame,
            json!({"type":"error","status":404,"error":{"type":"invalid_request_error","code":"previous_response_not_found","message":"No \"resp_1\" here.","param":"previous_response_id"}})
        );
    }

    #[test]
    fn each_event_is_one_frame() {
        let events = b": ping\n\nevent: a\ndata: {\"type\":\"a\"}\n\nevent: b\ndata: {\"type\":\"b\"}\n\n";
        assert_eq!(frames(events).collect::<Vec<_>>(), [&b"{\"type\":\"a\"}"[..], b"{\"type\":\"b\"}"]);
    }
}
