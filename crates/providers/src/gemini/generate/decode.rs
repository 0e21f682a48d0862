//! Replies: server-sent events, one body, or the array of a stream without `alt=sse`, all decoded by the same
//! handling of chunks (I2): a whole body is a stream of one.

use serde_json::Value;
use tollgate_domain::conversation::{FORMAT_GEMINI, File, FileData, ReasoningKind};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason, ResponseInfo};
use tollgate_domain::{Failure, ReplyEvent, Usage};
use tollgate_wire::json::{self, Object};
use tollgate_wire::sse;

use super::super::NAMESPACE;
use super::super::model::Model;
use super::call::Arguments;
use super::call_id;
use super::ending::{canonical, truncated};
use super::grounding::Native;
use super::usage::{self, Report};
use crate::classify;
use crate::codec::{BodyForm, ReplyDecoder, Target};

/// The largest whole answer that is taken: several images in base64 fit (I26).
const MAX_WHOLE: usize = 64 << 20;

/// Decodes a reply of the protocol (providers §5). The form that really came is recognised by its first byte.
#[derive(Debug)]
pub struct Decoder {
    form: BodyForm,
    /// The form has been seen in the bytes.
    sniffed: bool,
    sse: sse::Decoder,
    whole: Vec<u8>,
    reply: Reply,
}

impl Decoder {
    /// A decoder for one reply of an endpoint.
    #[must_use]
    pub fn new(target: &Target, form: BodyForm) -> Self {
        Self {
            form,
            sniffed: false,
            sse: sse::Decoder::default(),
            whole: Vec::new(),
            reply: Reply {
                provider: target.provider.clone(),
                per_query: Model::of(target).since(3, 0),
                seed: call_id::SEED,
                ..Reply::default()
            },
        }
    }
}

impl ReplyDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>) {
        if self.reply.done {
            return;
        }
        let mut bytes = bytes;
        if !self.sniffed {
            // White space before the first line means nothing, in whichever piece it came (I20).
            bytes = bytes.trim_ascii_start();
            let Some(first) = bytes.first() else { return };
            self.sniffed = true;
            match first {
                b'{' | b'[' | b'<' => self.form = BodyForm::Whole,
                b'd' | b':' | b'e' => self.form = BodyForm::Stream,
                _ => {}
            }
        }
        let Self { form, sse, whole, reply, .. } = self;
        let too_large = if *form == BodyForm::Whole {
            whole.extend_from_slice(bytes);
            whole.len() > MAX_WHOLE
        } else {
            sse.feed(bytes, &mut |event| reply.event(event.data, false, out)).is_err()
        };
        if too_large {
            self.whole = Vec::new();
            let message = "The provider sent more bytes in one piece than the gateway takes.";
            self.reply.fail(Failure::provider(FailureClass::Server, message), out);
        }
    }

    fn end(&mut self, out: &mut Vec<ReplyEvent>) {
        let Self { form, sse, whole, reply, .. } = self;
        if *form == BodyForm::Stream {
            sse.finish(&mut |event| reply.event(event.data, true, out));
        } else {
            let body = std::mem::take(whole);
            reply.body(body.trim_ascii(), out);
        }
        reply.conclude(out);
    }
}

/// The block that is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text(u32),
    Thought(u32),
    Call(u32, Arguments),
}

/// What a part was, for telling parts of one chunk from pieces of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartKind {
    Text,
    Thought,
    Other,
}

/// What is known of the reply so far.
#[derive(Debug, Default)]
struct Reply {
    provider: String,
    /// Searches are billed each, rather than once a prompt (providers §5).
    per_query: bool,
    /// The last event has been given.
    done: bool,
    /// A whole body has been read to its end.
    complete: bool,
    /// What minted ids are made from, besides their place; hashed from the first chunk.
    seed: u64,
    seeded: bool,
    open: Open,
    next_block: u32,
    calls: u64,
    content: bool,
    info: ResponseInfo,
    report: Option<Report>,
    told: Option<Usage>,
    finish: Option<String>,
    finish_message: Option<String>,
    block_reason: Option<String>,
    native: Native,
}

impl Reply {
    fn fail(&mut self, failure: Failure, out: &mut Vec<ReplyEvent>) {
        if !self.done {
            self.done = true;
            out.push(ReplyEvent::Failure(failure));
        }
    }

