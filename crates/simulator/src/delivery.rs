//! From a reply, a pace and a fault to the writes, waits and ends that put it on the wire. The plan is made
//! without a socket, so each fault can be read off it; running it is a short loop.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::fault::{CutHow, Fault, Pace};
use crate::reply::{Body, Piece, Reply};

/// One step of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Write(Bytes),
    Wait(Duration),
    /// Never goes on.
    Stall,
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The response is complete and the connection serves the next request.
    KeepAlive,
    /// FIN.
    Close,
    /// RST.
    Reset,
}

/// What to do, and how it ends when all of it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub steps: Vec<Step>,
    pub end: End,
    pub stream: bool,
}

/// The error inside a stream.
pub(crate) enum ErrorEvent {
    /// The same wherever it strikes.
    Same(Bytes),
    /// Depends on how many pieces went before it, for protocols that number their events.
    After(Box<dyn Fn(usize) -> Bytes>),
}

impl Default for ErrorEvent {
    fn default() -> Self {
        Self::Same(Bytes::new())
    }
}

impl ErrorEvent {
    fn bytes(&self, pieces_before: usize) -> Bytes {
        match self {
            Self::Same(bytes) => bytes.clone(),
            Self::After(make) => make(pieces_before),
        }
    }
}

/// What a fault needs of the protocol: its own error event and a way to frame a payload.
#[derive(Default)]
pub(crate) struct Dressing {
    /// The error as a stream event.
    pub error_event: ErrorEvent,
    /// The error as a body, when the answer is whole.
    pub error_body: Bytes,
    /// An event name for frames that are made up, when the protocol names its events.
    pub event_name: Option<&'static str>,
}

/// Writes up to this size are joined when nothing has to happen between them.
const JOIN: usize = 32 << 10;

/// How a reply is to be delivered.
pub(crate) struct Manner<'a> {
    pub pace: &'a Pace,
    /// Between content pieces, when the pace does not say.
    pub gap: Duration,
    pub fault: Option<&'a Fault>,
    pub dressing: Dressing,
    pub keep_alive: bool,
    /// Writes with nothing between them may go out as one; a replay keeps its cuts.
    pub join: bool,
}

/// Plans the delivery of a reply.
pub(crate) fn plan(mut reply: Reply, manner: &Manner<'_>) -> Delivery {
    let stream = reply.is_stream();
    let mut plan = Planner { steps: Vec::new(), end: End::KeepAlive, join: manner.join };
    plan.wait(manner.pace.before_headers(stream));
    match manner.fault {
        Some(Fault::ResetBeforeHeaders) => return plan.ended(End::Reset, stream),
        Some(Fault::CloseBeforeHeaders) => return plan.ended(End::Close, stream),
        Some(Fault::Hang) => {
            plan.steps.push(Step::Stall);
            return plan.ended(End::Close, stream);
        }
        Some(Fault::EmptyBody) => reply.body = Body::Whole(Bytes::new()),
        Some(Fault::WrongContentType { content_type }) => {
            reply.set_header("content-type", content_type.clone());
        }
        _ => {}
    }
    if let Body::Whole(body) = &mut reply.body {
        *body = spoilt(std::mem::take(body), manner);
    }
    plan.write_head(&reply, manner.keep_alive);
    match reply.body {
        Body::Whole(body) => plan.whole(body, manner.fault),
        Body::Pieces(pieces) => plan.pieces(pieces, manner),
    }
    if let Some(Fault::SlowDrip { bytes, every_ms }) = manner.fault {
        plan.drip((*bytes).max(1), Duration::from_millis(*every_ms));
    }
    if plan.end == End::KeepAlive && !manner.keep_alive {
        plan.end = End::Close;
    }
    let end = plan.end;
    plan.ended(end, stream)
}

/// A whole body after a fault that changes its content (those that end it are the delivery's).
fn spoilt(body: Bytes, manner: &Manner<'_>) -> Bytes {
    let half = body.len() / 2;
    match manner.fault {
        Some(Fault::ErrorEvent { .. }) => manner.dressing.error_body.clone(),
        Some(Fault::Cut { how: CutHow::End, .. }) => body.slice(..half),
        Some(Fault::Malformed { .. }) => {
            let mut garbled = BytesMut::from(&body[..half]);
            garbled.resize(body.len().max(1), b'#');
            garbled.freeze()
        }
        Some(Fault::Oversized { bytes, .. }) => {
            // White space before the value is still JSON, and still has to be held by the reader.
            let mut padded = BytesMut::with_capacity(bytes + body.len());
            padded.resize(*bytes, b' ');
            padded.extend_from_slice(&body);
            padded.freeze()
        }
        _ => body,
    }
}

struct Planner {
    steps: Vec<Step>,
    end: End,
    join: bool,
}

impl Planner {
    fn ended(self, end: End, stream: bool) -> Delivery {
        Delivery { steps: self.steps, end, stream }
    }

    fn wait(&mut self, time: Duration) {
        if !time.is_zero() {
            self.steps.push(Step::Wait(time));
        }
    }

