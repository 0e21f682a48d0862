//! Responses in the shape that every dialect has.

use bytes::Bytes;
use tollgate_domain::reply::Finish;
use tollgate_domain::{Conversation, Failure, InputError, Receipt, ReplyEvent};
use tollgate_wire::json::Checked;

use super::{CompactRequest, Request, StreamEncoder, StreamSplice, encode_whole, splice_whole};
use crate::SpliceError;
use crate::surface::{ConversationRequest, Dialect, Head, ReplyContext, StreamSplicer, StreamWriter};

impl ConversationRequest for Request {
    fn dialect(&self) -> Dialect {
        Dialect::Responses
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
        Box::new(StreamEncoder::new(context, self.checked.text()))
    }

    fn encode_whole(
        &self,
        context: &ReplyContext,
        events: &[ReplyEvent],
        finish: &Finish,
        receipt: &Receipt,
    ) -> Vec<u8> {
        encode_whole(context, self.checked.text(), events, finish, receipt)
    }

    fn stream_splice(&self, context: ReplyContext) -> Option<Box<dyn StreamSplicer>> {
        Some(Box::new(StreamSplice::new(context, self.previous_response_id.as_deref())))
    }

    fn splice_whole(
        &self,
        context: &ReplyContext,
        upstream_body: &[u8],
        receipt: &Receipt,
    ) -> Result<Vec<u8>, SpliceError> {
        splice_whole(context, self.previous_response_id.as_deref(), upstream_body, receipt)
    }
}

/// A compaction is always passed through; no other protocol has one.
impl ConversationRequest for CompactRequest {
    fn dialect(&self) -> Dialect {
        Dialect::Responses
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn checked(&self) -> &Checked<Bytes> {
        &self.checked
    }

    fn conversation(&self) -> Result<Conversation, InputError> {
        let message = "Only a provider that speaks OpenAI Responses can compact a history; choose one of OpenAI's models.";
        Err(InputError::unsupported("model", message))
    }

    fn stream_encoder(&self, context: ReplyContext) -> Box<dyn StreamWriter> {
        Box::new(StreamEncoder::new(context, self.checked.text()))
    }

    fn encode_whole(
        &self,
        context: &ReplyContext,
        events: &[ReplyEvent],
        finish: &Finish,
        receipt: &Receipt,
    ) -> Vec<u8> {
        encode_whole(context, self.checked.text(), events, finish, receipt)
    }

    fn stream_splice(&self, _context: ReplyContext) -> Option<Box<dyn StreamSplicer>> {
        None
    }

    fn splice_whole(
        &self,
        context: &ReplyContext,
        upstream_body: &[u8],
        receipt: &Receipt,
    ) -> Result<Vec<u8>, SpliceError> {
        splice_whole(context, self.previous_response_id.as_deref(), upstream_body, receipt)
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
}
