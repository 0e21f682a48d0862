//! The smaller pieces of a message or delta, read from their text.

use serde_json::{Value, json};
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, File, FileData, ReasoningKind,
};
use tollgate_wire::json::{self, Object};

use super::super::chunk::{Chunk, text_of};

/// One entry of `reasoning_details` (gateway-api §7.1).
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) kind: ReasoningKind,
    pub(super) text: String,
    pub(super) signature: Option<String>,
    pub(super) data: Option<String>,
    pub(super) id: Option<String>,
    pub(super) index: Option<u64>,
    pub(super) format: &'static str,
}

impl Detail {
    /// Gemini's thought signature, of a call when it came with one.
    pub(super) fn gemini(signature: &str, call: Option<String>) -> Self {
        Self {
            kind: ReasoningKind::Encrypted,
            text: String::new(),
            signature: None,
            data: Some(signature.to_owned()),
            id: call,
            index: None,
            format: FORMAT_GEMINI,
        }
    }

    fn parse(raw: &[u8]) -> Option<Self> {
        let entry = Object::parse_checked(raw).ok()?;
        let own = |key: &str| text_of(&entry, key).map(|text| text.into_owned());
        let (kind, text) = match &*text_of(&entry, "type")? {
            "reasoning.text" => (ReasoningKind::Text, own("text")),
            "reasoning.summary" => (ReasoningKind::Summary, own("summary")),
            "reasoning.encrypted" => (ReasoningKind::Encrypted, None),
            _ => return None,
        };
        Some(Self {
            kind,
            text: text.unwrap_or_default(),
            signature: own("signature"),
            data: own("data"),
            id: own("id"),
            index: entry.get("index").and_then(json::unsigned),
            format: text_of(&entry, "format").map_or(FORMAT_UNKNOWN, |format| known_format(&format)),
        })
    }
}

/// The formats that have a name here; state of another one is still carried, as unknown.
fn known_format(format: &str) -> &'static str {
    match format {
        FORMAT_ANTHROPIC => FORMAT_ANTHROPIC,
        FORMAT_OPENAI => FORMAT_OPENAI,
        FORMAT_GEMINI => FORMAT_GEMINI,
        "xai-responses-v1" => "xai-responses-v1",
        "azure-openai-responses-v1" => "azure-openai-responses-v1",
        _ => FORMAT_UNKNOWN,
    }
}

/// The entries of `reasoning_details`.
pub(super) fn reasoning_details(raw: Option<&[u8]>) -> Vec<Detail> {
    array(raw).into_iter().filter_map(Detail::parse).collect()
}

/// The elements of an array; none when it is anything else.
fn array(raw: Option<&[u8]>) -> Vec<&[u8]> {
    raw.filter(|raw| raw.first() == Some(&b'[')).and_then(|raw| json::elements(raw).ok()).unwrap_or_default()
}

/// A piece of `content`.
pub(super) enum Piece {
    Text(String),
    Refusal(String),
    Thinking(String),
    File(File),
}

/// What `content` holds: a string, or an array of parts (Mistral; providers §2).
pub(super) fn content(raw: &[u8]) -> Vec<Piece> {
    if let Some(text) = json::string(raw) {
        return if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.into_owned())] };
    }
    array(Some(raw)).into_iter().filter_map(piece).collect()
}

fn piece(raw: &[u8]) -> Option<Piece> {
    if let Some(text) = json::string(raw) {
        return (!text.is_empty()).then(|| Piece::Text(text.into_owned()));
    }
    let part = Object::parse_checked(raw).ok()?;
    let kind = text_of(&part, "type").unwrap_or_default();
    match &*kind {
        "thinking" | "reasoning" => {
            let thinking = part.get("thinking").or_else(|| part.get("reasoning"))?;
            let text = thinking_text(thinking);
            (!text.is_empty()).then_some(Piece::Thinking(text))
        }
        "refusal" => Some(Piece::Refusal(text_of(&part, "refusal")?.into_owned())),
        "image_url" => image(&part).map(Piece::File),
        "text" | "output_text" | "" => Some(Piece::Text(text_of(&part, "text")?.into_owned())),
        _ => None,
    }
}

