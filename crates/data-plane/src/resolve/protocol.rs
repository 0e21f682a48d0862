//! The protocols that are spoken to providers: which of a provider's serve a model, where they are, and
//! which is best for a client's dialect.

use tollgate_catalog::{Capability, Endpoint, Model, ModelKind, Protocol};
use tollgate_dialects::Dialect;
use tollgate_domain::Needs;
use tollgate_providers::{Target, gemini};

/// A protocol that the data plane speaks to providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// OpenAI chat completions and its family (providers §1, §2).
    OpenaiChat,
    /// OpenAI Responses (providers §3).
    OpenaiResponses,
    /// Anthropic Messages (providers §4).
    AnthropicMessages,
    /// Gemini: conversations, embeddings and images (providers §5, §10, §11).
    Gemini,
    /// Embeddings in OpenAI's shape (providers §10).
    OpenaiEmbeddings,
    /// Images in OpenAI's shape (providers §11).
    OpenaiImages,
    /// Cohere embeddings (providers §10).
    CohereEmbed,
    /// Cohere rerank (providers §12).
    CohereRerank,
    /// The rerank shape of several providers (providers §12).
    Rerank,
}

/// What a request is for; decides which protocols can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A conversation in this dialect. `state`: the provider must hold the conversation's state.
    Conversation { dialect: Dialect, state: bool },
    /// Embeddings.
    Embedding,
    /// Images.
    Image,
    /// Rerank.
    Rerank,
}

impl UpstreamProtocol {
    /// The protocol as the catalog names it, if it is spoken here.
    pub(crate) fn of(protocol: Protocol) -> Option<Self> {
        Some(match protocol {
            Protocol::OpenaiChat => Self::OpenaiChat,
            Protocol::OpenaiResponses => Self::OpenaiResponses,
            Protocol::AnthropicMessages => Self::AnthropicMessages,
            Protocol::Gemini => Self::Gemini,
            Protocol::OpenaiEmbeddings => Self::OpenaiEmbeddings,
            Protocol::OpenaiImages => Self::OpenaiImages,
            Protocol::CohereEmbed => Self::CohereEmbed,
            Protocol::CohereRerank => Self::CohereRerank,
            Protocol::Rerank => Self::Rerank,
            _ => return None,
        })
    }

    /// What a provider speaks. One that speaks chat completions and says nothing of embeddings has those in
    /// the same shape, as all servers of that family do; the catalog says which of its models are some.
    pub(crate) fn all_of(protocols: &[Protocol]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for protocol in protocols.iter().filter_map(|p| Self::of(*p)) {
            if !found.contains(&protocol) {
                found.push(protocol);
            }
        }
        if found.contains(&Self::OpenaiChat) {
            let embeds = found.iter().any(|p| matches!(p, Self::OpenaiEmbeddings | Self::CohereEmbed));
            if !embeds {
                found.push(Self::OpenaiEmbeddings);
            }
            if !found.contains(&Self::OpenaiImages) {
                found.push(Self::OpenaiImages);
            }
        }
        found
    }

    /// Whether a model of this kind is called by it.
    pub(crate) fn serves(self, model: &Model, endpoint: &Endpoint) -> Result<(), String> {
        let by_path = |end: &str| {
            let apis = &endpoint.apis;
            if apis.is_empty() || apis.iter().any(|a| a.ends_with(end)) {
                Ok(())
            } else {
                Err(format!("serves this model only by {}", apis.join(", ")))
            }
        };
        let is = |kind: ModelKind| {
            if model.kind == kind {
                Ok(())
            } else {
                Err(format!("has no way to call a model of type '{}'", model.kind))
            }
        };
        let makes_images = model.kind == ModelKind::Image
            || (model.kind == ModelKind::Language && model.can(Capability::ImageOutput));
        match self {
            Self::OpenaiChat => is(ModelKind::Language).and_then(|()| by_path("/chat/completions")),
            // Servers of the family often lack it, so only a path that is known counts, except where
            // nothing at all is known of a model that the operator added.
            Self::OpenaiResponses => is(ModelKind::Language).and_then(|()| by_path("/responses")),
            Self::AnthropicMessages => is(ModelKind::Language),
            Self::Gemini
                if makes_images || matches!(model.kind, ModelKind::Language | ModelKind::Embedding) =>
            {
                Ok(())
            }
            Self::Gemini => is(ModelKind::Language),
            Self::OpenaiImages if makes_images => Ok(()),
            Self::OpenaiImages => is(ModelKind::Image),
            Self::OpenaiEmbeddings | Self::CohereEmbed => is(ModelKind::Embedding),
            Self::CohereRerank | Self::Rerank => is(ModelKind::Reranking),
        }
    }

    /// How well it carries a request: lower is better; `None` when it cannot.
    pub(crate) fn fitness(self, purpose: Purpose, needs: &Needs, target: &Target) -> Option<u8> {
        let Purpose::Conversation { dialect, state } = purpose else {
            return match (purpose, self) {
                (Purpose::Embedding, Self::OpenaiEmbeddings | Self::CohereEmbed | Self::Gemini)
                | (Purpose::Image, Self::OpenaiImages | Self::Gemini)
                | (Purpose::Rerank, Self::CohereRerank | Self::Rerank) => Some(0),
                _ => None,
            };
        };
        match (dialect, self) {
            (_, Self::OpenaiResponses) if state => Some(0),
            _ if state => None,
            // Only the Responses protocol hands out the reasoning's state, which the next turn needs (I19).
            (Dialect::ChatCompletions, Self::OpenaiResponses) => {
                Some(if needs.reasoning && target.reasoning { 0 } else { 2 })
            }
            (Dialect::ChatCompletions, Self::OpenaiChat)
            | (Dialect::Messages, Self::AnthropicMessages)
            | (Dialect::Responses, Self::OpenaiResponses) => Some(1),
            (_, Self::OpenaiResponses) => Some(if target.reasoning { 2 } else { 4 }),
            (_, Self::AnthropicMessages | Self::Gemini) => Some(2),
            (_, Self::OpenaiChat) => Some(3),
            _ => None,
        }
    }

    /// The path behind the provider's base address, whole and streamed; tasks name theirs themselves.
    pub(crate) fn path(self, target: &Target, stream: bool) -> Option<String> {
        Some(match self {
            Self::OpenaiChat => "/chat/completions".to_owned(),
            Self::OpenaiResponses => "/responses".to_owned(),
            Self::AnthropicMessages => "/messages".to_owned(),
            Self::Gemini => gemini::generate::path(target, stream),
            _ => return None,
        })
    }

    /// The namespace of the provider's own metadata and options; `None`: the provider's slug.
    pub(crate) fn namespace(self) -> Option<&'static str> {
        match self {
            Self::AnthropicMessages => Some("anthropic"),
            Self::Gemini => Some("google"),
            Self::CohereEmbed | Self::CohereRerank => Some("cohere"),
            _ => None,
        }
    }
}
