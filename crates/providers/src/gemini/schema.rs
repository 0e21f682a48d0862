//! JSON schemas in the two forms that the protocol takes (providers §5): JSON schema nearly as it is, and,
//! for older models, the OpenAPI subset.

use serde_json::{Map, Value, json};

/// How deep a schema is followed: references may lead back to themselves (I26).
const MAX_DEPTH: usize = 32;

/// Members that the OpenAPI subset knows and that stay as they are.
const KEPT: [&str; 13] = [
    "title",
    "description",
    "default",
    "example",
    "pattern",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
];

/// A schema for `parametersJsonSchema` and `responseJsonSchema`. Only words that are refused there are
/// rewritten.
pub(super) fn json_schema(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut out = Map::with_capacity(members.len());
            for (key, value) in members {
                match key.as_str() {
                    "$schema" => {}
                    "const" => {
                        out.insert("enum".to_owned(), json!([value]));
                    }
                    // Names below these are the client's own, and data is no schema.
                    "properties" | "$defs" | "definitions" => {
                        out.insert(key.clone(), named(value));
                    }
                    "enum" | "default" | "examples" | "example" | "required" => {
                        out.insert(key.clone(), value.clone());
                    }
                    _ => {
                        out.insert(key.clone(), json_schema(value));
                    }
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(json_schema).collect(),
        other => other.clone(),
    }
}

fn named(schemas: &Value) -> Value {
    match schemas {
        Value::Object(members) => members
            .iter()
            .map(|(name, schema)| (name.clone(), json_schema(schema)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Whether a function's schema says nothing: the protocol wants it left out then.
pub(super) fn is_empty(schema: &Value) -> bool {
    let Some(members) = schema.as_object() else { return true };
    let no_properties = members.get("properties").is_none_or(|p| p.as_object().is_none_or(|p| p.is_empty()));
    let open =
        ["$ref", "anyOf", "oneOf", "allOf", "patternProperties"].iter().any(|key| members.contains_key(*key))
            || members.get("additionalProperties").is_some_and(|a| a.is_object() || *a == true);
    no_properties && !open && members.get("type").is_none_or(|kind| kind == "object")
}

/// A schema in the OpenAPI subset.
pub(super) fn openapi(schema: &Value) -> Value {
    Converter { root: schema }.convert(schema, 0)
}

struct Converter<'a> {
    root: &'a Value,
}

impl Converter<'_> {
    fn convert(&self, schema: &Value, depth: usize) -> Value {
        // A recursive schema has no end in this dialect: past the limit anything goes.
        if depth > MAX_DEPTH {
            return json!({"type": "object"});
        }
        let Some(members) = schema.as_object() else { return json!({"type": "string"}) };
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            return self.referred(reference, members, depth);
        }
        let mut out = Map::new();
        for key in KEPT {
            if let Some(value) = members.get(key) {
                out.insert(key.to_owned(), value.clone());
            }
        }
        self.kind(members, &mut out);
        self.alternatives(members, &mut out, depth);
        self.children(members, &mut out, depth);
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            merge(&mut out, self.convert(part, depth + 1));
        }
        formats(members, &mut out);
        if out.get("type").is_some_and(|kind| kind == "array") && !out.contains_key("items") {
            out.insert("items".to_owned(), json!({"type": "string"}));
        }
        Value::Object(out)
    }

    /// What a local reference leads to; one that leads back into itself is any object.
    fn referred(&self, reference: &str, members: &Map<String, Value>, depth: usize) -> Value {
        let found = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let recursive = found.is_none_or(|found| leads_to(found, reference));
        let mut value = match found {
            Some(found) if !recursive => self.convert(found, depth + 1),
            _ => json!({"type": "object"}),
        };
        if let (Some(text), Some(out)) = (members.get("description"), value.as_object_mut()) {
            out.insert("description".to_owned(), text.clone());
        }
        value
    }

    /// `type`, `enum` and `const`.
    fn kind(&self, members: &Map<String, Value>, out: &mut Map<String, Value>) {
        match members.get("type") {
            Some(Value::String(kind)) => {
                out.insert("type".to_owned(), kind.as_str().into());
            }
            Some(Value::Array(kinds)) => {
                let real: Vec<&Value> = kinds.iter().filter(|kind| *kind != "null").collect();
                if real.len() < kinds.len() {
                    out.insert("nullable".to_owned(), Value::Bool(true));
                }
                match real.as_slice() {
                    [] => {}
                    [one] => {
                        out.insert("type".to_owned(), (*one).clone());
                    }
                    several => {
                        let several: Vec<Value> = several.iter().map(|kind| json!({"type": kind})).collect();
                        out.insert("anyOf".to_owned(), several.into());
                    }
                }
            }
            _ => {}
        }
        let constant = members.get("const").map(std::slice::from_ref);
        let listed = members.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let Some(values) = constant.or(listed) else { return };
        let texts: Vec<&Value> = values.iter().filter(|value| value.is_string()).collect();
        if values.iter().any(Value::is_null) {
            out.insert("nullable".to_owned(), Value::Bool(true));
        }
        // Only texts can be listed here; numbers keep their type alone.
        if texts.is_empty() {
            let kind = values.first().map_or("string", |value| match value {
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                _ => "string",
            });
            out.entry("type").or_insert_with(|| kind.into());
        } else {
            out.insert("enum".to_owned(), json!(texts));
            out.insert("type".to_owned(), "string".into());
        }
    }

    fn alternatives(&self, members: &Map<String, Value>, out: &mut Map<String, Value>, depth: usize) {
        let Some(list) = members.get("anyOf").or_else(|| members.get("oneOf")).and_then(Value::as_array)
        else {
            return;
        };
        let real: Vec<&Value> =
            list.iter().filter(|s| s.get("type").is_none_or(|kind| kind != "null")).collect();
        if real.len() < list.len() {
            out.insert("nullable".to_owned(), Value::Bool(true));
        }
        match real.as_slice() {
            [] => {}
            [one] => merge(out, self.convert(one, depth + 1)),
            several => {
                let several: Vec<Value> = several.iter().map(|s| self.convert(s, depth + 1)).collect();
                out.insert("anyOf".to_owned(), several.into());
            }
        }
    }

    fn children(&self, members: &Map<String, Value>, out: &mut Map<String, Value>, depth: usize) {
        if let Some(Value::Object(properties)) =
            members.get("properties").filter(|p| p.as_object().is_some_and(|p| !p.is_empty()))
        {
            let converted: Map<String, Value> =
                properties.iter().map(|(name, s)| (name.clone(), self.convert(s, depth + 1))).collect();
            out.insert("properties".to_owned(), converted.into());
            if let Some(required) =
                members.get("required").filter(|r| r.as_array().is_some_and(|r| !r.is_empty()))
            {
                out.insert("required".to_owned(), required.clone());
            }
        }
        let tuple = members.get("prefixItems").or_else(|| members.get("items")).and_then(Value::as_array);
        let items = match (tuple, members.get("items")) {
            (Some(tuple), _) => {
                let mut kinds: Vec<Value> = Vec::new();
                for item in tuple {
                    let item = self.convert(item, depth + 1);
                    if !kinds.contains(&item) {
                        kinds.push(item);
                    }
                }
                let length = tuple.len();
                out.entry("minItems").or_insert_with(|| length.into());
                out.entry("maxItems").or_insert_with(|| length.into());
                match kinds.len() {
                    0 => None,
                    1 => kinds.pop(),
                    _ => Some(json!({"anyOf": kinds})),
                }
            }
            (None, Some(item)) => Some(self.convert(item, depth + 1)),
            (None, None) => None,
        };
        if let Some(items) = items {
            out.insert("items".to_owned(), items);
        }
    }
}

/// Whether a schema holds a reference to `reference`.
fn leads_to(schema: &Value, reference: &str) -> bool {
    match schema {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (key == "$ref" && value == reference) || leads_to(value, reference)),
        Value::Array(items) => items.iter().any(|item| leads_to(item, reference)),
        _ => false,
    }
}

