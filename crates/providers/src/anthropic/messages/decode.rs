//! Replies: server-sent events or one body, decoded by the same handling of blocks (I2).

use serde_json::Value;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, ReasoningKind};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason, ResponseInfo};
use tollgate_domain::{Failure, JsonText, ReplyEvent};
use tollgate_wire::json::{self, Object};
use tollgate_wire::sse;

use super::native::{self, Extras};
use super::open_block::{OpenBlock, arguments_event, input_text, text, value};
use super::usage::Report;
use crate::classify;
use crate::codec::{BodyForm, ReplyDecoder, Target};

/// Decodes a reply of the Messages protocol (providers §4).
#[derive(Debug)]
pub struct Decoder {
    input: Input,
    reply: Reply,
}

/// How the bytes are read.
#[derive(Debug)]
enum Input {
    /// A stream was asked for; its first byte tells whether one came.
    Undecided,
    Stream(sse::Decoder),
    Whole(Vec<u8>),
}

impl Decoder {
    /// A decoder for one reply. `json_tool` is the name of the tool whose input is the answer
    /// ([`Encoded::json_tool`](super::Encoded)): its call is given as text and ends as `stop`.
    #[must_use]
    pub fn new(target: &Target, form: BodyForm, json_tool: Option<String>) -> Self {
        let input = match form {
            BodyForm::Whole => Input::Whole(Vec::new()),
            BodyForm::Stream => Input::Undecided,
        };
        Self { input, reply: Reply { json_tool, ..Reply::of(target) } }
    }
}

impl ReplyDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>) {
        let mut bytes = bytes;
        if matches!(self.input, Input::Undecided) {
            bytes = bytes.trim_ascii_start();
            match bytes.first() {
                None => return,
                // A provider that ignores `stream`, or fails under a 200, answers with one body.
                Some(b'{') => self.input = Input::Whole(Vec::new()),
                Some(_) => self.input = Input::Stream(sse::Decoder::default()),
            }
        }
        let Self { input, reply } = self;
        if reply.done {
            return;
        }
        let too_large = match input {
            Input::Undecided => false,
            Input::Whole(body) => {
                body.extend_from_slice(bytes);
                body.len() > sse::DEFAULT_EVENT_LIMIT
            }
            Input::Stream(decoder) => {
                decoder.feed(bytes, &mut |e| reply.event(e.name, e.data, false, out)).is_err()
            }
        };
        if too_large && !reply.done {
            let limit = sse::DEFAULT_EVENT_LIMIT;
            reply.fail(
                FailureClass::Server,
                format!("The provider sent more than {limit} bytes in one piece."),
                out,
            );
        }
    }

    fn end(&mut self, out: &mut Vec<ReplyEvent>) {
        let Self { input, reply } = self;
        match input {
            Input::Undecided => {}
            Input::Stream(decoder) => decoder.finish(&mut |e| reply.event(e.name, e.data, true, out)),
            Input::Whole(body) => {
                let body = std::mem::take(body);
                reply.whole(&body, out);
            }
        }
        reply.cut(out);
    }
}

/// What is known of the reply so far.
#[derive(Debug, Default)]
pub(super) struct Reply {
    provider: String,
    json_tool: Option<String>,
    /// The last event has been given.
    pub(super) done: bool,
    /// The reply came as one body.
    whole: bool,
    /// The id of the message, once it has begun.
    message: Option<String>,
    open: Vec<(u64, OpenBlock)>,
    next_block: u32,
    report: Report,
    stop_reason: Option<String>,
    extras: Extras,
    /// Characters of visible text so far.
    visible: u64,
    /// Text beside an answer that is to come as a tool's input.
    held: String,
    /// Calls that nobody has answered, each with the id of the provider-run code that made it, if one did.
    waiting: Vec<Option<String>>,
    json_calls: u32,
}

impl Reply {
    /// A reply of an endpoint, of which nothing is known.
    pub(super) fn of(target: &Target) -> Self {
        Self { provider: target.provider.clone(), ..Self::default() }
    }

    /// The bytes have ended; unless the reply has, it was cut (I16).
    pub(super) fn cut(&mut self, out: &mut Vec<ReplyEvent>) {
        if !self.done {
            self.fail(
                FailureClass::Truncated,
                "The provider's answer ended before it was complete (no message_stop); try again.",
                out,
            );
        }
    }

