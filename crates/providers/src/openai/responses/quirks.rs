//! What sets a provider of the protocol apart (providers §3), as data. Encoding, passthrough and decoding
//! read it; none of them knows a provider's name.

use tollgate_domain::conversation::FORMAT_OPENAI;

use super::super::chat;
use crate::Target;

/// Grok's reasoning state: no other family can read it (providers §14).
const FORMAT_XAI: &str = "xai-responses-v1";
/// Reasoning state sealed by Amazon's hosts of the protocol.
const FORMAT_BEDROCK: &str = "bedrock-responses-v1";

/// Everything that sets one endpoint apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// The namespaces of `providerOptions` that speak to the provider; a later one wins.
    pub namespaces: Vec<String>,
    /// Whose reasoning state its encrypted items are.
    pub state: &'static str,
    /// It seals reasoning for clients that keep the conversation themselves
    /// (`include: ["reasoning.encrypted_content"]`).
    pub sealed_reasoning: bool,
    /// `reasoning.summary` is understood.
    pub summaries: bool,
    /// OpenAI's rules for its reasoning models hold for the model (providers §1).
    pub openai_reasoning: bool,
    /// The model takes sampling settings while its reasoning is off.
    pub samples_without_effort: bool,
    /// `reasoning.effort` is understood for the model.
    pub efforts: bool,
    /// OpenAI's own members (`metadata`, `text.verbosity`, `service_tier`) are understood.
    pub openai_members: bool,
    /// `prompt_cache_key` is understood.
    pub cache_key: bool,
    /// The member that names the end user.
    pub user: Option<&'static str>,
    /// The `developer` role is understood.
    pub developer_role: bool,
    /// `cache_control` on content parts is honoured.
    pub cache_marks: bool,
    /// The calls of one turn must stand together, right before their results (DeepSeek).
    pub calls_last: bool,
    /// Members of a client's own body that are not sent.
    pub drop: &'static [&'static str],
}

/// Members that only OpenAI and Azure keep (providers §1).
const OPENAI_ONLY: &[&str] = &["metadata", "safety_identifier", "prompt_cache_retention"];

impl Quirks {
    /// The quirks of an endpoint, by its provider's slug and its model's family.
    #[must_use]
    pub fn for_target(target: &Target) -> Self {
        let family = chat::family(target);
        // Amazon writes the maker in front of the model.
        let family = family.strip_prefix("openai.").unwrap_or(family);
        let reasons = chat::openai_reasons(family);
        let knows_efforts = !target.reasoning_efforts.is_empty();
        let plain = Self {
            namespaces: vec![target.provider.clone()],
            state: FORMAT_OPENAI,
            sealed_reasoning: false,
            summaries: false,
            openai_reasoning: false,
            samples_without_effort: chat::samples_without_effort(target),
            efforts: target.reasoning || knows_efforts,
            openai_members: false,
            cache_key: false,
            user: None,
            developer_role: false,
            cache_marks: false,
            calls_last: false,
            drop: OPENAI_ONLY,
        };
        // Hosts of OpenAI's own models.
        let host = Self {
            // Asked of a model that does not reason it is an error.
            sealed_reasoning: reasons || target.reasoning,
            summaries: true,
            openai_reasoning: reasons,
            efforts: reasons || target.reasoning || knows_efforts,
            developer_role: true,
            ..plain.clone()
        };
        let openai = Self {
            openai_members: true,
            cache_key: true,
            user: Some("safety_identifier"),
            drop: &[],
            ..host.clone()
        };
        match target.provider.as_str() {
            "openai" => openai,
            "azure" => Self { namespaces: vec!["openai".to_owned(), "azure".to_owned()], ..openai },
            "openrouter" => {
                Self { cache_key: true, user: Some("user"), cache_marks: true, drop: &[], ..host }
            }
            "github-copilot" => host,
            "bedrock-mantle" => {
                Self { state: FORMAT_BEDROCK, sealed_reasoning: reasons, summaries: reasons, ..host }
            }
            "xai" => Self {
                state: FORMAT_XAI,
                sealed_reasoning: true,
                summaries: true,
                // Most Grok models reason as they see fit and refuse to be told how hard.
                efforts: knows_efforts,
                cache_key: true,
                user: Some("user"),
                ..plain
            },
            "deepseek" => Self { calls_last: true, ..plain },
            _ => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(provider: &str, model: &str) -> Quirks {
        Quirks::for_target(&Target { provider: provider.into(), model: model.into(), ..Target::default() })
    }

    #[test]
    fn families_decide_what_reasoning_allows() {
        assert!(of("openai", "gpt-5-mini").openai_reasoning);
        assert!(of("azure", "o4-mini").openai_reasoning);
        assert!(of("bedrock-mantle", "openai.gpt-5.5").openai_reasoning);
        assert!(!of("openai", "gpt-4.1").openai_reasoning);
        assert!(!of("lmstudio", "gpt-5-mini").openai_reasoning);
        assert!(!of("xai", "grok-4.3").efforts);
    }

    #[test]
    fn i19_states_of_different_families_have_different_names() {
        let states = ["openai", "xai", "bedrock-mantle"].map(|provider| of(provider, "m").state);
        assert_eq!(states[0], FORMAT_OPENAI);
        assert!(states[1] != states[0] && states[2] != states[0] && states[1] != states[2]);
    }
}
