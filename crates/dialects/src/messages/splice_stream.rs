//! Passthrough of a stream whose provider speaks this protocol itself (I17). Every event keeps its name and
//! its data as they stand; replaced are `id` and `model` of `message_start`, and `message_stop` is held back
//! until the gateway's metadata can be told in it.

use std::borrow::Cow;

use tollgate_domain::failure::FailureClass;
use tollgate_domain::{Failure, Receipt};
use tollgate_wire::json::{self, Object};
use tollgate_wire::sse;

use super::error::write_failure;
use super::stream::provider_metadata;
use crate::ReplyContext;

/// Passes one streamed answer through.
#[derive(Debug)]
pub struct StreamSplice {
    context: ReplyContext,
    started: bool,
    /// The provider's `message_stop`.
    held: Option<Vec<u8>>,
}

impl StreamSplice {
    /// For one answer.
    #[must_use]
    pub fn new(context: ReplyContext) -> Self {
        Self { context, started: false, held: None }
    }

    /// Whether the provider has said that the answer is complete. Without that, an end is no end (I16).
    #[must_use]
    pub fn finished(&self) -> bool {
        self.held.is_some()
    }

    /// Takes one of the provider's events and appends what the client gets for it. Errors, what is no JSON
    /// object, and what follows the end write nothing: the tap on the same bytes judges those. Events that are
    /// not known are passed.
    pub fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        if self.held.is_some() {
            return;
        }
        let Ok(event) = Object::parse(data) else { return };
        let named = || std::str::from_utf8(name).ok().filter(|n| !n.is_empty()).map(Cow::Borrowed);
        let kind = event.get("type").and_then(json::string).or_else(named);
        match kind.as_deref() {
            Some("error") => {}
            Some("message_start") => {
                // A provider may begin twice; the second says nothing new, and clients would start anew.
                if !std::mem::replace(&mut self.started, true) {
                    write(name, kind.as_deref(), &self.with_own_facts(&event), out);
                }
            }
            Some("message_stop") => self.held = Some(event.to_vec()),
            _ if name == b"error" => {}
            _ => write(name, kind.as_deref(), &on_one_line(data), out),
        }
    }

    /// The event with the message's `id` and `model` replaced.
    fn with_own_facts(&self, event: &Object<'_>) -> Vec<u8> {
        let message = event.get("message").and_then(|raw| Object::parse_checked(raw).ok());
        let Some(mut message) = message else { return on_one_line(&event.to_vec()).into_owned() };
        message.set_string("id", &self.context.generation.to_string());
        message.set_string("model", &self.context.model);
        let mut data = Vec::with_capacity(1024);
        event.write_with(&mut data, "message", |out| message.write_to(out));
        on_one_line(&data).into_owned()
    }

    /// Appends `message_stop` with the metadata. When the provider never sent it, the stream ends in an error
    /// instead (I16).
    pub fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        let Some(held) = self.held.take() else {
            let message = "The provider's stream ended without message_stop. Send the request again.";
            self.fail(&Failure::provider(FailureClass::Truncated, message), out);
            return;
        };
        let Ok(mut stop) = Object::parse(&held) else { return };
        stop.set("provider_metadata", provider_metadata(receipt, None));
        write(b"", Some("message_stop"), &on_one_line(&stop.to_vec()), out);
    }

    /// Ends the stream with an error in place of `message_stop` (I16).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        write_failure(failure, self.context.generation, out);
    }
}

/// Writes an event under the provider's name for it, or else under its type: clients of this protocol go by
/// the name. A name with a line end in it is none: what follows it would read as a line of its own.
fn write(name: &[u8], kind: Option<&str>, data: &[u8], out: &mut Vec<u8>) {
    let name = if memchr::memchr2(b'\n', b'\r', name).is_some() { b"" } else { name };
    match (name, kind) {
        (b"", None) => sse::write_data(out, data),
        (b"", Some(kind)) if !kind.contains(['\n', '\r']) => sse::write_event(out, kind, data),
        (b"", Some(_)) => sse::write_data(out, data),
        (name, _) => {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(name);
            out.push(b'\n');
            sse::write_data(out, data);
        }
    }
}

/// JSON sent over several `data:` lines leaves on one; line ends are blank only between its tokens.
fn on_one_line(data: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\n', b'\r', data).is_none() {
        return Cow::Borrowed(data);
    }
    Cow::Owned(data.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }).collect())
}