    /// One event of a stream. Of the `last` one, which may have been cut, unreadable JSON only means that it
    /// does not count.
    fn event(&mut self, data: &[u8], last: bool, out: &mut Vec<ReplyEvent>) {
        let data = data.trim_ascii();
        if self.done || data.is_empty() || data == b"[DONE]" {
            return;
        }
        match Object::parse(data) {
            Ok(chunk) => self.chunk(data, &chunk, out),
            Err(_) if last || self.finish.is_some() => {}
            Err(e) => {
                let message = format!("The provider sent a stream event that is no JSON object: {e}.");
                self.fail(Failure::provider(FailureClass::Server, message), out);
            }
        }
    }

    /// A whole body: one chunk, or an array of them.
    fn body(&mut self, body: &[u8], out: &mut Vec<ReplyEvent>) {
        if self.done || body.is_empty() {
            return;
        }
        if let Err(e) = json::validate(body) {
            // A body that stops short is a cut answer; `conclude` says so.
            let cut = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err_and(|e| e.is_eof());
            if !cut {
                let message = format!("The provider's answer is no JSON: {e}.");
                self.fail(Failure::provider(FailureClass::Server, message), out);
            }
            return;
        }
        self.complete = true;
        let chunks =
            if body.starts_with(b"[") { json::elements(body).unwrap_or_default() } else { vec![body] };
        for raw in chunks {
            if let Ok(chunk) = Object::parse_checked(raw) {
                self.chunk(raw, &chunk, out);
            }
        }
    }

