//! Items of Responses, and messages with parts of Responses or Anthropic, into messages.

use tollgate_domain::InputError;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_OPENAI};
use tollgate_wire::json::{self, Kind, Object};

use super::parts;
use super::turns::{Assistant, Turns};
use super::{array, made, quoted, required, required_text};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array as expect_array, string, wrong};

/// Whether a list of messages holds anything that chat completions does not have.
pub(super) fn foreign(raw: &[u8]) -> bool {
    elements(raw).into_iter().filter_map(Fields::of).any(|fields| {
        let item = fields.get("role").is_none() && fields.get("type").is_some();
        item || fields.get("content").is_some_and(|raw| elements(raw).into_iter().any(parts::foreign))
    })
}

/// Reads a list of items or messages.
pub(super) fn read(path: &Path<'_>, raw: &[u8], turns: &mut Turns) -> Result<(), InputError> {
    for (i, raw) in elements(raw).into_iter().enumerate() {
        item(&path.element(i), raw, turns)?;
    }
    Ok(())
}

fn item(path: &Path<'_>, raw: &[u8], turns: &mut Turns) -> Result<(), InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let kind = fields.get("type").and_then(json::string);
    match kind.as_deref() {
        None if conforms(&fields) => turns.raw(raw.to_vec()),
        None | Some("message") => message(path, &fields, turns)?,
        Some("function_call") => turns.call(function_call(path, &fields)?),
        Some("custom_tool_call") => turns.call(custom_call(path, &fields)?),
        Some("function_call_output" | "custom_tool_call_output") => {
            let id = required(path, &fields, "call_id", "the id of the call that this answers")?;
            string(&path.member("call_id"), id)?;
            let content = output(&path.member("output"), fields.get("output"))?;
            turns.raw(made(&[("role", b"\"tool\""), ("tool_call_id", id), ("content", &content)]));
        }
        Some("reasoning") => turns.reasoning(reasoning(path, &fields)?),
        Some("item_reference") => {
            return Err(InputError::unsupported(
                path.to_string(),
                format!("'{path}' refers to an item that is stored elsewhere; send the item itself."),
            ));
        }
        Some(_) if fields.get("role").is_some() => message(path, &fields, turns)?,
        // Records of tools that the provider itself ran have no place in chat completions.
        Some(_) => {}
    }
    Ok(())
}

/// Whether a message of somebody else than the model can stand as it is.
fn conforms(fields: &Fields<'_>) -> bool {
    let role = fields.get("role").and_then(json::string);
    let parts = fields.get("content").map(elements).unwrap_or_default();
    role.is_some_and(|role| role != "assistant") && !parts.into_iter().any(parts::foreign)
}

/// A message in any of the three forms.
fn message(path: &Path<'_>, fields: &Fields<'_>, turns: &mut Turns) -> Result<(), InputError> {
    let roles = "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"";
    let role = required_text(path, fields, "role", roles)?;
    let content_path = path.member("content");
    let content = match fields.get("content") {
        Some(raw) if json::kind(raw) == Kind::Array => split(&content_path, raw)?,
        other => Split { content: other.map(<[u8]>::to_vec), ..Split::default() },
    };
    let kept = kept(fields);
    for result in content.results {
        turns.raw(result);
    }
    if role == "assistant" {
        let mut message = Assistant {
            kept,
            content: content.content,
            reasoning: listed(path, fields, "reasoning_details")?,
            calls: listed(path, fields, "tool_calls")?,
        };
        message.reasoning.extend(content.reasoning);
        message.calls.extend(content.calls);
        turns.assistant(message);
        return Ok(());
    }
    // A message that was nothing but answers of tools is gone.
    if content.content.is_none() && fields.get("content").is_some() {
        return Ok(());
    }
    let mut object = Object::new();
    object.set("role", quoted(&role));
    if let Some(content) = content.content {
        object.set("content", content);
    }
    for name in ["tool_calls", "reasoning_details"] {
        if let Some(raw) = fields.get(name) {
            object.set(name, raw);
        }
    }
    for (name, raw) in kept {
        object.set(&name, raw);
    }
    turns.raw(object.to_vec());
    Ok(())
}