    /// A block is open of which nothing is told before its end.
    pub(super) fn has_quiet_block(&self) -> bool {
        self.open.iter().any(|(_, open)| matches!(open, OpenBlock::Other { .. }))
    }

    /// Takes one event of a stream. Of the `last` one, which may have been cut, unreadable JSON only means
    /// that it does not count.
    pub(super) fn event(&mut self, name: &[u8], data: &[u8], last: bool, out: &mut Vec<ReplyEvent>) {
        let data = data.trim_ascii();
        if self.done || data.is_empty() || data == b"[DONE]" {
            return;
        }
        let event = match Object::parse(data) {
            Ok(event) => event,
            Err(_) if last => return,
            Err(e) => {
                let message = format!("The provider sent a stream event that is no JSON object: {e}.");
                return self.fail(FailureClass::Server, message, out);
            }
        };
        let kind = text(&event, "type").unwrap_or_else(|| String::from_utf8_lossy(name));
        match &*kind {
            "message_start" => self.message_start(&event, out),
            "content_block_start" => {
                if let Some(block) = event.get("content_block") {
                    let index = index(&event);
                    self.end_block(index, out);
                    self.start_block(index, block, out);
                }
            }
            "content_block_delta" => {
                if let Some(Ok(delta)) = event.get("delta").map(Object::parse_checked) {
                    self.delta(index(&event), &delta, out);
                }
            }
            "content_block_stop" => self.end_block(index(&event), out),
            "message_delta" => {
                if let Some(Ok(delta)) = event.get("delta").map(Object::parse_checked) {
                    self.ending(&delta);
                }
                self.context_management(&event);
                self.usage(&event, out);
            }
            "message_stop" => self.finish(out),
            "error" => self.error(data, out),
            // `ping`, and whatever is added to the protocol later.
            _ if event.has("error") => self.error(data, out),
            _ => {}
        }
    }

    /// Takes a whole body, as if its blocks had been streamed.
    pub(super) fn whole(&mut self, body: &[u8], out: &mut Vec<ReplyEvent>) {
        self.whole = true;
        let message = match Object::parse(body) {
            Ok(message) => message,
            // A body that stops short is a cut answer; `end` says so.
            Err(e) if e.offset >= body.len() => return,
            Err(e) => {
                let message = format!("The provider's answer is no JSON object: {e}.");
                return self.fail(FailureClass::Server, message, out);
            }
        };
        let kind = text(&message, "type");
        if kind.as_deref() == Some("error") || (kind.is_none() && message.has("error")) {
            return self.error(body, out);
        }
        let Some(content) = message.get("content") else {
            let message = "The provider's answer is no message: it has no 'content'.";
            return self.fail(FailureClass::Server, message, out);
        };
        self.info(&message, out);
        self.usage(&message, out);
        self.content(content, out);
        self.ending(&message);
        self.context_management(&message);
        self.finish(out);
    }

    fn message_start(&mut self, event: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let Some(Ok(message)) = event.get("message").map(Object::parse_checked) else { return };
        let id = text(&message, "id").unwrap_or_default().into_owned();
        if let Some(begun) = &self.message {
            // The same message announced twice changes nothing; another one is two streams in one.
            if *begun != id {
                let message = "The provider began a second message inside its answer.";
                self.fail(FailureClass::Server, message, out);
            }
            return;
        }
        self.message = Some(id);
        self.info(&message, out);
        self.usage(&message, out);
        self.ending(&message);
        if let Some(content) = message.get("content") {
            self.content(content, out);
        }
    }

    fn info(&mut self, message: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let tier = value(message, "usage");
        let info = ResponseInfo {
            id: text(message, "id").map(Into::into),
            model: text(message, "model").map(Into::into),
            system_fingerprint: None,
            service_tier: tier.get("service_tier").and_then(Value::as_str).map(str::to_owned),
        };
        if info != ResponseInfo::default() {
            out.push(ReplyEvent::Info(info));
        }
    }

    fn usage(&mut self, holder: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let update = value(holder, "usage");
        if !update.is_object() {
            return;
        }
        self.report.merge(&update);
        if let Some(usage) = self.report.usage() {
            out.push(ReplyEvent::Usage(usage));
        }
    }

    /// What a message or its delta says of the end.
    fn ending(&mut self, holder: &Object<'_>) {
        if let Some(reason) = text(holder, "stop_reason") {
            self.stop_reason = Some(reason.into_owned());
        }
        if let Some(sequence) = text(holder, "stop_sequence") {
            self.extras.stop_sequence = Some(sequence.into_owned());
        }
        let container = value(holder, "container");
        if !container.is_null() {
            self.extras.container = container;
        }
    }

