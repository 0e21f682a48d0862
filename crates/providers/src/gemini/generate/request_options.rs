//! Where each of the client's own options stands in a request.

use serde_json::{Map, Value, json};
use tollgate_domain::{Conversation, Warning};

use super::super::options;
use crate::codec::Target;

/// The options, taken apart.
#[derive(Debug, Default)]
pub(super) struct RequestOptions {
    /// Members of `generationConfig`, `thinkingConfig` left out.
    pub(super) generation: Map<String, Value>,
    /// `generationConfig.thinkingConfig`.
    pub(super) thinking: Map<String, Value>,
    /// Members of `toolConfig`.
    pub(super) tool_config: Map<String, Value>,
    /// Members of the body.
    pub(super) members: Map<String, Value>,
    /// The answer's schema is to be left out (`structuredOutputs: false`).
    pub(super) schemaless: bool,
}

/// Members that the codec writes itself or does not serve, and options that only steer a client library.
const NOT_OURS: [&str; 7] =
    ["model", "contents", "systemInstruction", "tools", "candidateCount", "threshold", "stream"];
/// Options that belong to `generationConfig`.
const GENERATION: [&str; 14] = [
    "responseModalities",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
    "speechConfig",
    "responseLogprobs",
    "logprobs",
    "responseSchema",
    "responseJsonSchema",
    "responseMimeType",
    "enableEnhancedCivicAnswers",
    "routingConfig",
    "modelSelectionConfig",
    "enableAffectiveDialog",
];

impl RequestOptions {
    /// Reads the options of a conversation.
    pub(super) fn of(conversation: &Conversation, target: &Target, warnings: &mut Vec<Warning>) -> Self {
        let mut found = Self::default();
        for (key, value) in options::merged(&conversation.provider_options, target) {
            found.take(key, value);
        }
        let vertex = target.provider == "vertex";
        let asked = found.members.shift_remove("serviceTier").and_then(|v| v.as_str().map(str::to_owned));
        let tier = asked.or_else(|| conversation.service_tier.clone());
        if let Some(tier) = tier.as_deref().and_then(tier_word) {
            if vertex {
                warnings.push(Warning::unsupported(
                    "service_tier",
                    "Vertex AI takes the service tier by header only; the request was sent without one.",
                ));
            } else {
                found.members.insert("serviceTier".to_owned(), tier.into());
            }
        }
        if !vertex && found.members.shift_remove("labels").is_some() {
            warnings.push(Warning::unsupported("labels", "Only Vertex AI keeps labels; they were left out."));
        }
        found
    }

    fn take(&mut self, key: String, value: Value) {
        match (key.as_str(), value) {
            (key, _) if NOT_OURS.contains(&key) => {}
            ("thinkingConfig", Value::Object(members)) => {
                self.thinking.extend(members.into_iter().map(|(key, value)| (options::camel(&key), value)));
            }
            ("generationConfig", Value::Object(members)) => {
                for (key, value) in members {
                    match options::camel(&key) {
                        key if key == "thinkingConfig" => self.take(key, value),
                        key if NOT_OURS.contains(&key.as_str()) => {}
                        key => {
                            self.generation.insert(key, value);
                        }
                    }
                }
            }
            ("structuredOutputs", value) => self.schemaless = value == Value::Bool(false),
            ("retrievalConfig", value) => {
                self.tool_config.insert(key, value);
            }
            ("toolConfig", Value::Object(members)) => self.tool_config.extend(members),
            ("streamFunctionCallArguments", value) => {
                self.tool_config.insert("functionCallingConfig".to_owned(), json!({key: value}));
            }
            (name, value) if GENERATION.contains(&name) => {
                self.generation.insert(key, value);
            }
            (_, value) => {
                self.members.insert(key, value);
            }
        }
    }
}

/// The tier in the protocol's words; `None` leaves it to the provider.
fn tier_word(tier: &str) -> Option<String> {
    match tier {
        "auto" => None,
        "fast" => Some("priority".to_owned()),
        "default" => Some("standard".to_owned()),
        other => Some(other.to_owned()),
    }
}
