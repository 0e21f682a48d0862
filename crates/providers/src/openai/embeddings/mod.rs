//! Embeddings in OpenAI's shape (providers §10).
