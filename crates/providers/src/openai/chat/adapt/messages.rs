//! Messages of a client's body as a provider takes them. Each message is looked into only when it holds a
//! word that may have to change.

use std::borrow::Cow;

use tollgate_domain::InputError;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI};
use tollgate_wire::json::{self, Object, write_string};

use super::super::quirks::{FileForm, Quirks, ReasoningBack, SystemRole, ToolIds};
use super::super::tool_repair::fnv;
use super::array::{self, Edit, MayHold, holds, may_hold_any};
use super::caching::{self, Placement, mark_content};
use super::{alternate, files};
use crate::Target;

/// What goes into the messages from elsewhere.
pub(super) struct Additions {
    /// Cache breakpoints to place.
    pub marks: Option<Placement>,
    /// Is told to the model after its other instructions.
    pub instruction: Option<String>,
}

/// Rewrites `messages`.
///
/// # Errors
/// When a file is in a form that the provider cannot be given.
pub(super) fn rewrite(
    body: &mut Object<'_>,
    quirks: &Quirks,
    target: &Target,
    may_hold: MayHold<'_>,
    additions: Additions,
) -> Result<(), InputError> {
    let Some(raw) = body.get_borrowed("messages") else { return Ok(()) };
    let Additions { marks, instruction } = additions;
    let editor = Editor::new(quirks, target);
    let whole =
        quirks.flat_text || quirks.alternate || quirks.prefix || marks.is_some() || instruction.is_some();
    let found = || may_hold_any(may_hold, &editor.words) && holds(raw, &editor.words);
    if !whole && !found() {
        return Ok(());
    }
    let mut text =
        array::edit(raw, |at, message| editor.message(at, message))?.map_or(Cow::Borrowed(raw), Cow::Owned);
    let mut step = |change: &dyn Fn(&[u8]) -> Option<Vec<u8>>| {
        if let Some(changed) = change(&text) {
            text = Cow::Owned(changed);
        }
    };
    if let Some(marks) = marks {
        let of_tools = body.get("tools").map_or(0, caching::count);
        step(&|text| marks.place(text, of_tools));
    }
    if let Some(instruction) = instruction {
        step(&|text| instruct(text, &instruction));
    }
    if quirks.alternate {
        step(&alternate::merge);
    }
    if quirks.prefix {
        step(&prefix);
    }
    if let Cow::Owned(messages) = text {
        body.set("messages", messages);
    }
    Ok(())
}

/// Edits single messages.
struct Editor<'q> {
    quirks: &'q Quirks,
    /// The creator of the model, when known: whose reasoning state it can read.
    creator: Option<&'q str>,
    /// A message without any of these stays as it is.
    words: Vec<&'static [u8]>,
}

impl<'q> Editor<'q> {
    fn new(quirks: &'q Quirks, target: &'q Target) -> Self {
        let creator = target.canonical.split_once('/').map(|(creator, _)| creator);
        let mut words: Vec<&[u8]> = vec![array::PROVIDER, b"\"cache_control\""];
        if quirks.reasoning_back != ReasoningBack::Details {
            words.push(array::REASONING);
        } else if creator.is_some() {
            words.push(b"\"reasoning_details\"");
        }
        words.push(if quirks.files == FileForm::DocumentUrl { b"\"file\"" } else { b"\"media_type\"" });
        match quirks.system_role {
            SystemRole::AsSent => {}
            SystemRole::Developer => words.push(b"\"system\""),
            SystemRole::System => words.push(b"\"developer\""),
        }
        if !quirks.message_name {
            words.push(b"\"name\"");
        }
        if quirks.tool_ids == ToolIds::NineAlphanumerics {
            words.extend([&b"\"tool_call_id\""[..], b"\"tool_calls\""]);
        }
        Self { quirks, creator, words }
    }

    fn message(&self, at: usize, raw: &[u8]) -> Result<Edit, InputError> {
        if !self.quirks.flat_text && !holds(raw, &self.words) {
            return Ok(Edit::Keep);
        }
        let Ok(mut message) = Object::parse_checked(raw) else { return Ok(Edit::Keep) };
        let mut changed = self.role(&mut message);
        if !self.quirks.message_name {
            changed |= message.remove("name").is_some();
        }
        let mark = self.take_mark(&mut message, &mut changed);
        changed |= message.remove("provider_metadata").is_some();
        changed |= self.reasoning(&mut message);
        changed |= self.content(at, &mut message)?;
        if let Some(mark) = mark {
            changed |= mark_content(&mut message, &mark);
        }
        if self.quirks.tool_ids == ToolIds::NineAlphanumerics {
            changed |= nine_letters(&mut message);
        }
        Ok(if changed { Edit::Replace(message.to_vec()) } else { Edit::Keep })
    }

