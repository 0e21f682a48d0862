//! The whole request in its neutral form: settings, tools, the form of the answer and provider options.
//! The body has passed the structural checks, so only what they did not look at can still be wrong.

use serde_json::{Map, Number, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheMark, Conversation, FunctionTool, ResponseFormat, Settings, Tool, ToolChoice,
};
use tollgate_wire::json::{self, Kind};

use super::message::{self, Marks, cache_mark, value};
use super::request::{max_tokens, read_reasoning};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, boolean, excerpt, object, string, unsigned, wrong};

/// The longest safety identifier; longer ones are cut (gateway-api §4.4).
const SAFETY_IDENTIFIER_CHARS: usize = 64;

/// Reads a body that passed the structural checks.
pub(super) fn read(body: &[u8]) -> Result<Conversation, InputError> {
    let root = Path::Body;
    let Some(fields) = Fields::of(body) else { return Err(wrong(&root, "an object", body)) };
    let get = |key: &str| fields.get(key);
    let messages_path = root.member("messages");
    let messages = get("messages").map(elements).unwrap_or_default();
    let options = get("providerOptions").and_then(Fields::of);
    let gateway = options.as_ref().and_then(|f| f.get("gateway")).and_then(Fields::of);
    Ok(Conversation {
        messages: messages
            .into_iter()
            .enumerate()
            .map(|(i, raw)| message::read(&messages_path.element(i), raw))
            .collect::<Result<_, _>>()?,
        settings: settings(&fields)?,
        tools: tools(&fields)?,
        tool_choice: tool_choice(&fields)?,
        parallel_tool_calls: get("parallel_tool_calls")
            .map(|raw| boolean(&root.member("parallel_tool_calls"), raw))
            .transpose()?,
        response_format: get("response_format")
            .map(|raw| response_format(&root.member("response_format"), raw))
            .transpose()?
            .flatten(),
        reasoning: read_reasoning(&get)?,
        modalities: modalities(&fields)?,
        service_tier: service_tier(&fields, gateway.as_ref())?,
        verbosity: text(&fields, "verbosity")?,
        safety_identifier: safety_identifier(&fields, gateway.as_ref()),
        prompt_cache_key: text(&fields, "prompt_cache_key")?,
        metadata: labels(&fields)?,
        cache: automatic_cache(&fields, gateway.as_ref())?,
        cache_anchor: None,
        provider_options: namespaces(options.as_ref())?,
    })
}

pub(crate) fn text(fields: &Fields<'_>, key: &str) -> Result<Option<String>, InputError> {
    let found = fields.get(key).map(|raw| string(&Path::Body.member(key), raw));
    Ok(found.transpose()?.map(std::borrow::Cow::into_owned))
}

/// OpenAI's `metadata`: text by name.
pub(crate) fn labels(fields: &Fields<'_>) -> Result<Vec<(String, String)>, InputError> {
    let path = Path::Body.member("metadata");
    let Some(raw) = fields.get("metadata") else { return Ok(Vec::new()) };
    object(&path, raw)?;
    let members = Fields::of(raw);
    let each = members.iter().flat_map(Fields::iter).filter(|(_, raw)| !json::is_null(raw));
    each.map(|(name, raw)| Ok((name.to_owned(), string(&path.member(name), raw)?.into_owned()))).collect()
}

pub(crate) fn settings(fields: &Fields<'_>) -> Result<Settings, InputError> {
    let root = Path::Body;
    let number = |key: &str| -> Result<Option<Number>, InputError> {
        let Some(raw) = fields.get(key) else { return Ok(None) };
        let path = root.member(key);
        match value(&path, raw)? {
            Value::Number(n) => Ok(Some(n)),
            _ => Err(wrong(&path, "a number", raw)),
        }
    };
    let stop_path = root.member("stop");
    let stop = match fields.get("stop") {
        None => Vec::new(),
        Some(raw) if json::kind(raw) == Kind::String => vec![string(&stop_path, raw)?.into_owned()],
        Some(raw) => elements(raw)
            .into_iter()
            .enumerate()
            .map(|(i, raw)| string(&stop_path.element(i), raw).map(std::borrow::Cow::into_owned))
            .collect::<Result<_, _>>()?,
    };
    let seed = match fields.get("seed") {
        None => None,
        Some(raw) => {
            let parsed = std::str::from_utf8(raw).ok().and_then(|t| t.parse::<i64>().ok());
            Some(parsed.ok_or_else(|| wrong(&root.member("seed"), "a whole number", raw))?)
        }
    };
    Ok(Settings {
        max_output_tokens: max_tokens(&|key: &str| fields.get(key))?,
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: fields.get("top_k").map(|raw| unsigned(&root.member("top_k"), raw)).transpose()?,
        presence_penalty: number("presence_penalty")?,
        frequency_penalty: number("frequency_penalty")?,
        stop,
        seed,
    })
}

