//! OpenAI's chat completions, exactly as clients of the service see them (gateway-api §7.1, clients §0–1).
//!
//! - [`cursor`]: bodies that Cursor sends, made into such as [`Request`] reads (gateway-api §16)
//! - [`Request`]: the body's head for routing, and the whole of it as a neutral conversation
//! - [`StreamEncoder`], [`encode_whole`]: an answer of any provider, from neutral events
//! - [`StreamSplice`], [`splice_whole`]: an answer of a provider that speaks this protocol itself; only what
//!   the gateway owns is replaced (I17)

pub(crate) mod conversation;
pub mod cursor;
pub(crate) mod file;
mod likeness;
pub(crate) mod message;
mod reasoning;
mod reply;
mod request;
mod shape;
mod splice_stream;
mod splice_whole;
mod stream;
mod surface;
mod tool_lane;
mod usage;
mod whole;

pub use reply::fingerprint;
pub use request::Request;
pub use splice_stream::StreamSplice;
pub use splice_whole::splice_whole;
pub use stream::StreamEncoder;
pub use whole::encode_whole;
