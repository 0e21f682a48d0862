//! Replies of the protocol, whole or streamed, as neutral events. A whole reply is walked as the items of a
//! stream are (I2). What happens to one item of the answer is in [`items`].

mod items;
mod server;

use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason, ResponseInfo};
use tollgate_domain::{Failure, ReplyEvent};
use tollgate_wire::json::{self, JsonError, Object};
use tollgate_wire::sse;

use self::items::Items;
use super::quirks::Quirks;
use super::text;
use super::usage::{self, UsageReport, nested};
use crate::{BodyForm, ReplyDecoder, Target, classify};

/// The largest whole answer that is taken: several images in base64 fit (I26).
const MAX_WHOLE: usize = 64 << 20;

/// Decodes one reply. The form that really came is recognised: a server that answers a stream request with
/// a plain body is understood, and the other way round.
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
            reply: Reply::of(target),
        }
    }

    /// The last usage report as read, before it was clamped into buckets.
    #[must_use]
    pub fn report(&self) -> Option<&UsageReport> {
        self.reply.report.as_ref()
    }

    /// Corrects the form by the first byte that is no white space.
    fn sniff(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.iter().find(|b| !b.is_ascii_whitespace()) {
            self.sniffed = true;
            if matches!(first, b'{' | b'[' | b'<') {
                self.form = BodyForm::Whole;
            }
        }
    }

    fn feed(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>) {
        let reply = &mut self.reply;
        if let Err(error) = self.sse.feed(bytes, &mut |event| reply.event(event.name, event.data, out)) {
            reply.fail(FailureClass::Server, format!("The provider's answer is broken: {error}."), out);
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
            self.sniff(bytes);
            // White space before the first line means nothing, in whichever piece it came (I20).
            bytes = bytes.trim_ascii_start();
        }
        if self.form == BodyForm::Stream {
            return self.feed(bytes, out);
        }
        if self.whole.len() + bytes.len() > MAX_WHOLE {
            self.whole = Vec::new();
            let message = format!("The provider's answer is larger than {MAX_WHOLE} bytes.");
            return self.reply.fail(FailureClass::Server, message, out);
        }
        self.whole.extend_from_slice(bytes);
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
        let reply = &mut self.reply;
        if self.form == BodyForm::Stream {
            self.sse.finish(&mut |event| reply.event(event.name, event.data, out));
        } else if !body.is_empty() {
            reply.whole(body, out);
        }
        reply.cut(out);
    }
}

/// What is known of a reply between its events; the tap reads replies through it too, so that they cannot
/// disagree (I2).
#[derive(Debug)]
pub(super) struct Reply {
    provider: String,
    done: bool,
    info: ResponseInfo,
    items: Items,
    report: Option<UsageReport>,
    /// An event that ends inside its JSON: the answer was cut there, or more comes and it is broken.
    cut_event: Option<String>,
}

impl Reply {
    /// The reply of an endpoint.
    pub(super) fn of(target: &Target) -> Self {
        Self {
            provider: target.provider.clone(),
            done: false,
            info: ResponseInfo::default(),
            items: Items::new(Quirks::for_target(target).state),
            report: None,
            cut_event: None,
        }
    }

    /// Whether the last event has been given.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether an item that shows nothing before its end has begun since the last call.
    pub(super) fn take_quiet(&mut self) -> bool {
        std::mem::take(&mut self.items.quiet)
    }

