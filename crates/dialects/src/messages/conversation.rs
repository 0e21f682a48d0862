//! The whole request in its neutral form. The body has passed the structural checks, so only what they did
//! not look at can still be wrong.

use serde_json::{Number, Value};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{CacheMark, Conversation, Message, ResponseFormat, Role, Settings};
use tollgate_wire::json;

use super::block::{self, cache_mark, value};
use super::request::{output_format, read_reasoning, user_id};
use super::{native, tools};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, object, string, unsigned, wrong};

/// The longest safety identifier; longer ones are cut (gateway-api §4.1).
const SAFETY_IDENTIFIER_CHARS: usize = 64;

/// Reads a body that passed the structural checks.
pub(super) fn read(body: &[u8]) -> Result<Conversation, InputError> {
    let root = Path::Body;
    let Some(fields) = Fields::of(body) else { return Err(wrong(&root, "an object", body)) };
    let get = |key: &str| fields.get(key);
    let gateway = get("providerOptions").and_then(Fields::of).and_then(|f| f.get("gateway"));
    let gateway = gateway.and_then(Fields::of);
    let (tool_choice, parallel_tool_calls) = tools::choice(&fields)?;
    let reasoning = read_reasoning(&get)?;
    Ok(Conversation {
        messages: messages(&fields)?,
        settings: settings(&fields)?,
        tools: tools::definitions(&fields)?,
        tool_choice,
        parallel_tool_calls,
        response_format: response_format(&get)?,
        service_tier: service_tier(&fields, gateway.as_ref())?,
        safety_identifier: safety_identifier(&get, gateway.as_ref()),
        cache: automatic_cache(&fields, gateway.as_ref())?,
        provider_options: native::provider_options(&fields, reasoning.as_ref())?,
        reasoning,
        ..Conversation::default()
    })
}

/// The instructions first, then the turns.
fn messages(fields: &Fields<'_>) -> Result<Vec<Message>, InputError> {
    let root = Path::Body;
    let mut found = Vec::new();
    let system = block::read_content(&root.member("system"), fields.get("system"))?;
    if !system.is_empty() {
        found.push(Message { role: Role::System, name: None, parts: system, cache: None });
    }
    let path = root.member("messages");
    for (i, raw) in fields.get("messages").map(elements).unwrap_or_default().into_iter().enumerate() {
        found.push(block::read_message(&path.element(i), raw)?);
    }
    Ok(found)
}

fn settings(fields: &Fields<'_>) -> Result<Settings, InputError> {
    let root = Path::Body;
    let number = |key: &str| -> Result<Option<Number>, InputError> {
        let Some(raw) = fields.get(key) else { return Ok(None) };
        let path = root.member(key);
        match value(&path, raw)? {
            Value::Number(n) => Ok(Some(n)),
            _ => Err(wrong(&path, "a number", raw)),
        }
    };
    let whole = |key: &str| fields.get(key).map(|raw| unsigned(&root.member(key), raw)).transpose();
    let stop_path = root.member("stop_sequences");
    let stop = fields.get("stop_sequences").map(elements).unwrap_or_default();
    let stop = stop.into_iter().enumerate();
    Ok(Settings {
        max_output_tokens: whole("max_tokens")?.filter(|n| *n > 0),
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: whole("top_k")?,
        stop: stop
            .map(|(i, raw)| string(&stop_path.element(i), raw).map(std::borrow::Cow::into_owned))
            .collect::<Result<_, _>>()?,
        ..Settings::default()
    })
}

fn response_format<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Option<ResponseFormat>, InputError> {
    let Some((at, fields)) = output_format(get)? else { return Ok(None) };
    if fields.get("type").and_then(json::string).as_deref() != Some("json_schema") {
        return Ok(None);
    }
    let root = Path::Body;
    let path = root.member(at);
    let schema_path = path.member("schema");
    let Some(raw) = fields.get("schema") else {
        return Err(InputError::missing(schema_path.to_string(), "the JSON schema of the answer"));
    };
    object(&schema_path, raw)?;
    let text = |key: &str| fields.get(key).and_then(json::string).map(std::borrow::Cow::into_owned);
    Ok(Some(ResponseFormat::JsonSchema {
        name: text("name"),
        schema: value(&schema_path, raw)?,
        // The protocol knows no answer that only leans on the schema.
        strict: Some(true),
        description: text("description"),
    }))
}

/// Anthropic's `standard_only` is elsewhere the default tier.
fn service_tier(fields: &Fields<'_>, gateway: Option<&Fields<'_>>) -> Result<Option<String>, InputError> {
    let root = Path::Body;
    let path = root.member("service_tier");
    if let Some(raw) = fields.get("service_tier") {
        let tier = string(&path, raw)?;
        return Ok(Some(if tier == "standard_only" { "default".to_owned() } else { tier.into_owned() }));
    }
    let tier = gateway.and_then(|g| g.get("serviceTier")).and_then(json::string);
    Ok(tier.map(|t| if t == "fast" { "priority".to_owned() } else { t.into_owned() }))
}

/// The body's own id wins over the gateway's option (gateway-api §4.1).
fn safety_identifier<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
    gateway: Option<&Fields<'a>>,
) -> Option<String> {
    let raw = user_id(get).or_else(|| gateway.and_then(|g| g.get("safetyIdentifier")));
    let text = raw.and_then(json::string)?;
    Some(text.chars().take(SAFETY_IDENTIFIER_CHARS).collect()).filter(|t: &String| !t.is_empty())
}

/// A mark on the whole body, or the gateway's `caching: "auto"` (gateway-api §4.5).
fn automatic_cache(
    fields: &Fields<'_>,
    gateway: Option<&Fields<'_>>,
) -> Result<Option<CacheMark>, InputError> {
    if let Some(mark) = cache_mark(&Path::Body, fields)? {
        return Ok(Some(mark));
    }
    let asked = gateway.and_then(|g| g.get("caching")).or_else(|| fields.get("caching"));
    let auto = asked.and_then(json::string).is_some_and(|c| c == "auto");
    Ok(auto.then(CacheMark::default))
}
