//! The AI SDK's gateway protocol, versions v2, v3 and v4 (gateway-api §17, clients §5). The model stands in
//! a header, the body is the call's options, and a stream is one JSON part an event.
//!
//! - [`Version`], [`Prefix`] and the header names: which of the three dialects a request speaks
//! - [`LanguageRequest`]: a request for a language model and its answer, whole or streamed
//! - [`EmbeddingRequest`], [`ImageRequest`], [`RerankRequest`]: the other models
//! - [`config`]: the list of models; [`error_body`]: errors

mod config;
mod embedding;
mod file;
mod image;
mod lane;
mod language;
mod members;
mod options;
mod part;
mod prompt;
mod provider_blocks;
mod reasoning;
mod reply;
mod rerank;
mod shape;
mod stream;
mod timestamp;
mod tool_names;
mod tool_result;
mod tools;
mod version;
mod whole;

pub use config::{ConfigEntry, config};
pub use embedding::EmbeddingRequest;
pub use image::ImageRequest;
pub use language::LanguageRequest;
pub use rerank::RerankRequest;
pub use version::{
    AUTH_METHOD_HEADER, EMBEDDING_SPECIFICATION_HEADER, IMAGE_SPECIFICATION_HEADER, LANGUAGE_MODEL_HEADER,
    LANGUAGE_SPECIFICATION_HEADER, LANGUAGE_STREAMING_HEADER, MODEL_HEADER, PROTOCOL_VERSION_HEADER, Prefix,
    RERANKING_SPECIFICATION_HEADER, Version,
};

use tollgate_domain::GenerationId;
use tollgate_domain::receipt::Routing;

use crate::openai_error::{self, OpenAiError};

/// The body of an error. The client reads the nested envelope only, so that errors which other surfaces
/// write flat (gateway-api §6.4) are nested here as well (gateway-api §17.10).
#[must_use]
pub fn error_body(
    error: &OpenAiError,
    generation: Option<GenerationId>,
    routing: Option<&Routing>,
) -> Vec<u8> {
    openai_error::error_body(error, generation, routing)
}

#[cfg(test)]
mod tests;
