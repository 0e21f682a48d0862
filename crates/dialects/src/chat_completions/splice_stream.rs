//! Passthrough of a stream whose provider speaks this protocol itself (I17). Each chunk keeps its members as
//! they stand; replaced are `id` and `model`, added are the reasoning members that some client would miss,
//! and the end is brought into the service's form: the chunk with the finish reason is held back and leaves
//! last, with metadata, usage and id (clients §0.1).

use tollgate_domain::failure::FailureClass;
use tollgate_domain::{Failure, Receipt};
use tollgate_wire::json::{self, Object, write_string};

use super::likeness::{Likes, added_text, padding};
use super::reply::provider_metadata;
use super::splice_whole::Ends;
use super::stream::write_failure;
use super::{splice_whole, usage};
use crate::ReplyContext;
use crate::metadata::write_plain;

/// Passes one streamed answer through.
#[derive(Debug)]
pub struct StreamSplice {
    context: ReplyContext,
    names: Names,
    role_sent: bool,
    /// The provider's chunk with the finish reason, its delta emptied.
    held: Option<Vec<u8>>,
    upstream_usage: Option<Vec<u8>>,
    /// Members of chunks without choices (usage, Azure's filter results) that leave with the last chunk.
    carried: Vec<(String, Vec<u8>)>,
    /// What is known of the chunk before, which the next is most often like.
    likes: Likes,
}

/// The replaced values as JSON, made once.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) id: Vec<u8>,
    model: Vec<u8>,
    fingerprint: Vec<u8>,
}

impl Names {
    pub(super) fn of(context: &ReplyContext) -> Self {
        let text = |text: &str| {
            let mut out = Vec::with_capacity(text.len() + 2);
            write_string(&mut out, text);
            out
        };
        let mut id = Vec::with_capacity(32);
        id.push(b'"');
        write_plain(&mut id, context.generation);
        id.push(b'"');
        Self { id, model: text(&context.model), fingerprint: text(&context.fingerprint) }
    }

    /// Sets the gateway's values in an answer or chunk.
    pub(super) fn put<'a>(&'a self, chunk: &mut Object<'a>) {
        chunk.set("id", &self.id[..]);
        chunk.set("model", &self.model[..]);
        if !chunk.has("system_fingerprint") {
            chunk.set("system_fingerprint", &self.fingerprint[..]);
        }
    }
}

/// Members of a delta that providers send empty or null as placeholders.
const PLACEHOLDERS: &[&str] = &[
    "content",
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "function_call",
    "audio",
];

/// The most members that are carried over to the last chunk (I26).
const MAX_CARRIED: usize = 32;

impl StreamSplice {
    /// For one answer.
    #[must_use]
    pub fn new(context: ReplyContext) -> Self {
        let names = Names::of(&context);
        Self {
            context,
            names,
            role_sent: false,
            held: None,
            upstream_usage: None,
            carried: Vec::new(),
            likes: Likes::default(),
        }
    }

