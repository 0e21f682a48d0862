//! Content blocks into their neutral form. What only this protocol knows of a block is kept beside it, in
//! the words that the protocol's own codec reads, so that nothing is lost when it is written again.

use serde_json::{Map, Value};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, Content, FORMAT_ANTHROPIC, Message, Part, Reasoning, ReasoningKind, Role, ToolCall,
    ToolOutput, ToolResult,
};
use tollgate_wire::json::{self, Kind};

use super::NAMESPACE;
use super::source::{self, Holder};
use crate::carried_state;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, boolean, string, wrong};

/// Reads one message that passed the structural checks.
pub(super) fn read_message(path: &Path<'_>, raw: &[u8]) -> Result<Message, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let role = match fields.get("role").and_then(json::string).as_deref() {
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        _ => Role::User,
    };
    let parts = read_content(&path.member("content"), fields.get("content"))?;
    // The protocol has no mark here, but clients of others put it beside a string (clients §0.6).
    let cache = cache_mark(path, &fields)?;
    Ok(Message { role, name: None, parts, cache })
}

/// A string, or blocks.
pub(super) fn read_content(path: &Path<'_>, raw: Option<&[u8]>) -> Result<Vec<Part>, InputError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    match json::kind(raw) {
        Kind::String => Ok(vec![Part::text(string(path, raw)?)]),
        Kind::Array => {
            elements(raw).iter().enumerate().map(|(i, raw)| read_block(&path.element(i), raw)).collect()
        }
        _ => Err(wrong(path, "a string or an array of content blocks", raw)),
    }
}

/// `{type:"ephemeral", ttl?}`. A lifetime that is not known leaves the provider's default.
pub(super) fn cache_mark(path: &Path<'_>, fields: &Fields<'_>) -> Result<Option<CacheMark>, InputError> {
    let Some(raw) = fields.get("cache_control") else { return Ok(None) };
    let path = path.member("cache_control");
    let Some(mark) = Fields::of(raw) else {
        return Err(wrong(&path, "an object such as {\"type\":\"ephemeral\"}", raw));
    };
    let ttl = match mark.get("ttl").and_then(json::string).as_deref() {
        Some("1h") => Some(CacheTtl::OneHour),
        Some("5m") => Some(CacheTtl::FiveMinutes),
        _ => None,
    };
    Ok(Some(CacheMark { ttl }))
}

/// Any JSON value. A number beyond every number type, or a lone surrogate, is the only way to fail here.
pub(super) fn value(path: &Path<'_>, raw: &[u8]) -> Result<Value, InputError> {
    serde_json::from_slice(raw).map_err(|e| {
        InputError::invalid(
            path.to_string(),
            format!("'{path}' cannot be represented: {e}. Send a plainer value."),
        )
    })
}

fn required(path: &Path<'_>, fields: &Fields<'_>, key: &str, expected: &str) -> Result<String, InputError> {
    match fields.get(key) {
        Some(raw) => Ok(string(&path.member(key), raw)?.into_owned()),
        None => Err(InputError::missing(path.member(key).to_string(), expected)),
    }
}

fn read_block(path: &Path<'_>, raw: &[u8]) -> Result<Part, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let kind = required(path, &fields, "type", "the block's type, such as \"text\"")?;
    let mut kept = Map::new();
    let content = match kind.as_str() {
        "text" => {
            keep(path, &fields, &["citations"], &mut kept)?;
            drop_own_citations(&mut kept);
            Content::Text(required(path, &fields, "text", "a string")?)
        }
        "image" => match source::read(path, &fields, Holder::Image)? {
            Some(file) => Content::File(file),
            None => untouched(path, raw)?,
        },
        "document" => match source::read(path, &fields, Holder::Document)? {
            Some(file) => {
                keep(path, &fields, &["title", "context", "citations"], &mut kept)?;
                Content::File(file)
            }
            None => untouched(path, raw)?,
        },
        "tool_use" => {
            keep(path, &fields, &["caller"], &mut kept)?;
            Content::ToolCall(tool_call(path, &fields)?)
        }
        "tool_result" => Content::ToolResult(tool_result(path, &fields)?),
        "thinking" => Content::Reasoning(thinking(path, &fields)?),
        "redacted_thinking" => Content::Reasoning(redacted(path, &fields)?),
        _ => untouched(path, raw)?,
    };
    let provider =
        if kept.is_empty() { Vec::new() } else { vec![(NAMESPACE.to_owned(), Value::Object(kept))] };
    Ok(Part { content, cache: cache_mark(path, &fields)?, provider })
}

