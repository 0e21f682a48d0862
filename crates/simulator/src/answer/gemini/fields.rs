//! What Google refuses by name: members it does not know, and words of JSON Schema that its own schema
//! dialect lacks (providers §5).

use serde_json::Value;

use crate::api_error::ApiError;

const BODY: [&str; 10] = [
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "model",
];
const GENERATION: [&str; 22] = [
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseFormat",
    "responseModalities",
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "enableEnhancedCivicAnswers",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
];
const SCHEMA: [&str; 22] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
];

/// Refuses members of the body and of `generationConfig` that Google does not know.
pub(super) fn check(body: &Value) -> Result<(), ApiError> {
    known(body, &BODY, "")?;
    known(super::member(body, "generationConfig"), &GENERATION, " at 'generation_config'")
}

fn known(value: &Value, names: &[&str], place: &str) -> Result<(), ApiError> {
    let members = value.as_object().into_iter().flatten();
    match members.map(|(given, _)| given).find(|given| !names.iter().any(|name| same(given, name))) {
        None => Ok(()),
        Some(unknown) => Err(cannot_find(unknown, place)),
    }
}

/// Whether a member is of this camel-case name, written so or in snake case.
fn same(given: &str, name: &str) -> bool {
    given.replace('_', "").eq_ignore_ascii_case(name)
}

fn cannot_find(name: &str, place: &str) -> ApiError {
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
    ApiError::new(400, message)
}

/// Refuses what Google's schema dialect lacks.
pub(super) fn check_schema(schema: &Value, place: &str) -> Result<(), ApiError> {
    let Some(members) = schema.as_object() else { return Ok(()) };
    for (name, value) in members {
        if !SCHEMA.iter().any(|known| same(name, known)) {
            return Err(cannot_find(name, &format!(" at '{place}'")));
        }
        match (name.as_str(), value) {
            ("type", Value::Array(_)) => {
                let message = format!(
                    "Invalid value at '{place}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type): \
                     a list is no type."
                );
                return Err(ApiError::new(400, message));
            }
            ("properties", Value::Object(properties)) => {
                for (property, schema) in properties {
                    check_schema(schema, &format!("{place}.properties[{property}]"))?;
                }
            }
            ("items", items) => check_schema(items, &format!("{place}.items"))?,
            ("anyOf", Value::Array(list)) => {
                for schema in list {
                    check_schema(schema, &format!("{place}.any_of"))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
