//! The messages of the rewritten body, put together from items: what belongs to one turn of the model
//! (reasoning, text, tool calls) is one assistant message in chat completions.

use std::borrow::Cow;

use tollgate_wire::json::Object;

use super::{array, made, quoted};

/// One assistant message in the making. All values are JSON as it will be written.
#[derive(Default)]
pub(super) struct Assistant {
    /// Members that are not rewritten.
    pub(super) kept: Vec<(String, Vec<u8>)>,
    /// A string or an array of parts.
    pub(super) content: Option<Vec<u8>>,
    /// Entries of `reasoning_details`.
    pub(super) reasoning: Vec<Vec<u8>>,
    /// Entries of `tool_calls`.
    pub(super) calls: Vec<Vec<u8>>,
}

impl Assistant {
    /// Whether a message of the model can go into this one.
    fn takes_content(&self) -> bool {
        self.content.is_none() && self.kept.is_empty()
    }

    fn write(self) -> Vec<u8> {
        let mut message = Object::new();
        message.set_string("role", "assistant");
        // Content may be null only beside tool calls.
        let absent = if self.calls.is_empty() { &b"\"\""[..] } else { &b"null"[..] };
        message.set("content", self.content.map_or(Cow::Borrowed(absent), Cow::Owned));
        for (name, raw) in self.kept {
            message.set(&name, raw);
        }
        if !self.reasoning.is_empty() {
            message.set("reasoning_details", array(&self.reasoning));
        }
        if !self.calls.is_empty() {
            message.set("tool_calls", array(&self.calls));
        }
        message.to_vec()
    }
}

/// The messages so far.
#[derive(Default)]
pub(super) struct Turns {
    written: Vec<Vec<u8>>,
    open: Option<Assistant>,
}

impl Turns {
    /// A message of somebody else than the model, as it shall stand.
    pub(super) fn raw(&mut self, message: Vec<u8>) {
        self.close();
        self.written.push(message);
    }

    /// A message with this content, which is JSON.
    pub(super) fn message(&mut self, role: &str, content: Vec<u8>) {
        self.raw(made(&[("role", &quoted(role)), ("content", &content)]));
    }

    /// A message of the model: one with the reasoning or the calls before it, which came as items.
    pub(super) fn assistant(&mut self, mut message: Assistant) {
        if let Some(mut before) = self.open.take_if(|open| open.takes_content()) {
            before.reasoning.append(&mut message.reasoning);
            before.calls.append(&mut message.calls);
            (message.reasoning, message.calls) = (before.reasoning, before.calls);
        }
        self.close();
        self.open = Some(message);
    }

    /// Reasoning: it begins a turn unless calls of the present one still wait for their answers.
    pub(super) fn reasoning(&mut self, entries: Vec<Vec<u8>>) {
        if self.open.as_ref().is_some_and(|open| open.content.is_some() && open.calls.is_empty()) {
            self.close();
        }
        self.open.get_or_insert_default().reasoning.extend(entries);
    }

    /// A tool call: chat completions wants all calls of a turn in one message.
    pub(super) fn call(&mut self, call: Vec<u8>) {
        self.open.get_or_insert_default().calls.push(call);
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.written.push(open.write());
        }
    }

    /// The array of all messages.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.close();
        array(&self.written)
    }
}
