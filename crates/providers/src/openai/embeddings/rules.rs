//! What sets a provider of embeddings apart (providers §10).

use crate::Target;

/// The form in which vectors are asked for. The client's own wish does not matter here: either form is
/// turned into the other without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Base64 of 32-bit floats: a third of the size of numbers.
    Base64,
    /// Numbers.
    Float,
    /// Base64 of signed bytes, the provider's only form for all of a vector (Perplexity).
    Int8,
}

/// Everything that sets one endpoint apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The member for the length of vectors; `None`: it cannot be chosen.
    pub dimensions: Option<&'static str>,
    /// The form in which vectors are asked for.
    pub asked: Asked,
    /// Inputs may be tokens.
    pub tokens: bool,
    /// `user` is understood.
    pub user: bool,
    /// The most inputs of a call.
    pub max_inputs: usize,
    /// The most tokens of a call, all inputs together.
    pub max_tokens: usize,
}

const OPENAI: Rules = Rules {
    dimensions: Some("dimensions"),
    asked: Asked::Base64,
    tokens: true,
    user: true,
    max_inputs: 2048,
    max_tokens: 300_000,
};

/// A server that follows OpenAI, of which nothing more is known.
const COMPATIBLE: Rules = Rules { asked: Asked::Float, user: false, max_tokens: usize::MAX, ..OPENAI };

impl Rules {
    /// The rules of an endpoint.
    #[must_use]
    pub fn for_target(target: &Target) -> Self {
        match target.provider.as_str() {
            "openai" | "azure" => openai(target),
            "mistral" => Self {
                dimensions: Some("output_dimension"),
                tokens: false,
                // A batch may have 16 384 tokens.
                max_tokens: 16_000,
                ..COMPATIBLE
            },
            "voyage" => Self {
                dimensions: Some("output_dimension"),
                // Numbers are what comes without asking; there is no word for them.
                asked: Asked::Base64,
                tokens: false,
                user: false,
                max_inputs: 1000,
                max_tokens: 120_000,
            },
            "perplexity" => {
                Self { asked: Asked::Int8, tokens: false, max_inputs: 512, max_tokens: 120_000, ..COMPATIBLE }
            }
            "together" | "togetherai" | "fireworks" | "deepinfra" | "ollama" | "vllm" | "lmstudio" => {
                Self { dimensions: None, ..COMPATIBLE }
            }
            _ => COMPATIBLE,
        }
    }
}

fn openai(target: &Target) -> Rules {
    let named = |word: &str| target.canonical.contains(word) || target.model.contains(word);
    if named("ada-002") {
        return Rules { dimensions: None, ..OPENAI };
    }
    // Azure serves other makers' models under the same path, with those makers' limits.
    if target.canonical.starts_with("cohere/") || target.model.to_ascii_lowercase().starts_with("cohere") {
        return Rules { tokens: false, max_inputs: 96, ..COMPATIBLE };
    }
    OPENAI
}
