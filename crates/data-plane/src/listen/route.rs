//! Which path is what (operations "Listening surface", gateway-api §1, §16).

use http::Method;
use tollgate_dialects::ai_sdk::Prefix;
use tollgate_dialects::rerank;

use crate::refusal::Envelope;

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    ChatCompletions,
    Messages,
    CountTokens,
    /// POST, or GET with an upgrade to a WebSocket.
    Responses,
    Compact,
    Embeddings,
    ImageGenerations,
    ImageEdits,
    Rerank(rerank::Version),
    AiSdk(Prefix, AiSdkCall),
    Models,
    /// The rest of the path: `creator/model` or `creator/model/endpoints`, maybe percent-encoded.
    Model(&'a str),
    Generation,
    Credits,
    Report,
    Health,
    Ready,
    Metrics,
    /// Unknown, under a prefix of the data plane.
    Unknown,
    /// Not the data plane's.
    Other,
}

/// What is called by the AI SDK's protocol (gateway-api §17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AiSdkCall {
    Config,
    Language,
    Embedding,
    Image,
    Reranking,
}

/// Whose own base address a request came by (gateway-api §16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    ClaudeCode,
    Codex,
    Cursor,
    /// Any other.
    Unnamed,
}

impl Agent {
    /// What its traffic is marked with.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Cursor => "cursor",
            Self::Unnamed => "coding-agent",
        }
    }
}

/// A path, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub route: Route<'a>,
    pub agent: Option<Agent>,
}

impl<'a> Path<'a> {
    pub fn of(path: &'a str) -> Self {
        for (prefix, agent) in [
            ("/claude-code", Agent::ClaudeCode),
            ("/codex", Agent::Codex),
            ("/cursor", Agent::Cursor),
            ("/coding-agent", Agent::Unnamed),
        ] {
            if let Some(rest) = path.strip_prefix(prefix)
                && rest.starts_with('/')
            {
                // Sub-paths that are nothing of their own behave as those of `/v1`.
                let route = match Route::of(rest) {
                    Route::Other | Route::Health | Route::Ready | Route::Metrics => Route::Unknown,
                    route => route,
                };
                return Self { route, agent: Some(agent) };
            }
        }
        Self { route: Route::of(path), agent: None }
    }

    /// The envelope of its errors (gateway-api §6).
    pub fn envelope(&self) -> Envelope {
        match self.route {
            Route::Messages | Route::CountTokens => Envelope::Anthropic,
            Route::AiSdk(..) => Envelope::AiSdk,
            Route::Rerank(_) => Envelope::Cohere,
            _ if self.agent == Some(Agent::ClaudeCode) => Envelope::Anthropic,
            _ => Envelope::OpenAi,
        }
    }
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        match path {
            "/v1/chat/completions" => Self::ChatCompletions,
            "/v1/messages" => Self::Messages,
            "/v1/messages/count_tokens" => Self::CountTokens,
            "/v1/responses" => Self::Responses,
            "/v1/responses/compact" => Self::Compact,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/images/generations" => Self::ImageGenerations,
            "/v1/images/edits" => Self::ImageEdits,
            "/v1/rerank" => Self::Rerank(rerank::Version::V1),
            "/v2/rerank" => Self::Rerank(rerank::Version::V2),
            "/v1/models" | "/v1/models/" => Self::Models,
            "/v1/generation" => Self::Generation,
            "/v1/credits" => Self::Credits,
            "/v1/report" => Self::Report,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            _ => Self::below(path),
        }
    }

    fn below(path: &'a str) -> Self {
        if let Some(rest) = path.strip_prefix("/v1/models/") {
            return Self::Model(rest);
        }
        for (prefix, version) in [
            ("/v4/ai/", Prefix::V4Ai),
            ("/v3/ai/", Prefix::V3Ai),
            ("/v1/ai/", Prefix::V1Ai),
            ("/v1/", Prefix::V1),
        ] {
            let Some(rest) = path.strip_prefix(prefix) else { continue };
            let call = match rest {
                "config" => AiSdkCall::Config,
                "language-model" => AiSdkCall::Language,
                "embedding-model" => AiSdkCall::Embedding,
                "image-model" => AiSdkCall::Image,
                "reranking-model" => AiSdkCall::Reranking,
                _ => return Self::Unknown,
            };
            return Self::AiSdk(version, call);
        }
        let known = ["/v1", "/v2", "/v3/ai", "/v4/ai"];
        if known.contains(&path) || path.starts_with("/v2/") { Self::Unknown } else { Self::Other }
    }

    /// The methods that it takes; none for what does not exist.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Self::Responses => &[Method::POST, Method::GET],
            Self::ChatCompletions
            | Self::Messages
            | Self::CountTokens
            | Self::Compact
            | Self::Embeddings
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::Rerank(_) => &[Method::POST],
            Self::AiSdk(_, call) if *call != AiSdkCall::Config => &[Method::POST],
            Self::Unknown | Self::Other => &[],
            _ => &[Method::GET],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_what_they_are() {
        for (path, route, agent) in [
            ("/v1/chat/completions", Route::ChatCompletions, None),
            ("/v1/messages/count_tokens", Route::CountTokens, None),
            ("/v2/rerank", Route::Rerank(rerank::Version::V2), None),
            ("/v1/ai/config", Route::AiSdk(Prefix::V1Ai, AiSdkCall::Config), None),
            ("/v4/ai/language-model", Route::AiSdk(Prefix::V4Ai, AiSdkCall::Language), None),
            ("/v1/image-model", Route::AiSdk(Prefix::V1, AiSdkCall::Image), None),
            ("/v1/models/openai/gpt-5", Route::Model("openai/gpt-5"), None),
            ("/v1/nothing", Route::Unknown, None),
            ("/v3/ai/video-model", Route::Unknown, None),
            ("/claude-code/v1/messages", Route::Messages, Some(Agent::ClaudeCode)),
            ("/codex/v1/models", Route::Models, Some(Agent::Codex)),
            ("/cursor/v1/chat/completions", Route::ChatCompletions, Some(Agent::Cursor)),
            ("/coding-agent/v1/responses", Route::Responses, Some(Agent::Unnamed)),
            ("/codex/metrics", Route::Unknown, Some(Agent::Codex)),
            ("/codexes/v1/models", Route::Other, None),
            ("/", Route::Other, None),
        ] {
            assert_eq!(Path::of(path), Path { route, agent }, "{path}");
        }
    }
}
