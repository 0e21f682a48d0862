//! Replies of the protocol, whole or streamed, as neutral events.

mod blocks;
mod parts;

use serde_json::Value;
use tollgate_domain::conversation::ReasoningKind;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, ResponseInfo};
use tollgate_domain::{Failure, JsonText, ReplyEvent};
use tollgate_wire::json::{self, Object, write_string};
use tollgate_wire::sse;

use self::blocks::Blocks;
use super::chunk::{Choice, Chunk, text_of};
use super::ending::Ending;
use super::quirks::Quirks;
use super::tool_repair::{CallDelta, ToolCalls};
use super::usage::UsageReport;
use crate::{BodyForm, ReplyDecoder, Target};

/// The largest whole answer that is taken: several images in base64 fit (I26).
const MAX_WHOLE: usize = 64 << 20;
/// The most sources that are kept of one answer (I26).
const MAX_SOURCES: usize = 1024;

/// Decodes one reply. A whole body and a stream go through the same code (I2), and the form that really
/// came is recognised: a server that answers a stream request with a plain body is understood.
pub struct Decoder {
    provider: String,
    quirks: Quirks,
    form: BodyForm,
    /// The form has been seen in the bytes.
    sniffed: bool,
    sse: sse::Decoder,
    whole: Vec<u8>,
    state: State,
}

/// What outlives one chunk.
struct State {
    done: bool,
    seeded: bool,
    ending: Ending,
    blocks: Blocks,
    tools: ToolCalls,
    info: ResponseInfo,
    report: Option<UsageReport>,
    last_reasoning: String,
    signature: String,
    sources: Vec<String>,
    citations: Vec<Value>,
}

impl Decoder {
    /// A decoder for one reply of an endpoint.
    #[must_use]
    pub fn new(target: &Target, form: BodyForm) -> Self {
        Self {
            provider: target.provider.clone(),
            quirks: Quirks::for_target(target),
            form,
            sniffed: false,
            sse: sse::Decoder::default(),
            whole: Vec::new(),
            state: State {
                done: false,
                seeded: false,
                ending: Ending::default(),
                blocks: Blocks::default(),
                tools: ToolCalls::default(),
                info: ResponseInfo::default(),
                report: None,
                last_reasoning: String::new(),
                signature: String::new(),
                sources: Vec::new(),
                citations: Vec::new(),
            },
        }
    }

    /// The last usage report as read, before it was clamped into buckets.
    #[must_use]
    pub fn report(&self) -> Option<&UsageReport> {
        self.state.report.as_ref()
    }

    /// Corrects the form by the first byte that is no white space.
    fn sniff(&mut self, bytes: &[u8]) {
        let Some(first) = bytes.iter().find(|b| !b.is_ascii_whitespace()) else {
            return;
        };
        self.sniffed = true;
        if matches!(first, b'{' | b'[' | b'<') {
            self.form = BodyForm::Whole;
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<ReplyEvent>) {
        if !self.state.done {
            self.state.done = true;
            out.push(ReplyEvent::Failure(failure));
        }
    }

    fn feed(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>) {
        let mut sse = std::mem::take(&mut self.sse);
        let fed = sse.feed(bytes, &mut |event| self.event(event.name, event.data, out));
        self.sse = sse;
        if let Err(error) = fed {
            let message = format!("The provider's answer is broken: {error}.");
            self.fail(Failure::provider(FailureClass::Server, message), out);
        }
    }

    /// One event of a stream.
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<ReplyEvent>) {
        let data = data.trim_ascii();
        if self.state.done || data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            self.conclude(true, out);
            return;
        }
        self.chunk(name, data, out);
    }

    fn chunk(&mut self, name: &[u8], data: &[u8], out: &mut Vec<ReplyEvent>) {
        let chunk = match Chunk::parse(data, &self.provider, name) {
            Ok(chunk) => chunk,
            // What comes after a finish reason changes nothing.
            Err(_) if self.state.ending.is_decided() => return,
            Err(failure) => {
                self.fail(failure, out);
                return;
            }
        };
        if let Err(failure) = self.state.chunk(&chunk, &self.quirks, self.form, out) {
            self.fail(failure, out);
        }
    }

    /// The end of the reply: `done` when the provider said so itself.
    fn conclude(&mut self, done: bool, out: &mut Vec<ReplyEvent>) {
        if self.state.done {
            return;
        }
        match self.state.ending.resolve(self.form, done) {
            Err(failure) => self.fail(failure, out),
            Ok((reason, raw)) => {
                self.state.done = true;
                self.state.close(out);
                out.push(ReplyEvent::Finish(Finish {
                    reason,
                    raw,
                    stop_sequence: None,
                    native: Some(native(&self.state.info, self.state.report.as_ref())),
                }));
            }
        }
    }
}

