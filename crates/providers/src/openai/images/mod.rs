//! Images in OpenAI's shape (providers §11).
