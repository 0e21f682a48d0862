//! The head of a request: what routing, admission and metering must know, read without building the
//! conversation, and the structural checks that make every later stage safe.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Conversation, ReasoningRequest};
use tollgate_wire::json::{self, Checked, Kind};

use super::{conversation, shape};
use crate::json_path::{self, Path, array, boolean, excerpt, number, object, string, unsigned, wrong};
use crate::surface::Head;
use crate::{body, gateway_options};

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct Request {
    /// What routing must know. Its `max_tokens` is `max_completion_tokens`, else `max_tokens`.
    pub head: Head,
    /// `stream_options.include_usage`; usage is sent either way (gateway-api §7.1).
    pub include_usage: bool,
    /// The body as it came, with what its check has found, for passthrough.
    pub checked: Checked<Bytes>,
}

impl Request {
    /// Reads the head and checks the structure of the whole body. Members that are not known are accepted.
    ///
    /// # Errors
    /// `Malformed` with line, column and byte offset when the body is no JSON; `Invalid` with the JSON path
    /// and what was found when a member is missing or has a wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'messages'")?;
        let object = checked.object();
        let get = |key: &str| object.get(key).filter(|v| !json::is_null(v));
        let root = Path::Body;

        let model = match get("model") {
            None => return Err(InputError::missing("model", "a model id such as \"openai/gpt-5\"")),
            Some(raw) => string(&root.member("model"), raw)?.into_owned(),
        };
        if model.trim().is_empty() {
            return Err(InputError::invalid(
                "model",
                "'model' is an empty string; expected a model id such as \"openai/gpt-5\".",
            ));
        }
        let Some(messages) = get("messages") else {
            return Err(InputError::missing("messages", "a non-empty array of messages"));
        };
        let mut needs = shape::check_messages(messages, &checked)?;
        if let Some(raw) = get("tools") {
            needs.tools = shape::check_tools(&root.member("tools"), raw)?;
        }
        if let Some(raw) = get("functions") {
            needs.tools |= shape::check_tools(&root.member("functions"), raw)?;
        }
        let stream = get("stream").map_or(Ok(false), |raw| boolean(&root.member("stream"), raw))?;
        check_settings(&get)?;
        needs.json_schema = check_response_format(get("response_format"))?;
        let reasoning = read_reasoning(&get)?;
        needs.reasoning = reasoning.as_ref().is_some_and(ReasoningRequest::wanted);
        let include_usage = include_usage(get("stream_options"))?;
        let max_tokens = max_tokens(&get)?;
        let options = gateway_options::parse(get("providerOptions"), get("user"), get("safety_identifier"))?;
        needs.image_output = wants_images(get("modalities"));
        drop(object);
        let exclude_reasoning = reasoning.is_some_and(|r| r.exclude);
        let head = Head { model, stream, max_tokens, options, needs, exclude_reasoning };
        Ok(Self { head, include_usage, checked })
    }

    /// The whole request in its neutral form, for a provider that speaks another protocol.
    ///
    /// # Errors
    /// A member deep in a message or tool has a wrong type or value; the error names its JSON path.
    pub fn conversation(&self) -> Result<Conversation, InputError> {
        conversation::read(self.checked.text())
    }
}

fn wants_images(modalities: Option<&[u8]>) -> bool {
    modalities.map(crate::checked::elements).unwrap_or_default().into_iter().any(|raw| raw == b"\"image\"")
}

fn check_settings<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), InputError> {
    let root = Path::Body;
    for name in ["temperature", "top_p", "presence_penalty", "frequency_penalty"] {
        if let Some(raw) = get(name) {
            number(&root.member(name), raw)?;
        }
    }
    if let Some(raw) = get("stop") {
        shape::check_stop(&root.member("stop"), raw)?;
    }
    for name in ["tool_choice", "function_call"] {
        if let Some(raw) = get(name)
            && !matches!(json::kind(raw), Kind::String | Kind::Object)
        {
            return Err(wrong(&root.member(name), "a string or an object", raw));
        }
    }
    if let Some(raw) = get("parallel_tool_calls") {
        boolean(&root.member("parallel_tool_calls"), raw)?;
    }
    if let Some(raw) = get("modalities") {
        array(&root.member("modalities"), raw)?;
    }
    Ok(())
}

