//! What is known of a model and of the places that serve it (gateway-api §13).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tollgate_domain::ModelId;

use crate::date::Date;
use crate::named::named_enum;
use crate::price::{Level, Prices};

named_enum!(
    /// What a model does (`type` in gateway-api §13.1).
    ModelKind {
        /// Text generation, chat.
        Language = "language",
        /// Vectors of texts or images.
        Embedding = "embedding",
        /// Pictures.
        Image = "image",
        /// Moving pictures.
        Video = "video",
        /// Speech to speech over a session.
        Realtime = "realtime",
        /// Documents ordered by relevance.
        Reranking = "reranking",
        /// Text to speech.
        Speech = "speech",
        /// Speech to text.
        Transcription = "transcription",
        /// Classifiers without language (gateway-api §12).
        Decision = "decision",
    }
);

named_enum!(
    /// A kind of content that a model takes or gives.
    Modality {
        /// Text.
        Text = "text",
        /// Images.
        Image = "image",
        /// PDF documents.
        Pdf = "pdf",
        /// Other files.
        File = "file",
        /// Sound.
        Audio = "audio",
        /// Video.
        Video = "video",
        /// Vectors.
        Embedding = "embedding",
        /// Scores.
        Score = "score",
    }
);

named_enum!(
    /// Something a model can do.
    Capability {
        /// Thinks before it answers.
        Reasoning = "reasoning",
        /// Calls tools.
        ToolUse = "tool-use",
        /// Answers by a JSON schema.
        StructuredOutput = "structured-output",
        /// Reads images.
        Vision = "vision",
        /// Reads files.
        FileInput = "file-input",
        /// Hears.
        AudioInput = "audio-input",
        /// Watches video.
        VideoInput = "video-input",
        /// Makes images.
        ImageOutput = "image-output",
        /// Caches prompts without being asked.
        ImplicitCaching = "implicit-caching",
        /// Caches prompts where the client marks them.
        ExplicitCaching = "explicit-caching",
        /// Searches the web on the provider's side.
        WebSearch = "web-search",
        /// Takes a temperature.
        Temperature = "temperature",
        /// Refuses a temperature. Neither word: not known.
        NoTemperature = "no-temperature",
    }
);

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Whether it holds the capability.
    #[must_use]
    pub fn has(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }

    /// Adds one.
    pub fn add(&mut self, capability: Capability) {
        self.0 |= bit(capability);
    }

    /// Its members, in their usual order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |c| self.has(*c))
    }

    /// Whether a temperature is taken: `None` when that is not known.
    #[must_use]
    pub fn temperature(self) -> Option<bool> {
        match (self.has(Capability::Temperature), self.has(Capability::NoTemperature)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(iter: I) -> Self {
        let mut set = Self::default();
        iter.into_iter().for_each(|c| set.add(c));
        set
    }
}

fn bit(capability: Capability) -> u16 {
    1 << (capability as u16)
}

/// How the thinking of a model can be steered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reasoning {
    /// It can be switched on and off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub toggle: bool,
    /// It cannot be switched off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub always_on: bool,
    /// The efforts it knows, in ascending order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub efforts: Vec<String>,
    /// It takes a budget of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<ReasoningBudget>,
}

/// Bounds of a thinking budget, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasoningBudget {
    /// Least budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// Greatest budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// A model under its own id that is another one at a service level (`…-batch`, `…-fast`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The model it is.
    pub of: ModelId,
    /// The service level it stands for.
    pub level: Level,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// `creator/name`.
    pub id: ModelId,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub kind: ModelKind,
    /// It is in the published list of the hosted gateway, as opposed to known from price lists only.
    pub listed: bool,
    /// Day of release.
    pub released: Option<Date>,
    /// Up to when it knows the world: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub knowledge: Option<String>,
    /// Prompt and answer together, in tokens.
    pub context_window: Option<u64>,
    /// Prompt alone, where that is less.
    pub max_input_tokens: Option<u64>,
    /// Answer, in tokens.
    pub max_output_tokens: Option<u64>,
    /// What it takes.
    pub input: Vec<Modality>,
    /// What it gives.
    pub output: Vec<Modality>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How its thinking is steered; `None` when it does not think or that is not known.
    pub reasoning: Option<Reasoning>,
    /// Older ids that still resolve to it.
    pub aliases: Vec<String>,
    /// The model and service level it is a variant of.
    pub variant: Option<Variant>,
    /// Its creator is withdrawing it.
    pub deprecated: bool,
    /// Where it is served: the creator's own API first, then clouds, then other hosts; those that the
    /// operator configured before all.
    pub endpoints: Vec<Endpoint>,
}

impl Model {
    /// Whether it can.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// The endpoints of one provider.
    pub fn endpoints_of<'m, 'p>(
        &'m self,
        provider: &'p str,
    ) -> impl Iterator<Item = &'m Endpoint> + use<'m, 'p> {
        self.endpoints.iter().filter(move |e| &*e.provider == provider)
    }

    /// The part of the id before the slash.
    #[must_use]
    pub fn creator(&self) -> &str {
        self.id.creator().unwrap_or_default()
    }
}

named_enum!(
    /// What the provider says of an endpoint.
    EndpointStatus {
        /// In service.
        Active = "active",
        /// Not yet promised.
        Beta = "beta",
        /// Being withdrawn.
        Deprecated = "deprecated",
    }
);

/// A model at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The provider's slug.
    pub provider: Arc<str>,
    /// What the provider calls the model.
    pub model: String,
    /// Further names of the same model at the same provider.
    pub other_ids: Vec<String>,
    /// Prompt and answer together, in tokens: the model's unless the provider has its own.
    pub context_window: Option<u64>,
    /// Prompt alone, in tokens, where that is less.
    pub max_input_tokens: Option<u64>,
    /// Answer, in tokens: the model's unless the provider has its own.
    pub max_output_tokens: Option<u64>,
    /// Paths of the provider's API that serve it (`/v1/responses`); empty when not known.
    pub apis: Vec<String>,
    /// Prefix of a cross-region inference profile (Bedrock: `us`, `eu`, `global`).
    pub region: Option<String>,
    /// What the provider says of it.
    pub status: EndpointStatus,
    /// The day it ends or ended.
    pub deprecated_on: Option<Date>,
    /// Its prices; `None` when nothing is known (I5).
    pub prices: Option<Prices>,
    /// What is added to the request so that a variant is what its name says. `batch: true` is no field
    /// of any provider: it says that only the provider's batch interface gives these prices.
    pub request_patch: Option<serde_json::Map<String, serde_json::Value>>,
}
