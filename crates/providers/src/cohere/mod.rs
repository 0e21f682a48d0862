//! Cohere rerank and embeddings (providers §10, §12), under the base address of version 2.
//!
//! - [`embed`]: `POST /embed`
//! - [`rerank`]: `POST /rerank`

pub mod embed;
pub mod rerank;
