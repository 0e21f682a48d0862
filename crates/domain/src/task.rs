//! Requests that are no conversation: one question, one answer, nothing streamed. Like a conversation they
//! have one neutral form between any dialect and any provider.

mod embedding;
mod image;
mod rerank;

pub use embedding::{EmbeddingInput, EmbeddingReply, EmbeddingRequest, Vector};
pub use image::{GeneratedImage, ImageReply, ImageRequest};
pub use rerank::{Ranked, RerankDocument, RerankReply, RerankRequest};

use crate::usage::Usage;

/// A request of any kind of task.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Vectors of texts.
    Embedding(EmbeddingRequest),
    /// Images after a prompt.
    Image(ImageRequest),
    /// The order of documents after a query.
    Rerank(RerankRequest),
}

/// An answer of any kind of task.
#[derive(Clone, Debug, PartialEq)]
pub enum Product {
    /// Vectors.
    Embedding(EmbeddingReply),
    /// Images.
    Image(ImageReply),
    /// An order.
    Rerank(RerankReply),
}

impl Product {
    /// What the provider reported as consumed; `None` when it reports nothing.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Embedding(reply) => reply.usage,
            Self::Image(reply) => reply.usage,
            Self::Rerank(reply) => reply.usage,
        }
    }

    /// Adds a later part of the same answer, where a request had to be split for the provider: vectors
    /// follow in order, documents of a later part have been renumbered already.
    pub fn append(&mut self, other: Product) {
        match (self, other) {
            (Self::Embedding(reply), Self::Embedding(more)) => reply.append(more),
            (Self::Image(reply), Self::Image(more)) => reply.append(more),
            (Self::Rerank(reply), Self::Rerank(more)) => reply.append(more),
            // A request's parts are all of its own kind.
            _ => {}
        }
    }
}

fn sum(a: Option<Usage>, b: Option<Usage>) -> Option<Usage> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(&b)),
        (one, other) => one.or(other),
    }
}
