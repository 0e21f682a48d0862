//! One reader a surface: its path, headers and body → [`RequestIntent`].

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use tollgate_dialects::ai_sdk::{self, Prefix, Version};
use tollgate_dialects::{chat_completions, embeddings, images, messages, rerank, responses};
use tollgate_domain::InputError;

use super::{RequestIntent, Work};
use crate::refusal::Refusal;

type Read = Result<RequestIntent, Refusal>;

/// Chat completions (gateway-api §7.1). Cursor's bodies are put into shape first (gateway-api §16).
pub(crate) fn chat(headers: &HeaderMap, body: &Bytes, cursor: bool) -> Read {
    let shaped = if cursor { &chat_completions::cursor::normalise(body)? } else { body };
    let request = chat_completions::Request::parse(shaped)?;
    RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())
}

/// Anthropic Messages (gateway-api §8.1).
pub(crate) fn messages(headers: &HeaderMap, body: &Bytes) -> Read {
    let request = messages::Request::parse(body)?;
    RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())
}

/// OpenAI Responses (gateway-api §7.2).
pub(crate) fn responses(headers: &HeaderMap, body: &Bytes) -> Read {
    let request = responses::Request::parse(body)?;
    let needs_state = request.needs_provider_state();
    let previous = request.previous_response_id.clone();
    let mut asked = RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())?;
    asked.needs_state = needs_state;
    asked.previous_response = previous;
    Ok(asked)
}

/// A history to be compacted by its provider (gateway-api §7.2).
pub(crate) fn compact(headers: &HeaderMap, body: &Bytes) -> Read {
    let request = responses::CompactRequest::parse(body)?;
    let previous = request.previous_response_id.clone();
    let mut asked = RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())?;
    asked.needs_state = true;
    asked.compact = true;
    asked.previous_response = previous;
    Ok(asked)
}

/// Embeddings (gateway-api §9).
pub(crate) fn embeddings(headers: &HeaderMap, body: &Bytes) -> Read {
    let request = embeddings::Request::parse(body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// Images made from a prompt (gateway-api §10).
pub(crate) fn image_generations(headers: &HeaderMap, body: &Bytes) -> Read {
    let request = images::Request::generations(body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// Images made from images (gateway-api §10).
pub(crate) fn image_edits(headers: &HeaderMap, body: &Bytes) -> Read {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let request = images::Request::edits(kind, body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// Rerank (gateway-api §11).
pub(crate) fn rerank(headers: &HeaderMap, body: &Bytes, version: rerank::Version) -> Read {
    let request = rerank::Request::parse(version, body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// A language model by the AI SDK's protocol (gateway-api §17.4): model and form are in headers.
pub(crate) fn ai_language(headers: &HeaderMap, body: &Bytes, prefix: Prefix) -> Read {
    let version = version(headers, prefix, ai_sdk::LANGUAGE_SPECIFICATION_HEADER);
    let model = model(headers, ai_sdk::LANGUAGE_MODEL_HEADER)?;
    let stream = text(headers, ai_sdk::LANGUAGE_STREAMING_HEADER) == Some("true");
    let request = ai_sdk::LanguageRequest::parse(version, model, stream, body)?;
    RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())
}

/// Embeddings by the AI SDK's protocol (gateway-api §17.6).
pub(crate) fn ai_embedding(headers: &HeaderMap, body: &Bytes, prefix: Prefix) -> Read {
    let version = version(headers, prefix, ai_sdk::EMBEDDING_SPECIFICATION_HEADER);
    let request = ai_sdk::EmbeddingRequest::parse(version, model(headers, ai_sdk::MODEL_HEADER)?, body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// Images by the AI SDK's protocol (gateway-api §17.6).
pub(crate) fn ai_image(headers: &HeaderMap, body: &Bytes, prefix: Prefix) -> Read {
    let version = version(headers, prefix, ai_sdk::IMAGE_SPECIFICATION_HEADER);
    let request = ai_sdk::ImageRequest::parse(version, model(headers, ai_sdk::MODEL_HEADER)?, body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

/// Rerank by the AI SDK's protocol (gateway-api §17.6).
pub(crate) fn ai_reranking(headers: &HeaderMap, body: &Bytes, prefix: Prefix) -> Read {
    let version = version(headers, prefix, ai_sdk::RERANKING_SPECIFICATION_HEADER);
    let request = ai_sdk::RerankRequest::parse(version, model(headers, ai_sdk::MODEL_HEADER)?, body)?;
    RequestIntent::new(Work::Task(Arc::new(request)), headers, body.len())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim)
}

fn version(headers: &HeaderMap, prefix: Prefix, name: &str) -> Version {
    Version::of(prefix, text(headers, name))
}

/// Older clients name the model in one header, newer in the other; either is taken.
fn model<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, InputError> {
    let either = [name, ai_sdk::MODEL_HEADER, ai_sdk::LANGUAGE_MODEL_HEADER];
    either
        .into_iter()
        .find_map(|name| text(headers, name).filter(|model| !model.is_empty()))
        .ok_or_else(|| InputError::missing(name, "a model id such as \"openai/gpt-5\" in this header"))
}
