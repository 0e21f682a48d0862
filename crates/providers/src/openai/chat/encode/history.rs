//! Messages of the neutral conversation as chat messages.

use serde_json::{Map, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheMark, Content, Conversation, FORMAT_GEMINI, FORMAT_UNKNOWN, File, FileData, Message, Part,
    Reasoning, ReasoningKind, Role, ToolCall, ToolOutput, ToolResult,
};

use super::super::quirks::{Quirks, ReasoningBack};
use super::cache_control;
use crate::Target;

/// The messages as they are written.
pub(super) struct Written {
    pub(super) messages: Value,
    /// The one that the client anchored a breakpoint behind.
    pub(super) anchor: Option<(usize, CacheMark)>,
}

/// All messages.
pub(super) fn messages(
    conversation: &Conversation,
    target: &Target,
    quirks: &Quirks,
) -> Result<Written, InputError> {
    let mut history = History { target, quirks, out: Vec::new(), carried: Vec::new() };
    let mut anchor = None;
    for (at, message) in conversation.messages.iter().enumerate() {
        history.message(at, message)?;
        if let Some(own) = conversation.cache_anchor.filter(|own| own.message == at) {
            anchor = history.out.len().checked_sub(1).map(|last| (last, own.mark));
        }
    }
    history.flush();
    Ok(Written { messages: Value::Array(history.out), anchor })
}

struct History<'a> {
    target: &'a Target,
    quirks: &'a Quirks,
    out: Vec<Value>,
    /// Files that the protocol has no place for where they stood: results of tools and answers of the
    /// model hold text only. They go into the user's turn that follows.
    carried: Vec<Value>,
}

