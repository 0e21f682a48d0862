//! Gemini (providers §5): generateContent, its count of tokens, embeddings (§10) and images (§11), as the
//! Gemini API speaks them with an API key and Vertex AI with its own addresses (§6).
//!
//! Conversations are in [`generate`], their size in tokens in [`count_tokens`], vectors in [`embeddings`];
//! [`images`] has Imagen and the Gemini models that draw.

mod address;
mod count;
pub mod embeddings;
pub mod generate;
pub mod images;
mod model;
mod options;
mod schema;

#[cfg(test)]
mod tests;

pub use count::{count_path, count_tokens, read_count};

/// The namespace of opaque provider data that belongs to this protocol.
pub(crate) const NAMESPACE: &str = "google";

/// Namespaces under which clients address this protocol (gateway-api §4).
pub(crate) fn is_own(namespace: &str) -> bool {
    matches!(namespace, "google" | "vertex" | "googleVertex" | "google-vertex")
}