fn tools(fields: &Fields<'_>) -> Result<Vec<Tool>, InputError> {
    let root = Path::Body;
    let mut found = Vec::new();
    let path = root.member("tools");
    for (i, raw) in fields.get("tools").map(elements).unwrap_or_default().into_iter().enumerate() {
        let path = path.element(i);
        let Some(tool) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        let kind = tool.get("type").map(|raw| string(&path.member("type"), raw)).transpose()?;
        let function = tool.get("function");
        match (kind.as_deref(), function) {
            (None | Some("function"), Some(raw)) => {
                let marks = Marks::read(&path, &tool)?;
                found.push(Tool::Function(function_tool(&path.member("function"), raw, marks.cache)?));
            }
            (None | Some("function"), None) => {
                let expected = "an object with the function's 'name'";
                return Err(InputError::missing(path.member("function").to_string(), expected));
            }
            (Some(kind), _) => {
                let namespace = namespace_of(kind).to_owned();
                found.push(Tool::Provider { namespace, kind: kind.to_owned(), value: value(&path, raw)? });
            }
        }
    }
    let path = root.member("functions");
    for (i, raw) in fields.get("functions").map(elements).unwrap_or_default().into_iter().enumerate() {
        found.push(Tool::Function(function_tool(&path.element(i), raw, None)?));
    }
    Ok(found)
}

/// Whose tool it is: a custom tool is OpenAI's own, `vercel:…` the gateway's; of others this dialect does not
/// say.
fn namespace_of(kind: &str) -> &'static str {
    match kind {
        "custom" => "openai",
        _ if kind.starts_with("vercel:") => "vercel",
        _ => "",
    }
}

pub(crate) fn function_tool(
    path: &Path<'_>,
    raw: &[u8],
    outer: Option<CacheMark>,
) -> Result<FunctionTool, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let Some(name) = fields.get("name") else {
        return Err(InputError::missing(path.member("name").to_string(), "the function's name"));
    };
    let description =
        fields.get("description").map(|raw| string(&path.member("description"), raw)).transpose()?;
    let parameters_path = path.member("parameters");
    let parameters = match fields.get("parameters") {
        Some(raw) => {
            object(&parameters_path, raw)?;
            value(&parameters_path, raw)?
        }
        // A function without parameters: providers other than OpenAI insist on a schema.
        None => json!({"type": "object", "properties": {}}),
    };
    Ok(FunctionTool {
        name: string(&path.member("name"), name)?.into_owned(),
        description: description.map(std::borrow::Cow::into_owned),
        parameters,
        strict: fields.get("strict").map(|raw| boolean(&path.member("strict"), raw)).transpose()?,
        cache: outer.or(cache_mark(path, &fields, "cache_control")?),
    })
}

fn tool_choice(fields: &Fields<'_>) -> Result<Option<ToolChoice>, InputError> {
    let root = Path::Body;
    let (name, raw) = match (fields.get("tool_choice"), fields.get("function_call")) {
        (Some(raw), _) => ("tool_choice", raw),
        (None, Some(raw)) => ("function_call", raw),
        (None, None) => return Ok(None),
    };
    let path = root.member(name);
    let expected = "\"auto\", \"none\", \"required\" or {\"type\":\"function\",\"function\":{\"name\":…}}";
    let unknown = |word: &str| {
        InputError::invalid(
            path.to_string(),
            format!("'{path}' is \"{}\"; expected {expected}.", excerpt(word)),
        )
    };
    let by_word = |word: &str| match word {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" | "any" => Some(ToolChoice::Required),
        _ => None,
    };
    if let Some(word) = json::string(raw) {
        return by_word(&word).map(Some).ok_or_else(|| unknown(&word));
    }
    let Some(choice) = Fields::of(raw) else { return Err(wrong(&path, expected, raw)) };
    let kind = choice.get("type").and_then(json::string);
    if let Some(named) = kind.as_deref().and_then(by_word) {
        return Ok(Some(named));
    }
    let holder = path.member("function");
    let nested = choice.get("function").and_then(Fields::of).and_then(|f| f.get("name"));
    match (nested, choice.get("name")) {
        (Some(raw), _) => Ok(Some(ToolChoice::Function(string(&holder.member("name"), raw)?.into_owned()))),
        (None, Some(raw)) => Ok(Some(ToolChoice::Function(string(&path.member("name"), raw)?.into_owned()))),
        // A choice among tools that a provider runs (`allowed_tools`, `web_search`) has no neutral form.
        _ if kind.is_some_and(|k| k != "function") => Ok(None),
        _ => Err(InputError::missing(holder.member("name").to_string(), "the function's name")),
    }
}