/// A block that only this protocol knows.
fn untouched(path: &Path<'_>, raw: &[u8]) -> Result<Content, InputError> {
    Ok(Content::Custom { namespace: NAMESPACE.to_owned(), value: value(path, raw)? })
}

/// Keeps members beside the part, in the protocol's own words.
fn keep(
    path: &Path<'_>,
    fields: &Fields<'_>,
    names: &[&str],
    kept: &mut Map<String, Value>,
) -> Result<(), InputError> {
    for name in names {
        if let Some(raw) = fields.get(name) {
            kept.insert((*name).to_owned(), value(&path.member(name), raw)?);
        }
    }
    Ok(())
}

/// Citations that the gateway made itself, for the answer of another provider, mean nothing to this one and
/// would be refused: the index by which it finds its search result again is empty.
fn drop_own_citations(kept: &mut Map<String, Value>) {
    let Some(Value::Array(citations)) = kept.get_mut("citations") else { return };
    citations.retain(|citation| citation.get("encrypted_index").is_none_or(|index| index != ""));
    if citations.is_empty() {
        kept.remove("citations");
    }
}

/// The input is kept byte for byte (I18).
fn tool_call(path: &Path<'_>, fields: &Fields<'_>) -> Result<ToolCall, InputError> {
    let id = required(path, fields, "id", "the id that the model gave the call")?;
    let name = required(path, fields, "name", "the tool's name")?;
    let input_path = path.member("input");
    let arguments = match fields.get("input") {
        None => "{}".to_owned(),
        Some(raw) if json::kind(raw) == Kind::Object => String::from_utf8_lossy(raw).into_owned(),
        Some(raw) => return Err(wrong(&input_path, "an object", raw)),
    };
    Ok(ToolCall { id, name, arguments })
}

fn tool_result(path: &Path<'_>, fields: &Fields<'_>) -> Result<ToolResult, InputError> {
    let call_id = required(path, fields, "tool_use_id", "the id of the call that this block answers")?;
    let content_path = path.member("content");
    let output = match fields.get("content") {
        None => ToolOutput::Text(String::new()),
        Some(raw) if json::kind(raw) == Kind::String => {
            ToolOutput::Text(string(&content_path, raw)?.into_owned())
        }
        Some(raw) => ToolOutput::Parts(read_content(&content_path, Some(raw))?),
    };
    let is_error = match fields.get("is_error") {
        Some(raw) => boolean(&path.member("is_error"), raw)?,
        None => false,
    };
    Ok(ToolResult { call_id, name: None, output, is_error })
}

/// Reasoning with its signature, which carries the state of another family when it is not Anthropic's (I19).
fn thinking(path: &Path<'_>, fields: &Fields<'_>) -> Result<Reasoning, InputError> {
    let text = required(path, fields, "thinking", "a string")?;
    let signature = match fields.get("signature") {
        Some(raw) => Some(string(&path.member("signature"), raw)?.into_owned()).filter(|s| !s.is_empty()),
        None => None,
    };
    if let Some(carried) = signature.as_deref().and_then(|s| carried_state::unwrap(s, &text)) {
        return Ok(carried);
    }
    let format = Some(FORMAT_ANTHROPIC.to_owned());
    Ok(Reasoning { kind: ReasoningKind::Text, text, signature, format, ..Reasoning::default() })
}

fn redacted(path: &Path<'_>, fields: &Fields<'_>) -> Result<Reasoning, InputError> {
    let data = required(path, fields, "data", "the opaque text that the model's answer held")?;
    if let Some(carried) = carried_state::unwrap(&data, "") {
        return Ok(carried);
    }
    let format = Some(FORMAT_ANTHROPIC.to_owned());
    Ok(Reasoning { kind: ReasoningKind::Encrypted, data: Some(data), format, ..Reasoning::default() })
}
