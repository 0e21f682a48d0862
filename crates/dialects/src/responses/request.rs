//! The head of a request: what routing, admission and metering must know, read without building the
//! conversation, and the structural checks that make every later stage safe.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{Conversation, ReasoningRequest};
use tollgate_wire::json::{self, Checked, Kind};

use super::{conversation, shape};
use crate::checked::Fields;
use crate::json_path::{Path, array, boolean, excerpt, number, object, string, unsigned, wrong};
use crate::surface::Head;
use crate::{body, gateway_options};

/// The most pairs of `metadata` (gateway-api §7.2).
const MAX_METADATA_PAIRS: usize = 16;
/// The longest key of `metadata`, in characters.
const MAX_METADATA_KEY_CHARS: usize = 64;
/// The longest value of `metadata`, in characters.
const MAX_METADATA_VALUE_CHARS: usize = 512;
/// The longest `prompt_cache_key`, in characters.
const MAX_CACHE_KEY_CHARS: usize = 64;

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct Request {
    /// What routing must know. Its `max_tokens` is `max_output_tokens`.
    pub head: Head,
    /// The answer before this one, as the client knows it (`gen_…` of this gateway, or a provider's id).
    pub previous_response_id: Option<String>,
    /// Whether the provider shall keep the answer; `None`: its default.
    pub store: Option<bool>,
    /// The provider shall answer later, out of this connection.
    pub background: bool,
    /// The input names items that only a provider's store holds.
    pub has_item_references: bool,
    /// A member `conversation` or `prompt` names what only a provider's store holds.
    pub has_stored_context: bool,
    /// The input carries reasoning state of another family of providers, wrapped by this gateway: a
    /// provider of this protocol would refuse it in a body that is passed through (I19).
    pub has_foreign_state: bool,
    /// The types of the tools that are no functions (`web_search`, `custom`, `namespace`), each once.
    pub foreign_tools: Vec<String>,
    /// The body as it came, with what its check has found, for passthrough.
    pub checked: Checked<Bytes>,
}

impl Request {
    /// Reads the head and checks the structure of the whole body. Members, item types and tool types that
    /// are not known are accepted.
    ///
    /// # Errors
    /// `Malformed` with line, column and byte offset when the body is no JSON; `Invalid` with the JSON path
    /// and what was found when a member is missing or has a wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'input'")?;
        let object = checked.object();
        let get = |key: &str| object.get(key).filter(|v| !json::is_null(v));
        let root = Path::Body;
        let flag = |key: &str| get(key).map(|raw| boolean(&root.member(key), raw)).transpose();

        let model = read_model(get("model"))?;
        let previous_response_id = match get("previous_response_id") {
            Some(raw) => Some(string(&root.member("previous_response_id"), raw)?.into_owned()),
            None => None,
        };
        let has_stored_context = get("conversation").is_some() || get("prompt").is_some();
        let found = match get("input") {
            Some(raw) => shape::check_input(raw, &checked)?,
            None if previous_response_id.is_some() || has_stored_context => shape::Found::default(),
            None => return Err(InputError::missing("input", "a string or an array of items")),
        };
        let alone = previous_response_id.is_none() && !has_stored_context && get("instructions").is_none();
        if found.empty && alone {
            return Err(InputError::invalid(
                "input",
                "'input' is an empty array; expected at least one item.",
            ));
        }
        let tools = get("tools").map(shape::check_tools).transpose()?.unwrap_or_default();
        check_settings(&get)?;
        check_metadata(get("metadata"))?;
        let mut needs = found.needs;
        needs.tools = tools.callable;
        needs.json_schema = check_text(get("text"))?;
        needs.reasoning = read_reasoning(get("reasoning"))?.is_some_and(|r| r.wanted());
        let options = gateway_options::parse(get("providerOptions"), get("user"), get("safety_identifier"))?;
        let max_tokens = max_output_tokens(get("max_output_tokens"))?;
        let (stream, store, background) = (flag("stream")?, flag("store")?, flag("background")?);
        drop(object);
        Ok(Self {
            head: Head {
                model,
                stream: stream.unwrap_or(false),
                max_tokens,
                options,
                needs,
                exclude_reasoning: false,
            },
            previous_response_id,
            store,
            background: background.unwrap_or(false),
            has_item_references: found.item_references,
            has_stored_context,
            has_foreign_state: found.foreign_state,
            foreign_tools: tools.foreign,
            checked,
        })
    }

    /// Whether only the provider that holds earlier answers can serve the request: what it needs of them is
    /// not in its body.
    #[must_use]
    pub fn needs_provider_state(&self) -> bool {
        self.previous_response_id.is_some()
            || self.has_item_references
            || self.has_stored_context
            || self.background
    }

    /// The whole request in its neutral form, for a provider that speaks another protocol.
    ///
    /// # Errors
    /// A member deep in an item or tool has a wrong type or value, or an item is only named and not given;
    /// the error names its JSON path.
    pub fn conversation(&self) -> Result<Conversation, InputError> {
        conversation::read(self.checked.text())
    }
}