    /// Whether the provider has said how the answer ended. Without that, an end is no end (I16).
    #[must_use]
    pub fn finished(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the data of one of the provider's events and appends what the client gets for it. `[DONE]`,
    /// error chunks and what is no JSON object write nothing: the tap on the same bytes judges those.
    pub fn event(&mut self, data: &[u8], out: &mut Vec<u8>) {
        if self.likes.write(data, out) {
            return;
        }
        // JSON sent over several `data:` lines leaves on one. Line ends are blank only between its tokens, so what
        // is no JSON must not become some by this.
        if memchr::memchr2(b'\n', b'\r', data).is_none() {
            self.chunk(data, out);
        } else if json::validate(data).is_ok() {
            let on_one_line: Vec<u8> =
                data.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }).collect();
            self.chunk(&on_one_line, out);
        }
    }

    /// One chunk on one line, which is like no other.
    fn chunk(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let Self { context, names, role_sent, held, upstream_usage, carried, likes } = self;
        let Ok(mut chunk) = Object::parse(data) else { return };
        if chunk.get("error").is_some_and(|e| !json::is_null(e)) {
            return;
        }
        let usage = chunk.remove("usage").filter(|usage| json::kind(usage) == json::Kind::Object);
        let reports = usage.is_some();
        if let Some(usage) = usage {
            *upstream_usage = Some(usage.into_owned());
        }
        let choices =
            chunk.get_borrowed("choices").map(json::elements).and_then(Result::ok).unwrap_or_default();
        let Some(Ok(mut choice)) = choices.first().map(|raw| Object::parse_checked(raw)) else {
            carry(&chunk, carried);
            return;
        };
        let delta = choice.get_borrowed("delta").and_then(|raw| Object::parse_checked(raw).ok());
        let mut changed = delta.is_none();
        let sent = choice.get_borrowed("delta").unwrap_or_default();
        let mut delta = delta.unwrap_or_default();
        let was_empty = delta.is_empty();
        changed |= adjust_reasoning(&mut delta, context.exclude_reasoning);
        if delta.is_empty() && !was_empty && choice.get("finish_reason").is_none_or(json::is_null) {
            return;
        }
        names.put(&mut chunk);
        changed |= complete(&mut choice);
        // With `n` above 1 the other choices travel in chunks of their own; the answer is the first one.
        if choice.get("index").and_then(json::unsigned).unwrap_or(0) != 0 {
            emit(&chunk, &choice, &delta, &choices[1..], changed, out);
            return;
        }
        let finishes = choice.get("finish_reason").is_some_and(|f| !json::is_null(f));
        // A chunk from which the role is split off is like no other.
        let alone = *role_sent;
        if !*role_sent {
            *role_sent = true;
            emit_role(&chunk, &choice, &mut delta, out);
            strip_placeholders(&mut delta);
            changed = true;
            if delta.is_empty() && !finishes {
                return;
            }
        }
        if !finishes && held.is_none() {
            let start = out.len();
            let holes = added_text(sent).map(|(text, copies)| [(text, copies), (padding(&chunk), 1)]);
            emit(&chunk, &choice, &delta, &choices[1..], changed, out);
            if let Some(holes) = holes.filter(|_| alone && !reports) {
                likes.learn(data, &holes, &out[start..]);
            }
            return;
        }
        if emit_content_of_end(&chunk, &choice, &mut delta, out) {
            choice.set("logprobs", &b"null"[..]);
        }
        if held.is_some() {
            carry(&chunk, carried);
            return;
        }
        let mut last = Vec::with_capacity(data.len());
        chunk.write_with(&mut last, "choices", |out| {
            write_choices(out, &choice, &Object::new(), &choices[1..]);
        });
        *held = Some(last);
    }

    /// Appends the last chunk and `[DONE]`. When the provider never sent a finish reason, the stream ends in
    /// an error instead (I16).
    pub fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        let Some(held) = self.held.take() else {
            let message = "The provider's stream ended without a finish reason. Send the request again.";
            self.fail(&Failure::provider(FailureClass::Truncated, message), out);
            return;
        };
        let Ok(mut last) = Object::parse(&held) else { return };
        for (name, value) in &self.carried {
            if !last.has(name) {
                last.set(name, &value[..]);
            }
        }
        let metadata = provider_metadata(receipt, None);
        let choices = with_metadata(&last, &metadata);
        if choices.is_some() {
            // Of repeated members one is left, for ours.
            last.set("choices", &b"[]"[..]);
        }
        let choices = choices.unwrap_or_else(|| last.get("choices").unwrap_or_default().to_vec());
        let upstream = self.upstream_usage.as_deref().and_then(|raw| Object::parse(raw).ok());
        let ends = Ends { usage: &|out| usage::write(out, receipt, upstream.as_ref()), id: &self.names.id };
        out.reserve(held.len() + metadata.len() + 1024);
        out.extend_from_slice(b"data: ");
        splice_whole::write_with_ends(&last, &|out| out.extend_from_slice(&choices), &ends, out);
        out.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    }

    /// Ends the stream with an error in place of the last chunk, and without `[DONE]` (I16).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        write_failure(failure, self.context.generation, &self.context.model, out);
    }
}

/// The held chunk's choices, with the metadata in the first one's delta.
fn with_metadata(last: &Object<'_>, metadata: &[u8]) -> Option<Vec<u8>> {
    let choices = json::elements(last.get("choices")?).ok()?;
    let choice = Object::parse_checked(choices.first()?).ok()?;
    let mut delta = Object::new();
    delta.set("provider_metadata", metadata);
    let mut out = Vec::with_capacity(metadata.len() + 256);
    write_choices(&mut out, &choice, &delta, &choices[1..]);
    Some(out)
}

/// Writes choices of which the first has another delta.
fn write_choices(out: &mut Vec<u8>, first: &Object<'_>, delta: &Object<'_>, others: &[&[u8]]) {
    out.push(b'[');
    first.write_with(out, "delta", |out| delta.write_to(out));
    for other in others {
        out.push(b',');
        out.extend_from_slice(other);
    }
    out.push(b']');
}

/// Writes the chunk; its choices are touched only when something in them has changed.
fn emit(
    chunk: &Object<'_>,
    choice: &Object<'_>,
    delta: &Object<'_>,
    others: &[&[u8]],
    changed: bool,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"data: ");
    if changed {
        chunk.write_with(out, "choices", |out| write_choices(out, choice, delta, others));
    } else {
        chunk.write_to(out);
    }
    out.extend_from_slice(b"\n\n");
}

