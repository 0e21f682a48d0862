//! OpenAI's embeddings (providers §10): one codec for OpenAI and every server that follows it. What sets a
//! provider apart is data ([`Rules`]).

mod answer;
mod calls;
mod rules;

pub(crate) use answer::is_numbers;
pub use answer::read;
pub use calls::calls;
pub use rules::{Asked, Rules};

#[cfg(test)]
mod tests;