impl History<'_> {
    fn message(&mut self, at: usize, message: &Message) -> Result<(), InputError> {
        let path = format!("messages[{at}]");
        let (results, rest): (Vec<&Part>, Vec<&Part>) =
            message.parts.iter().partition(|part| matches!(part.content, Content::ToolResult(_)));
        for part in &results {
            if let Content::ToolResult(result) = &part.content {
                self.tool_result(result, part, &path)?;
            }
        }
        if rest.is_empty() && !results.is_empty() {
            return Ok(());
        }
        if message.role == Role::Assistant {
            self.flush();
            return self.assistant(message, &rest, &path);
        }
        let role = match message.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User | Role::Assistant | Role::Tool => "user",
        };
        let mut parts = if role == "user" { std::mem::take(&mut self.carried) } else { Vec::new() };
        for part in rest {
            parts.extend(self.part(part, &path)?);
        }
        self.push(role, message, content(parts));
        Ok(())
    }

    fn push(&mut self, role: &str, message: &Message, content: Value) {
        let mut value = Map::new();
        value.insert("role".to_owned(), Value::from(role));
        value.insert("content".to_owned(), content);
        if let Some(name) = &message.name {
            value.insert("name".to_owned(), Value::from(name.as_str()));
        }
        if let Some(mark) = message.cache {
            value.insert("cache_control".to_owned(), cache_control(mark));
        }
        self.out.push(Value::Object(value));
    }

    /// Carried files that no turn of the user takes up.
    fn flush(&mut self) {
        if !self.carried.is_empty() {
            let parts = std::mem::take(&mut self.carried);
            self.out.push(json!({"role": "user", "content": parts}));
        }
    }

    /// A part of a user or system message; `None` for what only another provider knows.
    fn part(&self, part: &Part, path: &str) -> Result<Option<Value>, InputError> {
        let mut value = match &part.content {
            Content::Text(text) | Content::Refusal(text) => json!({"type": "text", "text": text}),
            Content::File(file) => file_part(file, path)?,
            Content::Custom { namespace, value } if self.is_own(namespace) => value.clone(),
            Content::Custom { .. }
            | Content::Reasoning(_)
            | Content::ToolCall(_)
            | Content::ToolResult(_) => {
                return Ok(None);
            }
        };
        if let (Some(mark), Some(members)) = (part.cache, value.as_object_mut()) {
            members.insert("cache_control".to_owned(), cache_control(mark));
        }
        Ok(Some(value))
    }

    fn is_own(&self, namespace: &str) -> bool {
        namespace == self.target.provider || (namespace == "openai" && self.quirks.openai_members)
    }

    fn assistant(&mut self, message: &Message, parts: &[&Part], path: &str) -> Result<(), InputError> {
        let (mut texts, mut calls, mut details, mut images) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut refusal = String::new();
        let mut signatures: Vec<(Option<&str>, &str)> = Vec::new();
        for part in parts {
            match &part.content {
                Content::Refusal(text) if self.quirks.openai_members => refusal.push_str(text),
                Content::Reasoning(reasoning) => {
                    if let (Some(FORMAT_GEMINI), Some(data)) = (reasoning.format.as_deref(), &reasoning.data)
                    {
                        signatures.push((reasoning.id.as_deref(), data));
                    }
                    details.push(reasoning_detail(reasoning, details.len()));
                }
                Content::ToolCall(call) => {
                    calls.push(tool_call(call, self.signature(call, part, &signatures)))
                }
                Content::File(file) => images.push(file_part(file, path)?),
                _ => texts.extend(self.part(part, path)?),
            }
        }
        let mut value = Map::new();
        value.insert("role".to_owned(), Value::from("assistant"));
        let text = if texts.is_empty() { Value::Null } else { content(texts) };
        let nothing = text.is_null() && calls.is_empty() && refusal.is_empty();
        value.insert("content".to_owned(), if nothing { Value::from("") } else { text });
        if !refusal.is_empty() {
            value.insert("refusal".to_owned(), Value::from(refusal));
        }
        if let Some(name) = &message.name {
            value.insert("name".to_owned(), Value::from(name.as_str()));
        }
        if !details.is_empty() {
            value.insert("reasoning_details".to_owned(), Value::Array(details));
        }
        if !calls.is_empty() {
            value.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        if self.quirks.reasoning_back == ReasoningBack::Details && !images.is_empty() {
            value.insert("images".to_owned(), Value::Array(images));
        } else {
            self.carried.extend(images);
        }
        if let Some(mark) = message.cache {
            value.insert("cache_control".to_owned(), cache_control(mark));
        }
        self.out.push(Value::Object(value));
        Ok(())
    }

    /// Gemini's thought signature of a call: its own metadata, or the reasoning item that names it.
    fn signature<'s>(
        &self,
        call: &ToolCall,
        part: &'s Part,
        before: &[(Option<&'s str>, &'s str)],
    ) -> Option<&'s str> {
        if !self.quirks.thought_signatures {
            return None;
        }
        let own =
            part.provider.iter().filter(|(namespace, _)| matches!(namespace.as_str(), "google" | "vertex"));
        let own = own.filter_map(|(_, value)| {
            value.get("thoughtSignature").or_else(|| value.get("thought_signature"))
        });
        own.filter_map(Value::as_str)
            .next()
            .or_else(|| before.iter().find(|(id, _)| *id == Some(call.id.as_str())).map(|(_, data)| *data))
    }

    fn tool_result(&mut self, result: &ToolResult, part: &Part, path: &str) -> Result<(), InputError> {
        let content = match &result.output {
            ToolOutput::Text(text) => Value::from(text.as_str()),
            ToolOutput::Json(value) => Value::from(value.to_string()),
            ToolOutput::Parts(parts) => self.result_parts(result, parts, path)?,
        };
        let mut value = Map::new();
        value.insert("role".to_owned(), Value::from("tool"));
        value.insert("tool_call_id".to_owned(), Value::from(result.call_id.as_str()));
        value.insert("content".to_owned(), content);
        if let Some(mark) = part.cache {
            value.insert("cache_control".to_owned(), cache_control(mark));
        }
        self.out.push(Value::Object(value));
        Ok(())
    }

    /// The texts of a result; its files are carried into the user's turn that follows.
    fn result_parts(&mut self, result: &ToolResult, parts: &[Part], path: &str) -> Result<Value, InputError> {
        let mut texts = Vec::new();
        let mut files = Vec::new();
        for part in parts {
            match &part.content {
                Content::File(file) => files.push(file_part(file, path)?),
                _ => texts.extend(self.part(part, path)?),
            }
        }
        if !files.is_empty() {
            let note = format!("Files that the tool call {} returned:", result.call_id);
            self.carried.push(json!({"type": "text", "text": note}));
            self.carried.extend(files);
            if texts.is_empty() {
                texts.push(json!({"type": "text", "text": "The tool returned files; they follow."}));
            }
        }
        Ok(content(texts))
    }
}

