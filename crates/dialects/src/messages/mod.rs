//! Anthropic's Messages, for any model (gateway-api §8, clients §4 "Claude Code").
//!
//! - [`Request`]: the body's head for routing, and the whole of it as a neutral conversation
//! - [`StreamEncoder`], [`encode_whole`]: an answer of any provider, from neutral events
//! - [`StreamSplice`], [`splice_whole`]: an answer of a provider that speaks this protocol itself; only what
//!   the gateway owns is replaced (I17)
//! - [`CountTokens`]: the request and answer of `POST /v1/messages/count_tokens`
//! - [`error_body`]: Anthropic's error envelope (gateway-api §6.2)

mod block;
mod collect;
mod conversation;
mod count_tokens;
mod error;
mod lane;
mod native;
mod request;
mod shape;
mod source;
mod splice_stream;
mod splice_whole;
mod stream;
mod surface;
mod tools;
mod usage;
mod whole;

#[cfg(test)]
mod tests;

pub use count_tokens::CountTokens;
pub use error::error_body;
pub use request::Request;
pub use splice_stream::StreamSplice;
pub use splice_whole::splice_whole;
pub use stream::StreamEncoder;
pub use whole::encode_whole;

/// The namespace of opaque data that belongs to this protocol.
pub(crate) const NAMESPACE: &str = "anthropic";
