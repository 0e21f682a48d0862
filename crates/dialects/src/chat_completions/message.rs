//! Messages into their neutral form: content parts, tool calls and answers, reasoning of earlier turns,
//! and cache marks in every place where clients put them (clients §0.5, §0.6).

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, Content, FORMAT_UNKNOWN, Message, Part, Reasoning, ReasoningKind, Role, ToolCall,
    ToolOutput, ToolResult,
};
use tollgate_wire::json::{self, Kind};

use super::file;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, string, wrong};

/// The namespace of parts that only a provider of this protocol may know.
const NAMESPACE: &str = "openai";

/// Reads one message that passed the structural checks.
pub(super) fn read(path: &Path<'_>, raw: &[u8]) -> Result<Message, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let role = match fields.get("role").and_then(json::string).as_deref() {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => Role::Tool,
    };
    let name = optional_string(path, &fields, "name")?;
    let content_path = path.member("content");
    let mut parts = Vec::new();
    match role {
        Role::Tool => parts.push(tool_result(path, &fields, name.clone())?),
        Role::Assistant => {
            parts = earlier_reasoning(path, &fields)?;
            parts.extend(read_content(&content_path, fields.get("content"))?);
            if let Some(refusal) = optional_string(path, &fields, "refusal")?.filter(|r| !r.is_empty()) {
                parts.push(Part::new(Content::Refusal(refusal)));
            }
            parts.extend(tool_calls(path, &fields)?);
        }
        Role::System | Role::Developer | Role::User => {
            parts = read_content(&content_path, fields.get("content"))?;
        }
    }
    let marks = Marks::read(path, &fields)?;
    if let Some(last) = parts.last_mut() {
        last.provider.extend(marks.provider);
    }
    Ok(Message { role, name, parts, cache: marks.cache })
}

fn optional_string(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<String>, InputError> {
    fields.get(key).map(|raw| string(&path.member(key), raw).map(std::borrow::Cow::into_owned)).transpose()
}

fn required_string(
    path: &Path<'_>,
    fields: &Fields<'_>,
    key: &str,
    expected: &str,
) -> Result<String, InputError> {
    optional_string(path, fields, key)?
        .ok_or_else(|| InputError::missing(path.member(key).to_string(), expected))
}

/// Any JSON value. A number beyond every number type, or a lone surrogate, is the only way to fail here.
pub(crate) fn value(path: &Path<'_>, raw: &[u8]) -> Result<Value, InputError> {
    serde_json::from_slice(raw).map_err(|e| {
        InputError::invalid(
            path.to_string(),
            format!("'{path}' cannot be represented: {e}. Send a plainer value."),
        )
    })
}

/// A cache mark and opaque provider data, as they stand on messages, parts, tool calls and tools.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) cache: Option<CacheMark>,
    pub(crate) provider: Vec<(String, Value)>,
}

impl Marks {
    pub(crate) fn read(path: &Path<'_>, fields: &Fields<'_>) -> Result<Self, InputError> {
        let mut marks = Self { cache: cache_mark(path, fields, "cache_control")?, provider: Vec::new() };
        let Some(raw) = fields.get("providerOptions") else { return Ok(marks) };
        let path = path.member("providerOptions");
        let Some(namespaces) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        for (slug, raw) in namespaces.iter().filter(|(slug, v)| *slug != "gateway" && !json::is_null(v)) {
            let path = path.member(slug);
            let Some(options) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
            for key in ["cacheControl", "cache_control"] {
                marks.cache = marks.cache.or(cache_mark(&path, &options, key)?);
            }
            marks.provider.push((slug.to_owned(), value(&path, raw)?));
        }
        Ok(marks)
    }

    fn on(self, content: Content) -> Part {
        Part { content, cache: self.cache, provider: self.provider }
    }
}

/// `{type:"ephemeral", ttl?}`. A lifetime that is not known leaves the provider's default.
pub(crate) fn cache_mark(
    path: &Path<'_>,
    fields: &Fields<'_>,
    key: &str,
) -> Result<Option<CacheMark>, InputError> {
    let Some(raw) = fields.get(key) else { return Ok(None) };
    let path = path.member(key);
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

fn read_content(path: &Path<'_>, raw: Option<&[u8]>) -> Result<Vec<Part>, InputError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    match json::kind(raw) {
        Kind::String => Ok(vec![Part::text(string(path, raw)?)]),
        Kind::Array => {
            elements(raw).iter().enumerate().map(|(i, raw)| read_part(&path.element(i), raw)).collect()
        }
        _ => Err(wrong(path, "a string, an array of content parts or null", raw)),
    }
}

