//! The head of a request: what routing, admission and metering must know, read without building the
//! conversation, and the structural checks that make every later stage safe.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Conversation, ReasoningRequest};
use tollgate_wire::json::{self, Checked};

use super::{conversation, shape};
use crate::checked::Fields;
use crate::json_path::{Path, array, boolean, number, object, string, unsigned, wrong};
use crate::surface::Head;
use crate::{body, gateway_options};

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct Request {
    /// What routing must know. Its `model` is the id to route; see [`Request::model_as_sent`].
    pub head: Head,
    /// The model exactly as the client wrote it: with Claude Code's `[1m]` behind it, or the `claude-code/`
    /// of that tool's model list before it (gateway-api §16).
    pub model_as_sent: String,
    /// The body as it came, with what its check has found, for passthrough.
    pub checked: Checked<Bytes>,
}

impl Request {
    /// Reads the head and checks the structure of the whole body. Members, betas and block types that are
    /// not known are accepted (clients §0.15).
    ///
    /// # Errors
    /// `Malformed` with line, column and byte offset when the body is no JSON; `Invalid` with the JSON path
    /// and what was found when a member is missing or has a wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model', 'max_tokens' and 'messages'")?;
        let (head, model_as_sent) = read_head(&checked, true)?;
        Ok(Self { head, model_as_sent, checked })
    }

    /// The whole request in its neutral form, for a provider that speaks another protocol.
    ///
    /// # Errors
    /// A member deep in a message or tool has a wrong type or value; the error names its JSON path.
    pub fn conversation(&self) -> Result<Conversation, InputError> {
        conversation::read(self.checked.text())
    }
}

/// Reads the head; gives it with the model as the client wrote it. Counting tokens needs no `max_tokens`.
pub(super) fn read_head(
    checked: &Checked<Bytes>,
    needs_max_tokens: bool,
) -> Result<(Head, String), InputError> {
    let object = checked.object();
    let get = |key: &str| object.get(key).filter(|v| !json::is_null(v));
    let root = Path::Body;

    let model_as_sent = match get("model") {
        None => return Err(InputError::missing("model", MODEL)),
        Some(raw) => string(&root.member("model"), raw)?.into_owned(),
    };
    let model = routed(&model_as_sent).to_owned();
    if model.is_empty() {
        return Err(InputError::invalid("model", format!("'model' names no model; expected {MODEL}.")));
    }
    let max_tokens = match get("max_tokens") {
        None if needs_max_tokens => {
            return Err(InputError::missing("max_tokens", "the most tokens to generate, such as 4096"));
        }
        None => None,
        Some(raw) => Some(unsigned(&root.member("max_tokens"), raw)?).filter(|n| *n > 0),
    };
    let Some(messages) = get("messages") else {
        return Err(InputError::missing("messages", "a non-empty array of messages"));
    };
    let mut needs = shape::check_messages(messages, checked)?;
    if let Some(raw) = get("system") {
        shape::check_system(&root.member("system"), raw, &mut needs)?;
    }
    if let Some(raw) = get("tools") {
        needs.tools = shape::check_tools(&root.member("tools"), raw)?;
    }
    check_settings(&get)?;
    needs.json_schema = wants_schema(&get)?;
    needs.reasoning = read_reasoning(&get)?.is_some_and(|r| r.wanted());
    let stream = get("stream").map_or(Ok(false), |raw| boolean(&root.member("stream"), raw))?;
    let user_id = user_id(&get);
    let options = gateway_options::parse(get("providerOptions"), None, user_id)?;
    let head = Head {
        model,
        stream,
        max_tokens,
        options,
        needs,
        // The protocol has no member that asks for this; `thinking.display` only shortens what is shown.
        exclude_reasoning: false,
    };
    Ok((head, model_as_sent))
}

const MODEL: &str = "a model id such as \"anthropic/claude-sonnet-4.5\"";

/// The id that is routed: without the marks of Claude Code (clients §4, gateway-api §16).
fn routed(model: &str) -> &str {
    let model = model.trim();
    let model = model.strip_prefix("claude-code/").unwrap_or(model);
    match model.len().checked_sub(4).filter(|at| model.is_char_boundary(*at)) {
        Some(at) if model[at..].eq_ignore_ascii_case("[1m]") => model[..at].trim_end(),
        _ => model,
    }
}

