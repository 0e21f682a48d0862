//! JSON schemas as the provider's grammar takes them: closed objects, no limits on size or range.

use serde_json::{Map, Value};

/// Keywords that the grammar refuses. They are told to the model in the description instead.
const LIMITS: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "minContains",
];

/// The schema with `additionalProperties: false` on every object and its limits moved into descriptions.
pub(super) fn closed(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = Map::with_capacity(members.len() + 1);
    let mut limits: Vec<String> = Vec::new();
    for (key, value) in members {
        let few_items = key == "minItems" && value.as_u64().is_none_or(|n| n > 1);
        if few_items || LIMITS.contains(&key.as_str()) {
            limits.push(format!("{key}: {value}"));
            continue;
        }
        let value = match key.as_str() {
            "properties" | "$defs" | "definitions" => named(value),
            "items" | "not" => closed(value),
            "anyOf" | "allOf" | "oneOf" | "prefixItems" => listed(value),
            _ => value.clone(),
        };
        // Only `anyOf` is known to the grammar; for an answer that is written once it means the same.
        let key = if key == "oneOf" { "anyOf" } else { key };
        out.insert(key.to_owned(), value);
    }
    if is_object(&out) {
        out.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !limits.is_empty() {
        let said = out.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{said} ({})", limits.join(", "));
        out.insert("description".to_owned(), Value::String(description.trim_start().to_owned()));
    }
    Value::Object(out)
}

fn named(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(k, v)| (k.clone(), closed(v))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn listed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(closed).collect(),
        other => closed(other),
    }
}

fn is_object(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|k| k == "object"),
        _ => schema.contains_key("properties"),
    }
}

/// A tool's schema: an object in any case, since a call's input always is one.
pub(super) fn of_tool(parameters: &Value) -> Value {
    let mut members = match parameters {
        Value::Object(members) => members.clone(),
        _ => Map::new(),
    };
    if !members.contains_key("type") {
        members.shift_insert(0, "type".to_owned(), Value::String("object".to_owned()));
    }
    if members.len() == 1 {
        members.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_closed_and_limits_become_words() {
        let schema = json!({
            "type": "object",
            "properties": {
                "minimum": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
                "tags": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "object", "properties": {}}},
                "one": {"oneOf": [{"type": "string", "minLength": 2}, {"$ref": "#/$defs/d"}]}
            },
            "$defs": {"d": {"type": ["object", "null"], "additionalProperties": true}}
        });
        assert_eq!(
            closed(&schema),
            json!({
                "type": "object",
                "properties": {
                    "minimum": {"type": "integer", "description": "How many. (minimum: 1, maximum: 9)"},
                    "tags": {"type": "array", "minItems": 1, "description": "(maxItems: 3)",
                        "items": {"type": "object", "properties": {}, "additionalProperties": false}},
                    "one": {"anyOf": [{"type": "string", "description": "(minLength: 2)"}, {"$ref": "#/$defs/d"}]}
                },
                "$defs": {"d": {"type": ["object", "null"], "additionalProperties": false}},
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn a_tool_without_schema_takes_an_empty_object() {
        assert_eq!(of_tool(&Value::Null), json!({"type": "object", "properties": {}}));
        assert_eq!(
            of_tool(&json!({"properties": {"a": {}}})),
            json!({"type": "object", "properties": {"a": {}}})
        );
    }
}
