//! OpenAI Responses as clients of the service see them (gateway-api §7.2, §7.3, providers §3).
//!
//! - [`Request`]: the body's head for routing, and the whole of it as a neutral conversation
//! - [`StreamEncoder`], [`encode_whole`]: an answer of any provider, from neutral events
//! - [`StreamSplice`], [`splice_whole`]: an answer of a provider that speaks this protocol itself; only what
//!   the gateway owns is replaced (I17)
//! - [`CompactRequest`]: the head of a request to compact a history, whose body is passed through
//! - [`websocket`]: the frames of the same protocol over a WebSocket

mod annotation;
mod compact;
mod conversation;
mod custom_tool;
mod echo;
mod input;
mod item;
mod output;
mod reasoning;
mod reply;
mod request;
mod shape;
mod splice_stream;
mod splice_whole;
mod stream;
mod surface;
pub mod websocket;
mod whole;

pub use compact::CompactRequest;
pub use request::Request;
pub use splice_stream::StreamSplice;
pub use splice_whole::splice_whole;
pub use stream::StreamEncoder;
pub use whole::encode_whole;
