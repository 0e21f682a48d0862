//! What providers speak: a folder each, sans-I/O. A request is encoded from the neutral conversation (or
//! spliced from a client body of the same protocol), a reply is decoded by one decoder whether it came
//! whole or as a stream (I2), and failures are classified where the provider's words are understood.

pub mod anthropic;
mod batches;
mod caching;
pub mod classify;
pub mod codec;
pub mod cohere;
pub mod gemini;
pub mod openai;
pub mod rerank;
mod task_answer;
mod task_options;

pub use codec::{BodyForm, ReplyDecoder, Seen, Tap, Tapped, Target, TaskCall};
