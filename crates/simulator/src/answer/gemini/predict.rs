//! `:predict`: Imagen's images (providers §11) and Vertex AI's embeddings (providers §10), told apart by
//! what an instance holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Meta, embeddings, png, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

const IMAGES: u64 = 4;
const DIMENSIONS: usize = 256;

/// Answers `:predict`.
pub(crate) fn write(body: &Value, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let instances = body["instances"].as_array().map(Vec::as_slice).unwrap_or_default();
    match instances.first() {
        Some(first) if first["prompt"].is_string() => images(instances, &body["parameters"]),
        Some(first) if first["content"].is_string() => vectors(instances, &body["parameters"], meta),
        _ => Err(ApiError::new(400, "Expecting instances, each with a prompt or a content.")),
    }
}

fn images(instances: &[Value], parameters: &Value) -> Result<Reply, ApiError> {
    let [instance] = instances else {
        return Err(ApiError::new(400, "Image generation takes exactly one instance."));
    };
    let count = match &parameters["sampleCount"] {
        Value::Null => IMAGES,
        value => value
            .as_u64()
            .filter(|n| (1..=IMAGES).contains(n))
            .ok_or_else(|| ApiError::new(400, "sampleCount must be in the inclusive range of [1, 4]."))?,
    };
    let prompt = instance["prompt"].as_str().unwrap_or_default();
    if prompt.trim().is_empty() {
        return Err(ApiError::new(400, "Text prompt cannot be empty"));
    }
    let image =
        |n| json!({"mimeType": "image/png", "bytesBase64Encoded": STANDARD.encode(png::drawn(prompt, n))});
    let predictions: Vec<Value> = (0..count).map(image).collect();
    Ok(Reply::json(200, &json!({"predictions": predictions})))
}

fn vectors(instances: &[Value], parameters: &Value, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let asked = parameters["outputDimensionality"].as_u64().and_then(|n| usize::try_from(n).ok());
    let dimensions = asked.or(meta.usage.dimensions).unwrap_or(DIMENSIONS).min(3072);
    let mut predictions = Vec::new();
    for instance in instances {
        let Some(content) = instance["content"].as_str().filter(|c| !c.is_empty()) else {
            return Err(ApiError::new(400, "The text content is empty."));
        };
        let vector = embeddings::vector(text::hash(content.as_bytes()), dimensions);
        predictions.push(json!({"embeddings": {"values": vector,
            "statistics": {"truncated": false, "token_count": text::tokens(content.len())}}}));
    }
    Ok(Reply::json(200, &json!({"predictions": predictions})))
}
