//! Gemini generateContent and its embeddings (providers §5, §10).