/// The members of a message that stay as they are. Those that only items of Responses have are not taken
/// along: providers of chat completions refuse them.
fn kept(fields: &Fields<'_>) -> Vec<(String, Vec<u8>)> {
    let item = fields.get("type").and_then(json::string).as_deref() == Some("message");
    let known = |name: &str| match name {
        "role" | "content" | "tool_calls" | "reasoning_details" => true,
        "type" | "id" | "status" | "phase" => item,
        _ => false,
    };
    let rest = fields.iter().filter(|(name, raw)| !known(name) && !json::is_null(raw));
    rest.map(|(name, raw)| (name.to_owned(), raw.to_vec())).collect()
}

fn listed(path: &Path<'_>, fields: &Fields<'_>, name: &str) -> Result<Vec<Vec<u8>>, InputError> {
    let Some(raw) = fields.get(name) else { return Ok(Vec::new()) };
    expect_array(&path.member(name), raw)?;
    Ok(elements(raw).into_iter().map(<[u8]>::to_vec).collect())
}

/// A message's parts, by the place they have in chat completions.
#[derive(Default)]
struct Split {
    content: Option<Vec<u8>>,
    reasoning: Vec<Vec<u8>>,
    calls: Vec<Vec<u8>>,
    /// Whole messages of role `tool`.
    results: Vec<Vec<u8>>,
}

fn split(path: &Path<'_>, raw: &[u8]) -> Result<Split, InputError> {
    let mut split = Split::default();
    let mut content = Vec::new();
    let sent = elements(raw);
    for (i, raw) in sent.iter().copied().enumerate() {
        let path = path.element(i);
        let Some(fields) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        match fields.get("type").and_then(json::string).as_deref() {
            Some("tool_use") => split.calls.push(tool_use(&path, &fields)?),
            Some("tool_result") => split.results.push(tool_result(&path, &fields)?),
            Some("thinking") if fields.get("signature").is_some() => {
                split.reasoning.push(thinking(&path, &fields)?);
            }
            Some("redacted_thinking") => split.reasoning.push(redacted(&path, &fields)?),
            _ => content.push(parts::part(&path, raw)?),
        }
    }
    // An empty array stays one.
    if !content.is_empty() || sent.is_empty() {
        split.content = Some(array(&content));
    }
    Ok(split)
}

/// The text of `arguments`: as it is (I18), or the text of the object that stands in its place.
fn arguments(path: &Path<'_>, raw: Option<&[u8]>) -> Result<Vec<u8>, InputError> {
    match raw {
        None => Ok(b"\"{}\"".to_vec()),
        Some(raw) if json::kind(raw) == Kind::Object => Ok(quoted(&String::from_utf8_lossy(raw))),
        Some(raw) => {
            string(path, raw)?;
            Ok(raw.to_vec())
        }
    }
}

fn call_id<'a>(path: &Path<'_>, fields: &Fields<'a>) -> Result<&'a [u8], InputError> {
    let id = match fields.get("call_id").or_else(|| fields.get("id")) {
        Some(id) => id,
        None => required(path, fields, "call_id", "the id that the model gave the call")?,
    };
    string(&path.member("call_id"), id)?;
    Ok(id)
}

fn called_name<'a>(path: &Path<'_>, fields: &Fields<'a>) -> Result<&'a [u8], InputError> {
    let name = required(path, fields, "name", "the tool's name")?;
    string(&path.member("name"), name)?;
    Ok(name)
}

fn function_call(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    call(path, fields, call_id(path, fields)?, "arguments")
}

fn tool_use(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let id = required(path, fields, "id", "the id that the model gave the call")?;
    string(&path.member("id"), id)?;
    call(path, fields, id, "input")
}

/// An entry of `tool_calls`, with the arguments that stand under the name `given`.
fn call(path: &Path<'_>, fields: &Fields<'_>, id: &[u8], given: &str) -> Result<Vec<u8>, InputError> {
    let arguments = arguments(&path.member(given), fields.get(given))?;
    let function = made(&[("name", called_name(path, fields)?), ("arguments", &arguments)]);
    let mut call = Object::new();
    for (name, raw) in [("id", id), ("type", b"\"function\"".as_slice()), ("function", &function)] {
        call.set(name, raw.to_vec());
    }
    marks(fields, &mut call);
    Ok(call.to_vec())
}