fn read_part(path: &Path<'_>, raw: &[u8]) -> Result<Part, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let kind = required_string(path, &fields, "type", "the part's type, such as \"text\"")?;
    let of = |key: &'static str, expected: &str| {
        fields.get(key).ok_or_else(|| InputError::missing(path.member(key).to_string(), expected))
    };
    let content = match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            Content::Text(required_string(path, &fields, "text", "a string")?)
        }
        "refusal" => Content::Refusal(required_string(path, &fields, "refusal", "a string")?),
        "file" => {
            Content::File(file::read_file(&path.member("file"), of("file", "an object with the file")?)?)
        }
        "input_audio" => {
            let raw = of("input_audio", "an object with 'data' and 'format'")?;
            Content::File(file::read_audio(&path.member("input_audio"), raw)?)
        }
        "image_url" => url_part(path, "image_url", of("image_url", "an object with 'url'")?, "image/*")?,
        "file_url" => {
            url_part(path, "file_url", of("file_url", "an object with 'url'")?, "application/octet-stream")?
        }
        "document_url" => url_part(path, "document_url", of("document_url", "a URL")?, "application/pdf")?,
        "video_url" => url_part(path, "video_url", of("video_url", "an object with 'url'")?, "video/*")?,
        "audio_url" => url_part(path, "audio_url", of("audio_url", "an object with 'url'")?, "audio/*")?,
        "thinking" => Content::Reasoning(Reasoning {
            text: thinking_text(of("thinking", "a string or an array of text parts")?),
            format: Some(FORMAT_UNKNOWN.to_owned()),
            ..Reasoning::default()
        }),
        _ => Content::Custom { namespace: NAMESPACE.to_owned(), value: value(path, raw)? },
    };
    Ok(Marks::read(path, &fields)?.on(content))
}

fn url_part(path: &Path<'_>, key: &str, raw: &[u8], media: &str) -> Result<Content, InputError> {
    file::read_url(&path.member(key), raw, media).map(Content::File)
}

/// Mistral's thinking part: a string, or an array of text parts.
fn thinking_text(raw: &[u8]) -> String {
    if let Some(text) = json::string(raw) {
        return text.into_owned();
    }
    let texts =
        elements(raw).into_iter().filter_map(|raw| Fields::of(raw)?.get("text").and_then(json::string));
    texts.collect()
}

fn tool_result(path: &Path<'_>, fields: &Fields<'_>, name: Option<String>) -> Result<Part, InputError> {
    let content_path = path.member("content");
    let output = match fields.get("content") {
        None => ToolOutput::Text(String::new()),
        Some(raw) if json::kind(raw) == Kind::String => {
            ToolOutput::Text(string(&content_path, raw)?.into_owned())
        }
        Some(raw) => ToolOutput::Parts(read_content(&content_path, Some(raw))?),
    };
    // The older `function` role answers by name and has no call id.
    let call_id = match optional_string(path, fields, "tool_call_id")? {
        Some(id) => id,
        None => name.clone().unwrap_or_default(),
    };
    Ok(Part::new(Content::ToolResult(ToolResult { call_id, name, output, is_error: false })))
}

