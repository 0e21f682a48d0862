//! Messages in the shape that every dialect has.

use bytes::Bytes;
use tollgate_domain::reply::Finish;
use tollgate_domain::{Conversation, Failure, InputError, Receipt, ReplyEvent};
use tollgate_wire::json::Checked;

use super::{Request, StreamEncoder, StreamSplice, encode_whole, splice_whole};
use crate::SpliceError;
use crate::surface::{ConversationRequest, Dialect, Head, ReplyContext, StreamSplicer, StreamWriter};

/// The protocol's own event that keeps a silent stream alive (clients §4 "Claude Code").
const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

impl Request {
    /// The answer names the model as the client wrote it, with what routing does not need.
    fn named(&self, context: ReplyContext) -> ReplyContext {
        ReplyContext { model: self.model_as_sent.clone(), ..context }
    }
}

impl ConversationRequest for Request {
    fn dialect(&self) -> Dialect {
        Dialect::Messages
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn checked(&self) -> &Checked<Bytes> {
        &self.checked
    }

    fn conversation(&self) -> Result<Conversation, InputError> {
        Self::conversation(self)
    }

    fn stream_encoder(&self, context: ReplyContext) -> Box<dyn StreamWriter> {
        Box::new(StreamEncoder::new(self.named(context)))
    }

    fn encode_whole(
        &self,
        context: &ReplyContext,
        events: &[ReplyEvent],
        finish: &Finish,
        receipt: &Receipt,
    ) -> Vec<u8> {
        encode_whole(&self.named(context.clone()), events, finish, receipt)
    }

    fn stream_splice(&self, context: ReplyContext) -> Option<Box<dyn StreamSplicer>> {
        Some(Box::new(StreamSplice::new(self.named(context))))
    }

    fn splice_whole(
        &self,
        context: &ReplyContext,
        upstream_body: &[u8],
        receipt: &Receipt,
    ) -> Result<Vec<u8>, SpliceError> {
        splice_whole(&self.named(context.clone()), upstream_body, receipt)
    }
}

impl StreamWriter for StreamEncoder {
    fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>) {
        Self::event(self, event, out);
    }

    fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>) {
        Self::close(self, receipt, finish, out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        Self::fail(self, failure, out);
    }

    fn keep_alive(&self) -> &'static [u8] {
        PING
    }
}

impl StreamSplicer for StreamSplice {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        Self::event(self, name, data, out);
    }

    fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        Self::close(self, receipt, out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        Self::fail(self, failure, out);
    }

    fn keep_alive(&self) -> &'static [u8] {
        PING
    }
}
