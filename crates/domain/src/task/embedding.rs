//! Embeddings (gateway-api §9, providers §10).

use serde_json::Value;

use super::sum;
use crate::json_text::JsonText;
use crate::reply::ResponseInfo;
use crate::usage::Usage;

/// Texts to be turned into vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbeddingRequest {
    /// What is embedded, in order; at least one.
    pub inputs: Vec<EmbeddingInput>,
    /// The length of the vectors; `None`: the model's own.
    pub dimensions: Option<u64>,
    /// An opaque id of the end user for the provider.
    pub user: Option<String>,
    /// `providerOptions` namespaces other than `gateway`, for the provider of that slug only.
    pub provider_options: Vec<(String, Value)>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddingInput {
    /// Text.
    Text(String),
    /// Tokens of the model's own vocabulary (OpenAI's shape only).
    Tokens(Vec<u64>),
}

/// Vectors, in the order of the inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbeddingReply {
    /// The vectors.
    pub vectors: Vec<Vector>,
    /// What was consumed, when the provider says so.
    pub usage: Option<Usage>,
    /// What the provider says of the answer.
    pub info: ResponseInfo,
}

/// One vector as the provider wrote it, so that no digit is lost on the way (I17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vector {
    /// A JSON array of numbers.
    Json(JsonText),
    /// Base64 of little-endian 32-bit floats.
    Base64(String),
}

impl EmbeddingReply {
    pub(super) fn append(&mut self, more: Self) {
        self.vectors.extend(more.vectors);
        self.usage = sum(self.usage, more.usage);
    }
}