/// The first chunk holds the role alone (clients §1): the provider's chunk with nothing else in its delta.
/// The role is taken out of `delta`, whose rest follows in a chunk of its own.
fn emit_role(chunk: &Object<'_>, choice: &Object<'_>, delta: &mut Object<'_>, out: &mut Vec<u8>) {
    let role = delta.remove("role").filter(|r| json::kind(r) == json::Kind::String);
    let mut alone = Object::new();
    alone.set("role", role.map_or_else(|| b"\"assistant\"".to_vec(), std::borrow::Cow::into_owned));
    let mut choice = choice.clone();
    choice.set("logprobs", &b"null"[..]);
    choice.set("finish_reason", &b"null"[..]);
    emit(chunk, &choice, &alone, &[], true, out);
}

/// Adds what the service always writes in a choice; tells whether something was missing.
fn complete(choice: &mut Object<'_>) -> bool {
    let mut added = false;
    for name in ["logprobs", "finish_reason"] {
        if !choice.has(name) {
            choice.set(name, &b"null"[..]);
            added = true;
        }
    }
    added
}

/// Writes what a chunk with (or after) the finish reason still says, in a chunk of its own; tells whether
/// there was anything.
fn emit_content_of_end(
    chunk: &Object<'_>,
    choice: &Object<'_>,
    delta: &mut Object<'_>,
    out: &mut Vec<u8>,
) -> bool {
    delta.remove("role");
    // Ours in the last chunk, also when the provider is a gateway of the same kind.
    delta.remove("provider_metadata");
    strip_placeholders(delta);
    if delta.is_empty() {
        return false;
    }
    let mut part = choice.clone();
    part.set("finish_reason", &b"null"[..]);
    emit(chunk, &part, delta, &[], true, out);
    true
}

fn strip_placeholders(delta: &mut Object<'_>) {
    for name in PLACEHOLDERS {
        if delta.get(name).is_some_and(|v| matches!(v, b"null" | b"\"\"" | b"[]")) {
            delta.remove(name);
        }
    }
}

/// Keeps what a chunk without content still says, for the last chunk.
fn carry(chunk: &Object<'_>, carried: &mut Vec<(String, Vec<u8>)>) {
    for (name, value) in chunk.members() {
        if matches!(
            &*name,
            "id" | "object" | "created" | "model" | "choices" | "usage" | "system_fingerprint"
        ) {
            continue;
        }
        match carried.iter().position(|(n, _)| *n == name) {
            Some(at) => carried[at].1 = value.to_vec(),
            None if carried.len() < MAX_CARRIED => carried.push((name.into_owned(), value.to_vec())),
            None => {}
        }
    }
}

/// Gives a delta or message with reasoning in any form all three forms, or takes them away; tells whether
/// it did something.
pub(super) fn adjust_reasoning(delta: &mut Object<'_>, exclude: bool) -> bool {
    const FORMS: [&str; 3] = ["reasoning", "reasoning_details", "reasoning_content"];
    if exclude {
        let mut removed = false;
        for name in FORMS {
            removed |= delta.remove(name).is_some();
        }
        return removed;
    }
    let text_of =
        |name| delta.get(name).filter(|raw| json::kind(raw) == json::Kind::String).map(<[u8]>::to_vec);
    let details = delta.get("reasoning_details").filter(|raw| json::kind(raw) == json::Kind::Array);
    let text = text_of("reasoning_content").or_else(|| text_of("reasoning"));
    let Some(text) = text.or_else(|| details.and_then(text_of_details)) else { return false };
    if &text[..] == b"\"\"" && details.is_none() {
        return false;
    }
    let has_details = details.is_some();
    let mut changed = false;
    if delta.get("reasoning").is_none_or(json::is_null) {
        delta.set("reasoning", text.clone());
        changed = true;
    }
    if !has_details {
        let mut entry = b"[{\"type\":\"reasoning.text\",\"text\":".to_vec();
        entry.extend_from_slice(&text);
        entry.extend_from_slice(b",\"format\":\"unknown\",\"index\":0}]");
        delta.set("reasoning_details", entry);
        changed = true;
    }
    if delta.get("reasoning_content").is_none_or(json::is_null) {
        delta.set("reasoning_content", text);
        changed = true;
    }
    changed
}

/// The visible text of all entries as a JSON string; `None` when there is none.
fn text_of_details(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = String::new();
    let mut any = false;
    for entry in json::elements(raw).ok()? {
        let Ok(entry) = Object::parse_checked(entry) else { continue };
        let visible = entry.get("text").or_else(|| entry.get("summary")).and_then(json::string);
        if let Some(visible) = visible {
            text.push_str(&visible);
            any = true;
        }
    }
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, &text);
    any.then_some(out)
}

#[cfg(test)]
mod tests;
