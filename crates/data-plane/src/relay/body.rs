//! The response body. It pulls from the provider as the client reads, so that a slow client slows its
//! provider and nothing queues (I26); dropping it, because the client left, closes the provider's
//! connection at once (I22).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep};
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_store::ledger::Durable;

use super::translation::{Step, Translation};
use crate::admit::Ticket;
use crate::lanes::LaneBody;
use crate::settle::{self, Ending};

/// Frames that are ready are joined up to this size before they are written.
const JOIN: usize = 16 << 10;

/// What a provider may still send, and how long, after its answer was complete (I26).
const READ_OUT_BYTES: usize = 64 << 10;
const READ_OUT_TIME: Duration = Duration::from_secs(1);

/// What a client gets.
pub struct ReplyBody(Kind);

enum Kind {
    Whole(Option<Bytes>),
    Stream(Box<Stream>),
}

/// What a committed stream goes on with.
pub(crate) struct StreamParts {
    pub ticket: Ticket,
    pub translation: Translation,
    pub upstream: LaneBody,
    /// What the client gets of the bytes read so far.
    pub out: Vec<u8>,
    /// The end came with the first content already.
    pub finished: bool,
}

struct Stream {
    ticket: Ticket,
    translation: Translation,
    upstream: Option<LaneBody>,
    out: Vec<u8>,
    /// The end of the answer, kept back until the ledger has it.
    tail: Vec<u8>,
    phase: Phase,
    timer: Pin<Box<Sleep>>,
    last_read: Instant,
    last_written: Instant,
}

enum Phase {
    Relaying,
    /// The end is known; the last bytes wait for the ledger (I9).
    Settling(Durable),
    Done,
}

impl ReplyBody {
    /// A whole body.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes)))
    }

    pub(crate) fn stream(parts: StreamParts) -> Self {
        let now = Instant::now();
        let settings = &parts.ticket.gateway.settings;
        let timer = Box::pin(tokio::time::sleep(settings.keep_alive.min(settings.event_gap_timeout)));
        let mut stream = Stream {
            ticket: parts.ticket,
            translation: parts.translation,
            upstream: Some(parts.upstream),
            out: parts.out,
            tail: Vec::new(),
            phase: Phase::Relaying,
            timer,
            last_read: now,
            last_written: now,
        };
        if parts.finished {
            stream.complete();
        }
        Self(Kind::Stream(Box::new(stream)))
    }
}

impl Stream {
    /// The answer is complete: settle it, and keep its last bytes back until that is durable.
    fn complete(&mut self) {
        let (receipt, durable) = settle::settle(&mut self.ticket, &Ending::Complete, self.translation.seen());
        // Only whole answers can fail to close.
        let _ = self.translation.close(&receipt, &mut self.tail);
        self.phase = Phase::Settling(durable);
    }

    /// The answer is broken off: the client is told in its dialect (I16).
    fn break_off(&mut self, failure: Failure) {
        self.upstream = None;
        if let Some(attempt) = self.ticket.attempts.last_mut() {
            attempt.success = false;
            attempt.error = Some(failure.message.clone());
        }
        self.translation.fail(&failure, &mut self.tail);
        let (_, durable) =
            settle::settle(&mut self.ticket, &Ending::Failed(failure), self.translation.seen());
        self.phase = Phase::Settling(durable);
    }

    fn poll_relaying(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while matches!(self.phase, Phase::Relaying) && self.out.len() < JOIN {
            let Some(upstream) = &mut self.upstream else { break };
            match Pin::new(upstream).poll_frame(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(frame))) => {
                    self.last_read = Instant::now();
                    if let Ok(bytes) = frame.into_data() {
                        let step = self.translation.push(&bytes, &mut self.out);
                        self.follow(step);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.break_off(Failure::provider(
                    FailureClass::Truncated,
                    format!("The provider's connection broke in mid-stream: {error}."),
                )),
                Poll::Ready(None) => {
                    self.upstream = None;
                    let step = self.translation.end(&mut self.out);
                    self.follow(step);
                }
            }
        }
        if self.out.is_empty() {
            return Poll::Pending;
        }
        self.last_written = self.last_read;
        Poll::Ready(Some(Bytes::from(std::mem::take(&mut self.out))))
    }

