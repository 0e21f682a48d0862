//! Which of the protocol's versions a request speaks, and the headers it is said in (gateway-api §17.1,
//! §17.2).

/// The version of the gateway protocol itself (`0.0.1`).
pub const PROTOCOL_VERSION_HEADER: &str = "ai-gateway-protocol-version";
/// How the client came to its credential: `api-key` or `oidc`.
pub const AUTH_METHOD_HEADER: &str = "ai-gateway-auth-method";
/// The version of a language model's body.
pub const LANGUAGE_SPECIFICATION_HEADER: &str = "ai-language-model-specification-version";
/// The language model's id.
pub const LANGUAGE_MODEL_HEADER: &str = "ai-language-model-id";
/// `true` when the answer shall be streamed.
pub const LANGUAGE_STREAMING_HEADER: &str = "ai-language-model-streaming";
/// The id of any other model.
pub const MODEL_HEADER: &str = "ai-model-id";
/// The version of an embedding model's body.
pub const EMBEDDING_SPECIFICATION_HEADER: &str = "ai-embedding-model-specification-version";
/// The version of an image model's body.
pub const IMAGE_SPECIFICATION_HEADER: &str = "ai-image-model-specification-version";
/// The version of a reranking model's body.
pub const RERANKING_SPECIFICATION_HEADER: &str = "ai-reranking-model-specification-version";

/// The path that a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `/v1`, used by clients that rewrite their base (clients §0.12).
    V1,
    /// `/v1/ai`: clients 1.x and 2.x.
    V1Ai,
    /// `/v3/ai`: clients 3.x.
    V3Ai,
    /// `/v4/ai`: clients 4.x.
    V4Ai,
}

/// The version of bodies and parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Flat usage, finish reason as text, files as text.
    V2,
    /// Nested usage, finish reason with the provider's own word.
    V3,
    /// As V3, with tagged file data.
    V4,
}

impl Version {
    /// The version of a request: the specification header decides, the path when the header is absent or
    /// unknown (gateway-api §17.1).
    #[must_use]
    pub fn of(prefix: Prefix, header: Option<&str>) -> Self {
        match header.map(|h| h.trim().trim_start_matches('v')) {
            Some("2") => Self::V2,
            Some("3") => Self::V3,
            Some("4") => Self::V4,
            _ => match prefix {
                Prefix::V1 | Prefix::V1Ai => Self::V2,
                Prefix::V3Ai => Self::V3,
                Prefix::V4Ai => Self::V4,
            },
        }
    }

    /// The word in a list of models; a client refuses the whole list for any other than its own
    /// (gateway-api §17.3).
    #[must_use]
    pub fn literal(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::V4 => "v4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_wins_over_the_path() {
        for (prefix, header, version) in [
            (Prefix::V1Ai, None, Version::V2),
            (Prefix::V1, None, Version::V2),
            (Prefix::V3Ai, None, Version::V3),
            (Prefix::V4Ai, None, Version::V4),
            (Prefix::V1, Some("4"), Version::V4),
            (Prefix::V4Ai, Some("2"), Version::V2),
            (Prefix::V1Ai, Some(" v3 "), Version::V3),
            (Prefix::V3Ai, Some("9"), Version::V3),
            (Prefix::V4Ai, Some(""), Version::V4),
        ] {
            assert_eq!(Version::of(prefix, header), version, "{prefix:?} {header:?}");
        }
    }
}
