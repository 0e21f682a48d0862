//! Frames of `application/vnd.amazon.eventstream`, for replays of recordings that keep payloads only
//! (providers §7): lengths, prelude checksum, headers, payload, message checksum, all big-endian.

use crate::checksum::crc32;

/// One event frame. A name that ends in `Exception` makes an exception frame.
pub(crate) fn frame(name: &str, payload: &[u8]) -> Vec<u8> {
    let exception = name.ends_with("Exception");
    let mut headers = Vec::new();
    header(&mut headers, if exception { ":exception-type" } else { ":event-type" }, name);
    header(&mut headers, ":content-type", "application/json");
    header(&mut headers, ":message-type", if exception { "exception" } else { "event" });

    let total = 12 + headers.len() + payload.len() + 4;
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&(total as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out
}

fn header(out: &mut Vec<u8>, name: &str, value: &str) {
    const STRING: u8 = 7;
    out.push(name.len() as u8);
    out.extend_from_slice(name.as_bytes());
    out.push(STRING);
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

/// Where each whole frame of a body ends.
pub(crate) fn frame_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(prelude) = body.get(at..at + 4) {
        let length = prelude.iter().fold(0usize, |n, &b| (n << 8) | usize::from(b));
        if length < 16 || at + length > body.len() {
            break;
        }
        at += length;
        ends.push(at);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_again() {
        let mut body = frame("messageStart", br#"{"role":"assistant"}"#);
        let first = body.len();
        body.extend(frame("throttlingException", br#"{"message":"slow down"}"#));
        assert_eq!(frame_ends(&body), [first, body.len()]);
        assert_eq!(frame_ends(&body[..body.len() - 1]), [first]);
    }
}
