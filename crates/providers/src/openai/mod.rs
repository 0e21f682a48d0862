//! OpenAI's protocols, as OpenAI and the many servers that follow it speak them.

pub mod chat;
pub mod embeddings;
pub mod images;
pub mod responses;
