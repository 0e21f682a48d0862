//! Input items into messages. Items of one turn of the model (reasoning, messages, calls) become one
//! assistant message with its parts in order; each answer of a tool is a message of its own.

use serde_json::json;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    Content, File, FileData, Message, Part, Role, ToolCall, ToolOutput, ToolResult,
};
use tollgate_wire::json::{self as wire, Kind};

use super::conversation::NAMESPACE;
use super::{custom_tool, reasoning};
use crate::chat_completions::file;
use crate::chat_completions::message::{Marks, value};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, string, wrong};

/// Reads `instructions` and `input`; gives with them the message that the first `anchor` items end in.
pub(super) fn read(
    fields: &Fields<'_>,
    anchor: Option<u64>,
) -> Result<(Vec<Message>, Option<usize>), InputError> {
    let root = Path::Body;
    let mut turns = Turns::default();
    if let Some(raw) = fields.get("instructions") {
        let text = string(&root.member("instructions"), raw)?;
        turns.push(Role::System, vec![Part::text(text)]);
    }
    let path = root.member("input");
    let Some(raw) = fields.get("input") else { return Ok((turns.messages, None)) };
    if wire::kind(raw) == Kind::String {
        turns.push(Role::User, vec![Part::text(string(&path, raw)?)]);
        return Ok((turns.messages, None));
    }
    let (mut read, mut anchored) = (0, None);
    for (index, raw) in elements(raw).into_iter().enumerate() {
        turns.item(&path.element(index), raw)?;
        read += 1;
        if anchor == Some(read) {
            anchored = turns.messages.len().checked_sub(1);
        }
    }
    Ok((turns.messages, anchored))
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
}

impl Turns {
    fn push(&mut self, role: Role, parts: Vec<Part>) {
        self.messages.push(Message { role, name: None, parts, cache: None });
    }

    /// Adds to the model's turn.
    fn say(&mut self, parts: impl IntoIterator<Item = Part>) {
        match self.messages.last_mut() {
            Some(last) if last.role == Role::Assistant => last.parts.extend(parts),
            _ => self.push(Role::Assistant, parts.into_iter().collect()),
        }
    }

    fn item(&mut self, path: &Path<'_>, raw: &[u8]) -> Result<(), InputError> {
        let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
        let kind = fields.get("type").map(|raw| string(&path.member("type"), raw)).transpose()?;
        match kind.as_deref() {
            Some("message") => self.message(path, &fields)?,
            None if fields.get("role").is_some() => self.message(path, &fields)?,
            None | Some("item_reference") => return Err(not_held(path)),
            Some("reasoning") => {
                let parts = reasoning::read(path, &fields)?;
                self.say(parts.into_iter().map(|r| Part::new(Content::Reasoning(r))));
            }
            Some("function_call") => self.say([Part::new(Content::ToolCall(function_call(path, &fields)?))]),
            Some("custom_tool_call") => {
                let arguments = custom_tool::arguments(&text(path, &fields, "input", "the tool's input")?);
                let mut part = Part::new(Content::ToolCall(call(path, &fields, arguments)?));
                part.provider.push((NAMESPACE.to_owned(), json!({"type": "custom_tool_call"})));
                self.say([part]);
            }
            Some("function_call_output") => self.push(Role::Tool, vec![tool_result(path, &fields)?]),
            Some("custom_tool_call_output") => {
                let mut part = tool_result(path, &fields)?;
                part.provider.push((NAMESPACE.to_owned(), json!({"type": "custom_tool_call_output"})));
                self.push(Role::Tool, vec![part]);
            }
            Some("image_generation_call")
                if fields.get("result").is_some_and(|raw| raw.starts_with(b"\"")) =>
            {
                self.say([Part::new(Content::File(generated_image(path, &fields)?))]);
            }
            Some(kind) => {
                let custom = Content::Custom { namespace: NAMESPACE.to_owned(), value: value(path, raw)? };
                if kind.ends_with("_output") || kind == "mcp_approval_response" {
                    self.push(Role::Tool, vec![Part::new(custom)]);
                } else {
                    self.say([Part::new(custom)]);
                }
            }
        }
        let marks = Marks::read(path, &fields)?;
        if let Some(part) = self.messages.last_mut().and_then(|m| m.parts.last_mut()) {
            part.cache = part.cache.or(marks.cache);
            part.provider.extend(marks.provider);
        }
        Ok(())
    }

    fn message(&mut self, path: &Path<'_>, fields: &Fields<'_>) -> Result<(), InputError> {
        let parts = content(&path.member("content"), fields.get("content"))?;
        let role = match fields.get("role").and_then(wire::string).as_deref() {
            Some("assistant") => {
                self.say(parts);
                return Ok(());
            }
            Some("system") => Role::System,
            Some("developer") => Role::Developer,
            _ => Role::User,
        };
        self.push(role, parts);
        Ok(())
    }
}

/// An item that is only named. Where it is kept cannot be read by another provider.
fn not_held(path: &Path<'_>) -> InputError {
    InputError::unsupported(
        path.to_string(),
        format!(
            "'{path}' refers to an item that only the provider that made it holds, but this request is served by another one. Send the item itself in its place."
        ),
    )
}

