//! OpenAI embeddings (gateway-api §9).