impl ReplyDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>) {
        if self.state.done {
            return;
        }
        let mut bytes = bytes;
        if !self.sniffed {
            self.sniff(bytes);
            if self.sniffed {
                // White space before the first line means nothing, in whichever piece it came (I20).
                bytes = bytes.trim_ascii_start();
            }
        }
        if self.form == BodyForm::Whole || !self.sniffed {
            self.whole.extend_from_slice(bytes);
            if self.whole.len() > MAX_WHOLE {
                let message = format!("The provider's answer is larger than {MAX_WHOLE} bytes.");
                self.fail(Failure::provider(FailureClass::Server, message), out);
                self.whole = Vec::new();
            }
            return;
        }
        // White space before the form was known means nothing to a stream.
        self.whole = Vec::new();
        self.feed(bytes, out);
    }

    fn end(&mut self, out: &mut Vec<ReplyEvent>) {
        let whole = std::mem::take(&mut self.whole);
        let body = whole.trim_ascii();
        let is_stream = [&b"data:"[..], b"event:", b":"].iter().any(|lead| body.starts_with(lead));
        if self.form == BodyForm::Whole && is_stream {
            // A server that streams to a request that did not ask for it.
            self.form = BodyForm::Stream;
            self.feed(body, out);
        }
        if self.form == BodyForm::Stream {
            let mut sse = std::mem::take(&mut self.sse);
            sse.finish(&mut |event| self.event(event.name, event.data, out));
        } else if !self.state.done && !body.is_empty() {
            self.chunk(b"", body, out);
        }
        self.conclude(false, out);
    }
}

/// The provider's own metadata (gateway-api §5): its usage as sent, its id of the answer, the tier.
pub(super) fn native(info: &ResponseInfo, report: Option<&UsageReport>) -> JsonText {
    let mut out = Vec::with_capacity(128 + report.map_or(0, |report| report.sent.len()));
    out.push(b'{');
    let mut member = |name: &str, write: &dyn Fn(&mut Vec<u8>)| {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, name);
        out.push(b':');
        write(&mut out);
    };
    if let Some(id) = &info.id {
        member("responseId", &|out| write_string(out, id));
    }
    if let Some(tier) = &info.service_tier {
        member("serviceTier", &|out| write_string(out, tier));
    }
    if let Some(report) = report {
        member("usage", &|out| out.extend_from_slice(report.sent.as_bytes()));
    }
    out.push(b'}');
    JsonText::new(String::from_utf8(out).unwrap_or_default())
}

/// Takes over the facts that a chunk gives; whether any is new.
pub(super) fn merge_info(into: &mut ResponseInfo, chunk: &Chunk<'_>) -> bool {
    let mut changed = false;
    let mut take = |old: &mut Option<String>, name: &str| {
        let Some(new) = chunk.text(name) else { return };
        if old.as_deref() != Some(&*new) {
            *old = Some(new.into_owned());
            changed = true;
        }
    };
    take(&mut into.id, "id");
    take(&mut into.model, "model");
    take(&mut into.system_fingerprint, "system_fingerprint");
    take(&mut into.service_tier, "service_tier");
    changed
}

impl State {
    fn chunk(
        &mut self,
        chunk: &Chunk<'_>,
        quirks: &Quirks,
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        if merge_info(&mut self.info, chunk) {
            out.push(ReplyEvent::Info(self.info.clone()));
        }
        if !self.seeded && (self.info.id.is_some() || chunk.choice().is_some()) {
            self.seeded = true;
            for fact in [self.info.id.as_deref(), self.info.model.as_deref()].into_iter().flatten() {
                self.tools.seed(fact);
            }
            self.tools.seed(&String::from_utf8_lossy(chunk.member("created").unwrap_or_default()));
        }
        if let Some(choice) = chunk.choice() {
            self.choice(&choice, quirks, form, out)?;
        }
        if let Some(report) = chunk.usage(quirks.usage) {
            if self.report.as_ref().is_none_or(|old| old.usage != report.usage) {
                out.push(ReplyEvent::Usage(report.usage));
            }
            self.report = Some(report);
        }
        if let Some(cited) = parts::cited(chunk) {
            self.citations = cited;
        }
        Ok(())
    }

    fn choice(
        &mut self,
        choice: &Choice<'_, '_>,
        quirks: &Quirks,
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        if let Some(delta) = choice.delta(form) {
            self.delta(&delta, quirks, form, out)?;
        }
        if let Some(reason) = choice.finish_reason() {
            self.ending.note(&reason);
        }
        self.ending.tool_calls = self.tools.any();
        self.ending.tools_complete = self.tools.complete();
        self.ending.content |= self.blocks.any() || self.tools.any();
        Ok(())
    }

    /// A delta, or the message of a whole answer: first reasoning, then what is visible, then calls.
    fn delta(
        &mut self,
        delta: &Object<'_>,
        quirks: &Quirks,
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        self.reasoning(delta, quirks, out);
        if let Some(signature) = parts::google_signature(delta) {
            self.google_signature(&signature, None, out);
        }
        if let Some(content) = delta.get("content") {
            self.content(content, out);
        }
        if let Some(text) = text_of(delta, "refusal") {
            self.tools.settle(self.blocks.next_block(), out);
            self.blocks.refusal(&text, out);
        }
        if let Some(images) = delta.get("images") {
            for file in parts::images(images) {
                self.blocks.close(out);
                self.blocks.note_content();
                out.push(ReplyEvent::File(file));
            }
        }
        if let Some(annotations) = delta.get("annotations") {
            for value in parts::values(annotations) {
                self.source(value, out);
            }
        }
        if delta.get("audio").is_some_and(|raw| raw.first() == Some(&b'{')) {
            self.blocks.note_content();
        }
        self.tool_calls(delta, form, out)
    }

