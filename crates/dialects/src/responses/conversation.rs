//! The whole request in its neutral form: settings, tools, the form of the answer and provider options.
//! The body has passed the structural checks, so only what they did not look at can still be wrong.

use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheAnchor, CacheMark, CacheTtl, Conversation, ResponseFormat, Settings, Tool, ToolChoice,
};
use tollgate_wire::json;

use super::input;
use super::request::{max_output_tokens, read_reasoning};
use crate::chat_completions::conversation as chat;
use crate::chat_completions::message::{Marks, cache_mark, value};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, boolean, excerpt, string, unsigned, wrong};

/// The namespace of what only this protocol knows.
pub(super) const NAMESPACE: &str = "openai";

/// Reads a body that passed the structural checks.
pub(super) fn read(body: &[u8]) -> Result<Conversation, InputError> {
    let root = Path::Body;
    let Some(fields) = Fields::of(body) else { return Err(wrong(&root, "an object", body)) };
    let options = fields.get("providerOptions").and_then(Fields::of);
    let gateway = options.as_ref().and_then(|f| f.get("gateway")).and_then(Fields::of);
    let ttl = cache_ttl(&fields);
    let anchor = match fields.get("cache_anchor_items") {
        Some(raw) => Some(unsigned(&root.member("cache_anchor_items"), raw)?).filter(|n| *n > 0),
        None => None,
    };
    let (messages, anchored) = input::read(&fields, anchor)?;
    let choice = tool_choice(&fields)?;
    let text = fields.get("text").and_then(Fields::of);
    let format = text.as_ref().and_then(|f| f.get("format"));
    let verbosity = text.as_ref().and_then(|f| f.get("verbosity")).and_then(json::string);
    Ok(Conversation {
        messages,
        settings: Settings {
            max_output_tokens: max_output_tokens(fields.get("max_output_tokens"))?,
            ..chat::settings(&fields)?
        },
        tools: tools(&fields, &choice.allowed)?,
        tool_choice: choice.choice,
        parallel_tool_calls: fields
            .get("parallel_tool_calls")
            .map(|raw| boolean(&root.member("parallel_tool_calls"), raw))
            .transpose()?,
        response_format: format.map(response_format).transpose()?.flatten(),
        reasoning: read_reasoning(fields.get("reasoning"))?,
        modalities: Vec::new(),
        service_tier: chat::service_tier(&fields, gateway.as_ref())?,
        verbosity: verbosity.map(std::borrow::Cow::into_owned),
        safety_identifier: chat::safety_identifier(&fields, gateway.as_ref()),
        prompt_cache_key: chat::text(&fields, "prompt_cache_key")?,
        metadata: chat::labels(&fields)?,
        cache: automatic_cache(&fields, gateway.as_ref(), ttl)?,
        cache_anchor: anchored.map(|message| CacheAnchor { message, mark: CacheMark { ttl } }),
        provider_options: chat::namespaces(options.as_ref())?,
    })
}

fn cache_ttl(fields: &Fields<'_>) -> Option<CacheTtl> {
    match fields.get("cache_ttl").and_then(json::string).as_deref() {
        Some("1h") => Some(CacheTtl::OneHour),
        Some("5m") => Some(CacheTtl::FiveMinutes),
        _ => None,
    }
}

/// `caching: "auto"` at the top or among the gateway's options (gateway-api §4.4, §4.5), or a mark on the
/// whole body.
fn automatic_cache(
    fields: &Fields<'_>,
    gateway: Option<&Fields<'_>>,
    ttl: Option<CacheTtl>,
) -> Result<Option<CacheMark>, InputError> {
    if let Some(mark) = cache_mark(&Path::Body, fields, "cache_control")? {
        return Ok(Some(CacheMark { ttl: mark.ttl.or(ttl) }));
    }
    let caching = fields.get("caching").or_else(|| gateway.and_then(|g| g.get("caching")));
    let auto = caching.and_then(json::string).is_some_and(|word| word == "auto");
    Ok(auto.then_some(CacheMark { ttl }))
}

