//! The head of a request: what routing, admission and metering must know, read without building the
//! conversation, and the structural checks that make every later stage safe.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Conversation, ReasoningRequest};
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::options::GatewayOptions;
use tollgate_wire::json::{self, Checked, JsonError, Kind};

use super::{conversation, shape};
use crate::gateway_options;
use crate::json_path::{self, Path, array, boolean, number, object, string, unsigned, wrong};

/// What a model must be able to take to serve the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Images in the prompt.
    pub images: bool,
    /// Documents or other files in the prompt.
    pub files: bool,
    /// Audio in the prompt.
    pub audio: bool,
    /// Tools to call.
    pub tools: bool,
    /// An answer after a JSON schema.
    pub json_schema: bool,
    /// Reasoning was asked for.
    pub reasoning: bool,
}

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model, as the client wrote it.
    pub model: String,
    /// The answer shall be streamed.
    pub stream: bool,
    /// `stream_options.include_usage`; usage is sent either way (gateway-api §7.1).
    pub include_usage: bool,
    /// The most tokens to generate: `max_completion_tokens`, else `max_tokens`; 0 counts as absent.
    pub max_tokens: Option<u64>,
    /// `providerOptions.gateway` and the body's attribution.
    pub options: GatewayOptions,
    /// The body as it came.
    pub body: Bytes,
    /// The same, with what its check has found, for passthrough.
    pub checked: Checked<Bytes>,
    /// Reasoning is to be left out of the answer.
    pub reasoning_exclude: bool,
    /// What the model must be able to take.
    pub needs: Needs,
}

impl Request {
    /// Reads the head and checks the structure of the whole body. Members that are not known are accepted.
    ///
    /// # Errors
    /// `Malformed` with line, column and byte offset when the body is no JSON; `Invalid` with the JSON path
    /// and what was found when a member is missing or has a wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = Checked::new(body.clone()).map_err(|e| not_an_object(body, &e))?;
        let head = checked.object();
        let get = |key: &str| head.get(key).filter(|v| !json::is_null(v));
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
        drop(head);
        Ok(Self {
            model,
            stream,
            include_usage,
            max_tokens,
            options,
            body: body.clone(),
            checked,
            reasoning_exclude: reasoning.is_some_and(|r| r.exclude),
            needs,
        })
    }

    /// The whole request in its neutral form, for a provider that speaks another protocol.
    ///
    /// # Errors
    /// A member deep in a message or tool has a wrong type or value; the error names its JSON path.
    pub fn conversation(&self) -> Result<Conversation, InputError> {
        conversation::read(&self.body)
    }
}

fn not_an_object(body: &[u8], error: &JsonError) -> InputError {
    let malformed = |message: String| InputError {
        kind: InputErrorKind::Malformed,
        message,
        param: None,
        code: Some("invalid_json"),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return malformed(
            "The request body is empty; expected a JSON object with 'model' and 'messages'.".into(),
        );
    }
    if let Ok(()) = json::validate(body) {
        let start = body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        let found = json::kind(&body[start..]).describe();
        return InputError {
            kind: InputErrorKind::Invalid,
            message: format!(
                "The request body is {found}; expected a JSON object with 'model' and 'messages'."
            ),
            param: None,
            code: Some("invalid_type"),
        };
    }
    let (line, column) = error.line_and_column(body);
    malformed(format!(
        "The request body is not valid JSON: {} at line {line}, column {column} (byte {}). Send one JSON object in UTF-8.",
        error.what, error.offset
    ))
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

/// A short piece of a word that was not known, for a message.
pub(super) fn excerpt(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

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
    }
    Ok(said.then_some(asked))
}

#[cfg(test)]
mod tests;
