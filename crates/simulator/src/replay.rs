//! Replaying a recorded exchange byte by byte, in pieces of the caller's choosing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::event_stream;

/// Why a recording cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// There is no `response` object.
    #[error(
        "the recording has no \"response\" object; expected {{\"response\": {{\"status\", \"headers\", …}}}}"
    )]
    NoResponse,
    /// The status is missing or out of range.
    #[error("the recording's response.status is {0}; expected a number from 200 to 999")]
    Status(String),
    /// The body is missing.
    #[error(
        "the recording's response has no body; expected one of body, text, sse, ndjson, eventstream_base64, \
         or events with framing"
    )]
    NoBody,
    /// The framing is not known.
    #[error("the recording's framing is {0}; expected sse-data, sse-event-data or aws-eventstream-wrapped")]
    Framing(String),
    /// The base64 text is not base64.
    #[error("the recording's eventstream_base64 cannot be decoded: {0}")]
    Base64(String),
}

/// A recorded response, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Replay {
    status: u16,
    headers: Vec<(String, String)>,
    /// The body, and where its events end.
    body: Bytes,
    ends: Vec<usize>,
    chunking: Chunking,
    fixture: Value,
}

/// How the bytes of a replayed body are cut into writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunking {
    /// Where the cuts are.
    pub split: Split,
    /// Milliseconds between two writes.
    #[serde(default)]
    pub gap_ms: u64,
}

/// Where a body is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Not at all: one write, with a `content-length`. All other splits use chunked transfer coding, one
    /// HTTP chunk a piece, so that a client sees the pieces as they were cut.
    Whole,
    /// After every so many bytes (0 counts as 1).
    Every(usize),
    /// At these offsets; those out of range or out of order are left out.
    At(Vec<usize>),
    /// At places drawn from a seed: pieces of 1 to 64 bytes.
    Random(u64),
    /// After each event: an SSE event with its blank line, a line of NDJSON, an event stream frame.
    Events,
}

impl Chunking {
    /// One write.
    #[must_use]
    pub fn whole() -> Self {
        Split::Whole.into()
    }
    /// Pieces of `n` bytes.
    #[must_use]
    pub fn every(n: usize) -> Self {
        Split::Every(n).into()
    }
    /// Cuts at these offsets.
    #[must_use]
    pub fn at(offsets: impl Into<Vec<usize>>) -> Self {
        Split::At(offsets.into()).into()
    }
    /// Pieces of seeded random length.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Split::Random(seed).into()
    }
    /// One event a piece.
    #[must_use]
    pub fn events() -> Self {
        Split::Events.into()
    }
    /// The same cuts with a wait between the writes (whole milliseconds).
    #[must_use]
    pub fn with_gap(mut self, gap: Duration) -> Self {
        self.gap_ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
        self
    }
}

impl From<Split> for Chunking {
    fn from(split: Split) -> Self {
        Self { split, gap_ms: 0 }
    }
}

impl Replay {
    /// Reads a recorded exchange: an object with `response: {status, headers, …}` where the body is exactly
    /// one of `body` (JSON), `text`, `sse`, `ndjson`, `eventstream_base64`, or `events` with `framing`.
    ///
    /// # Errors
    /// When the recording has no response, status or body, or its framing is unknown.
    pub fn new(fixture: &Value, chunking: Chunking) -> Result<Self, ReplayError> {
        let response = fixture.get("response").filter(|r| r.is_object()).ok_or(ReplayError::NoResponse)?;
        let status = &response["status"];
        let status = status
            .as_u64()
            .and_then(|s| u16::try_from(s).ok())
            .filter(|s| (200..=999).contains(s))
            .ok_or_else(|| ReplayError::Status(status.to_string()))?;
        let (body, ends) = body_of(response)?;
        let headers = headers_of(response);
        Ok(Self { status, headers, body: body.into(), ends, chunking, fixture: fixture.clone() })
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers that are sent; those that belong to the connection are made anew.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The whole body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How it is cut.
    #[must_use]
    pub fn chunking(&self) -> &Chunking {
        &self.chunking
    }

    /// The body in the pieces it is written in; none is empty.
    #[must_use]
    pub fn pieces(&self) -> Vec<Bytes> {
        let cuts: Vec<usize> = match &self.chunking.split {
            Split::Whole => Vec::new(),
            Split::Every(n) => (0..self.body.len()).step_by((*n).max(1)).collect(),
            Split::At(offsets) => offsets.clone(),
            Split::Random(seed) => random_cuts(*seed, self.body.len()),
            Split::Events => self.ends.clone(),
        };
        let mut pieces = Vec::with_capacity(cuts.len() + 1);
        let mut from = 0;
        for cut in cuts.into_iter().chain([self.body.len()]) {
            if cut > from && cut <= self.body.len() {
                pieces.push(self.body.slice(from..cut));
                from = cut;
            }
        }
        pieces
    }
}

fn headers_of(response: &Value) -> Vec<(String, String)> {
    const OF_THE_CONNECTION: [&str; 4] =
        ["content-length", "transfer-encoding", "connection", "content-encoding"];
    let mut headers = Vec::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            continue;
        }
        let values = match value {
            Value::Array(list) => list.iter().collect(),
            other => vec![other],
        };
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            headers.push((name.clone(), text.replace(['\r', '\n'], " ")));
        }
    }
    headers
}

