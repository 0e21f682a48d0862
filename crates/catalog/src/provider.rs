//! Who serves models: protocol, address and the way to authenticate (gateway-api §4.6, operations
//! "Configuration").

use crate::named::named_enum;

named_enum!(
    /// What is spoken to a provider (the chapters of the provider reference).
    Protocol {
        /// Anthropic Messages.
        AnthropicMessages = "anthropic-messages",
        /// Anthropic Messages by Vertex AI's rawPredict.
        AnthropicVertex = "anthropic-vertex",
        /// OpenAI shapes on Azure.
        AzureOpenai = "azure-openai",
        /// Amazon Bedrock Converse.
        BedrockConverse = "bedrock-converse",
        /// Anthropic Messages by Bedrock's InvokeModel.
        BedrockInvokeAnthropic = "bedrock-invoke-anthropic",
        /// Embeddings by Bedrock's InvokeModel.
        BedrockInvokeEmbeddings = "bedrock-invoke-embeddings",
        /// Black Forest Labs: submit, then poll.
        BflAsyncImage = "bfl-async-image",
        /// Cohere embeddings.
        CohereEmbed = "cohere-embed",
        /// Cohere rerank.
        CohereRerank = "cohere-rerank",
        /// Cohere chat, version 2.
        CohereV2 = "cohere-v2",
        /// Gemini generateContent.
        Gemini = "gemini",
        /// Google's predict call (images, embeddings).
        GeminiPredict = "gemini-predict",
        /// Ollama's own API.
        OllamaNative = "ollama-native",
        /// OpenAI speech and transcription.
        OpenaiAudio = "openai-audio",
        /// OpenAI chat completions.
        OpenaiChat = "openai-chat",
        /// OpenAI embeddings.
        OpenaiEmbeddings = "openai-embeddings",
        /// OpenAI images.
        OpenaiImages = "openai-images",
        /// OpenAI Responses.
        OpenaiResponses = "openai-responses",
        /// The rerank shape that several providers share.
        Rerank = "rerank",
    }
);

impl Protocol {
    /// The way to authenticate that a provider of this protocol has unless it says otherwise.
    #[must_use]
    pub fn usual_auth(self) -> Auth {
        match self {
            Self::AnthropicMessages => Auth::Header("x-api-key".into()),
            Self::AzureOpenai => Auth::Header("api-key".into()),
            Self::Gemini | Self::GeminiPredict => Auth::Header("x-goog-api-key".into()),
            Self::BflAsyncImage => Auth::Header("x-key".into()),
            Self::AnthropicVertex => Auth::GoogleServiceAccount,
            Self::BedrockConverse | Self::BedrockInvokeAnthropic | Self::BedrockInvokeEmbeddings => {
                Auth::AwsSigV4
            }
            _ => Auth::Bearer,
        }
    }
}

/// How a request to a provider is authenticated. Written as `bearer`, `none`, `aws-sigv4`,
/// `google-service-account` or `header:<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// The key alone in the header of this name.
    Header(Box<str>),
    /// Nothing is sent unless the operator gives a key, which then goes as a bearer token.
    None,
    /// AWS Signature Version 4.
    AwsSigV4,
    /// An access token made of a Google service account.
    GoogleServiceAccount,
}

/// The text is no way to authenticate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "'{0}' is not a way to authenticate; expected bearer, none, aws-sigv4, google-service-account or header:<name>"
)]
pub struct AuthError(String);

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::None => f.write_str("none"),
            Self::AwsSigV4 => f.write_str("aws-sigv4"),
            Self::GoogleServiceAccount => f.write_str("google-service-account"),
        }
    }
}

impl std::str::FromStr for Auth {
    type Err = AuthError;

    fn from_str(text: &str) -> Result<Self, AuthError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        match text {
            "bearer" => Ok(Self::Bearer),
            "none" => Ok(Self::None),
            "aws-sigv4" => Ok(Self::AwsSigV4),
            "google-service-account" => Ok(Self::GoogleServiceAccount),
            _ => match text.strip_prefix("header:") {
                Some(name) if !name.is_empty() && name.bytes().all(token) => Ok(Self::Header(name.into())),
                _ => Err(AuthError(text.to_owned())),
            },
        }
    }
}

impl serde::Serialize for Auth {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Auth {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A provider that the gateway can call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What it is called in ids, options and configuration.
    pub slug: std::sync::Arc<str>,
    /// What people call it.
    pub name: String,
    /// Where it is; may hold `{region}`, `{resource}`, `{project}`, `{location}` to be filled from the
    /// credential or the environment.
    pub base_url: String,
    /// What it speaks for its main kind of model.
    pub protocol: Protocol,
    /// What it speaks besides.
    pub also: Vec<Protocol>,
    /// How to authenticate.
    pub auth: Auth,
    /// Environment variables that hold its credential: all are needed.
    pub env: Vec<String>,
    /// Environment variables that may add to or replace those of `env`.
    pub optional_env: Vec<String>,
}

impl Provider {
    /// Whether it speaks the protocol, as its main one or besides.
    #[must_use]
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.protocol == protocol || self.also.contains(&protocol)
    }
}
