//! What clients speak, a folder a dialect: bytes of a request into the neutral [`Conversation`], events of
//! an answer into bytes. Nothing here knows providers, HTTP or async.
//!
//! - [`chat_completions`]: OpenAI's chat completions as the service's clients see them (gateway-api §7.1)
//! - [`messages`]: Anthropic Messages (gateway-api §8)
//! - [`responses`]: OpenAI Responses (gateway-api §7.2, §7.3)
//! - [`ai_sdk`]: the AI SDK gateway protocol (gateway-api §17)
//! - [`embeddings`], [`images`]: OpenAI's embeddings and images (gateway-api §9, §10)
//! - [`rerank`]: Cohere's rerank (gateway-api §11)
//! - [`surface`]: the shape that every dialect has
//! - [`carried_state`]: reasoning state of one provider in a dialect made for another's
//! - [`gateway_options`]: `providerOptions.gateway` and attribution, the same on every JSON surface
//! - [`metadata`]: the `provider_metadata.gateway` object, the same everywhere
//! - [`openai_error`]: the OpenAI-style error envelope
//!
//! [`Conversation`]: tollgate_domain::Conversation

pub mod ai_sdk;
mod body;
pub mod carried_state;
pub mod chat_completions;
mod checked;
pub mod embeddings;
pub mod gateway_options;
pub mod images;
mod json_path;
pub mod messages;
pub mod metadata;
pub mod openai_error;
pub mod rerank;
pub mod responses;
pub mod splice_error;
pub mod surface;
mod task_body;

pub use splice_error::SpliceError;
pub use surface::{
    ConversationRequest, Dialect, Head, ReplyContext, StreamSplicer, StreamWriter, TaskRequest,
};