    fn write(&mut self, bytes: Bytes) {
        if self.join
            && let Some(Step::Write(last)) = self.steps.last_mut()
            && last.len() + bytes.len() <= JOIN
        {
            let mut joined = BytesMut::from(std::mem::take(last));
            joined.extend_from_slice(&bytes);
            *last = joined.freeze();
            return;
        }
        self.steps.push(Step::Write(bytes));
    }

    fn write_head(&mut self, reply: &Reply, keep_alive: bool) {
        let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
        for (name, value) in &reply.headers {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        match &reply.body {
            Body::Whole(_) if reply.status == 204 || reply.status == 304 => {}
            Body::Whole(body) => head.push_str(&format!("content-length: {}\r\n", body.len())),
            Body::Pieces(_) => head.push_str("transfer-encoding: chunked\r\n"),
        }
        head.push_str(if keep_alive { "\r\n" } else { "connection: close\r\n\r\n" });
        self.write(head.into());
    }

    fn whole(&mut self, body: Bytes, fault: Option<&Fault>) {
        let half = body.len() / 2;
        match fault {
            Some(Fault::Cut { how: how @ (CutHow::Reset | CutHow::Close), .. }) => {
                self.write(body.slice(..half));
                self.end = if *how == CutHow::Reset { End::Reset } else { End::Close };
            }
            Some(Fault::Stall { .. }) => {
                self.write(body.slice(..half));
                self.steps.push(Step::Stall);
                self.end = End::Close;
            }
            _ => self.write(body),
        }
    }

    fn pieces(&mut self, pieces: Vec<Piece>, manner: &Manner<'_>) {
        let Manner { pace, fault, dressing, .. } = manner;
        let gap = pace.gap_ms.map_or(manner.gap, Duration::from_millis);
        let strike_at = match fault {
            Some(
                Fault::Cut { after, .. }
                | Fault::Stall { after }
                | Fault::Malformed { after }
                | Fault::Oversized { after, .. }
                | Fault::ErrorEvent { after },
            ) => Some(*after as usize),
            _ => None,
        };
        let last_content = pieces.iter().rposition(|p| p.content);
        let mut sent = 0;
        let mut struck = false;
        for (at, piece) in pieces.into_iter().enumerate() {
            let due = strike_at == Some(sent) && (piece.content || last_content.is_none_or(|last| at > last));
            if due
                && !struck
                && let Some(fault) = *fault
            {
                struck = true;
                if self.strike(fault, dressing, at) {
                    return;
                }
            }
            if piece.content {
                self.wait(if sent == 0 { Duration::from_millis(pace.first_ms) } else { gap });
                sent += 1;
            }
            self.chunk(&piece.bytes);
        }
        self.write(Bytes::from_static(b"0\r\n\r\n"));
    }

    /// Does what the fault says, and tells whether the response is over with it.
    fn strike(&mut self, fault: &Fault, dressing: &Dressing, pieces_before: usize) -> bool {
        match fault {
            Fault::Cut { how: CutHow::Reset, .. } => self.end = End::Reset,
            Fault::Cut { how: CutHow::Close, .. } => self.end = End::Close,
            Fault::Cut { how: CutHow::End, .. } => self.write(Bytes::from_static(b"0\r\n\r\n")),
            Fault::Stall { .. } => {
                self.steps.push(Step::Stall);
                self.end = End::Close;
            }
            Fault::ErrorEvent { .. } => {
                self.chunk(&dressing.error_event.bytes(pieces_before));
                self.write(Bytes::from_static(b"0\r\n\r\n"));
            }
            Fault::Malformed { .. } => {
                let frame = event(dressing.event_name, r#"{"this is not": "JSON"#);
                self.chunk(&frame);
                return false;
            }
            Fault::Oversized { bytes, .. } => {
                let frame =
                    event(dressing.event_name, &format!("{{\"padding\":\"{}\"}}", "x".repeat(*bytes)));
                self.chunk(&frame);
                return false;
            }
            _ => return false,
        }
        true
    }

    fn chunk(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let size = format!("{:x}\r\n", bytes.len());
        let mut framed = BytesMut::with_capacity(size.len() + bytes.len() + 2);
        for part in [size.as_bytes(), bytes, b"\r\n"] {
            framed.extend_from_slice(part);
        }
        self.write(framed.freeze());
    }

    fn drip(&mut self, bytes: usize, every: Duration) {
        for step in std::mem::take(&mut self.steps) {
            let Step::Write(mut all) = step else {
                self.steps.push(step);
                continue;
            };
            while !all.is_empty() {
                let part = all.split_to(bytes.min(all.len()));
                self.steps.push(Step::Write(part));
                self.wait(every);
            }
        }
    }
}

/// A made-up server-sent event.
fn event(name: Option<&str>, payload: &str) -> Vec<u8> {
    match name {
        Some(name) => format!("event: {name}\ndata: {payload}\n\n").into_bytes(),
        None => format!("data: {payload}\n\n").into_bytes(),
    }
}

/// Carries out the steps.
pub(crate) async fn run<W: AsyncWrite + Unpin>(writer: &mut W, steps: Vec<Step>) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Write(bytes) => writer.write_all(&bytes).await?,
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Stall => std::future::pending::<()>().await,
        }
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Site Is Overloaded",
        _ => "Status",
    }
}

#[cfg(test)]
#[path = "delivery/tests.rs"]
mod tests;
