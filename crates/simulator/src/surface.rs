//! Which protocol and which call of it a path means: the end of the path decides, whatever stands before.

use crate::api_error::Envelope;
use crate::request::Request;

/// A call of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    ChatCompletions,
    Responses,
    Compact,
    Messages,
    CountTokens,
    Gemini(Verb),
    Embeddings,
    ImageGenerations,
    ImageEdits,
    CohereRerank,
    CohereEmbed,
    VoyageRerank,
    Models,
    Unknown,
}

/// What stands behind the colon of a Google path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Generate,
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
    Predict,
}

impl Surface {
    pub(crate) fn of(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        match path {
            p if p.ends_with("/chat/completions") => Self::ChatCompletions,
            p if p.ends_with("/responses/compact") => Self::Compact,
            p if p.ends_with("/responses") => Self::Responses,
            p if p.ends_with("/messages/count_tokens") => Self::CountTokens,
            p if p.ends_with("/messages") => Self::Messages,
            p if p.ends_with("/embeddings") => Self::Embeddings,
            p if p.ends_with("/images/generations") => Self::ImageGenerations,
            p if p.ends_with("/images/edits") => Self::ImageEdits,
            p if p.ends_with("/v2/rerank") => Self::CohereRerank,
            p if p.ends_with("/v2/embed") => Self::CohereEmbed,
            p if p.ends_with("/rerank") => Self::VoyageRerank,
            p if p.ends_with("/models") => Self::Models,
            p => match p.rsplit_once(':').map(|(_, verb)| verb) {
                Some("generateContent") => Self::Gemini(Verb::Generate),
                Some("streamGenerateContent") => Self::Gemini(Verb::Stream),
                Some("countTokens") => Self::Gemini(Verb::CountTokens),
                Some("embedContent") => Self::Gemini(Verb::Embed),
                Some("batchEmbedContents") => Self::Gemini(Verb::BatchEmbed),
                Some("predict") => Self::Gemini(Verb::Predict),
                _ => Self::Unknown,
            },
        }
    }

    /// Whose errors are answered. The list of models is told by the caller's headers.
    pub(crate) fn envelope(self, request: &Request) -> Envelope {
        match self {
            Self::Messages | Self::CountTokens => Envelope::Anthropic,
            Self::Models if request.header("anthropic-version").is_some() => Envelope::Anthropic,
            Self::Models if request.header("x-goog-api-key").is_some() => Envelope::Google,
            Self::Responses => Envelope::Responses,
            Self::Gemini(_) => Envelope::Google,
            Self::CohereRerank | Self::CohereEmbed => Envelope::Cohere,
            Self::VoyageRerank => Envelope::Voyage,
            _ => Envelope::OpenAi,
        }
    }

    /// The model of a Google path: the last segment up to the verb, percent-decoded.
    pub(crate) fn model_in_path(self, path: &str) -> Option<String> {
        let Self::Gemini(_) = self else { return None };
        let (before, _verb) = path.trim_end_matches('/').rsplit_once(':')?;
        Some(decoded(before.rsplit('/').next().unwrap_or_default()))
    }
}

fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = segment.get(at + 1..at + 3).and_then(|two| u8::from_str_radix(two, 16).ok());
        match hex.filter(|_| byte == b'%') {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_path_decides() {
        assert_eq!(Surface::of("/openai/v1/responses"), Surface::Responses);
        assert_eq!(Surface::of("/v1/responses/compact/"), Surface::Compact);
        assert_eq!(Surface::of("/v2/rerank"), Surface::CohereRerank);
        assert_eq!(Surface::of("/v1/rerank"), Surface::VoyageRerank);
        assert_eq!(Surface::of("/v1beta/models/m:fly"), Surface::Unknown);
    }

    #[test]
    fn a_google_path_names_the_model_with_its_directives() {
        let path = "/v1beta/models/gemini-3-pro%40status%3D503,retry_after=2:streamGenerateContent";
        let surface = Surface::of(path);
        assert_eq!(surface, Surface::Gemini(Verb::Stream));
        assert_eq!(surface.model_in_path(path).as_deref(), Some("gemini-3-pro@status=503,retry_after=2"));
    }
}