/// Adds what another schema says; what is there stays.
fn merge(out: &mut Map<String, Value>, more: Value) {
    let Value::Object(more) = more else { return };
    for (key, value) in more {
        match (out.get_mut(&key), value) {
            (Some(Value::Object(present)), Value::Object(added)) => {
                for (name, schema) in added {
                    present.entry(name).or_insert(schema);
                }
            }
            (Some(Value::Array(present)), Value::Array(added)) if key == "required" => {
                for name in added {
                    if !present.contains(&name) {
                        present.push(name);
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                out.insert(key, value);
            }
        }
    }
}

/// Only these formats are taken.
fn formats(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let format = members.get("format").and_then(Value::as_str);
    if let Some(format @ ("date-time" | "float" | "double" | "int32" | "int64")) = format {
        out.insert("format".to_owned(), format.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_schema_keeps_all_but_refused_words() {
        let schema = json!({
            "$schema": "x", "type": "object", "additionalProperties": false,
            "properties": {"const": {"const": 3}, "n": {"type": ["integer", "null"], "exclusiveMinimum": 0}},
            "$defs": {"A": {"$ref": "#/$defs/A"}}, "required": ["const"],
        });
        assert_eq!(
            json_schema(&schema),
            json!({
                "type": "object", "additionalProperties": false,
                "properties": {"const": {"enum": [3]}, "n": {"type": ["integer", "null"], "exclusiveMinimum": 0}},
                "$defs": {"A": {"$ref": "#/$defs/A"}}, "required": ["const"],
            })
        );
    }

    #[test]
    fn empty_schemas_are_recognised() {
        for empty in [
            json!(null),
            json!({}),
            json!({"type": "object"}),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ] {
            assert!(is_empty(&empty), "{empty}");
        }
        for full in [
            json!({"type": "object", "properties": {"a": {}}}),
            json!({"type": "object", "additionalProperties": true}),
            json!({"$ref": "#/$defs/A"}),
            json!({"type": "string"}),
        ] {
            assert!(!is_empty(&full), "{full}");
        }
    }

    #[test]
    fn openapi_has_no_references_constants_or_type_lists() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "$defs": {"P": {"type": "object", "properties": {"x": {"type": "integer", "exclusiveMinimum": 0, "minimum": 1}}}},
            "properties": {
                "p": {"$ref": "#/$defs/P", "description": "a point"},
                "kind": {"const": "k"},
                "n": {"const": 4},
                "maybe": {"type": ["string", "null"], "format": "uuid"},
                "when": {"type": "string", "format": "date-time"},
                "either": {"type": ["string", "integer"]},
                "opt": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "one": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
                "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
                "list": {"type": "array"},
                "empty": {"type": "object", "properties": {}},
                "all": {"allOf": [{"$ref": "#/$defs/P"}, {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]}]},
                "any": true,
            },
            "required": ["p"],
        });
        assert_eq!(
            openapi(&schema),
            json!({
                "type": "object",
                "properties": {
                    "p": {"type": "object", "properties": {"x": {"minimum": 1, "type": "integer"}}, "description": "a point"},
                    "kind": {"enum": ["k"], "type": "string"},
                    "n": {"type": "integer"},
                    "maybe": {"nullable": true, "type": "string"},
                    "when": {"type": "string", "format": "date-time"},
                    "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                    "opt": {"nullable": true, "type": "integer"},
                    "one": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "pair": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
                    "list": {"type": "array", "items": {"type": "string"}},
                    "empty": {"type": "object"},
                    "all": {"type": "object", "properties": {"x": {"minimum": 1, "type": "integer"}, "y": {"type": "string"}}, "required": ["y"]},
                    "any": {"type": "string"},
                },
                "required": ["p"],
            })
        );
    }

    #[test]
    fn recursion_ends_in_any_object() {
        let tree = json!({"$ref": "#/$defs/T", "$defs": {"T": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}}});
        assert_eq!(openapi(&tree), json!({"type": "object"}));
        let two = json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"b": {"$ref": "#/$defs/B"}}}, "B": {"properties": {"a": {"$ref": "#/$defs/A"}}}}});
        assert!(!openapi(&two).to_string().contains("$ref"));
        assert_eq!(openapi(&json!({"$ref": "elsewhere"})), json!({"type": "object"}));
    }
}