/// The member `model`, which every request has.
pub(super) fn read_model(raw: Option<&[u8]>) -> Result<String, InputError> {
    let Some(raw) = raw else {
        return Err(InputError::missing("model", "a model id such as \"openai/gpt-5\""));
    };
    let model = string(&Path::Body.member("model"), raw)?.into_owned();
    if model.trim().is_empty() {
        return Err(InputError::invalid(
            "model",
            "'model' is an empty string; expected a model id such as \"openai/gpt-5\".",
        ));
    }
    Ok(model)
}

/// Clients whose catalog holds 0 send 0, which is no limit (clients §4).
pub(super) fn max_output_tokens(raw: Option<&[u8]>) -> Result<Option<u64>, InputError> {
    let limit = raw.map(|raw| unsigned(&Path::Body.member("max_output_tokens"), raw)).transpose()?;
    Ok(limit.filter(|n| *n > 0))
}

fn check_settings<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), InputError> {
    let root = Path::Body;
    for name in ["temperature", "top_p", "presence_penalty", "frequency_penalty"] {
        if let Some(raw) = get(name) {
            number(&root.member(name), raw)?;
        }
    }
    for name in ["instructions", "truncation", "service_tier", "user", "safety_identifier"] {
        if let Some(raw) = get(name) {
            string(&root.member(name), raw)?;
        }
    }
    if let Some(raw) = get("parallel_tool_calls") {
        boolean(&root.member("parallel_tool_calls"), raw)?;
    }
    if let Some(raw) = get("include") {
        array(&root.member("include"), raw)?;
    }
    if let Some(raw) = get("tool_choice")
        && !matches!(json::kind(raw), Kind::String | Kind::Object)
    {
        return Err(wrong(&root.member("tool_choice"), "a string or an object", raw));
    }
    if let Some(raw) = get("prompt_cache_key") {
        let key = string(&root.member("prompt_cache_key"), raw)?;
        within("prompt_cache_key", "a cache key", &key, MAX_CACHE_KEY_CHARS)?;
    }
    if let Some(raw) = get("cache_anchor_items") {
        unsigned(&root.member("cache_anchor_items"), raw)?;
    }
    one_of("caching", get("caching"), &["auto"])?;
    one_of("cache_ttl", get("cache_ttl"), &["5m", "1h"])
}

fn one_of(name: &str, raw: Option<&[u8]>, words: &[&str]) -> Result<(), InputError> {
    let Some(raw) = raw else { return Ok(()) };
    let word = string(&Path::Body.member(name), raw)?;
    if words.contains(&&*word) {
        return Ok(());
    }
    let expected = words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(" or ");
    Err(InputError::invalid(name, format!("'{name}' is \"{}\"; expected {expected}.", excerpt(&word))))
}

