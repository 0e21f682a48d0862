//! Reads along while a reply of the protocol is passed through: what was consumed and how it ended, by the
//! decoder's own handling of events (I2).

use tollgate_domain::{Failure, ReplyEvent};

use super::decode::Reply;
use crate::codec::{Seen, Tap, Tapped, Target};

/// A tap on one reply.
#[derive(Debug)]
pub struct ResponsesTap {
    reply: Reply,
    events: Vec<ReplyEvent>,
    seen: Seen,
    failure: Option<Failure>,
}

impl ResponsesTap {
    /// A tap on a reply of an endpoint.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        Self { reply: Reply::of(target), events: Vec::new(), seen: Seen::default(), failure: None }
    }

    /// Notes what the reply's new events tell.
    fn note(&mut self) -> Tapped {
        // An item that a server works on is seen by the client from its start.
        let mut content = self.reply.take_quiet();
        for event in self.events.drain(..) {
            content |= event.is_content();
            match event {
                ReplyEvent::TextDelta { text, .. }
                | ReplyEvent::RefusalDelta { text, .. }
                | ReplyEvent::ReasoningDelta { text, .. } => self.seen.output_bytes += text.len() as u64,
                ReplyEvent::ToolDelta { arguments, .. } => self.seen.output_bytes += arguments.len() as u64,
                ReplyEvent::Info(info) => self.seen.info = info,
                ReplyEvent::Usage(usage) => self.seen.usage = Some(usage),
                ReplyEvent::Finish(finish) => {
                    self.seen.finish = Some(finish.reason);
                    self.seen.native = finish.native;
                }
                ReplyEvent::Failure(failure) => self.failure = Some(failure),
                _ => {}
            }
        }
        if self.reply.is_done() {
            return self.verdict();
        }
        if content { Tapped::Content } else { Tapped::Nothing }
    }

    fn verdict(&self) -> Tapped {
        self.failure.clone().map_or(Tapped::Finished, Tapped::Failure)
    }
}

impl Tap for ResponsesTap {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Tapped {
        if self.reply.is_done() {
            return Tapped::Nothing;
        }
        self.reply.event(name, data, &mut self.events);
        self.note()
    }

    fn whole(&mut self, body: &[u8]) -> Tapped {
        if !self.reply.is_done() {
            self.reply.whole(body.trim_ascii(), &mut self.events);
        }
        self.end()
    }

    fn end(&mut self) -> Tapped {
        self.reply.cut(&mut self.events);
        self.note()
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}
