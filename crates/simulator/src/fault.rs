//! The ways a provider can fail, each a variant, and the pace at which it answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something a provider does wrong.
///
/// Where a variant counts `after`, it counts *content events*: the deltas that carry text, reasoning or
/// tool input. Zero strikes when the preamble (role chunk, `message_start`) is out and before the first
/// delta; a number beyond the last delta never strikes. In a whole answer there are no events: the fault
/// strikes in the middle of the body, whatever `after` says. In a replay each piece written is an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answers with an HTTP status and an error body.
    Status {
        /// The HTTP status, 100 to 999.
        status: u16,
        /// Further response headers, for instance `retry-after`.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body.
        #[serde(default)]
        body: ErrorBody,
    },
    /// Resets the connection (RST) without having written a byte.
    ResetBeforeHeaders,
    /// Closes the connection (FIN) without having written a byte.
    CloseBeforeHeaders,
    /// Reads the request and never answers.
    Hang,
    /// Writes the response, head included, a few bytes at a time.
    SlowDrip {
        /// Bytes a write, at least 1.
        bytes: usize,
        /// Milliseconds between two writes.
        every_ms: u64,
    },
    /// Ends the response early.
    Cut {
        /// Content events before the cut.
        after: u32,
        /// How the connection ends.
        how: CutHow,
    },
    /// Stops writing for ever, with the connection open.
    Stall {
        /// Content events before the stall.
        after: u32,
    },
    /// Writes an event (or the rest of a body) that is not JSON, and carries on.
    Malformed {
        /// Content events before it.
        after: u32,
    },
    /// Writes one event of at least this many bytes, and carries on.
    Oversized {
        /// Content events before it.
        after: u32,
        /// Bytes of padding in the event.
        bytes: usize,
    },
    /// Answers as usual under another `content-type`.
    WrongContentType {
        /// The header's value.
        content_type: String,
    },
    /// Reports an error inside a 200, in the provider's own shape, and ends the body.
    ErrorEvent {
        /// Content events before it.
        after: u32,
    },
    /// Answers 200 with no body.
    EmptyBody,
}

/// The body of an error answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ErrorBody {
    /// The error envelope of the protocol that was called.
    #[default]
    Provider,
    /// The protocol's envelope with this text.
    Message(String),
    /// Any body, for instance the HTML page of a proxy in front of the provider.
    Custom {
        /// The `content-type` header.
        content_type: String,
        /// The body.
        body: String,
    },
}

/// How a response that is cut ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutHow {
    /// RST: the client sees "connection reset".
    Reset,
    /// FIN in the middle of a chunked body: the client sees an incomplete message.
    Close,
    /// The HTTP body ends properly, but the protocol's last events are missing.
    End,
}

/// How long an answer takes. All zero by default, so tests need no time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Milliseconds before the headers of any answer, errors included.
    pub delay_ms: u64,
    /// Milliseconds before the headers of a stream, on top of `delay_ms`.
    pub ttft_ms: u64,
    /// Milliseconds between the headers of a stream and its first content event.
    pub first_ms: u64,
    /// Milliseconds between content events; `None` takes the simulator's `chunk_gap`.
    pub gap_ms: Option<u64>,
}

impl Pace {
    /// The wait before the headers.
    pub(crate) fn before_headers(&self, stream: bool) -> Duration {
        Duration::from_millis(self.delay_ms.saturating_add(if stream { self.ttft_ms } else { 0 }))
    }
}