/// The tools, of which `allowed` (when it names any) leaves functions out: other protocols have no list of
/// allowed tools.
fn tools(fields: &Fields<'_>, allowed: &[String]) -> Result<Vec<Tool>, InputError> {
    let root = Path::Body;
    let path = root.member("tools");
    let mut found = Vec::new();
    for (i, raw) in fields.get("tools").map(elements).unwrap_or_default().into_iter().enumerate() {
        let path = path.element(i);
        let Some(tool) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        let kind = tool.get("type").map(|raw| string(&path.member("type"), raw)).transpose()?;
        match kind.as_deref() {
            None | Some("function") => {
                let marks = Marks::read(&path, &tool)?;
                let function = chat::function_tool(&path, raw, marks.cache)?;
                if allowed.is_empty() || allowed.contains(&function.name) {
                    found.push(Tool::Function(function));
                }
            }
            Some(kind) => {
                let namespace = if kind.starts_with("vercel:") { "vercel" } else { NAMESPACE };
                found.push(Tool::Provider {
                    namespace: namespace.to_owned(),
                    kind: kind.to_owned(),
                    value: value(&path, raw)?,
                });
            }
        }
    }
    Ok(found)
}

/// What may or must be called.
#[derive(Default)]
struct Choice {
    choice: Option<ToolChoice>,
    /// The only functions that may be called; empty: all.
    allowed: Vec<String>,
}

fn tool_choice(fields: &Fields<'_>) -> Result<Choice, InputError> {
    let mut found = Choice {
        choice: None,
        allowed: names(fields.get("allowed_tools").map(elements).unwrap_or_default()),
    };
    let Some(raw) = fields.get("tool_choice") else { return Ok(found) };
    let root = Path::Body;
    let path = root.member("tool_choice");
    let expected = "\"auto\", \"none\", \"required\" or {\"type\":\"function\",\"name\":…}";
    if let Some(word) = json::string(raw) {
        found.choice = Some(by_word(&word).ok_or_else(|| {
            InputError::invalid(
                "tool_choice",
                format!("'tool_choice' is \"{}\"; expected {expected}.", excerpt(&word)),
            )
        })?);
        return Ok(found);
    }
    let Some(choice) = Fields::of(raw) else { return Err(wrong(&path, expected, raw)) };
    match choice.get("type").and_then(json::string).as_deref() {
        Some("allowed_tools") => {
            let mode = choice.get("mode").and_then(json::string);
            found.choice = mode.and_then(|word| by_word(&word));
            found.allowed = names(choice.get("tools").map(elements).unwrap_or_default());
        }
        None | Some("function" | "custom") => {
            // Chat's form, with the name one level deeper, is met with too.
            let nested = choice.get("function").and_then(Fields::of).and_then(|f| f.get("name"));
            let Some(name) = choice.get("name").or(nested) else {
                return Err(InputError::missing("tool_choice.name", "the tool's name"));
            };
            found.choice = Some(ToolChoice::Function(string(&path.member("name"), name)?.into_owned()));
        }
        // A choice among tools that a provider runs (`web_search`) has no neutral form.
        Some(kind) => found.choice = by_word(kind),
    }
    Ok(found)
}

fn by_word(word: &str) -> Option<ToolChoice> {
    match word {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" | "any" => Some(ToolChoice::Required),
        _ => None,
    }
}

/// The functions that a list of allowed tools names; tools that a provider runs have none.
fn names(tools: Vec<&[u8]>) -> Vec<String> {
    let name = |raw: &[u8]| {
        let named =
            Fields::of(raw).and_then(|tool| tool.get("name").and_then(json::string).map(|n| n.into_owned()));
        named.or_else(|| json::string(raw).map(std::borrow::Cow::into_owned))
    };
    tools.into_iter().filter_map(name).collect()
}

fn response_format(raw: &[u8]) -> Result<Option<ResponseFormat>, InputError> {
    let root = Path::Body;
    let text = root.member("text");
    let path = text.member("format");
    let Some(fields) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
    match fields.get("type").and_then(json::string).as_deref() {
        Some("text") => Ok(Some(ResponseFormat::Text)),
        Some("json_object") => Ok(Some(ResponseFormat::JsonObject)),
        Some("json_schema") => chat::schema_format(&path, &fields).map(Some),
        _ => Ok(None),
    }
}
