//! The rerank shape that several providers share (providers §12): Voyage, Together, Jina, vLLM, OpenRouter.
//! They differ in the name of a member and in where the results stand.

pub(crate) mod answer;
mod calls;
pub(crate) mod document;

pub use calls::{calls, read};
