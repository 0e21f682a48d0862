//! Cohere's rerank, versions 1 and 2 (gateway-api §11).