    /// One event of a stream.
    pub(super) fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<ReplyEvent>) {
        let data = data.trim_ascii();
        if self.done || data.is_empty() || data == b"[DONE]" {
            return;
        }
        if let Some(message) = self.cut_event.take() {
            return self.fail(FailureClass::Server, message, out);
        }
        let event = match Object::parse(data) {
            Ok(event) => event,
            Err(error) if is_cut(&error, data) => {
                self.cut_event = Some(senseless(data, &error));
                return;
            }
            Err(error) => return self.fail(FailureClass::Server, senseless(data, &error), out),
        };
        let kind = text(&event, "type").unwrap_or_else(|| String::from_utf8_lossy(name));
        match &*kind {
            "error" => self.error(data, out),
            "" if is_set(&event, "error") => self.error(data, out),
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(Ok(response)) = event.get("response").map(Object::parse_checked) {
                    self.info(&response, out);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                let status = kind.strip_prefix("response.").unwrap_or_default();
                self.terminal(Some(status), &nested(&event, "response"), out);
            }
            kind => self.items.event(kind, &event, &self.info, out),
        }
    }

    /// A whole reply.
    pub(super) fn whole(&mut self, body: &[u8], out: &mut Vec<ReplyEvent>) {
        if self.done || body.is_empty() {
            return;
        }
        let response = match Object::parse(body) {
            Ok(response) => response,
            // The body was cut; `cut` says so.
            Err(error) if is_cut(&error, body) => return,
            Err(error) => return self.fail(FailureClass::Server, senseless(body, &error), out),
        };
        let known = is_set(&response, "status") || response.has("output");
        if text(&response, "type").as_deref() == Some("error") || (!known && is_set(&response, "error")) {
            return self.error(body, out);
        }
        if !known {
            let message = "The provider's answer is no response: it has neither 'status' nor 'output'.";
            return self.fail(FailureClass::Server, message, out);
        }
        self.terminal(None, &response, out);
    }

    /// The bytes have ended: without its terminal event the answer is truncated (I16).
    pub(super) fn cut(&mut self, out: &mut Vec<ReplyEvent>) {
        if self.done {
            return;
        }
        let message = if self.items.any() {
            "The provider's answer ended in the middle, without its final event."
        } else {
            "The provider's answer ended before any content, without its final event."
        };
        self.fail(FailureClass::Truncated, message, out);
    }

    fn info(&mut self, response: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let mut changed = false;
        let mut take = |old: &mut Option<String>, name: &str| {
            let Some(new) = text(response, name) else { return };
            if old.as_deref() != Some(&*new) {
                *old = Some(new.into_owned());
                changed = true;
            }
        };
        // Some hosts give each event another id; the first one was announced.
        if self.info.id.is_none() {
            take(&mut self.info.id, "id");
        }
        take(&mut self.info.model, "model");
        take(&mut self.info.service_tier, "service_tier");
        if changed {
            out.push(ReplyEvent::Info(self.info.clone()));
        }
    }

    /// The final event's response, or a whole answer.
    fn terminal(&mut self, event: Option<&str>, response: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        self.info(response, out);
        let output = response.get("output").and_then(|raw| json::elements(raw).ok()).unwrap_or_default();
        self.items.finish(&output, &self.info, out);
        self.usage(response, out);
        let said = text(response, "status");
        let status = event.or(said.as_deref()).unwrap_or("completed");
        match status {
            "failed" => return self.failed(response, out),
            "cancelled" => {
                let message =
                    "The provider cancelled the answer before it was complete. Send the request again.";
                return self.fail(FailureClass::Server, message, out);
            }
            _ => {}
        }
        let why = nested(response, "incomplete_details");
        let why = text(&why, "reason");
        let reason = match (status, why.as_deref()) {
            ("completed", _) if self.items.calls() => FinishReason::ToolCalls,
            ("completed", _) => FinishReason::Stop,
            ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
            ("incomplete", Some("max_output_tokens" | "max_tokens") | None) => FinishReason::Length,
            // Accepted to be made in the background, or stopped for a reason of its own.
            _ => FinishReason::Other,
        };
        self.done = true;
        out.push(ReplyEvent::Finish(Finish {
            reason,
            raw: Some(status.to_owned()),
            stop_sequence: None,
            native: Some(usage::native(&self.info, why.as_deref(), self.report.as_ref())),
        }));
    }

    fn usage(&mut self, response: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let Some(mut report) = response.get("usage").and_then(usage::parse) else { return };
        // Tools have a fee of their own, which OpenAI's usage leaves out (providers §3).
        let searched = nested(&nested(response, "tool_usage"), "web_search");
        let searched = searched.get("num_requests").and_then(json::unsigned);
        let searched = searched.unwrap_or(self.items.server.searches);
        report.usage.searches = report.usage.searches.max(searched);
        report.usage.images = self.items.server.images;
        out.push(ReplyEvent::Usage(report.usage));
        self.report = Some(report);
    }

    /// The response failed on the provider's side.
    fn failed(&mut self, response: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let error = response.get("error").and_then(|raw| serde_json::from_slice::<Value>(raw).ok());
        let value = json!({"error": error.unwrap_or_else(|| json!({}))});
        self.done = true;
        out.push(ReplyEvent::Failure(classify::error_value(&self.provider, 200, &value)));
    }

    /// An error event or body, its words nested or flat.
    fn error(&mut self, data: &[u8], out: &mut Vec<ReplyEvent>) {
        let value: Value = serde_json::from_slice(data).unwrap_or(Value::Null);
        self.done = true;
        out.push(ReplyEvent::Failure(classify::error_value(&self.provider, 200, &value)));
    }

    fn fail(&mut self, class: FailureClass, message: impl Into<String>, out: &mut Vec<ReplyEvent>) {
        if !self.done {
            self.done = true;
            out.push(ReplyEvent::Failure(Failure::provider(class, message)));
        }
    }
}

fn senseless(data: &[u8], error: &JsonError) -> String {
    let head = String::from_utf8_lossy(&data[..data.len().min(60)]).into_owned();
    format!("The provider's answer is not what its protocol promises ({error}); it begins with: {head}")
}

/// Whether a text is wrong only in that it ends too early, maybe within a character.
fn is_cut(error: &JsonError, text: &[u8]) -> bool {
    error.offset.saturating_add(4) > text.len()
}

/// Whether a member holds anything.
fn is_set(object: &Object<'_>, key: &str) -> bool {
    object.get(key).is_some_and(|raw| !matches!(raw, b"null" | b"\"\"" | b"{}" | b"false"))
}

#[cfg(test)]
mod tests;
