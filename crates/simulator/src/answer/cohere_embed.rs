//! Cohere's embeddings (providers §10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Meta, embeddings, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

const KNOWN: [&str; 10] = [
    "model",
    "texts",
    "images",
    "inputs",
    "input_type",
    "embedding_types",
    "output_dimension",
    "max_tokens",
    "truncate",
    "priority",
];
const MOST_TEXTS: usize = 96;
const DIMENSIONS: usize = 256;
const SIZES: [u64; 4] = [256, 512, 1024, 1536];

/// Answers `/v2/embed`.
pub(crate) fn write(body: &Value, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let refused = |message: String| ApiError::new(400, format!("invalid request: {message}"));
    if let Some((name, _)) =
        body.as_object().into_iter().flatten().find(|(name, _)| !KNOWN.contains(&name.as_str()))
    {
        return Err(ApiError::new(422, format!("unknown field: parameter '{name}' is not a valid field")));
    }
    if !body["input_type"].is_string() {
        return Err(refused("'input_type' must be specified: search_document, search_query, classification, clustering or image".to_owned()));
    }
    let inputs = inputs(body)?;
    let dimensions = match &body["output_dimension"] {
        Value::Null => meta.usage.dimensions.unwrap_or(DIMENSIONS),
        value => match value.as_u64() {
            Some(n) if SIZES.contains(&n) => n as usize,
            _ => return Err(refused(format!("'output_dimension' must be one of {SIZES:?}"))),
        },
    };
    let vectors: Vec<Vec<f32>> =
        inputs.iter().map(|input| embeddings::vector(text::hash(input.as_bytes()), dimensions)).collect();
    let mut answer = json!({"id": format!("00000000-0000-4000-8000-{:012x}", meta.order), "embeddings": {}});
    let kinds = match &body["embedding_types"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["float"],
    };
    for kind in kinds {
        answer["embeddings"][kind] = match kind {
            "float" => json!(vectors),
            "base64" => vectors.iter().map(|vector| json!(coded(vector))).collect(),
            "int8" => vectors
                .iter()
                .map(|vector| vector.iter().map(|x| json!((x * 127.0).round() as i8)).collect::<Value>())
                .collect(),
            other => {
                return Err(refused(format!(
                    "the embedding type '{other}' is not simulated: use float, base64 or int8"
                )));
            }
        };
    }
    if body["texts"].is_array() {
        answer["texts"] = body["texts"].clone();
    }
    let counted = inputs.iter().map(|input| text::tokens(input.len())).sum();
    let tokens = meta.usage.input_tokens.unwrap_or(counted);
    answer["meta"] = json!({"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}});
    answer["response_type"] = json!("embeddings_by_type");
    Ok(Reply::json(200, &answer))
}

fn coded(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Each input as one text, whatever it is made of.
fn inputs(body: &Value) -> Result<Vec<String>, ApiError> {
    let refused = |message: &str| ApiError::new(400, format!("invalid request: {message}"));
    let list = ["texts", "inputs", "images"].into_iter().find_map(|name| body[name].as_array());
    let list = list
        .filter(|list| !list.is_empty())
        .ok_or_else(|| refused("one of 'texts', 'inputs' or 'images' must hold at least one element"))?;
    if list.len() > MOST_TEXTS {
        return Err(refused("total number of texts must be at most 96"));
    }
    list.iter()
        .map(|input| match input {
            Value::String(text) if text.is_empty() => {
                Err(refused("every text must be at least 1 token long"))
            }
            Value::String(text) => Ok(text.clone()),
            object => Ok(object["content"].to_string()),
        })
        .collect()
}