/// Mistral's thinking: texts in an array, or plainly a string.
fn thinking_text(raw: &[u8]) -> String {
    if let Some(text) = json::string(raw) {
        return text.into_owned();
    }
    let mut whole = String::new();
    for element in array(Some(raw)) {
        if let Ok(part) = Object::parse_checked(element) {
            whole.push_str(&text_of(&part, "text").unwrap_or_default());
        }
    }
    whole
}

/// The images of `images` (gateway-api §7.1).
pub(super) fn images(raw: &[u8]) -> Vec<File> {
    array(Some(raw)).into_iter().filter_map(|element| image(&Object::parse_checked(element).ok()?)).collect()
}

fn image(part: &Object<'_>) -> Option<File> {
    let raw = part.get("image_url")?;
    let url = match json::string(raw) {
        Some(url) => url.into_owned(),
        None => text_of(&Object::parse_checked(raw).ok()?, "url")?.into_owned(),
    };
    let (media_type, data) = match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, data)) => (media_type.to_owned(), FileData::Base64(data.to_owned())),
        None => ("image/*".to_owned(), FileData::Url(url)),
    };
    Some(File { media_type, data, filename: None, detail: None })
}

/// The elements of an array as values.
pub(super) fn values(raw: &[u8]) -> Vec<Value> {
    array(Some(raw)).into_iter().filter_map(|element| serde_json::from_slice(element).ok()).collect()
}

/// Sources named beside the text (Perplexity, xAI), as OpenAI's annotations. `None`: the chunk has none.
pub(super) fn cited(chunk: &Chunk<'_>) -> Option<Vec<Value>> {
    if let Some(results) = chunk.member("search_results") {
        let found: Vec<Value> = values(results)
            .into_iter()
            .filter_map(|result| Some(citation(result["url"].as_str()?, result["title"].as_str())))
            .collect();
        if !found.is_empty() {
            return Some(found);
        }
    }
    let found: Vec<Value> = values(chunk.member("citations")?)
        .into_iter()
        .filter_map(|value| {
            Some(citation(value.as_str().or_else(|| value["url"].as_str())?, value["title"].as_str()))
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

fn citation(url: &str, title: Option<&str>) -> Value {
    let mut citation = json!({"type": "url_citation", "url_citation": {"url": url}});
    if let Some(title) = title {
        citation["url_citation"]["title"] = Value::from(title);
    }
    citation
}

/// Gemini's thought signature of a message or a call (providers §2).
pub(super) fn google_signature(object: &Object<'_>) -> Option<String> {
    let nested =
        object.get("extra_content").and_then(|raw| Object::parse_checked(raw).ok()).and_then(|extra| {
            let google = Object::parse_checked(extra.get("google")?).ok()?;
            text_of(&google, "thought_signature").map(|text| text.into_owned())
        });
    nested.or_else(|| text_of(object, "thought_signature").map(|text| text.into_owned()))
}

/// Name and arguments of a call's entry.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: String,
}

impl Call {
    /// Of an entry of `tool_calls`: a function, or a custom tool with free text.
    pub(super) fn of(entry: &Object<'_>) -> Self {
        let inner = entry.get("function").or_else(|| entry.get("custom"));
        inner.map(Self::legacy).unwrap_or_default()
    }

    /// Of a function object.
    pub(super) fn legacy(raw: &[u8]) -> Self {
        let Ok(function) = Object::parse_checked(raw) else { return Self::default() };
        let arguments = function.get("arguments").or_else(|| function.get("input")).map(arguments);
        Self {
            name: text_of(&function, "name").unwrap_or_default().into_owned(),
            arguments: arguments.unwrap_or_default(),
        }
    }
}

/// Arguments as text: a string's content, or an object as it stands.
fn arguments(raw: &[u8]) -> String {
    match json::string(raw) {
        Some(text) => text.into_owned(),
        None if json::is_null(raw) => String::new(),
        None => String::from_utf8_lossy(raw).into_owned(),
    }
}
