//! The prompt: messages of typed parts (gateway-api §17.4).

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Content, Message, Part, Role, ToolCall, ToolOutput, ToolResult};
use tollgate_wire::json::{self, Kind};

use super::members::{fields, required, required_text, value, word};
use super::part::Marks;
use super::reasoning::{self, GOOGLE, THOUGHT_SIGNATURE};
use super::tool_names::ToolNames;
use super::{file, provider_blocks, tool_result};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, string, wrong};

/// Reads the messages of a body that passed the structural checks.
pub(super) fn read(path: &Path<'_>, raw: &[u8], names: &ToolNames) -> Result<Vec<Message>, InputError> {
    let each = elements(raw).into_iter().enumerate();
    each.map(|(i, raw)| message(&path.element(i), raw, names)).collect()
}

fn message(path: &Path<'_>, raw: &[u8], names: &ToolNames) -> Result<Message, InputError> {
    let members = fields(path, raw)?;
    let role = match word(&members, "role").as_deref() {
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => Role::Tool,
    };
    let content = path.member("content");
    let raw = required(path, &members, "content", "the message's content")?;
    let mut parts = Vec::new();
    match json::kind(raw) {
        Kind::String => parts.push(Part::text(string(&content, raw)?)),
        Kind::Array => {
            for (i, raw) in elements(raw).into_iter().enumerate() {
                read_part(&content.element(i), raw, role, names, &mut parts)?;
            }
        }
        _ => return Err(wrong(&content, "an array of parts, or a string", raw)),
    }
    let marks = Marks::read(path, &members)?;
    if let Some(last) = parts.last_mut() {
        last.provider.extend(marks.provider);
    }
    Ok(Message { role, name: None, parts, cache: marks.cache })
}

/// Reads a part. Parts of kinds that are not known, or that have no meaning for a model, are left out.
fn read_part(
    path: &Path<'_>,
    raw: &[u8],
    role: Role,
    names: &ToolNames,
    out: &mut Vec<Part>,
) -> Result<(), InputError> {
    let part = fields(path, raw)?;
    let kind = required_text(path, &part, "type", "the part's type, such as \"text\"")?;
    let mut marks = Marks::read(path, &part)?;
    let content = match kind.as_str() {
        "text" => Content::Text(required_text(path, &part, "text", "a string")?),
        "file" => {
            let mut file = file::read(path, &part)?;
            file.detail = marks.option(&["openai", "azure"], "imageDetail").map(str::to_owned);
            Content::File(file)
        }
        "reasoning" => {
            let text = required_text(path, &part, "text", "a string")?;
            match provider_blocks::from_carrier(marks.gateway.as_ref()) {
                Some((namespace, value)) => Content::Custom { namespace, value },
                None => Content::Reasoning(reasoning::read(text, &mut marks)),
            }
        }
        "tool-call" => match tool_call(path, &part, names, &mut marks, out)? {
            Some(content) => content,
            None => return Ok(()),
        },
        "tool-result" => match tool_answer(path, &part, role, names, &mut marks)? {
            Some(content) => content,
            None => return Ok(()),
        },
        "custom" => {
            let kind = required_text(path, &part, "kind", "the part's kind, such as \"openai.compaction\"")?;
            match provider_blocks::from_custom(&kind, marks.gateway.as_ref()) {
                Some((namespace, value)) => Content::Custom { namespace, value },
                None => return Ok(()),
            }
        }
        // Files that the model made while it reasoned are no part of the answer, and approvals are between
        // the client and its user.
        _ => return Ok(()),
    };
    out.push(marks.on(content));
    Ok(())
}

/// A call. A signature of Gemini's on it becomes encrypted reasoning before it, whose id is the call's.
fn tool_call(
    path: &Path<'_>,
    part: &Fields<'_>,
    names: &ToolNames,
    marks: &mut Marks,
    out: &mut Vec<Part>,
) -> Result<Option<Content>, InputError> {
    let id = required_text(path, part, "toolCallId", "the id that the model gave the call")?;
    let name = required_text(path, part, "toolName", "the tool's name")?;
    let input = part.get("input").unwrap_or(b"{}");
    if part.get("providerExecuted").and_then(json::boolean) == Some(true) {
        let input = value(&path.member("input"), input)?;
        let server = marks.option(&["anthropic"], "serverName");
        let block = provider_blocks::from_call(names, &id, &name, &input, server);
        return Ok(block.map(|(namespace, value)| Content::Custom { namespace, value }));
    }
    if let Some(signature) = marks.take_option(GOOGLE, THOUGHT_SIGNATURE) {
        out.push(Part::new(Content::Reasoning(reasoning::of_call(&id, signature))));
    }
    let arguments = match json::string(input) {
        // An object that was kept as its text is that text (I18).
        Some(text) if json::validate(text.as_bytes()).is_ok_and(|()| text.trim_start().starts_with('{')) => {
            text.into_owned()
        }
        _ => String::from_utf8_lossy(input).into_owned(),
    };
    Ok(Some(Content::ToolCall(ToolCall { id, name: names.to_provider(&name).to_owned(), arguments })))
}

/// A tool's answer: to a call of the client's, or, in the model's own turn, to one that the provider ran.
fn tool_answer(
    path: &Path<'_>,
    part: &Fields<'_>,
    role: Role,
    names: &ToolNames,
    marks: &mut Marks,
) -> Result<Option<Content>, InputError> {
    let call_id = required_text(path, part, "toolCallId", "the id of the call that it answers")?;
    let name = super::members::text(path, part, "toolName")?;
    let raw = required(path, part, "output", "an object with 'type' and 'value'")?;
    let output = tool_result::read(&path.member("output"), raw)?;
    marks.cache = marks.cache.or(output.cache);
    if role == Role::Assistant || provider_blocks::knows(&call_id) {
        let answer = match output.body {
            ToolOutput::Json(value) => value,
            ToolOutput::Text(text) => Value::String(text),
            ToolOutput::Parts(_) => return Ok(None),
        };
        let name = name.unwrap_or_default();
        let block = provider_blocks::from_result(names, &call_id, &name, &answer, output.is_error);
        return Ok(block.map(|(namespace, value)| Content::Custom { namespace, value }));
    }
    let name = name.map(|name| names.to_provider(&name).to_owned());
    Ok(Some(Content::ToolResult(ToolResult {
        call_id,
        name,
        output: output.body,
        is_error: output.is_error,
    })))
}
