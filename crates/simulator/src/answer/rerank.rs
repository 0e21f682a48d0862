//! Reranking: Cohere's form and Voyage's (providers §12). A document is the more relevant the more words of
//! the query it has.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Meta, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

/// What Cohere's second version takes; anything else is refused.
const COHERE: [&str; 6] = ["model", "query", "documents", "top_n", "max_tokens_per_doc", "priority"];
const MOST_DOCUMENTS: usize = 1000;
const DOCUMENTS_A_UNIT: u64 = 100;
const TOKENS_A_DOCUMENT: u64 = 500;

/// Answers Cohere's `/v2/rerank`.
pub(crate) fn cohere(body: &Value, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    if let Some((name, _)) =
        body.as_object().into_iter().flatten().find(|(name, _)| !COHERE.contains(&name.as_str()))
    {
        let message = format!("unknown field: parameter '{name}' is not a valid field");
        return Err(ApiError::new(422, message));
    }
    let (query, documents) = read(body)?;
    let top = top(&body["top_n"], "top_n")?;
    let results: Vec<Value> = ranked(query, &documents)
        .into_iter()
        .take(top)
        .map(|(index, score)| json!({"index": index, "relevance_score": score}))
        .collect();
    let tokens = text::tokens(query.len());
    let chunks: u64 =
        documents.iter().map(|d| (text::tokens(d.len()) + tokens).div_ceil(TOKENS_A_DOCUMENT).max(1)).sum();
    Ok(Reply::json(
        200,
        &json!({"id": format!("00000000-0000-4000-8000-{:012x}", meta.order), "results": results,
            "meta": {"api_version": {"version": "2"},
                "billed_units": {"search_units": chunks.div_ceil(DOCUMENTS_A_UNIT)}}}),
    ))
}

/// Answers Voyage's `/rerank`.
pub(crate) fn voyage(body: &Value, model: &str, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let (query, documents) = read(body)?;
    let top = top(&body["top_k"], "top_k")?;
    let result = |(index, score): (usize, f64)| {
        let mut result = json!({"relevance_score": score, "index": index});
        if body["return_documents"] == true {
            result["document"] = json!(documents[index]);
        }
        result
    };
    let data: Vec<Value> = ranked(query, &documents).into_iter().take(top).map(result).collect();
    let counted = documents.iter().map(|d| text::tokens(d.len()) + text::tokens(query.len())).sum();
    let total = meta.usage.input_tokens.unwrap_or(counted);
    Ok(Reply::json(
        200,
        &json!({"object": "list", "data": data, "model": model, "usage": {"total_tokens": total}}),
    ))
}

fn read(body: &Value) -> Result<(&str, Vec<&str>), ApiError> {
    let refused = |message: &str| ApiError::new(400, format!("invalid request: {message}"));
    let query = body["query"].as_str().filter(|q| !q.is_empty());
    let query = query.ok_or_else(|| refused("query must not be empty"))?;
    let documents = body["documents"].as_array().filter(|list| !list.is_empty());
    let documents = documents.ok_or_else(|| refused("list of documents must not be empty"))?;
    if documents.len() > MOST_DOCUMENTS {
        return Err(refused("list of documents is too long: at most 1000 are taken"));
    }
    let texts: Option<Vec<&str>> = documents.iter().map(Value::as_str).collect();
    Ok((query, texts.ok_or_else(|| refused("every document must be a string"))?))
}

fn top(value: &Value, name: &str) -> Result<usize, ApiError> {
    match value {
        Value::Null => Ok(usize::MAX),
        value => value.as_u64().filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            ApiError::new(400, format!("invalid request: {name} must be a whole number of 1 and more"))
        }),
    }
}

/// Each document's place and score, the best first; equals in their order.
fn ranked(query: &str, documents: &[&str]) -> Vec<(usize, f64)> {
    let wanted = words(query);
    let mut all: Vec<(usize, f64)> = documents
        .iter()
        .enumerate()
        .map(|(index, document)| {
            let found = words(document);
            let share = wanted.intersection(&found).count() as f64 / wanted.len().max(1) as f64;
            // Something tells apart what shares the same words: the shorter says it more to the point.
            let brevity = 1.0 / (1.0 + found.len() as f64);
            (index, ((0.05 + 0.85 * share + 0.1 * brevity) * 1e6).round() / 1e6)
        })
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

fn words(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}
