//! The provider's own metadata of an answer, for `provider_metadata.anthropic` (clients §1).

use serde_json::{Map, Value, json};

use super::usage::Report;

/// What the metadata is made of besides usage.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) stop_sequence: Option<String>,
    pub(super) container: Value,
    pub(super) context_management: Value,
}

/// Fields that stand first in the usage of a whole answer, as the real service shows it.
const LEADING: [&str; 4] =
    ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/// The metadata object. A stream shows the usage in the order it was sent.
pub(super) fn metadata(report: &Report, extras: &Extras, whole: bool) -> Value {
    let merged = report.merged();
    let usage = if whole { leading_first(merged) } else { merged.clone() };
    let written = merged.get("cache_creation_input_tokens").cloned().unwrap_or(Value::Null);
    let iterations = merged.get("iterations").map_or(Value::Null, camel);
    json!({
        "usage": usage,
        "cacheCreationInputTokens": written,
        "stopSequence": extras.stop_sequence,
        "iterations": iterations,
        "container": camel(&extras.container),
        "contextManagement": camel(&extras.context_management),
    })
}

fn leading_first(merged: &Map<String, Value>) -> Map<String, Value> {
    let first = LEADING.iter().filter_map(|key| merged.get_key_value(*key));
    let rest = merged.iter().filter(|(key, _)| !LEADING.contains(&key.as_str()));
    first.chain(rest).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The value with every `snake_case` key as `camelCase`, which is how the metadata spells its own keys.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (camel_key(key), camel(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

fn camel_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        if c == '_' && !out.is_empty() {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}