    fn role(&self, message: &mut Object<'_>) -> bool {
        let (from, to) = match self.quirks.system_role {
            SystemRole::AsSent => return false,
            SystemRole::Developer => (&b"\"system\""[..], "developer"),
            SystemRole::System => (&b"\"developer\""[..], "system"),
        };
        let swap = message.get("role") == Some(from);
        if swap {
            message.set_string("role", to);
        }
        swap
    }

    /// Takes the message's own mark, wherever the client put it (clients §0.6); it belongs to the last part.
    fn take_mark(&self, message: &mut Object<'_>, changed: &mut bool) -> Option<Vec<u8>> {
        let own = message.remove("cache_control").map(Cow::into_owned);
        let options = message.remove("providerOptions");
        *changed |= own.is_some() || options.is_some();
        if !self.quirks.cache_marks {
            return None;
        }
        own.filter(|raw| raw.first() == Some(&b'{')).or_else(|| mark_in_options(options.as_deref()?))
    }

    /// Reasoning of earlier turns, in the form the provider takes (I19).
    fn reasoning(&self, message: &mut Object<'_>) -> bool {
        let (keep, others) = match self.quirks.reasoning_back {
            ReasoningBack::Details => return self.own_details(message),
            ReasoningBack::Drop => ("", &["reasoning_details", "reasoning_content", "reasoning"][..]),
            ReasoningBack::Content => ("reasoning_content", &["reasoning_details", "reasoning"][..]),
            ReasoningBack::Text => ("reasoning", &["reasoning_details", "reasoning_content"][..]),
        };
        let is_set = |raw: &[u8]| !json::is_null(raw);
        let has_calls = message.get("tool_calls").is_some_and(|raw| raw.first() == Some(&b'['));
        let made = if !keep.is_empty() && has_calls && !message.get(keep).is_some_and(is_set) {
            others[1..]
                .iter()
                .find_map(|name| message.get(name).filter(|raw| raw.len() > 2 && raw.first() == Some(&b'"')))
                .map(<[u8]>::to_vec)
                .or_else(|| details_text(message.get("reasoning_details")?))
        } else {
            None
        };
        let mut changed = false;
        for name in others {
            changed |= message.remove(name).is_some();
        }
        if let Some(text) = made {
            message.set(keep, text);
            changed = true;
        }
        changed
    }

    /// Drops state of another creator's models: to this one it is invalid, and only here (I19).
    fn own_details(&self, message: &mut Object<'_>) -> bool {
        let (Some(creator), Some(raw)) = (self.creator, message.get("reasoning_details")) else {
            return false;
        };
        let foreign = |entry: &[u8]| {
            let format = Object::parse_checked(entry).ok();
            let format = format.as_ref().and_then(|entry| entry.get("format")).and_then(json::string);
            format.is_some_and(|format| !reads(creator, &format))
        };
        let edited = array::edit(raw, |_, entry| Ok(if foreign(entry) { Edit::Remove } else { Edit::Keep }));
        let Ok(Some(details)) = edited else { return false };
        if details == b"[]" {
            message.remove("reasoning_details");
        } else {
            message.set("reasoning_details", details);
        }
        true
    }

    fn content(&self, at: usize, message: &mut Object<'_>) -> Result<bool, InputError> {
        let Some(raw) = message.get("content").filter(|raw| raw.first() == Some(&b'[')) else {
            return Ok(false);
        };
        let edited = array::edit(raw, |part, text| self.part(at, part, text))?;
        let parts = edited.as_deref().unwrap_or(raw);
        let flat = if self.quirks.flat_text { flatten(parts) } else { None };
        let Some(content) = flat.or(edited) else { return Ok(false) };
        message.set("content", content);
        Ok(true)
    }

    fn part(&self, message: usize, at: usize, raw: &[u8]) -> Result<Edit, InputError> {
        if !holds(raw, &self.words) {
            return Ok(Edit::Keep);
        }
        let Ok(mut part) = Object::parse_checked(raw) else { return Ok(Edit::Keep) };
        let options = part.remove("providerOptions");
        let mut changed = options.is_some() | part.remove("provider_metadata").is_some();
        if !self.quirks.cache_marks {
            changed |= part.remove("cache_control").is_some();
        } else if let Some(mark) = options.as_deref().and_then(mark_in_options)
            && !part.has("cache_control")
        {
            part.set("cache_control", mark);
        }
        if part.get("type") == Some(b"\"file\"") {
            changed |= files::rewrite(
                &mut part,
                self.quirks.files,
                &format!("messages[{message}].content[{at}].file"),
            )?;
        }
        Ok(if changed { Edit::Replace(part.to_vec()) } else { Edit::Keep })
    }
}

