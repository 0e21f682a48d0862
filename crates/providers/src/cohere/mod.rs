//! Cohere rerank and embeddings (providers §10, §12).