    fn chunk(&mut self, raw: &[u8], chunk: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        if self.done {
            return;
        }
        if let Some(error) = chunk.get("error").filter(|raw| !json::is_null(raw)) {
            // What comes after a finish reason changes nothing.
            if self.finish.is_none() {
                let value = serde_json::from_slice(raw)
                    .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(error).into_owned()));
                self.fail(classify::error_value(&self.provider, 200, &value), out);
            }
            return;
        }
        if !self.seeded {
            self.seeded = true;
            self.seed = call_id::fnv(self.seed, raw);
        }
        let report = chunk.get("usageMetadata").and_then(usage::parse);
        self.facts(chunk, report.as_ref(), out);
        if let Some(raw) = chunk.get("promptFeedback").filter(|raw| !json::is_null(raw)) {
            self.native.prompt_feedback(raw);
            let reason = Object::parse_checked(raw).ok().and_then(|feedback| word(&feedback, "blockReason"));
            self.block_reason = reason.or(self.block_reason.take());
        }
        let candidates = chunk.get("candidates").and_then(|raw| json::elements(raw).ok()).unwrap_or_default();
        for raw in candidates {
            let Ok(candidate) = Object::parse_checked(raw) else { continue };
            if candidate.get("index").and_then(json::unsigned).unwrap_or(0) == 0 {
                self.candidate(&candidate, out);
            }
        }
        if let Some(report) = report {
            self.report = Some(report);
        }
        self.tell_usage(out);
    }

    /// What the chunk says of the answer.
    fn facts(&mut self, chunk: &Object<'_>, report: Option<&Report>, out: &mut Vec<ReplyEvent>) {
        let mut info = self.info.clone();
        info.id = word(chunk, "responseId").or(info.id);
        info.model = word(chunk, "modelVersion").or(info.model);
        info.service_tier = report.and_then(|report| report.service_tier.clone()).or(info.service_tier);
        if info != self.info {
            self.info = info;
            out.push(ReplyEvent::Info(self.info.clone()));
        }
    }

    /// The latest report, when it says something new.
    fn tell_usage(&mut self, out: &mut Vec<ReplyEvent>) {
        let Some(report) = &self.report else { return };
        let queries = self.native.queries();
        let searches = if self.per_query { queries } else { queries.min(1) };
        let usage = Usage { searches, ..report.usage };
        if self.told != Some(usage) {
            self.told = Some(usage);
            out.push(ReplyEvent::Usage(usage));
        }
    }

    fn candidate(&mut self, candidate: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let parts = candidate.get("content").and_then(|raw| Object::parse_checked(raw).ok());
        let parts = parts.as_ref().and_then(|content| content.get("parts"));
        let mut before = None;
        for raw in parts.and_then(|raw| json::elements(raw).ok()).unwrap_or_default() {
            if let Ok(part) = Object::parse_checked(raw) {
                before = Some(self.part(raw, &part, before, out));
            }
        }
        self.native.candidate(candidate, out);
        if let Some(reason) = word(candidate, "finishReason") {
            self.finish = Some(reason);
            self.finish_message = word(candidate, "finishMessage");
        }
    }

    /// One part. Texts of different chunks are pieces of one; within a chunk they are parts of their own.
    fn part(
        &mut self,
        raw: &[u8],
        part: &Object<'_>,
        before: Option<PartKind>,
        out: &mut Vec<ReplyEvent>,
    ) -> PartKind {
        let signature = word(part, "thoughtSignature");
        let thought = part.get("thought").and_then(json::boolean) == Some(true);
        if let Some(call) = part.get("functionCall").and_then(|raw| Object::parse_checked(raw).ok()) {
            self.call(&call, signature, out);
            return PartKind::Other;
        }
        if let Some(file) = file(part)
            && !thought
        {
            self.close(None, out);
            self.content = true;
            out.push(ReplyEvent::File(file));
            self.state(signature, None, out);
            return PartKind::Other;
        }
        // A text stays one whatever else is said of it; a part with nothing but a signature is an empty one.
        let known = ["text", "thought", "thoughtSignature"];
        if !part.has("text") && part.members().any(|(name, _)| !known.contains(&&*name)) {
            self.own(raw, thought && signature.is_none(), out);
            return PartKind::Other;
        }
        let text = part.get("text").and_then(json::string).unwrap_or_default();
        let kind = if thought { PartKind::Thought } else { PartKind::Text };
        if before == Some(kind) && !text.is_empty() {
            self.close(None, out);
        }
        if thought {
            self.thought(&text, signature, out);
        } else {
            self.text(&text, signature, out);
        }
        kind
    }

    fn text(&mut self, text: &str, signature: Option<String>, out: &mut Vec<ReplyEvent>) {
        if !text.is_empty() {
            let block = if let Open::Text(block) = self.open {
                block
            } else {
                let block = self.begin(out);
                self.open = Open::Text(block);
                out.push(ReplyEvent::TextStart { block });
                block
            };
            out.push(ReplyEvent::TextDelta { block, text: text.to_owned() });
        }
        if signature.is_some() {
            self.close(None, out);
            self.state(signature, None, out);
        }
    }

    fn thought(&mut self, text: &str, signature: Option<String>, out: &mut Vec<ReplyEvent>) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        let block = if let Open::Thought(block) = self.open {
            block
        } else {
            let block = self.begin(out);
            self.open = Open::Thought(block);
            out.push(reasoning_start(block, ReasoningKind::Text, None));
            block
        };
        if !text.is_empty() {
            out.push(ReplyEvent::ReasoningDelta { block, text: text.to_owned() });
        }
        if signature.is_some() {
            self.close(signature, out);
        }
    }

    /// A call: whole, the start of one whose arguments come in pieces, a piece, or the end.
    fn call(&mut self, call: &Object<'_>, signature: Option<String>, out: &mut Vec<ReplyEvent>) {
        let more = call.get("willContinue").and_then(json::boolean) == Some(true);
        let pieces = call.get("partialArgs");
        let name = word(call, "name");
        if name.is_none() {
            let Open::Call(_, arguments) = &mut self.open else { return };
            if let Some(pieces) = pieces {
                arguments.add(pieces);
            }
            if !more {
                self.close(None, out);
            }
            return;
        }
        let id = word(call, "id").unwrap_or_else(|| call_id::mint(self.seed, self.calls));
        self.calls += 1;
        self.close(None, out);
        self.state(signature, Some(&id), out);
        let block = self.begin(out);
        out.push(ReplyEvent::ToolStart { block, id, name: name.unwrap_or_default() });
        if more || pieces.is_some() {
            let mut arguments = Arguments::default();
            arguments.add(pieces.unwrap_or_default());
            self.open = Open::Call(block, arguments);
            if !more {
                self.close(None, out);
            }
            return;
        }
        let args = call.get("args").filter(|raw| raw.first() == Some(&b'{'));
        let arguments = args.map_or_else(|| "{}".to_owned(), |raw| String::from_utf8_lossy(raw).into_owned());
        out.push(ReplyEvent::ToolDelta { block, arguments });
        out.push(ReplyEvent::ToolEnd { block });
    }

    /// A part that only this protocol knows, its signature on it. A draft that belongs to the thoughts is not
    /// part of the answer.
    fn own(&mut self, raw: &[u8], draft: bool, out: &mut Vec<ReplyEvent>) {
        self.close(None, out);
        if draft {
            return;
        }
        if let Ok(value) = serde_json::from_slice(raw) {
            self.content = true;
            out.push(ReplyEvent::Custom { namespace: NAMESPACE, value });
        }
    }

    /// A signature as an item of its own (I19; the module above tells where).
    fn state(&mut self, signature: Option<String>, call: Option<&str>, out: &mut Vec<ReplyEvent>) {
        if signature.is_some() {
            let block = self.begin(out);
            out.push(reasoning_start(block, ReasoningKind::Encrypted, call.map(str::to_owned)));
            out.push(ReplyEvent::ReasoningEnd { block, signature: None, data: signature });
        }
    }

    fn begin(&mut self, out: &mut Vec<ReplyEvent>) -> u32 {
        self.close(None, out);
        self.content = true;
        let block = self.next_block;
        self.next_block += 1;
        block
    }

    /// The open block is complete; `signature` is that of a thought.
    fn close(&mut self, signature: Option<String>, out: &mut Vec<ReplyEvent>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Text(block) => out.push(ReplyEvent::TextEnd { block }),
            Open::Thought(block) => out.push(ReplyEvent::ReasoningEnd { block, signature, data: None }),
            Open::Call(block, arguments) => {
                out.push(ReplyEvent::ToolDelta { block, arguments: arguments.into_text() });
                out.push(ReplyEvent::ToolEnd { block });
            }
        }
    }

    /// The bytes have ended.
    fn conclude(&mut self, out: &mut Vec<ReplyEvent>) {
        if self.done {
            return;
        }
        let reason = match (&self.finish, &self.block_reason) {
            (Some(raw), _) => canonical(raw, self.finish_message.as_deref(), self.calls > 0),
            (None, Some(_)) if !self.content => Ok(FinishReason::ContentFilter),
            // A whole body cannot have been cut.
            _ if self.complete && self.content => {
                Ok(if self.calls > 0 { FinishReason::ToolCalls } else { FinishReason::Stop })
            }
            _ if self.complete => Err(Failure::provider(
                FailureClass::Server,
                "The provider's answer holds neither content nor a reason for having none; try again.",
            )),
            _ => Err(truncated(self.content)),
        };
        match reason {
            Err(failure) => self.fail(failure, out),
            Ok(reason) => {
                self.done = true;
                self.close(None, out);
                let raw = self.finish.take().or(self.block_reason.take());
                let native = self.native.text(self.report.as_ref().map(|report| report.sent.as_str()));
                out.push(ReplyEvent::Finish(Finish {
                    reason,
                    raw,
                    stop_sequence: None,
                    native: Some(native),
                }));
            }
        }
    }
}

fn reasoning_start(block: u32, kind: ReasoningKind, id: Option<String>) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id, format: FORMAT_GEMINI }
}

/// A string member that is not empty.
fn word(object: &Object<'_>, key: &str) -> Option<String> {
    object.get(key).and_then(json::string).filter(|text| !text.is_empty()).map(|text| text.into_owned())
}

/// The file that a part holds.
fn file(part: &Object<'_>) -> Option<File> {
    let inner = |key: &str| Object::parse_checked(part.get(key)?).ok();
    let (held, data) = match (inner("inlineData"), inner("fileData")) {
        (Some(held), _) => {
            let data = FileData::Base64(word(&held, "data")?);
            (held, data)
        }
        (None, Some(held)) => {
            let data = FileData::Url(word(&held, "fileUri")?);
            (held, data)
        }
        (None, None) => return None,
    };
    let media_type = word(&held, "mimeType").unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(File { media_type, data, filename: word(&held, "displayName"), detail: None })
}
