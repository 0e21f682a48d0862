//! Cursor's bodies for chat completions, which it fills with members of OpenAI's Responses and Anthropic's
//! Messages, made into the bodies that the rest of this dialect reads (gateway-api §16). What is not
//! rewritten stays byte for byte as it came.

mod items;
mod parts;
mod tools;
mod turns;

use std::borrow::Cow;

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_wire::json::{self, Kind, Object};

use crate::body;
use crate::checked::Fields;
use crate::json_path::{Path, object, string};

/// A conforming chat-completions body. One that conforms already comes back as it is, uncopied.
///
/// - `input` in place of `messages`: text, or items of Responses; items and parts of Responses and of
///   Anthropic in `messages` too
/// - `instructions` become the first system message
/// - flat and Anthropic-like `tools` and `tool_choice` are nested as chat completions has them
/// - `max_output_tokens`, `text.format` and `text.verbosity` get their names in chat completions
///
/// Members that are not known stay.
///
/// # Errors
/// `Malformed` when the body is no JSON; `Invalid` with the JSON path in the body that was sent when
/// something that must be rewritten has a wrong type or lacks a member.
pub fn normalise(body: &Bytes) -> Result<Bytes, InputError> {
    let checked = body::check(body, "'model' and 'messages'")?;
    let mut object = checked.object();
    let mut changed = messages(&mut object)?;
    changed |= tools::tools(&mut object)?;
    changed |= tools::choice(&mut object)?;
    changed |= text(&mut object)?;
    if present(&object, "max_output_tokens").is_some() && present(&object, "max_completion_tokens").is_none()
    {
        object.rename("max_output_tokens", "max_completion_tokens");
        changed = true;
    }
    Ok(if changed { Bytes::from(object.to_vec()) } else { body.clone() })
}

/// A member of the body that is not `null`.
fn present<'a>(object: &Object<'a>, name: &str) -> Option<&'a [u8]> {
    object.get_borrowed(name).filter(|raw| !json::is_null(raw))
}

/// The object of some members.
fn made(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut object = Object::new();
    for (name, raw) in members {
        object.set(name, *raw);
    }
    object.to_vec()
}

/// A JSON array of values.
fn array<T: AsRef<[u8]>>(values: &[T]) -> Vec<u8> {
    let mut out = vec![b'['];
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value.as_ref());
    }
    out.push(b']');
    out
}

/// A JSON string.
fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write_string(&mut out, text);
    out
}

/// A member that a rewritten value cannot do without.
fn required<'a>(
    path: &Path<'_>,
    fields: &Fields<'a>,
    name: &str,
    expected: &str,
) -> Result<&'a [u8], InputError> {
    fields.get(name).ok_or_else(|| InputError::missing(path.member(name).to_string(), expected))
}

/// The same, of which only text will do.
fn required_text<'a>(
    path: &Path<'_>,
    fields: &Fields<'a>,
    name: &str,
    expected: &str,
) -> Result<Cow<'a, str>, InputError> {
    string(&path.member(name), required(path, fields, name, expected)?)
}

/// `messages`, or `input` where there are none, with `instructions` before them.
fn messages(object: &mut Object<'_>) -> Result<bool, InputError> {
    let root = Path::Body;
    let instructions = match present(object, "instructions") {
        Some(raw) => Some(string(&root.member("instructions"), raw)?),
        None => None,
    };
    let sent = present(object, "messages").filter(|raw| !is_empty_array(raw));
    let (name, raw) = match (sent, present(object, "input")) {
        (Some(raw), _) => ("messages", raw),
        (None, Some(raw)) => ("input", raw),
        // The reader of the body says what is missing.
        (None, None) => return Ok(false),
    };
    let path = root.member(name);
    let text = name == "input" && json::kind(raw) == Kind::String;
    if !text && json::kind(raw) != Kind::Array {
        // The same of `messages` is said by the reader of the body.
        let expected = "a string or an array of items";
        return if name == "input" { Err(crate::json_path::wrong(&path, expected, raw)) } else { Ok(false) };
    }
    if name == "messages" && instructions.is_none() && !items::foreign(raw) {
        return Ok(false);
    }
    let mut turns = turns::Turns::default();
    if let Some(text) = instructions.filter(|text| !text.is_empty()) {
        turns.message("system", quoted(&text));
    }
    if text {
        turns.message("user", raw.to_vec());
    } else {
        items::read(&path, raw, &mut turns)?;
    }
    object.rename(name, "messages");
    object.set("messages", turns.finish());
    object.remove("instructions");
    Ok(true)
}

fn is_empty_array(raw: &[u8]) -> bool {
    json::kind(raw) == Kind::Array && crate::checked::elements(raw).is_empty()
}

/// `text.format` and `text.verbosity`; what chat completions already says of the two wins.
fn text(body: &mut Object<'_>) -> Result<bool, InputError> {
    let root = Path::Body;
    let path = root.member("text");
    let Some(raw) = present(body, "text") else { return Ok(false) };
    object(&path, raw)?;
    let Some(fields) = Fields::of(raw) else { return Ok(false) };
    let mut rest = Object::new();
    for (name, raw) in fields.iter().filter(|(name, _)| !matches!(*name, "format" | "verbosity")) {
        rest.set(name, raw);
    }
    if let (Some(raw), None) = (fields.get("format"), present(body, "response_format")) {
        body.set("response_format", response_format(&path.member("format"), raw)?);
    }
    if let (Some(raw), None) = (fields.get("verbosity"), present(body, "verbosity")) {
        body.set("verbosity", raw.to_vec());
    }
    if rest.is_empty() {
        body.remove("text");
    } else {
        body.set("text", rest.to_vec());
    }
    Ok(true)
}

/// Responses has name and schema beside the type, chat completions in an object of their own.
fn response_format(path: &Path<'_>, raw: &[u8]) -> Result<Vec<u8>, InputError> {
    object(path, raw)?;
    let Some(fields) = Fields::of(raw) else { return Ok(raw.to_vec()) };
    let flat = fields.get("json_schema").is_none();
    if !flat || fields.get("type").and_then(json::string).as_deref() != Some("json_schema") {
        return Ok(raw.to_vec());
    }
    let mut schema = Object::new();
    for (name, raw) in fields.iter().filter(|(name, raw)| *name != "type" && !json::is_null(raw)) {
        schema.set(name, raw);
    }
    Ok(made(&[("type", b"\"json_schema\""), ("json_schema", &schema.to_vec())]))
}

#[cfg(test)]
mod tests;