/// One unmarked text is a string, anything else an array.
fn content(parts: Vec<Value>) -> Value {
    if parts.is_empty() {
        return Value::from("");
    }
    if let [part] = parts.as_slice()
        && part["type"] == "text"
        && part.get("cache_control").is_none()
    {
        return part["text"].clone();
    }
    Value::Array(parts)
}

fn reasoning_detail(reasoning: &Reasoning, index: usize) -> Value {
    let (kind, member) = match reasoning.kind {
        ReasoningKind::Text => ("reasoning.text", "text"),
        ReasoningKind::Summary => ("reasoning.summary", "summary"),
        ReasoningKind::Encrypted => ("reasoning.encrypted", "data"),
    };
    let mut detail = json!({"type": kind});
    detail[member] = match reasoning.kind {
        ReasoningKind::Encrypted => Value::from(reasoning.data.as_deref().unwrap_or_default()),
        ReasoningKind::Text | ReasoningKind::Summary => Value::from(reasoning.text.as_str()),
    };
    if let Some(signature) = &reasoning.signature {
        detail["signature"] = Value::from(signature.as_str());
    }
    if let Some(id) = &reasoning.id {
        detail["id"] = Value::from(id.as_str());
    }
    detail["format"] = Value::from(reasoning.format.as_deref().unwrap_or(FORMAT_UNKNOWN));
    detail["index"] = Value::from(index);
    detail
}

fn tool_call(call: &ToolCall, signature: Option<&str>) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let mut value =
        json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}});
    if let Some(signature) = signature {
        value["extra_content"] = json!({"google": {"thought_signature": signature}});
    }
    value
}

/// A file as a content part; documents in the gateway's form, which is made the provider's own later.
fn file_part(file: &File, path: &str) -> Result<Value, InputError> {
    let media_type = file.media_type.as_str();
    if let FileData::Text(text) = &file.data {
        let text = match &file.filename {
            Some(name) => format!("{name}:\n{text}"),
            None => text.clone(),
        };
        return Ok(json!({"type": "text", "text": text}));
    }
    if let FileData::Reference(id) = &file.data {
        return Ok(json!({"type": "file", "file": {"file_id": id}}));
    }
    let (data, is_url) = match &file.data {
        FileData::Url(url) => (url.as_str(), true),
        FileData::Base64(data) | FileData::Text(data) | FileData::Reference(data) => (data.as_str(), false),
    };
    if media_type.starts_with("image/") || media_type.starts_with("video/") {
        let member = if media_type.starts_with("image/") { "image_url" } else { "video_url" };
        let known = if media_type.ends_with("/*") { "image/png" } else { media_type };
        let url = if is_url { data.to_owned() } else { format!("data:{known};base64,{data}") };
        let mut inner = json!({"url": url});
        if let Some(detail) = &file.detail {
            inner["detail"] = Value::from(detail.as_str());
        }
        let mut part = json!({"type": member});
        part[member] = inner;
        return Ok(part);
    }
    if media_type.starts_with("audio/") && is_url {
        return Err(InputError::unsupported(
            path,
            format!(
                "'{path}' holds audio by its address, but this model's provider takes audio only as bytes. Send it base64-encoded."
            ),
        ));
    }
    let mut inner = json!({"data": data, "media_type": media_type});
    if let Some(name) = &file.filename {
        inner["filename"] = Value::from(name.as_str());
    }
    Ok(json!({"type": "file", "file": inner}))
}