fn optional(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<String>, InputError> {
    let found = fields.get(key).map(|raw| string(&path.member(key), raw)).transpose()?;
    Ok(found.map(std::borrow::Cow::into_owned))
}

fn text(path: &Path<'_>, fields: &Fields<'_>, key: &str, expected: &str) -> Result<String, InputError> {
    optional(path, fields, key)?.ok_or_else(|| InputError::missing(path.member(key).to_string(), expected))
}

fn call(path: &Path<'_>, fields: &Fields<'_>, arguments: String) -> Result<ToolCall, InputError> {
    Ok(ToolCall {
        id: text(path, fields, "call_id", "the id that the model gave the call")?,
        name: text(path, fields, "name", "the tool's name")?,
        arguments,
    })
}

/// Arguments are kept byte for byte (I18); an object in place of the text is kept as its text.
fn function_call(path: &Path<'_>, fields: &Fields<'_>) -> Result<ToolCall, InputError> {
    let arguments = match fields.get("arguments") {
        None => "{}".to_owned(),
        Some(raw) if wire::kind(raw) == Kind::Object => String::from_utf8_lossy(raw).into_owned(),
        Some(raw) => string(&path.member("arguments"), raw)?.into_owned(),
    };
    call(path, fields, arguments)
}

fn tool_result(path: &Path<'_>, fields: &Fields<'_>) -> Result<Part, InputError> {
    let output_path = path.member("output");
    let output = match fields.get("output") {
        None => ToolOutput::Text(String::new()),
        Some(raw) if wire::kind(raw) == Kind::String => {
            ToolOutput::Text(string(&output_path, raw)?.into_owned())
        }
        Some(raw) => ToolOutput::Parts(content(&output_path, Some(raw))?),
    };
    Ok(Part::new(Content::ToolResult(ToolResult {
        call_id: text(path, fields, "call_id", "the id of the call that this item answers")?,
        name: None,
        output,
        is_error: false,
    })))
}

/// An image that the model made in an earlier turn.
fn generated_image(path: &Path<'_>, fields: &Fields<'_>) -> Result<File, InputError> {
    let data = text(path, fields, "result", "the image as base64")?;
    let format = optional(path, fields, "output_format")?.unwrap_or_else(|| "png".to_owned());
    Ok(File {
        media_type: format!("image/{format}"),
        data: if data.starts_with("https://") || data.starts_with("http://") {
            FileData::Url(data)
        } else {
            FileData::Base64(data)
        },
        filename: None,
        detail: None,
    })
}

fn content(path: &Path<'_>, raw: Option<&[u8]>) -> Result<Vec<Part>, InputError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    match wire::kind(raw) {
        Kind::String => Ok(vec![Part::text(string(path, raw)?)]),
        Kind::Array => elements(raw).iter().enumerate().map(|(i, raw)| part(&path.element(i), raw)).collect(),
        _ => Err(wrong(path, "a string or an array of content parts", raw)),
    }
}

fn part(path: &Path<'_>, raw: &[u8]) -> Result<Part, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let kind = text(path, &fields, "type", "the part's type, such as \"input_text\"")?;
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            Content::Text(text(path, &fields, "text", "a string")?)
        }
        "refusal" => Content::Refusal(text(path, &fields, "refusal", "a string")?),
        "input_image" => Content::File(image(path, &fields)?),
        "input_file" => Content::File(input_file(path, &fields, raw)?),
        "input_audio" => match fields.get("input_audio") {
            Some(raw) => Content::File(file::read_audio(&path.member("input_audio"), raw)?),
            None => Content::File(file::read_audio(path, raw)?),
        },
        "input_video" if fields.get("video_url").is_some() => Content::File(file::read_url(
            &path.member("video_url"),
            fields.get("video_url").unwrap_or_default(),
            "video/*",
        )?),
        _ => Content::Custom { namespace: NAMESPACE.to_owned(), value: value(path, raw)? },
    };
    let marks = Marks::read(path, &fields)?;
    Ok(Part { content, cache: marks.cache, provider: marks.provider })
}

/// `{image_url | file_id, detail}`.
fn image(path: &Path<'_>, fields: &Fields<'_>) -> Result<File, InputError> {
    let detail = optional(path, fields, "detail")?;
    let mut file = match (fields.get("image_url"), optional(path, fields, "file_id")?) {
        (Some(raw), _) => file::read_url(&path.member("image_url"), raw, "image/*")?,
        (None, Some(id)) => File {
            media_type: "image/*".to_owned(),
            data: FileData::Reference(id),
            filename: None,
            detail: None,
        },
        (None, None) => {
            return Err(InputError::missing(
                path.member("image_url").to_string(),
                "an https URL or a data URL, or a 'file_id'",
            ));
        }
    };
    file.detail = file.detail.or(detail);
    Ok(file)
}

/// `{file_data | file_url | file_id, filename}`.
fn input_file(path: &Path<'_>, fields: &Fields<'_>, raw: &[u8]) -> Result<File, InputError> {
    let Some(url) = fields.get("file_url") else { return file::read_file(path, raw) };
    let mut found = file::read_url(&path.member("file_url"), url, "application/octet-stream")?;
    if let Some(stated) = file::stated_media_type(fields) {
        found.media_type = stated;
    }
    found.filename = optional(path, fields, "filename")?;
    Ok(found)
}