fn within(path: &str, what: &str, text: &str, limit: usize) -> Result<(), InputError> {
    if text.len() <= limit || text.chars().count() <= limit {
        return Ok(());
    }
    let found = text.chars().count();
    Err(InputError::invalid(
        path,
        format!("'{path}' has {found} characters; {what} may have at most {limit}. Send a shorter one."),
    ))
}

fn check_metadata(raw: Option<&[u8]>) -> Result<(), InputError> {
    let Some(raw) = raw else { return Ok(()) };
    let root = Path::Body;
    let path = root.member("metadata");
    object(&path, raw)?;
    let Some(fields) = Fields::of(raw) else { return Ok(()) };
    let pairs = fields.iter().count();
    if pairs > MAX_METADATA_PAIRS {
        return Err(InputError::invalid(
            "metadata",
            format!("'metadata' has {pairs} pairs; at most {MAX_METADATA_PAIRS} are allowed. Remove some."),
        ));
    }
    for (key, raw) in fields.iter().filter(|(_, raw)| !json::is_null(raw)) {
        if key.chars().count() > MAX_METADATA_KEY_CHARS {
            let found = key.chars().count();
            return Err(InputError::invalid(
                "metadata",
                format!(
                    "A key of 'metadata' has {found} characters; a key may have at most {MAX_METADATA_KEY_CHARS}. Send a shorter one."
                ),
            ));
        }
        let path = path.member(key);
        let value = string(&path, raw)?;
        within(&path.to_string(), "a value of 'metadata'", &value, MAX_METADATA_VALUE_CHARS)?;
    }
    Ok(())
}

const FORMATS: &str = "\"text\", \"json_object\" or \"json_schema\"";

/// The member `text`; gives whether the answer must follow a schema.
fn check_text(raw: Option<&[u8]>) -> Result<bool, InputError> {
    let Some(raw) = raw else { return Ok(false) };
    let root = Path::Body;
    let path = root.member("text");
    object(&path, raw)?;
    let Some(fields) = Fields::of(raw) else { return Ok(false) };
    if let Some(raw) = fields.get("verbosity") {
        string(&path.member("verbosity"), raw)?;
    }
    let Some(raw) = fields.get("format") else { return Ok(false) };
    let path = path.member("format");
    object(&path, raw)?;
    let Some(format) = Fields::of(raw) else { return Ok(false) };
    let kind_path = path.member("type");
    let Some(kind) = format.get("type") else {
        return Err(InputError::missing(kind_path.to_string(), FORMATS));
    };
    match &*string(&kind_path, kind)? {
        "text" | "json_object" => Ok(false),
        "json_schema" => {
            let path = path.member("schema");
            match format.get("schema") {
                Some(raw) => object(&path, raw).map(|()| true),
                None => Err(InputError::missing(path.to_string(), "a JSON schema")),
            }
        }
        other => Err(InputError::invalid(
            kind_path.to_string(),
            format!("'{kind_path}' is \"{}\"; expected {FORMATS}.", excerpt(other)),
        )),
    }
}

/// The member `reasoning`: `{effort, summary}`, the latter also under its older name `generate_summary`.
pub(super) fn read_reasoning(raw: Option<&[u8]>) -> Result<Option<ReasoningRequest>, InputError> {
    let Some(raw) = raw else { return Ok(None) };
    let root = Path::Body;
    let path = root.member("reasoning");
    object(&path, raw)?;
    let Some(fields) = Fields::of(raw) else { return Ok(None) };
    let text = |key: &str| -> Result<Option<String>, InputError> {
        let found = fields.get(key).map(|raw| string(&path.member(key), raw)).transpose()?;
        Ok(found.map(std::borrow::Cow::into_owned))
    };
    let summary = match text("summary")? {
        Some(summary) => Some(summary),
        None => text("generate_summary")?,
    };
    Ok(Some(ReasoningRequest { effort: text("effort")?, summary, ..ReasoningRequest::default() }))
}

#[cfg(test)]
mod tests;
