//! OpenAI's protocols, as OpenAI and the many servers that follow it speak them.

pub mod chat;
