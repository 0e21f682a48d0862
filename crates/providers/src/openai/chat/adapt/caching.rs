//! Cache breakpoints that the client left to the gateway, in messages of the protocol: a member
//! `cache_control` of the last content part (gateway-api §4.5).

use tollgate_wire::json::{self, Object};

use super::array::{self, Edit};
use crate::caching::{Speaker, positions, room};

/// A breakpoint of the provider's default lifetime.
pub(super) const PLAIN: &[u8] = br#"{"type":"ephemeral"}"#;

/// Breakpoints to place.
#[derive(Clone, Debug)]
pub(in super::super) struct Placement {
    /// The mark at the end of the prompt and before the person's last message, as JSON.
    pub(in super::super) mark: Option<Vec<u8>>,
    /// A message to mark besides, and its mark.
    pub(in super::super) anchor: Option<(usize, Vec<u8>)>,
}

impl Placement {
    /// Marks like this one at the usual places.
    pub(super) fn of(mark: Vec<u8>) -> Self {
        Self { mark: Some(mark), anchor: None }
    }

    /// The messages with the marks. `of_tools` is how many marks the tools have; with any of the client's
    /// own only the end is marked (I21).
    pub(super) fn place(&self, messages: &[u8], of_tools: usize) -> Option<Vec<u8>> {
        let own = count(messages) + of_tools;
        let (at_end, elsewhere) = room(own);
        let elements = json::elements(messages).ok()?;
        let mut marked: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut put = |at: usize, mark: &[u8]| -> bool {
            if marked.iter().any(|(known, _)| *known == at) {
                return true;
            }
            let Some(message) = elements.get(at).and_then(|raw| with_mark(raw, mark)) else { return false };
            marked.push((at, message));
            true
        };
        let mark = self.mark.as_deref();
        if let Some(mark) = mark.filter(|_| at_end) {
            // The last message that has content; it may be marked already.
            let _ = (0..elements.len()).rev().any(|at| is_marked(elements[at]) || put(at, mark));
        }
        let taken = own + usize::from(mark.is_some());
        if let Some((at, mark)) = self.anchor.as_ref().filter(|_| taken < crate::caching::MAX_BREAKPOINTS) {
            put(*at, mark);
        }
        if let Some(mark) = mark.filter(|_| elsewhere > 0) {
            let speakers: Vec<Speaker> = elements.iter().map(|raw| speaker(raw)).collect();
            let found = positions(&speakers);
            if !found.earlier.is_some_and(|at| put(at, mark))
                && let Some(at) = found.instructions
            {
                put(at, mark);
            }
        }
        if marked.is_empty() {
            return None;
        }
        let all = elements.iter().enumerate().map(|(at, raw)| {
            marked.iter().find(|(known, _)| *known == at).map_or(*raw, |(_, message)| message.as_slice())
        });
        Some(array::join(all, messages.len() + 4 * PLAIN.len()))
    }
}

/// How many marks a text holds. A name within a text has its quotes escaped, so that it does not count.
pub(super) fn count(raw: &[u8]) -> usize {
    memchr::memmem::find_iter(raw, b"\"cache_control\"").count()
}

fn speaker(raw: &[u8]) -> Speaker {
    let message = Object::parse_checked(raw).ok();
    let role = message.as_ref().and_then(|m| m.get("role")).and_then(json::string);
    Speaker::of_role(role.as_deref())
}

/// Whether the message's last part has a mark.
fn is_marked(raw: &[u8]) -> bool {
    let Ok(message) = Object::parse_checked(raw) else { return false };
    let parts = message.get("content").and_then(|content| json::elements(content).ok());
    let last = parts.and_then(|parts| Object::parse_checked(parts.last()?).ok());
    last.is_some_and(|part| part.has("cache_control"))
}

/// The message with a mark, unless it has nothing to mark or is marked already.
fn with_mark(raw: &[u8], mark: &[u8]) -> Option<Vec<u8>> {
    let mut message = Object::parse_checked(raw).ok()?;
    mark_content(&mut message, mark).then(|| message.to_vec())
}

/// Puts a mark on the message's last part; whether there was one to put it on.
pub(super) fn mark_content(message: &mut Object<'_>, mark: &[u8]) -> bool {
    let Some(raw) = message.get("content") else { return false };
    if raw.first() == Some(&b'"') && raw.len() > 2 {
        let mut part = Object::new();
        part.set("type", &b"\"text\""[..]);
        part.set("text", raw.to_vec());
        part.set("cache_control", mark.to_vec());
        let part = part.to_vec();
        message.set("content", array::join(std::iter::once(part.as_slice()), part.len()));
        return true;
    }
    let Ok(elements) = json::elements(raw) else { return false };
    let last = elements.len().wrapping_sub(1);
    let edited = array::edit(raw, |at, part| {
        let Some(Ok(mut part)) = (at == last).then(|| Object::parse_checked(part)) else {
            return Ok(Edit::Keep);
        };
        if part.has("cache_control") {
            return Ok(Edit::Keep);
        }
        part.set("cache_control", mark.to_vec());
        Ok(Edit::Replace(part.to_vec()))
    });
    let Ok(Some(content)) = edited else { return false };
    message.set("content", content);
    true
}
