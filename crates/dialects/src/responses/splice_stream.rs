//! Passthrough of a stream whose provider speaks this protocol itself (I17). Events pass as they came; in
//! those that carry the `response` object its `id` and `model` are replaced, and the terminal one is held
//! back and leaves last, with the gateway's metadata.

use tollgate_domain::failure::FailureClass;
use tollgate_domain::{Failure, Receipt};
use tollgate_wire::json::{self, Object};

use super::echo::{Echo, write_on_one_line};
use super::output::Steps;
use super::reply::{self, State, provider_metadata};
use super::splice_whole::{Names, put_metadata};
use super::stream::Frames;
use crate::ReplyContext;
use crate::openai_error::OpenAiError;

/// Passes one streamed answer through.
#[derive(Debug)]
pub struct StreamSplice {
    context: ReplyContext,
    names: Names,
    /// The number that an event of our own would have: one more than the provider's last.
    sequence: u64,
    /// The `response` object as the client last got it, for an error that has to repeat it.
    last: Option<Vec<u8>>,
    /// The terminal event: its type and data.
    held: Option<(String, Vec<u8>)>,
}

impl StreamSplice {
    /// For one answer. `previous` is the answer before it, as the client named it.
    #[must_use]
    pub fn new(context: ReplyContext, previous: Option<&str>) -> Self {
        let names = Names::of(&context, previous);
        Self { context, names, sequence: 0, last: None, held: None }
    }

    /// Whether the provider has said how the answer ended. Without that, an end is no end (I16).
    #[must_use]
    pub fn finished(&self) -> bool {
        self.held.is_some()
    }

    /// Takes one of the provider's events and appends what the client gets for it. Errors, failed responses
    /// and what is no JSON object write nothing: the tap on the same bytes judges those. Nor does what
    /// follows the terminal event.
    pub fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        let Ok(mut event) = Object::parse(data) else { return };
        let kind = event.get("type").and_then(json::string).map(std::borrow::Cow::into_owned);
        let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(name).into_owned());
        let broken = matches!(kind.as_str(), "error" | "response.failed" | "")
            || event.get("error").is_some_and(|e| !json::is_null(e));
        if broken || self.held.is_some() {
            return;
        }
        if let Some(number) = event.get("sequence_number").and_then(json::unsigned) {
            self.sequence = number.saturating_add(1);
        }
        let terminal = matches!(kind.as_str(), "response.completed" | "response.incomplete");
        let response = event.get_borrowed("response").and_then(|raw| Object::parse_checked(raw).ok());
        let Some(mut response) = response else {
            if terminal {
                // An end without what it ends is none (I16).
                return;
            }
            let name = if name.is_empty() { kind.as_bytes() } else { name };
            write_event(out, name, data);
            return;
        };
        self.names.put(&mut response);
        let mut response = response.to_vec();
        // JSON has line ends only between its tokens; a failure's event is made of what is kept here.
        for byte in response.iter_mut().filter(|b| matches!(**b, b'\n' | b'\r')) {
            *byte = b' ';
        }
        event.set("response", &response[..]);
        if terminal {
            self.held = Some((kind, event.to_vec()));
            return;
        }
        write_event(out, kind.as_bytes(), &event.to_vec());
        drop(event);
        self.last = Some(response);
    }

    /// Appends the terminal event. When the provider never sent one, the stream ends in an error instead
    /// (I16).
    pub fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        let Some((kind, data)) = self.held.take() else {
            let message = "The provider's stream ended without its terminal event. Send the request again.";
            self.fail(&Failure::provider(FailureClass::Truncated, message), out);
            return;
        };
        let metadata = provider_metadata(receipt, None);
        let Ok(event) = Object::parse(&data) else { return };
        let Some(Ok(mut response)) = event.get("response").map(Object::parse_checked) else { return };
        put_metadata(&mut response, &metadata);
        let mut spliced = Vec::with_capacity(data.len() + metadata.len() * 2 + 64);
        event.write_with(&mut spliced, "response", |out| response.write_to(out));
        write_event(out, kind.as_bytes(), &spliced);
    }

    /// Ends the stream with an `error` event and `response.failed` (I16, gateway-api §6.5).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let error = reply::error_of(failure, &self.context);
        let Self { context, sequence, last, .. } = self;
        let mut frames = Frames { sequence, out };
        frames.step("error", |out| reply::write_error(out, &error));
        frames.step("response.failed", |out| {
            out.extend_from_slice(b",\"response\":");
            match last.as_deref().map(Object::parse) {
                Some(Ok(response)) => write_failed(out, response, &error),
                _ => reply::write(out, context, &Echo::of(b"{}"), &State::Broken(&error)),
            }
        });
    }
}

/// The object as it last was, failed.
fn write_failed(out: &mut Vec<u8>, mut response: Object<'_>, error: &OpenAiError) {
    response.set("status", &b"\"failed\""[..]);
    response.write_with(out, "error", |out| reply::write_failed_error(out, error));
}

/// Appends an event as it came. JSON sent over several `data:` lines leaves on one. A type with a line end in
/// it is no name: what follows it would read as lines of its own.
fn write_event(out: &mut Vec<u8>, name: &[u8], data: &[u8]) {
    if memchr::memchr2(b'\n', b'\r', name).is_none() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name);
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    if memchr::memchr2(b'\n', b'\r', data).is_none() {
        out.extend_from_slice(data);
    } else {
        write_on_one_line(out, data);
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