    fn reasoning(&mut self, delta: &Object<'_>, quirks: &Quirks, out: &mut Vec<ReplyEvent>) {
        let mut details = parts::reasoning_details(delta.get("reasoning_details"));
        // `reasoning: null` beside summaries says that this answer shows none: they are of rounds that
        // OpenRouter ran itself with its own tools. Encrypted state still goes round (I19).
        if delta.get("reasoning").is_some_and(json::is_null) {
            details.retain(|detail| detail.kind != ReasoningKind::Summary);
        }
        // OpenRouter sends the text twice, in the details and beside them.
        if !details.iter().any(|detail| !detail.text.is_empty()) {
            let plain = text_of(delta, "reasoning").or_else(|| text_of(delta, "reasoning_content"));
            if let Some(text) = plain {
                let repeated = quirks.repeated_reasoning && self.last_reasoning == *text;
                if !repeated {
                    self.tools.settle(self.blocks.next_block(), out);
                    self.blocks.reasoning_text(&text, out);
                }
                if quirks.repeated_reasoning {
                    self.last_reasoning.clear();
                    self.last_reasoning.push_str(&text);
                }
            }
        }
        for detail in details {
            self.tools.settle(self.blocks.next_block(), out);
            self.blocks.reasoning_detail(detail, out);
        }
    }

    fn google_signature(&mut self, signature: &str, call: Option<String>, out: &mut Vec<ReplyEvent>) {
        if self.signature != signature {
            signature.clone_into(&mut self.signature);
            self.tools.settle(self.blocks.next_block(), out);
            self.blocks.reasoning_detail(parts::Detail::gemini(signature, call), out);
        }
    }

    fn content(&mut self, raw: &[u8], out: &mut Vec<ReplyEvent>) {
        for part in parts::content(raw) {
            self.tools.settle(self.blocks.next_block(), out);
            match part {
                parts::Piece::Text(text) => self.blocks.text(&text, out),
                parts::Piece::Refusal(text) => self.blocks.refusal(&text, out),
                parts::Piece::Thinking(text) => self.blocks.reasoning_text(&text, out),
                parts::Piece::File(file) => {
                    self.blocks.close(out);
                    self.blocks.note_content();
                    out.push(ReplyEvent::File(file));
                }
            }
        }
    }

    fn source(&mut self, value: Value, out: &mut Vec<ReplyEvent>) {
        if self.sources.len() >= MAX_SOURCES {
            return;
        }
        let url = value.pointer("/url_citation/url").or_else(|| value.get("url")).and_then(Value::as_str);
        self.sources.push(url.unwrap_or_default().to_owned());
        out.push(ReplyEvent::Source(value));
    }

    fn tool_calls(
        &mut self,
        delta: &Object<'_>,
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        let entries = delta
            .get("tool_calls")
            .filter(|raw| raw.first() == Some(&b'['))
            .and_then(|raw| json::elements(raw).ok())
            .unwrap_or_default();
        let count = entries.len();
        for (place, entry) in entries.into_iter().enumerate() {
            let Ok(entry) = Object::parse_checked(entry) else { continue };
            if let Some(signature) = parts::google_signature(&entry) {
                let id = text_of(&entry, "id").map(|id| id.into_owned());
                self.google_signature(&signature, id, out);
            }
            self.tool_call(&entry, (place, count), form, out)?;
        }
        // The form from before there were several calls.
        if let Some(raw) = delta.get("function_call").filter(|raw| raw.first() == Some(&b'{')) {
            let call = parts::Call::legacy(raw);
            self.push_call(None, (0, 1), "", &call, form, out)?;
        }
        Ok(())
    }

    fn tool_call(
        &mut self,
        entry: &Object<'_>,
        place: (usize, usize),
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        let index = entry.get("index").and_then(json::unsigned);
        let id = text_of(entry, "id").unwrap_or_default();
        self.push_call(index, place, &id, &parts::Call::of(entry), form, out)
    }

    fn push_call(
        &mut self,
        index: Option<u64>,
        place: (usize, usize),
        id: &str,
        call: &parts::Call,
        form: BodyForm,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        self.blocks.close(out);
        let delta = CallDelta {
            index,
            place,
            id,
            name: &call.name,
            arguments: &call.arguments,
            whole: form == BodyForm::Whole,
        };
        self.tools.push(&delta, self.blocks.next_block(), out)
    }

    /// Everything that is open is complete; sources named beside the text come last.
    fn close(&mut self, out: &mut Vec<ReplyEvent>) {
        self.blocks.close(out);
        self.tools.finish(self.blocks.next_block(), out);
        for value in std::mem::take(&mut self.citations) {
            let url = value.pointer("/url_citation/url").and_then(Value::as_str).unwrap_or_default();
            if !self.sources.iter().any(|seen| seen == url) {
                self.source(value, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