fn tool_calls(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<Part>, InputError> {
    let mut parts = Vec::new();
    if let Some(raw) = fields.get("tool_calls") {
        let path = path.member("tool_calls");
        array(&path, raw)?;
        for (i, raw) in elements(raw).into_iter().enumerate() {
            parts.push(tool_call(&path.element(i), raw)?);
        }
    }
    if let Some(raw) = fields.get("function_call") {
        let path = path.member("function_call");
        let call = called_function(&path, raw, None)?;
        parts.push(Part::new(Content::ToolCall(call)));
    }
    Ok(parts)
}

fn tool_call(path: &Path<'_>, raw: &[u8]) -> Result<Part, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let marks = Marks::read(path, &fields)?;
    let Some(function) = fields.get("function") else {
        let kind = fields.get("type").and_then(json::string);
        if kind.is_some_and(|k| k != "function") {
            return Ok(
                marks.on(Content::Custom { namespace: NAMESPACE.to_owned(), value: value(path, raw)? })
            );
        }
        let expected = "an object with 'name' and 'arguments'";
        return Err(InputError::missing(path.member("function").to_string(), expected));
    };
    let id = required_string(path, &fields, "id", "the id that the model gave the call")?;
    Ok(marks.on(Content::ToolCall(called_function(&path.member("function"), function, Some(id))?)))
}

/// `{name, arguments}`. Arguments are kept byte for byte (I18); an object in place of the text, which some
/// clients send, is kept as its text.
fn called_function(path: &Path<'_>, raw: &[u8], id: Option<String>) -> Result<ToolCall, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let name = required_string(path, &fields, "name", "the function's name")?;
    let arguments = match fields.get("arguments") {
        None => "{}".to_owned(),
        Some(raw) if json::kind(raw) == Kind::Object => String::from_utf8_lossy(raw).into_owned(),
        Some(raw) => string(&path.member("arguments"), raw)?.into_owned(),
    };
    Ok(ToolCall { id: id.unwrap_or_else(|| name.clone()), name, arguments })
}

/// The reasoning that a client sends back: `reasoning_details` carry state and win; without them the plain
/// texts count (clients §0.5).
fn earlier_reasoning(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<Part>, InputError> {
    if let Some(raw) = fields.get("reasoning_details") {
        let path = path.member("reasoning_details");
        array(&path, raw)?;
        let details = reasoning_details(&path, raw)?;
        if !details.is_empty() {
            return Ok(details.into_iter().map(|r| Part::new(Content::Reasoning(r))).collect());
        }
    }
    for key in ["reasoning_content", "reasoning"] {
        // Some gateways put an object here; only text is reasoning.
        let text = fields.get(key).and_then(json::string).filter(|t| !t.is_empty());
        if let Some(text) = text {
            let text = text.into_owned();
            let format = Some(FORMAT_UNKNOWN.to_owned());
            return Ok(vec![Part::new(Content::Reasoning(Reasoning {
                text,
                format,
                ..Reasoning::default()
            }))]);
        }
    }
    Ok(Vec::new())
}

/// Entries of one block that arrive in pieces (a client that stored the stream's deltas) are joined: same
/// index, kind, id and format, and no signature yet.
fn reasoning_details(path: &Path<'_>, raw: &[u8]) -> Result<Vec<Reasoning>, InputError> {
    let mut found: Vec<Reasoning> = Vec::new();
    let mut last_index = None;
    for (i, raw) in elements(raw).into_iter().enumerate() {
        let path = path.element(i);
        let Some(entry) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        let text_of = |key: &str| optional_string(&path, &entry, key);
        let kind = match text_of("type")?.as_deref() {
            Some("reasoning.text") => ReasoningKind::Text,
            Some("reasoning.summary") => ReasoningKind::Summary,
            Some("reasoning.encrypted") => ReasoningKind::Encrypted,
            _ => continue,
        };
        let text = match kind {
            ReasoningKind::Text => text_of("text")?,
            ReasoningKind::Summary => text_of("summary")?,
            ReasoningKind::Encrypted => None,
        };
        let next = Reasoning {
            kind,
            text: text.unwrap_or_default(),
            signature: text_of("signature")?.filter(|s| !s.is_empty()),
            data: text_of("data")?,
            id: text_of("id")?,
            format: text_of("format")?,
        };
        let index = entry.get("index").and_then(json::unsigned);
        match found.last_mut() {
            Some(last) if index.is_some() && index == last_index && continues(last, &next) => {
                last.text.push_str(&next.text);
                last.signature = next.signature;
            }
            _ => found.push(next),
        }
        last_index = index;
    }
    Ok(found)
}

fn continues(last: &Reasoning, next: &Reasoning) -> bool {
    next.kind != ReasoningKind::Encrypted
        && last.kind == next.kind
        && last.signature.is_none()
        && last.data.is_none()
        && next.data.is_none()
        && last.id == next.id
        && last.format == next.format
}