    fn context_management(&mut self, holder: &Object<'_>) {
        let managed = value(holder, "context_management");
        if !managed.is_null() {
            self.extras.context_management = managed;
        }
    }

    /// Blocks that came complete.
    fn content(&mut self, content: &[u8], out: &mut Vec<ReplyEvent>) {
        for (index, block) in (0u64..).zip(json::elements(content).unwrap_or_default()) {
            self.start_block(index, block, out);
            self.end_block(index, out);
        }
    }

    fn start_block(&mut self, index: u64, raw: &[u8], out: &mut Vec<ReplyEvent>) {
        let Ok(content) = Object::parse_checked(raw) else { return };
        let block = self.next_block;
        let filled = |key: &str| text(&content, key).filter(|t| !t.is_empty());
        let open = match text(&content, "type").as_deref() {
            Some("text") if self.json_tool.is_some() => OpenBlock::Held { text: String::new() },
            Some("text") => {
                out.push(ReplyEvent::TextStart { block });
                let citations = match value(&content, "citations") {
                    Value::Array(citations) => citations,
                    _ => Vec::new(),
                };
                OpenBlock::Text { block, from: self.visible, citations }
            }
            Some("thinking") => {
                out.push(reasoning_start(block, ReasoningKind::Text));
                let signature = filled("signature").map(Into::into);
                OpenBlock::Reasoning { block, signature, data: None }
            }
            Some("redacted_thinking") => {
                out.push(reasoning_start(block, ReasoningKind::Encrypted));
                OpenBlock::Reasoning { block, signature: None, data: filled("data").map(Into::into) }
            }
            Some("tool_use") => self.start_call(block, &content, out),
            _ => match serde_json::from_slice(raw) {
                Ok(value) => OpenBlock::Other { value, input: String::new() },
                Err(_) => return,
            },
        };
        if !matches!(open, OpenBlock::Other { .. } | OpenBlock::Held { .. }) {
            self.next_block += 1;
        }
        self.open.push((index, open));
        match text(&content, "type").as_deref() {
            Some("text") => self.add_text(index, &filled("text").unwrap_or_default(), out),
            Some("thinking") => self.add_reasoning(index, &filled("thinking").unwrap_or_default(), out),
            _ => {}
        }
    }

    fn start_call(&mut self, block: u32, content: &Object<'_>, out: &mut Vec<ReplyEvent>) -> OpenBlock {
        let name = text(content, "name").unwrap_or_default().into_owned();
        let seed = input_text(content);
        if self.json_tool.as_ref() == Some(&name) {
            self.json_calls += 1;
            out.push(ReplyEvent::TextStart { block });
            return OpenBlock::Tool { block, seed, seen: false, as_text: true };
        }
        let caller = value(content, "caller");
        self.waiting.push(caller.get("tool_id").and_then(Value::as_str).map(str::to_owned));
        let id = text(content, "id").filter(|id| !id.is_empty()).map_or_else(
            || format!("toolu_{}_{block}", self.message.as_deref().unwrap_or_default()),
            Into::into,
        );
        out.push(ReplyEvent::ToolStart { block, id, name });
        OpenBlock::Tool { block, seed, seen: false, as_text: false }
    }

