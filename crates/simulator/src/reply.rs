//! A response before it is put on the wire: status, headers, and a body in one or many pieces.

use bytes::Bytes;
use serde_json::Value;

/// What is to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of a reply.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Sent with a `content-length`.
    Whole(Bytes),
    /// Sent in chunked transfer coding.
    Pieces(Vec<Piece>),
}

/// One piece of a body: usually one event of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub bytes: Bytes,
    /// Whether it carries content, which is what faults count and what the pace waits between.
    pub content: bool,
}

impl Piece {
    pub(crate) fn content(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), content: true }
    }

    pub(crate) fn frame(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), content: false }
    }
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", body.to_string())
    }

    pub(crate) fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: Body::Whole(body.into()) }
    }

    /// A stream of server-sent events.
    pub(crate) fn events(pieces: Vec<Piece>) -> Self {
        let headers = vec![
            ("content-type".to_owned(), "text/event-stream; charset=utf-8".to_owned()),
            ("cache-control".to_owned(), "no-cache".to_owned()),
        ];
        Self { status: 200, headers, body: Body::Pieces(pieces) }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.body, Body::Pieces(_))
    }

    /// Sets a header, in place of those of the same name.
    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }
}