/// Whether a creator's models can read reasoning state of a format.
fn reads(creator: &str, format: &str) -> bool {
    match format {
        FORMAT_ANTHROPIC => creator == "anthropic",
        FORMAT_OPENAI | "azure-openai-responses-v1" => creator == "openai",
        FORMAT_GEMINI => creator == "google",
        "xai-responses-v1" => matches!(creator, "xai" | "x-ai"),
        _ => true,
    }
}

/// The text of `reasoning_details`, as a JSON string.
fn details_text(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = String::new();
    for entry in json::elements(raw).ok()? {
        if let Ok(entry) = Object::parse_checked(entry)
            && let Some(part) = entry.get("text").or_else(|| entry.get("summary")).and_then(json::string)
        {
            text.push_str(&part);
        }
    }
    if text.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, &text);
    Some(out)
}

/// A mark in `providerOptions.<provider>.cacheControl`.
fn mark_in_options(raw: &[u8]) -> Option<Vec<u8>> {
    let namespaces = Object::parse_checked(raw).ok()?;
    namespaces.members().find_map(|(_, own)| {
        let own = Object::parse_checked(own).ok()?;
        own.get("cacheControl").or_else(|| own.get("cache_control")).map(<[u8]>::to_vec)
    })
}

/// Adds an instruction behind the leading system messages.
fn instruct(messages: &[u8], instruction: &str) -> Option<Vec<u8>> {
    let elements = json::elements(messages).ok()?;
    let is_system = |raw: &&&[u8]| {
        Object::parse_checked(raw)
            .is_ok_and(|m| matches!(m.get("role"), Some(b"\"system\"" | b"\"developer\"")))
    };
    let leading = elements.iter().take_while(is_system).count();
    let mut message = Object::new();
    message.set_string("role", "system");
    message.set_string("content", instruction);
    let message = message.to_vec();
    let (before, after) = elements.split_at(leading);
    let all = before.iter().copied().chain(std::iter::once(message.as_slice())).chain(after.iter().copied());
    Some(array::join(all, messages.len() + message.len()))
}

/// Mistral goes on from a last assistant message only when told so.
fn prefix(messages: &[u8]) -> Option<Vec<u8>> {
    let elements = json::elements(messages).ok()?;
    let (last, before) = elements.split_last()?;
    let mut message = Object::parse_checked(last).ok()?;
    if message.get("role") != Some(b"\"assistant\"") || message.has("prefix") || message.has("tool_calls") {
        return None;
    }
    message.set("prefix", &b"true"[..]);
    let message = message.to_vec();
    Some(array::join(before.iter().copied().chain(std::iter::once(message.as_slice())), messages.len()))
}

/// A content array of texts only, as one string.
fn flatten(parts: &[u8]) -> Option<Vec<u8>> {
    let mut whole = String::new();
    for (at, raw) in json::elements(parts).ok()?.into_iter().enumerate() {
        let part = Object::parse_checked(raw).ok()?;
        if part.get("type") != Some(b"\"text\"") {
            return None;
        }
        if at > 0 {
            whole.push('\n');
        }
        whole.push_str(&json::string(part.get("text")?)?);
    }
    let mut out = Vec::with_capacity(whole.len() + 2);
    write_string(&mut out, &whole);
    Some(out)
}

/// Mistral's ids: nine letters and digits, the same for a call and its result.
fn nine_letters(message: &mut Object<'_>) -> bool {
    let mut changed = false;
    if let Some(id) = message.get("tool_call_id").and_then(json::string).filter(|id| !is_nine_letters(id)) {
        let id = nine_letter_id(&id);
        message.set_string("tool_call_id", &id);
        changed = true;
    }
    let calls = message.get("tool_calls").and_then(|raw| {
        let edited = array::edit(raw, |_, call| {
            let Ok(mut call) = Object::parse_checked(call) else { return Ok(Edit::Keep) };
            let id = call.get("id").and_then(json::string).filter(|id| !is_nine_letters(id));
            let Some(id) = id.map(|id| nine_letter_id(&id)) else { return Ok(Edit::Keep) };
            call.set_string("id", &id);
            Ok(Edit::Replace(call.to_vec()))
        });
        edited.ok().flatten()
    });
    if let Some(calls) = calls {
        message.set("tool_calls", calls);
        changed = true;
    }
    changed
}

fn is_nine_letters(id: &str) -> bool {
    id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn nine_letter_id(id: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut hash = fnv(0, id.as_bytes());
    let mut text = String::with_capacity(9);
    for _ in 0..9 {
        text.push(char::from(DIGITS[(hash % 62) as usize]));
        hash /= 62;
    }
    text
}