    fn delta(&mut self, index: u64, delta: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let Some(kind) = text(delta, "type") else { return };
        match &*kind {
            "text_delta" => {
                // Text whose start was lost is still text.
                if self.find(index).is_none() {
                    self.start_block(index, br#"{"type":"text"}"#, out);
                }
                self.add_text(index, &text(delta, "text").unwrap_or_default(), out);
            }
            "thinking_delta" => {
                if self.find(index).is_none() {
                    self.start_block(index, br#"{"type":"thinking"}"#, out);
                }
                self.add_reasoning(index, &text(delta, "thinking").unwrap_or_default(), out);
            }
            "signature_delta" => {
                if let (Some(OpenBlock::Reasoning { signature, .. }), Some(signed)) =
                    (self.find(index), text(delta, "signature").filter(|s| !s.is_empty()))
                {
                    *signature = Some(signed.into_owned());
                }
            }
            "input_json_delta" => match self.find(index) {
                Some(OpenBlock::Tool { block, seen, as_text, .. }) => {
                    let arguments = text(delta, "partial_json").unwrap_or_default();
                    if !arguments.is_empty() {
                        *seen = true;
                        out.push(arguments_event(*block, arguments.into_owned(), *as_text));
                    }
                }
                Some(OpenBlock::Other { input, .. }) => {
                    input.push_str(&text(delta, "partial_json").unwrap_or_default());
                }
                _ => {}
            },
            "citations_delta" => {
                if let Some(OpenBlock::Text { citations, .. }) = self.find(index) {
                    citations.push(value(delta, "citation"));
                }
            }
            "compaction_delta" => {
                if let Some(open) = self.find(index) {
                    open.compaction(delta);
                }
            }
            _ => {}
        }
    }

    fn add_text(&mut self, index: u64, added: &str, out: &mut Vec<ReplyEvent>) {
        if added.is_empty() {
            return;
        }
        match self.find(index) {
            Some(OpenBlock::Text { block, .. }) => {
                out.push(ReplyEvent::TextDelta { block: *block, text: added.to_owned() });
                self.visible += added.chars().count() as u64;
            }
            Some(OpenBlock::Held { text }) => text.push_str(added),
            _ => {}
        }
    }

    fn add_reasoning(&mut self, index: u64, added: &str, out: &mut Vec<ReplyEvent>) {
        if let (false, Some(OpenBlock::Reasoning { block, .. })) = (added.is_empty(), self.find(index)) {
            out.push(ReplyEvent::ReasoningDelta { block: *block, text: added.to_owned() });
        }
    }

    fn find(&mut self, index: u64) -> Option<&mut OpenBlock> {
        self.open.iter_mut().find(|(at, _)| *at == index).map(|(_, open)| open)
    }

    fn end_block(&mut self, index: u64, out: &mut Vec<ReplyEvent>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == index) else { return };
        let (_, open) = self.open.remove(at);
        match &open {
            OpenBlock::Held { text } => self.held.push_str(text),
            // Code that has its result has had its calls answered.
            OpenBlock::Other { value, .. } => {
                let answered = value.get("tool_use_id").and_then(Value::as_str);
                self.waiting.retain(|caller| caller.is_none() || caller.as_deref() != answered);
            }
            _ => {}
        }
        open.end(self.visible, out);
    }

    fn finish(&mut self, out: &mut Vec<ReplyEvent>) {
        while let Some((index, _)) = self.open.first() {
            let index = *index;
            self.end_block(index, out);
        }
        // The model answered in words instead of calling the tool.
        if self.json_calls == 0 && !self.held.is_empty() {
            let block = self.next_block;
            out.push(ReplyEvent::TextStart { block });
            out.push(ReplyEvent::TextDelta { block, text: std::mem::take(&mut self.held) });
            out.push(ReplyEvent::TextEnd { block });
        }
        self.done = true;
        out.push(ReplyEvent::Finish(Finish {
            reason: self.reason(),
            raw: self.stop_reason.clone(),
            stop_sequence: self.extras.stop_sequence.clone(),
            native: Some(JsonText::from(&native::metadata(&self.report, &self.extras, self.whole))),
        }));
    }

    /// The neutral reason (providers §0.2).
    fn reason(&self) -> FinishReason {
        match self.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence" | "pause_turn") if !self.waiting.is_empty() => {
                FinishReason::ToolCalls
            }
            Some("end_turn" | "stop_sequence" | "pause_turn") => FinishReason::Stop,
            Some("tool_use") if self.waiting.is_empty() && self.json_calls > 0 => FinishReason::Stop,
            Some("tool_use") => FinishReason::ToolCalls,
            Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
            Some("refusal") => FinishReason::ContentFilter,
            _ => FinishReason::Other,
        }
    }

    /// The provider's own error, under whatever status (providers §4 "Errors").
    fn error(&mut self, body: &[u8], out: &mut Vec<ReplyEvent>) {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        self.done = true;
        out.push(ReplyEvent::Failure(classify::error_value(&self.provider, 200, &body)));
    }

    fn fail(&mut self, class: FailureClass, message: impl Into<String>, out: &mut Vec<ReplyEvent>) {
        self.done = true;
        out.push(ReplyEvent::Failure(Failure::provider(class, message)));
    }
}

fn reasoning_start(block: u32, kind: ReasoningKind) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id: None, format: FORMAT_ANTHROPIC }
}

fn index(event: &Object<'_>) -> u64 {
    event.get("index").and_then(json::unsigned).unwrap_or(0)
}
