//! What clients speak, a folder a dialect: bytes of a request into the neutral [`Conversation`], events of
//! an answer into bytes. Nothing here knows providers, HTTP or async.
//!
//! - [`chat_completions`]: OpenAI's chat completions as the service's clients see them (gateway-api §7.1)
//! - [`gateway_options`]: `providerOptions.gateway` and attribution, the same on every JSON surface
//! - [`metadata`]: the `provider_metadata.gateway` object, the same everywhere
//! - [`openai_error`]: the OpenAI-style error envelope
//!
//! [`Conversation`]: tollgate_domain::Conversation

pub mod chat_completions;
mod checked;
pub mod gateway_options;
mod json_path;
pub mod metadata;
pub mod openai_error;
