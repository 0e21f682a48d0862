//! Gemini's embeddings, one and many (providers §10).

use serde_json::{Value, json};

use super::member;
use crate::answer::{Meta, embeddings, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

const DIMENSIONS: usize = 256;
const MOST_REQUESTS: usize = 100;

/// Answers `:embedContent`.
pub(crate) fn one(body: &Value, model: &str, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let (values, tokens) = embedded(body, meta)?;
    Ok(Reply::json(200, &with_usage(json!({"embedding": {"values": values}}), model, tokens, meta)))
}

/// Answers `:batchEmbedContents`.
pub(crate) fn many(body: &Value, model: &str, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let requests = body["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    if requests.is_empty() {
        return Err(ApiError::new(400, "* BatchEmbedContentsRequest.requests: requests is not specified\n"));
    }
    if requests.len() > MOST_REQUESTS {
        let message = "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n";
        return Err(ApiError::new(400, message));
    }
    let mut all = Vec::new();
    let mut counted = 0;
    for (at, request) in requests.iter().enumerate() {
        if !request["model"].as_str().is_some_and(|m| m.starts_with("models/")) {
            let message = format!(
                "* BatchEmbedContentsRequest.requests[{at}].model: unexpected model name format, expected models/{model}\n"
            );
            return Err(ApiError::new(400, message));
        }
        let (values, tokens) = embedded(request, meta)?;
        counted += tokens;
        all.push(json!({"values": values}));
    }
    Ok(Reply::json(200, &with_usage(json!({"embeddings": all}), model, counted, meta)))
}

/// Only newer models say what was counted.
fn with_usage(mut body: Value, model: &str, tokens: u64, meta: &Meta<'_>) -> Value {
    if model.contains("embedding-2") {
        body["usageMetadata"] = json!({"promptTokenCount": meta.usage.input_tokens.unwrap_or(tokens)});
    }
    body
}

/// All parts of a content in one vector.
fn embedded(request: &Value, meta: &Meta<'_>) -> Result<(Vec<f32>, u64), ApiError> {
    let mut content = String::new();
    for part in request["content"]["parts"].as_array().into_iter().flatten() {
        match part["text"].as_str() {
            Some(text) => content.push_str(text),
            None => content.push_str(&part.to_string()),
        }
    }
    if content.is_empty() {
        return Err(ApiError::new(400, "* EmbedContentRequest.content: empty Part\n"));
    }
    let dimensions = match member(request, "outputDimensionality") {
        Value::Null => meta.usage.dimensions.unwrap_or(DIMENSIONS),
        value => match value.as_u64() {
            Some(n @ 1..=3072) => n as usize,
            _ => {
                let message = "* EmbedContentRequest.output_dimensionality: must be from 1 to 3072\n";
                return Err(ApiError::new(400, message));
            }
        },
    };
    let vector = embeddings::vector(text::hash(content.as_bytes()), dimensions);
    Ok((vector, text::tokens(content.len())))
}
