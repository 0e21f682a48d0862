//! A streamed answer from neutral events: the protocol's named events, numbered without a gap, and at the
//! end the whole `response` object (gateway-api §7.2, providers §3).

use tollgate_domain::reply::Finish;
use tollgate_domain::{Failure, Receipt, ReplyEvent};

use super::echo::Echo;
use super::output::{Output, Steps};
use super::reply::{self, State};
use crate::ReplyContext;
use crate::metadata::write_integer;

/// Writes one streamed answer.
#[derive(Debug)]
pub struct StreamEncoder {
    context: ReplyContext,
    echo: Echo,
    output: Output,
    /// The number of the next event.
    sequence: u64,
}

/// Writes events.
pub(super) struct Frames<'a> {
    pub(super) sequence: &'a mut u64,
    pub(super) out: &'a mut Vec<u8>,
}

impl Steps for Frames<'_> {
    fn step(&mut self, kind: &str, members: impl FnOnce(&mut Vec<u8>)) {
        let Self { sequence, out } = self;
        for piece in ["event: ", kind, "\ndata: {\"type\":\"", kind, "\",\"sequence_number\":"] {
            out.extend_from_slice(piece.as_bytes());
        }
        write_integer(out, **sequence);
        // A stream that is passed through goes on from the provider's number, whatever that is.
        **sequence = sequence.saturating_add(1);
        members(out);
        out.extend_from_slice(b"}\n\n");
    }
}

impl StreamEncoder {
    /// For one answer to a request with this checked body.
    #[must_use]
    pub fn new(context: ReplyContext, body: &[u8]) -> Self {
        let mut echo = Echo::of(body);
        let tools = std::mem::take(&mut echo.custom_tools);
        let output = Output::new(context.generation.0, tools, context.exclude_reasoning);
        Self { context, echo, output, sequence: 0 }
    }

    /// Appends the events of one neutral event; before the first, that the answer has begun. `Info`, `Usage`,
    /// `Finish` and `Failure` write nothing else: what they say is written by [`StreamEncoder::close`] and
    /// [`StreamEncoder::fail`].
    pub fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>) {
        self.start(out);
        self.output.event(event, &mut Frames { sequence: &mut self.sequence, out });
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if self.sequence > 0 {
            return;
        }
        for kind in ["response.created", "response.in_progress"] {
            self.response(kind, &State::Begun, out);
        }
    }

    fn response(&mut self, kind: &str, state: &State<'_>, out: &mut Vec<u8>) {
        Frames { sequence: &mut self.sequence, out }.step(kind, |out| {
            out.extend_from_slice(b",\"response\":");
            reply::write(out, &self.context, &self.echo, state);
        });
    }

    /// Appends the end of what is open and the terminal event.
    pub fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>) {
        self.start(out);
        let Self { output, sequence, context, echo } = self;
        let mut frames = Frames { sequence, out };
        output.end(reply::cut(finish.reason), &mut frames);
        let kind = match reply::ending(finish.reason) {
            "completed" => "response.completed",
            "incomplete" => "response.incomplete",
            _ => "response.failed",
        };
        frames.step(kind, |out| {
            out.extend_from_slice(b",\"response\":");
            reply::write(out, context, echo, &State::Over { output, finish, receipt });
        });
    }

    /// Ends the stream with an `error` event and `response.failed` (I16, gateway-api §6.5).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.start(out);
        let error = reply::error_of(failure, &self.context);
        Frames { sequence: &mut self.sequence, out }.step("error", |out| reply::write_error(out, &error));
        self.response("response.failed", &State::Broken(&error), out);
    }
}

#[cfg(test)]
pub(super) mod tests;
