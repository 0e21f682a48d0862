//! `response_format`: the gateway's short form (gateway-api §7.1), and what providers make of a schema
//! (providers §2).

use tollgate_wire::json::{self, Object, write_string};

use super::super::quirks::SchemaRule;

/// Rewrites `response_format`. Gives an instruction for the model where the schema can only be told.
pub(super) fn rewrite(body: &mut Object<'_>, rule: SchemaRule) -> Option<String> {
    let raw = body.get("response_format")?.to_vec();
    let format = Object::parse_checked(&raw).ok()?;
    let kind = format.get("type").and_then(json::string)?.into_owned();
    let long = if kind == "json" { Some(long_form(&format)) } else { None };
    let text = long.clone().unwrap_or_else(|| raw.clone());
    let format = Object::parse_checked(&text).ok()?;
    let schema = format.get("json_schema").and_then(|raw| Object::parse_checked(raw).ok());
    let (Some(schema), true) = (schema, rule != SchemaRule::AsSent) else {
        if let Some(long) = long {
            body.set("response_format", long);
        }
        return None;
    };
    match rule {
        SchemaRule::InPrompt => {
            body.set("response_format", &br#"{"type":"json_object"}"#[..]);
            let schema = String::from_utf8_lossy(schema.get("schema").unwrap_or(b"{}")).into_owned();
            Some(format!(
                "Answer with one JSON object that follows this JSON schema, and with nothing else:\n{schema}"
            ))
        }
        SchemaRule::Plain => {
            let mut inner = Object::new();
            for name in ["name", "schema"] {
                if let Some(value) = schema.get(name) {
                    inner.set(name, value.to_vec());
                }
            }
            body.set("response_format", with_schema(&inner));
            None
        }
        SchemaRule::AsSent | SchemaRule::SameStrict => {
            if let Some(long) = &long {
                body.set("response_format", long.clone());
            }
            same_strict(body, schema);
            None
        }
    }
}

fn with_schema(inner: &Object<'_>) -> Vec<u8> {
    let mut format = Object::new();
    format.set("type", &b"\"json_schema\""[..]);
    format.set("json_schema", inner.to_vec());
    format.to_vec()
}

/// `{type: json, schema?, name?, description?}` in OpenAI's form.
fn long_form(format: &Object<'_>) -> Vec<u8> {
    let Some(schema) = format.get("schema").filter(|raw| raw.first() == Some(&b'{')) else {
        return br#"{"type":"json_object"}"#.to_vec();
    };
    let mut inner = Object::new();
    let mut fallback = Vec::new();
    write_string(&mut fallback, "response");
    inner.set("name", format.get("name").map_or(fallback, <[u8]>::to_vec));
    inner.set("schema", schema.to_vec());
    if let Some(description) = format.get("description") {
        inner.set("description", description.to_vec());
    }
    with_schema(&inner)
}

/// Cerebras refuses a mixture of strict and other schemas: then none is strict.
fn same_strict(body: &mut Object<'_>, mut schema: Object<'_>) {
    let strict = schema.get("strict") == Some(b"true");
    let Some(Ok(tools)) = body.get_borrowed("tools").map(json::elements) else { return };
    let mixed = tools.iter().any(|tool| is_strict(tool) != strict);
    if mixed && strict {
        schema.set("strict", &b"false"[..]);
        body.set("response_format", with_schema(&schema));
    }
    if mixed {
        let loose =
            tools.iter().map(|tool| super::tools::without_strict(tool).unwrap_or_else(|| tool.to_vec()));
        let loose: Vec<Vec<u8>> = loose.collect();
        body.set("tools", super::array::join(loose.iter().map(Vec::as_slice), 0));
    }
}

fn is_strict(tool: &[u8]) -> bool {
    let strict = || {
        let tool = Object::parse_checked(tool).ok()?;
        let function = Object::parse_checked(tool.get("function")?).ok()?;
        Some(function.get("strict")? == b"true")
    };
    strict().unwrap_or(false)
}