    fn follow(&mut self, step: Step) {
        match step {
            Step::Quiet | Step::Content if self.upstream.is_some() => {}
            Step::Quiet | Step::Content => self.break_off(Failure::provider(
                FailureClass::Truncated,
                "The provider's stream ended before the answer was complete.",
            )),
            Step::Finished => self.complete(),
            Step::Failed(failure) => self.break_off(failure),
        }
    }

    /// Silence: keep the client's connection alive, or give the provider up (I23).
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let settings = self.ticket.gateway.settings;
            let give_up = (self.last_read + settings.event_gap_timeout)
                .min(self.ticket.arrived + settings.total_timeout);
            if now >= give_up {
                self.ticket.gateway.metrics.limit_hit("stream_timeout");
                let message = if now >= self.last_read + settings.event_gap_timeout {
                    format!(
                        "The provider's stream stalled: nothing came for {:?}.",
                        settings.event_gap_timeout
                    )
                } else {
                    let life = settings.total_timeout;
                    format!(
                        "The request reached {life:?}, the longest that this gateway lets one take; ask for less at once."
                    )
                };
                self.break_off(Failure::provider(FailureClass::Timeout, message));
                return Poll::Ready(None);
            }
            let ping = self.last_written + settings.keep_alive;
            self.timer
                .as_mut()
                .reset(if now >= ping { now + settings.keep_alive } else { ping }.min(give_up));
            if now >= ping {
                self.last_written = now;
                return Poll::Ready(Some(Bytes::from_static(self.translation.keep_alive())));
            }
        }
        Poll::Pending
    }

    /// Reads the provider's answer to its end, so that its connection can be used again.
    fn drain(&mut self, cx: &mut Context<'_>) {
        while let Some(upstream) = &mut self.upstream {
            match Pin::new(upstream).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None | Some(Err(_))) => self.upstream = None,
                Poll::Pending => break,
            }
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            // Also what came together with the end, behind the gate.
            if !self.out.is_empty() && !matches!(self.phase, Phase::Relaying) {
                return Poll::Ready(Some(Bytes::from(std::mem::take(&mut self.out))));
            }
            match &mut self.phase {
                Phase::Relaying => {
                    if let Poll::Ready(bytes) = self.poll_relaying(cx) {
                        return Poll::Ready(bytes);
                    }
                    if !matches!(self.phase, Phase::Relaying) {
                        continue;
                    }
                    match self.poll_silence(cx) {
                        Poll::Ready(Some(ping)) => return Poll::Ready(Some(ping)),
                        Poll::Ready(None) => {}
                        Poll::Pending => return Poll::Pending,
                    }
                }
                Phase::Settling(durable) => {
                    let written = durable.as_mut().poll(cx);
                    self.drain(cx);
                    match written {
                        Poll::Pending => return Poll::Pending,
                        // A row that cannot be written now stays in memory until it can: requests that were
                        // open when the ledger failed still finish.
                        Poll::Ready(_) => self.phase = Phase::Done,
                    }
                    if let Some(upstream) = self.upstream.take() {
                        tokio::spawn(read_out(upstream));
                    }
                    return Poll::Ready(Some(Bytes::from(std::mem::take(&mut self.tail))));
                }
                Phase::Done => return Poll::Ready(None),
            }
        }
    }
}

/// Gives an answer whose content is complete a moment to end, so that its connection can be used again; the
/// client need not wait for that.
async fn read_out(mut upstream: LaneBody) {
    let to_its_end = async {
        let mut room = READ_OUT_BYTES;
        while let Some(Ok(frame)) = upstream.frame().await {
            room = room.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if room == 0 {
                break;
            }
        }
    };
    // Too late: the connection is closed instead.
    let _ = tokio::time::timeout(READ_OUT_TIME, to_its_end).await;
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.ticket.settled {
            drop(settle::settle(&mut self.ticket, &Ending::dropped(), self.translation.seen()));
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.0 {
            Kind::Whole(bytes) => {
                Poll::Ready(bytes.take().filter(|b| !b.is_empty()).map(|b| Ok(Frame::data(b))))
            }
            Kind::Stream(stream) => stream.poll_bytes(cx).map(|bytes| bytes.map(|b| Ok(Frame::data(b)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Kind::Stream(stream) => matches!(stream.phase, Phase::Done),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| u64::try_from(b.len()).unwrap_or(0)))
            }
            Kind::Stream(_) => SizeHint::default(),
        }
    }
}
