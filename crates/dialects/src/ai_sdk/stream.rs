//! A streamed answer: one JSON part an event (gateway-api §17.5). `stream-start` comes first and `finish`
//! last; what the gateway has to warn of is known at the end only, and stands in the metadata there.

use tollgate_domain::reply::Finish;
use tollgate_domain::{Failure, Receipt, ReplyEvent};
use tollgate_wire::json::{write_escaped, write_string};

use super::Version;
use super::lane::{Kind, Lane, Sink};
use super::reply::{text_member, write_ending, write_response};
use super::tool_names::ToolNames;
use crate::metadata::{write_integer, write_plain};
use crate::openai_error;
use crate::surface::{ReplyContext, StreamWriter};

/// Writes one streamed answer.
#[derive(Debug)]
pub(super) struct LanguageStream {
    version: Version,
    context: ReplyContext,
    lane: Lane,
    begun: bool,
}

impl LanguageStream {
    /// For one answer. `names` are the client's names of the provider's tools.
    pub(super) fn new(version: Version, context: ReplyContext, names: ToolNames) -> Self {
        let lane = Lane::new(version, context.generation, context.exclude_reasoning, names);
        Self { version, context, lane, begun: false }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(b"data: {\"type\":\"stream-start\",\"warnings\":[]}\n\n");
            out.extend_from_slice(b"data: {\"type\":\"response-metadata\",");
            write_response(out, &self.context);
            out.extend_from_slice(b"}\n\n");
        }
    }
}

impl StreamWriter for LanguageStream {
    fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>) {
        self.begin(out);
        self.lane.event(event, &mut Parts { out });
    }

    fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>) {
        self.begin(out);
        self.lane.finish(&mut Parts { out });
        out.extend_from_slice(b"data: {\"type\":\"finish\",");
        write_ending(out, self.version, receipt, finish);
        out.extend_from_slice(b"}\n\ndata: [DONE]\n\n");
    }

    /// An `error` part and no `finish`, so that nothing reads as complete (I16, gateway-api §6.5). Calls
    /// that are not complete are never written as calls.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.begin(out);
        let error = openai_error::from_failure(failure).with_model(&self.context.model);
        text_member(out, b"data: {\"type\":\"error\",\"error\":{\"message\":", &error.message);
        text_member(out, b",\"type\":", error.kind);
        out.extend_from_slice(b",\"param\":");
        match &error.param {
            Some(param) => write_plain(out, param),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"code\":");
        match &error.code {
            Some(code) => write_string(out, code),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"statusCode\":");
        write_integer(out, error.status);
        text_member(out, b",\"generationId\":", &self.context.generation.to_string());
        out.extend_from_slice(b"}}\n\n");
    }
}

/// Writes pieces as events.
struct Parts<'o> {
    out: &'o mut Vec<u8>,
}

impl Parts<'_> {
    fn block(&mut self, kind: Kind, what: &[u8], id: u32) {
        self.out.extend_from_slice(b"data: {\"type\":\"");
        self.out.extend_from_slice(match kind {
            Kind::Text => b"text-",
            Kind::Reasoning => b"reasoning-",
        });
        self.out.extend_from_slice(what);
        self.out.extend_from_slice(b"\",\"id\":\"");
        write_integer(self.out, id);
        self.out.push(b'"');
    }

    fn input(&mut self, what: &[u8], id: &str) {
        self.out.extend_from_slice(b"data: {\"type\":\"tool-input-");
        self.out.extend_from_slice(what);
        self.out.extend_from_slice(b"\",\"id\":\"");
        write_escaped(self.out, id);
        self.out.push(b'"');
    }

    fn close(&mut self, metadata: Option<&[u8]>) {
        if let Some(metadata) = metadata {
            self.out.extend_from_slice(b",\"providerMetadata\":");
            self.out.extend_from_slice(metadata);
        }
        self.out.extend_from_slice(b"}\n\n");
    }
}

impl Sink for Parts<'_> {
    fn start(&mut self, kind: Kind, id: u32, metadata: Option<&[u8]>) {
        self.block(kind, b"start", id);
        self.close(metadata);
    }

    fn delta(&mut self, kind: Kind, id: u32, text: &str) {
        self.block(kind, b"delta", id);
        text_member(self.out, b",\"delta\":", text);
        self.close(None);
    }

    fn end(&mut self, kind: Kind, id: u32, metadata: Option<&[u8]>) {
        self.block(kind, b"end", id);
        self.close(metadata);
    }

    fn input_start(&mut self, id: &str, name: &str, metadata: Option<&[u8]>) {
        self.input(b"start", id);
        text_member(self.out, b",\"toolName\":", name);
        self.close(metadata);
    }

    fn input_delta(&mut self, id: &str, text: &str) {
        self.input(b"delta", id);
        text_member(self.out, b",\"delta\":", text);
        self.close(None);
    }

    fn input_end(&mut self, id: &str) {
        self.input(b"end", id);
        self.close(None);
    }

    fn part(&mut self, json: &[u8]) {
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(json);
        self.out.extend_from_slice(b"\n\n");
    }
}

#[cfg(test)]
pub(super) mod tests;
