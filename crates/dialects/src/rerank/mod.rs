//! Cohere's rerank, versions 1 and 2 (gateway-api §11): `POST /v1/rerank`, `POST /v2/rerank`, with Cohere's
//! own envelope for errors (gateway-api §6.3).

mod answer;
mod request;

pub use request::{Request, Version};

use tollgate_wire::json::write_string;

use crate::openai_error::OpenAiError;

/// The body of an error as Cohere's clients read it: `{message}`.
#[must_use]
pub fn error_body(error: &OpenAiError) -> Vec<u8> {
    let mut out = b"{\"message\":".to_vec();
    write_string(&mut out, &error.message);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_flat() {
        let error = OpenAiError::not_found("No \"such\" path.").with_code("x");
        assert_eq!(error_body(&error), br#"{"message":"No \"such\" path."}"#);
    }
}
