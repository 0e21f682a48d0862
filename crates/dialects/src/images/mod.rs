//! OpenAI images (gateway-api §10).