/// `metadata.user_id`: who the end user is, for attribution only as long as it is within the limits.
pub(super) fn user_id<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Option<&'a [u8]> {
    get("metadata").and_then(Fields::of).and_then(|fields| fields.get("user_id"))
}

fn check_settings<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), InputError> {
    let root = Path::Body;
    for name in ["temperature", "top_p"] {
        if let Some(raw) = get(name) {
            number(&root.member(name), raw)?;
        }
    }
    if let Some(raw) = get("top_k") {
        unsigned(&root.member("top_k"), raw)?;
    }
    if let Some(raw) = get("stop_sequences") {
        let path = root.member("stop_sequences");
        array(&path, raw).map_err(|_| wrong(&path, "an array of strings", raw))?;
        for (i, element) in crate::checked::elements(raw).into_iter().enumerate() {
            string(&path.element(i), element)?;
        }
    }
    if let Some(raw) = get("tool_choice") {
        let path = root.member("tool_choice");
        object(&path, raw).map_err(|_| wrong(&path, "an object such as {\"type\":\"auto\"}", raw))?;
    }
    Ok(())
}

/// The form that the answer must have: `output_config.format`, or the older top-level `output_format`, with
/// the path it stands at.
pub(super) fn output_format<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Option<(&'static str, Fields<'a>)>, InputError> {
    let root = Path::Body;
    let config = root.member("output_config");
    let mut at = "output_config.format";
    let mut raw = None;
    if let Some(found) = get("output_config") {
        object(&config, found)?;
        raw = Fields::of(found).and_then(|fields| fields.get("format"));
    }
    if raw.is_none() {
        at = "output_format";
        raw = get(at);
    }
    let Some(raw) = raw else { return Ok(None) };
    match Fields::of(raw) {
        Some(fields) => Ok(Some((at, fields))),
        None => {
            Err(wrong(&root.member(at), "an object such as {\"type\":\"json_schema\",\"schema\":{…}}", raw))
        }
    }
}

fn wants_schema<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<bool, InputError> {
    let format = output_format(get)?;
    Ok(format.is_some_and(|(_, fields)| {
        fields.get("type").and_then(json::string).as_deref() == Some("json_schema")
    }))
}

/// What was asked of reasoning: `thinking`, and `output_config.effort`. `None`: nothing was said.
pub(super) fn read_reasoning<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Option<ReasoningRequest>, InputError> {
    let root = Path::Body;
    let mut asked = ReasoningRequest::default();
    let mut said = false;
    if let Some(raw) = get("output_config") {
        let path = root.member("output_config");
        object(&path, raw)?;
        if let Some(raw) = Fields::of(raw).and_then(|fields| fields.get("effort")) {
            asked.effort = Some(string(&path.member("effort"), raw)?.into_owned());
            said = true;
        }
    }
    let Some(raw) = get("thinking") else { return Ok(said.then_some(asked)) };
    let path = root.member("thinking");
    let Some(fields) = Fields::of(raw) else {
        return Err(wrong(&path, "an object such as {\"type\":\"adaptive\"}", raw));
    };
    let kind_path = path.member("type");
    let Some(kind) = fields.get("type") else {
        return Err(InputError::missing(kind_path.to_string(), "\"enabled\", \"adaptive\" or \"disabled\""));
    };
    match &*string(&kind_path, kind)? {
        "disabled" => asked.enabled = Some(false),
        // A type that is not known yet is some way of reasoning.
        _ => asked.enabled = Some(true),
    }
    if asked.enabled == Some(true) {
        if let Some(raw) = fields.get("budget_tokens") {
            asked.max_tokens = Some(unsigned(&path.member("budget_tokens"), raw)?).filter(|n| *n > 0);
        }
        if let Some(raw) = fields.get("display") {
            let display = string(&path.member("display"), raw)?.into_owned();
            asked.exclude = display == "omitted";
            asked.summary = Some(display);
        }
    }
    Ok(Some(asked))
}
