//! Embeddings in OpenAI's form (providers §10): unit vectors that depend on the input alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Meta, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

const DIMENSIONS: usize = 256;
const MOST_DIMENSIONS: u64 = 8192;
const MOST_INPUTS: usize = 2048;

/// Answers a request for embeddings.
pub(crate) fn write(body: &Value, model: &str, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let inputs = inputs(&body["input"])?;
    let dimensions = match body.get("dimensions") {
        None | Some(Value::Null) => meta.usage.dimensions.unwrap_or(DIMENSIONS),
        Some(value) => match value.as_u64() {
            Some(n @ 1..=MOST_DIMENSIONS) => n as usize,
            _ => {
                let message =
                    format!("Invalid 'dimensions': expected an integer from 1 to {MOST_DIMENSIONS}.");
                return Err(ApiError::param("dimensions", message));
            }
        },
    };
    let base64 = match body["encoding_format"].as_str() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            let message = format!("Invalid 'encoding_format': '{other}'. Expected 'float' or 'base64'.");
            return Err(ApiError::param("encoding_format", message));
        }
    };
    let counted: u64 = inputs.iter().map(|(_, tokens)| tokens).sum();
    let counted = meta.usage.input_tokens.unwrap_or(counted);
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, (seed, _))| {
            let vector = vector(*seed, dimensions);
            let embedding = if base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                json!(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    Ok(Reply::json(
        200,
        &json!({"object": "list", "data": data, "model": model,
            "usage": {"prompt_tokens": counted, "total_tokens": counted}}),
    ))
}

/// Each input's seed and tokens: a text, texts, tokens, or lists of tokens.
fn inputs(input: &Value) -> Result<Vec<(u64, u64)>, ApiError> {
    let of_text = |t: &str| (text::hash(t.as_bytes()), text::tokens(t.len()));
    let of_tokens = |list: &Vec<Value>| (text::hash(json!(list).to_string().as_bytes()), list.len() as u64);
    let refused = || {
        let message = "'input' must be a non-empty string, an array of non-empty strings, an array of tokens, or \
                       an array of arrays of tokens; at most 2048 of them.";
        ApiError::param("input", message)
    };
    match input {
        Value::String(one) if !one.is_empty() => Ok(vec![of_text(one)]),
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_u64) => Ok(vec![of_tokens(list)]),
        Value::Array(list) if !list.is_empty() && list.len() <= MOST_INPUTS => list
            .iter()
            .map(|one| match one {
                Value::String(t) if !t.is_empty() => Ok(of_text(t)),
                Value::Array(tokens) if !tokens.is_empty() && tokens.iter().all(Value::is_u64) => {
                    Ok(of_tokens(tokens))
                }
                _ => Err(refused()),
            })
            .collect(),
        _ => Err(refused()),
    }
}

/// A unit vector drawn from a seed.
pub(crate) fn vector(seed: u64, dimensions: usize) -> Vec<f32> {
    let mut state = seed;
    let mut raw: Vec<f32> =
        (0..dimensions).map(|_| (text::mix(&mut state) >> 40) as f32 / (1u64 << 23) as f32 - 1.0).collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.iter_mut().for_each(|x| *x /= length);
    raw
}