fn response_format(path: &Path<'_>, raw: &[u8]) -> Result<Option<ResponseFormat>, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    match fields.get("type").and_then(json::string).as_deref() {
        Some("text") => Ok(Some(ResponseFormat::Text)),
        Some("json_object") => Ok(Some(ResponseFormat::JsonObject)),
        // The AI SDK's older form: name, schema and description beside the type.
        Some("json") if fields.get("schema").is_none() => Ok(Some(ResponseFormat::JsonObject)),
        Some("json") => schema_format(path, &fields).map(Some),
        Some("json_schema") => {
            let path = path.member("json_schema");
            let Some(schema) = fields.get("json_schema") else {
                return Err(InputError::missing(path.to_string(), "an object with 'name' and 'schema'"));
            };
            let Some(fields) = Fields::of(schema) else { return Err(wrong(&path, "an object", schema)) };
            schema_format(&path, &fields).map(Some)
        }
        _ => Ok(None),
    }
}

pub(crate) fn schema_format(path: &Path<'_>, fields: &Fields<'_>) -> Result<ResponseFormat, InputError> {
    let text = |key: &str| -> Result<Option<String>, InputError> {
        let found = fields.get(key).map(|raw| string(&path.member(key), raw)).transpose()?;
        Ok(found.map(std::borrow::Cow::into_owned))
    };
    let schema_path = path.member("schema");
    let schema = match fields.get("schema") {
        Some(raw) => {
            object(&schema_path, raw)?;
            value(&schema_path, raw)?
        }
        None => Value::Object(Map::new()),
    };
    Ok(ResponseFormat::JsonSchema {
        name: text("name")?,
        schema,
        strict: fields.get("strict").map(|raw| boolean(&path.member("strict"), raw)).transpose()?,
        description: text("description")?,
    })
}

fn modalities(fields: &Fields<'_>) -> Result<Vec<String>, InputError> {
    let path = Path::Body.member("modalities");
    let mut found = Vec::new();
    for (i, raw) in fields.get("modalities").map(elements).unwrap_or_default().into_iter().enumerate() {
        let word = string(&path.element(i), raw)?;
        if word != "text" {
            found.push(word.into_owned());
        }
    }
    Ok(found)
}

pub(crate) fn service_tier(
    fields: &Fields<'_>,
    gateway: Option<&Fields<'_>>,
) -> Result<Option<String>, InputError> {
    if let Some(tier) = text(fields, "service_tier")? {
        return Ok(Some(tier));
    }
    let tier = gateway.and_then(|g| g.get("serviceTier")).and_then(json::string);
    Ok(tier.map(|t| if t == "fast" { "priority".to_owned() } else { t.into_owned() }))
}

/// The top-level members win over the gateway's option; the result is cut to its limit (gateway-api §4.1, §4.4).
pub(crate) fn safety_identifier(fields: &Fields<'_>, gateway: Option<&Fields<'_>>) -> Option<String> {
    let text = fields
        .get("safety_identifier")
        .or_else(|| gateway.and_then(|g| g.get("safetyIdentifier")))
        .or_else(|| fields.get("user"))
        .and_then(json::string)?;
    Some(text.chars().take(SAFETY_IDENTIFIER_CHARS).collect()).filter(|t: &String| !t.is_empty())
}

/// A mark on the whole body (current Cline), or the gateway's `caching: "auto"` (gateway-api §4.5).
fn automatic_cache(
    fields: &Fields<'_>,
    gateway: Option<&Fields<'_>>,
) -> Result<Option<CacheMark>, InputError> {
    if let Some(mark) = cache_mark(&Path::Body, fields, "cache_control")? {
        return Ok(Some(mark));
    }
    let auto = gateway.and_then(|g| g.get("caching")).and_then(json::string).is_some_and(|c| c == "auto");
    Ok(auto.then(CacheMark::default))
}

pub(crate) fn namespaces(options: Option<&Fields<'_>>) -> Result<Vec<(String, Value)>, InputError> {
    let root = Path::Body;
    let path = root.member("providerOptions");
    let Some(options) = options else { return Ok(Vec::new()) };
    options
        .iter()
        .filter(|(slug, raw)| *slug != "gateway" && !json::is_null(raw))
        .map(|(slug, raw)| {
            let path = path.member(slug);
            object(&path, raw)?;
            Ok((slug.to_owned(), value(&path, raw)?))
        })
        .collect()
}