/// Whether the answer must follow a schema.
fn check_response_format(raw: Option<&[u8]>) -> Result<bool, InputError> {
    let Some(raw) = raw else { return Ok(false) };
    let root = Path::Body;
    let path = root.member("response_format");
    object(&path, raw)?;
    let fields = crate::checked::Fields::of(raw);
    let Some(kind) = fields.as_ref().and_then(|f| f.get("type")) else {
        return Err(InputError::missing("response_format.type", FORMATS));
    };
    match &*string(&path.member("type"), kind)? {
        "text" | "json_object" => Ok(false),
        "json" => Ok(fields.is_some_and(|f| f.get("schema").is_some())),
        "json_schema" => Ok(true),
        other => Err(InputError::invalid(
            "response_format.type",
            format!("'response_format.type' is \"{}\"; expected {FORMATS}.", excerpt(other)),
        )),
    }
}

const FORMATS: &str = "\"text\", \"json_object\" or \"json_schema\"";

fn include_usage(raw: Option<&[u8]>) -> Result<bool, InputError> {
    let Some(raw) = raw else { return Ok(false) };
    let root = Path::Body;
    let path = root.member("stream_options");
    object(&path, raw)?;
    match crate::checked::Fields::of(raw).and_then(|f| f.get("include_usage")) {
        Some(raw) => boolean(&path.member("include_usage"), raw),
        None => Ok(false),
    }
}

/// `max_completion_tokens` wins over `max_tokens`; clients whose catalog holds 0 send 0 (clients §4).
pub(super) fn max_tokens<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<Option<u64>, InputError> {
    let root = Path::Body;
    let mut limit = None;
    for name in ["max_tokens", "max_completion_tokens"] {
        if let Some(raw) = get(name) {
            limit = Some(unsigned(&root.member(name), raw)?).filter(|n| *n > 0).or(limit);
        }
    }
    Ok(limit)
}

/// What was asked of reasoning: the object `reasoning`, else its aliases `reasoning_effort` and
/// `include_reasoning` (gateway-api §7.1; the nested form wins). `None`: nothing was said.
pub(super) fn read_reasoning<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Option<ReasoningRequest>, InputError> {
    let root = Path::Body;
    let mut asked = ReasoningRequest::default();
    let mut said = false;
    if let Some(raw) = get("reasoning_effort") {
        asked.effort = Some(string(&root.member("reasoning_effort"), raw)?.into_owned());
        said = true;
    }
    if let Some(raw) = get("include_reasoning")
        && !boolean(&root.member("include_reasoning"), raw)?
    {
        asked.exclude = true;
        said = true;
    }
    if let Some(raw) = get("reasoning") {
        let path = root.member("reasoning");
        json_path::object(&path, raw)?;
        said = true;
        let Some(fields) = crate::checked::Fields::of(raw) else { return Ok(Some(asked)) };
        if let Some(raw) = fields.get("enabled") {
            asked.enabled = Some(boolean(&path.member("enabled"), raw)?);
        }
        if let Some(raw) = fields.get("effort") {
            asked.effort = Some(string(&path.member("effort"), raw)?.into_owned());
        }
        if let Some(raw) = fields.get("max_tokens") {
            asked.max_tokens = Some(unsigned(&path.member("max_tokens"), raw)?).filter(|n| *n > 0);
        }
        if let Some(raw) = fields.get("exclude") {
            asked.exclude = boolean(&path.member("exclude"), raw)?;
        }
        if let Some(raw) = fields.get("summary") {
            asked.summary = Some(string(&path.member("summary"), raw)?.into_owned());
        }
    }
    Ok(said.then_some(asked))
}

#[cfg(test)]
mod tests;
