//! What the neutral form has no place for is handed on in `providerOptions.anthropic`, in the protocol's own
//! words: a provider of this protocol gets it back, any other leaves it alone (clients §0.15).

use serde_json::{Map, Value};
use tollgate_domain::InputError;
use tollgate_domain::conversation::ReasoningRequest;
use tollgate_wire::json;

use super::NAMESPACE;
use super::block::value;
use crate::checked::Fields;
use crate::json_path::{Path, object};

/// Members of a body that the neutral form holds, or that are not for the provider.
const HELD: [&str; 19] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "metadata",
    "service_tier",
    "cache_control",
    "providerOptions",
    "caching",
];

/// The provider options of a request: the body's own further members, then `providerOptions` as the client
/// wrote them, whose namespaces win.
pub(super) fn provider_options(
    fields: &Fields<'_>,
    reasoning: Option<&ReasoningRequest>,
) -> Result<Vec<(String, Value)>, InputError> {
    let mut found = Vec::new();
    let own = members(fields, reasoning)?;
    if !own.is_empty() {
        found.push((NAMESPACE.to_owned(), Value::Object(own)));
    }
    let root = Path::Body;
    let path = root.member("providerOptions");
    let Some(options) = fields.get("providerOptions").and_then(Fields::of) else { return Ok(found) };
    for (slug, raw) in options.iter().filter(|(slug, raw)| *slug != "gateway" && !json::is_null(raw)) {
        let path = path.member(slug);
        object(&path, raw)?;
        found.push((slug.to_owned(), value(&path, raw)?));
    }
    Ok(found)
}

fn members(
    fields: &Fields<'_>,
    reasoning: Option<&ReasoningRequest>,
) -> Result<Map<String, Value>, InputError> {
    let root = Path::Body;
    let mut own = Map::new();
    for (name, raw) in fields.iter().filter(|(name, raw)| !HELD.contains(name) && !json::is_null(raw)) {
        own.insert(name.to_owned(), value(&root.member(name), raw)?);
    }
    // The neutral id is cut to its limit, and has no place for further members.
    if let Some(raw) = fields.get("metadata").filter(|raw| json::kind(raw) == json::Kind::Object) {
        own.insert("metadata".to_owned(), value(&root.member("metadata"), raw)?);
    }
    if let Some(config) = fields.get("output_config").and_then(Fields::of) {
        let path = root.member("output_config");
        let quiet = reasoning.is_some_and(|asked| !asked.wanted());
        let mut rest = Map::new();
        for (name, raw) in config.iter().filter(|(_, raw)| !json::is_null(raw)) {
            // Without reasoning an effort still tells how many words to make.
            if !matches!(name, "format" | "effort") || (name == "effort" && quiet) {
                rest.insert(name.to_owned(), value(&path.member(name), raw)?);
            }
        }
        if !rest.is_empty() {
            own.insert("output_config".to_owned(), Value::Object(rest));
        }
    }
    // Here the limit holds for reasoning and answer together; the neutral one is for the answer.
    if reasoning.is_some_and(|asked| asked.max_tokens.is_some())
        && let Some(limit) = fields.get("max_tokens").and_then(json::unsigned).filter(|n| *n > 0)
    {
        own.insert("max_tokens".to_owned(), limit.into());
    }
    Ok(own)
}