fn custom_call(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let id = call_id(path, fields)?;
    let input = required(path, fields, "input", "the text that the tool was called with")?;
    let custom = made(&[("name", called_name(path, fields)?), ("input", input)]);
    Ok(made(&[("id", id), ("type", b"\"custom\""), ("custom", &custom)]))
}

fn tool_result(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let id = required(path, fields, "tool_use_id", "the id of the call that this answers")?;
    string(&path.member("tool_use_id"), id)?;
    let content = output(&path.member("content"), fields.get("content"))?;
    let mut message = Object::new();
    for (name, raw) in [("role", b"\"tool\"".as_slice()), ("tool_call_id", id), ("content", &content)] {
        message.set(name, raw.to_vec());
    }
    marks(fields, &mut message);
    Ok(message.to_vec())
}

/// Cache marks and opaque provider data go along.
fn marks<'a>(fields: &Fields<'a>, object: &mut Object<'a>) {
    for name in ["cache_control", "providerOptions"] {
        if let Some(raw) = fields.get(name) {
            object.set(name, raw);
        }
    }
}

/// What a tool gave: text, parts, or any JSON as its text.
fn output(path: &Path<'_>, raw: Option<&[u8]>) -> Result<Vec<u8>, InputError> {
    let Some(raw) = raw else { return Ok(b"\"\"".to_vec()) };
    match json::kind(raw) {
        Kind::String => Ok(raw.to_vec()),
        Kind::Array => {
            let each = elements(raw).into_iter().enumerate();
            let parts =
                each.map(|(i, raw)| parts::part(&path.element(i), raw)).collect::<Result<Vec<_>, _>>()?;
            Ok(array(&parts))
        }
        _ => Ok(quoted(&String::from_utf8_lossy(raw))),
    }
}

/// Entries of `reasoning_details` of one item. They have no `index`: entries that share one are joined into
/// one text by readers, and these are whole.
fn reasoning(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<Vec<u8>>, InputError> {
    let format = quoted(FORMAT_OPENAI);
    let mut entries = Vec::new();
    let mut push = |kind: &[u8], name: &str, raw: &[u8]| {
        let mut entry = Object::new();
        entry.set("type", kind.to_vec());
        entry.set(name, raw.to_vec());
        if let Some(id) = fields.get("id") {
            entry.set("id", id);
        }
        entry.set("format", format.clone());
        entries.push(entry.to_vec());
    };
    let kinds: [(&str, &[u8], &str); 2] =
        [("summary", b"\"reasoning.summary\"", "summary"), ("content", b"\"reasoning.text\"", "text")];
    for (member, kind, name) in kinds {
        let Some(raw) = fields.get(member) else { continue };
        let path = path.member(member);
        expect_array(&path, raw)?;
        for (i, raw) in elements(raw).into_iter().enumerate() {
            let path = path.element(i);
            let Some(part) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
            let text = required(&path, &part, "text", "a string")?;
            string(&path.member("text"), text)?;
            push(kind, name, text);
        }
    }
    if let Some(raw) = fields.get("encrypted_content") {
        string(&path.member("encrypted_content"), raw)?;
        push(b"\"reasoning.encrypted\"", "data", raw);
    }
    Ok(entries)
}

/// Anthropic's signed thinking. Without a signature the part is one that chat completions has as well.
fn thinking(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let text = required(path, fields, "thinking", "a string")?;
    string(&path.member("thinking"), text)?;
    let signature = required(path, fields, "signature", "a string")?;
    string(&path.member("signature"), signature)?;
    let format = quoted(FORMAT_ANTHROPIC);
    Ok(made(&[
        ("type", b"\"reasoning.text\""),
        ("text", text),
        ("signature", signature),
        ("format", &format),
    ]))
}

fn redacted(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let data = required(path, fields, "data", "a string")?;
    string(&path.member("data"), data)?;
    let format = quoted(FORMAT_ANTHROPIC);
    Ok(made(&[("type", b"\"reasoning.encrypted\""), ("data", data), ("format", &format)]))
}