fn body_of(response: &Value) -> Result<(Vec<u8>, Vec<usize>), ReplayError> {
    let text = |member: &str| response[member].as_str().map(|s| s.as_bytes().to_vec());
    if let Some(sse) = text("sse") {
        let ends = sse_ends(&sse);
        return Ok((sse, ends));
    }
    if let Some(lines) = text("ndjson") {
        let ends = lines.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
        return Ok((lines, ends));
    }
    if let Some(plain) = text("text") {
        return Ok((plain, Vec::new()));
    }
    if let Some(encoded) = text("eventstream_base64") {
        let body = STANDARD.decode(encoded).map_err(|e| ReplayError::Base64(e.to_string()))?;
        let ends = event_stream::frame_ends(&body);
        return Ok((body, ends));
    }
    if let Some(events) = response["events"].as_array() {
        return framed(events, response["framing"].as_str().unwrap_or("none"));
    }
    match response.get("body") {
        Some(Value::Null) => Ok((Vec::new(), Vec::new())),
        Some(body) => Ok((body.to_string().into_bytes(), Vec::new())),
        None => Err(ReplayError::NoBody),
    }
}

fn framed(events: &[Value], framing: &str) -> Result<(Vec<u8>, Vec<usize>), ReplayError> {
    let mut body = Vec::new();
    let mut ends = Vec::with_capacity(events.len());
    for event in events {
        let payload = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        match framing {
            "sse-data" => body.extend(format!("data: {payload}\n\n").bytes()),
            "sse-event-data" => {
                let name = event["type"].as_str().unwrap_or("message");
                body.extend(format!("event: {name}\ndata: {payload}\n\n").bytes());
            }
            "aws-eventstream-wrapped" => {
                for (name, payload) in event.as_object().into_iter().flatten() {
                    body.extend(event_stream::frame(name, payload.to_string().as_bytes()));
                }
            }
            other => return Err(ReplayError::Framing(other.to_owned())),
        }
        ends.push(body.len());
    }
    Ok((body, ends))
}

/// Ends of SSE events: after a blank line, with LF or CRLF line ends (providers §0.4).
fn sse_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut line_start = 0;
    for (at, &byte) in body.iter().enumerate() {
        if byte == b'\n' {
            if matches!(&body[line_start..at], b"" | b"\r") {
                ends.push(at + 1);
            }
            line_start = at + 1;
        }
    }
    ends
}

fn random_cuts(seed: u64, length: usize) -> Vec<usize> {
    let mut state = seed;
    let mut cuts = Vec::new();
    let mut at = 0;
    loop {
        at += 1 + (crate::answer::text::mix(&mut state) % 64) as usize;
        if at >= length {
            return cuts;
        }
        cuts.push(at);
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    fixture: Value,
    #[serde(default = "Chunking::whole")]
    chunking: Chunking,
}

impl TryFrom<Form> for Replay {
    type Error = ReplayError;
    fn try_from(form: Form) -> Result<Self, Self::Error> {
        Self::new(&form.fixture, form.chunking)
    }
}

impl From<Replay> for Form {
    fn from(replay: Replay) -> Self {
        Self { fixture: replay.fixture, chunking: replay.chunking }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sse(chunking: Chunking) -> Replay {
        let fixture = json!({"response": {"status": 200, "headers": {"Content-Type": "text/event-stream",
            "content-length": "5"}, "sse": ": hi\r\n\r\ndata: é\n\ndata: [DONE]"}});
        Replay::new(&fixture, chunking).unwrap()
    }

    #[test]
    fn every_split_gives_the_same_bytes() {
        let whole = sse(Chunking::whole());
        assert_eq!(whole.headers(), [("content-type".to_owned(), "text/event-stream".to_owned())]);
        for chunking in [
            Chunking::whole(),
            Chunking::every(1),
            Chunking::every(0),
            Chunking::every(7),
            Chunking::at([3, 2, 9, 900]),
            Chunking::random(7),
            Chunking::events(),
        ] {
            let replay = sse(chunking);
            assert_eq!(replay.pieces().concat(), whole.body().to_vec(), "{:?}", replay.chunking());
        }
    }

    #[test]
    fn events_are_cut_after_their_blank_line() {
        let pieces = sse(Chunking::events()).pieces();
        assert_eq!(pieces, [&b": hi\r\n\r\n"[..], "data: é\n\n".as_bytes(), b"data: [DONE]"]);
    }

    #[test]
    fn the_same_seed_cuts_the_same_way() {
        assert_eq!(sse(Chunking::random(1)).pieces(), sse(Chunking::random(1)).pieces());
        assert_ne!(random_cuts(1, 4000), random_cuts(2, 4000));
    }

    #[test]
    fn payloads_are_framed_as_the_recording_says() {
        let fixture = |framing: &str| json!({"response": {"status": 200, "headers": {}, "framing": framing, "events": [{"type": "ping"}]}});
        let body = |framing| Replay::new(&fixture(framing), Chunking::whole()).map(|r| r.body().to_vec());
        assert_eq!(body("sse-data").unwrap(), b"data: {\"type\":\"ping\"}\n\n");
        assert_eq!(body("sse-event-data").unwrap(), b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
        assert_eq!(body("x").unwrap_err(), ReplayError::Framing("x".to_owned()));
    }

    #[test]
    fn a_recording_without_a_body_is_refused() {
        let error = Replay::new(&json!({"response": {"status": 200}}), Chunking::whole()).unwrap_err();
        assert_eq!(error, ReplayError::NoBody);
        let error = Replay::new(&json!({"response": {"status": 7}}), Chunking::whole()).unwrap_err();
        assert_eq!(error, ReplayError::Status("7".to_owned()));
    }
}
