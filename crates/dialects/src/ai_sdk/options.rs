//! The whole request in its neutral form: settings, the form of the answer and provider options.

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{CacheMark, Conversation, ReasoningRequest, ResponseFormat, Settings};
use tollgate_wire::json;

use super::members::{fields, number, required_text, signed, text, texts, unsigned, value, word};
use super::part::GATEWAY;
use super::tool_names::ToolNames;
use super::{prompt, tools};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, boolean, excerpt, object, wrong};

/// The longest safety identifier; longer ones are cut (gateway-api §4.1).
const SAFETY_IDENTIFIER_CHARS: usize = 64;
const FORMATS: &str = "\"text\" or \"json\"";

/// Reads a body that passed the structural checks.
pub(super) fn conversation(body: &[u8]) -> Result<Conversation, InputError> {
    let root = Path::Body;
    let members = fields(&root, body)?;
    let options = ProviderOptions::read(&members)?;
    let tools = tools::read(&members)?;
    let names = ToolNames::of(&tools);
    let prompt = members.get("prompt").unwrap_or(b"[]");
    Ok(Conversation {
        messages: prompt::read(&root.member("prompt"), prompt, &names)?,
        settings: settings(&members)?,
        tool_choice: tools::choice(&members, &names)?,
        tools,
        response_format: response_format(&members)?,
        reasoning: reasoning(&members)?,
        modalities: modalities(&members),
        service_tier: options.service_tier(),
        safety_identifier: options.safety_identifier(),
        cache: options.automatic_cache(),
        provider_options: options.others()?,
        ..Conversation::default()
    })
}

/// The names of the provider's tools; empty when the tools cannot be read, which is told elsewhere.
pub(super) fn tool_names(body: &[u8]) -> ToolNames {
    let tools = Fields::of(body).and_then(|members| tools::read(&members).ok());
    ToolNames::of(&tools.unwrap_or_default())
}

/// `maxOutputTokens`; a client whose list of models holds 0 sends 0.
pub(super) fn max_tokens(body: &Fields<'_>) -> Result<Option<u64>, InputError> {
    Ok(unsigned(&Path::Body, body, "maxOutputTokens")?.filter(|n| *n > 0))
}

fn settings(body: &Fields<'_>) -> Result<Settings, InputError> {
    let root = Path::Body;
    let stop = match body.get("stopSequences") {
        Some(raw) => texts(&root.member("stopSequences"), raw)?,
        None => Vec::new(),
    };
    Ok(Settings {
        max_output_tokens: max_tokens(body)?,
        temperature: number(&root, body, "temperature")?,
        top_p: number(&root, body, "topP")?,
        top_k: unsigned(&root, body, "topK")?,
        presence_penalty: number(&root, body, "presencePenalty")?,
        frequency_penalty: number(&root, body, "frequencyPenalty")?,
        stop,
        seed: signed(&root, body, "seed")?,
    })
}

/// What v4 asks of reasoning; `provider-default` says nothing.
pub(super) fn reasoning(body: &Fields<'_>) -> Result<Option<ReasoningRequest>, InputError> {
    let effort = text(&Path::Body, body, "reasoning")?.filter(|e| e != "provider-default");
    Ok(effort.map(|effort| ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() }))
}

/// The form of the answer.
pub(super) fn response_format(body: &Fields<'_>) -> Result<Option<ResponseFormat>, InputError> {
    let path = Path::Body.member("responseFormat");
    let Some(raw) = body.get("responseFormat") else { return Ok(None) };
    let format = fields(&path, raw)?;
    match required_text(&path, &format, "type", FORMATS)?.as_str() {
        "text" => Ok(Some(ResponseFormat::Text)),
        "json" => match format.get("schema") {
            None => Ok(Some(ResponseFormat::JsonObject)),
            Some(raw) => {
                let schema_path = path.member("schema");
                object(&schema_path, raw)?;
                let strict = format.get("strict").map(|raw| boolean(&path.member("strict"), raw));
                Ok(Some(ResponseFormat::JsonSchema {
                    name: text(&path, &format, "name")?,
                    schema: value(&schema_path, raw)?,
                    strict: strict.transpose()?,
                    description: text(&path, &format, "description")?,
                }))
            }
        },
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {FORMATS}.", excerpt(other));
            Err(InputError::invalid(path.member("type").to_string(), message))
        }
    }
}

/// What a model shall answer with besides text: the protocol says it only in Gemini's options.
pub(super) fn modalities(body: &Fields<'_>) -> Vec<String> {
    let options = body.get("providerOptions").and_then(Fields::of);
    let google = options.as_ref().and_then(|o| o.get("google")).and_then(Fields::of);
    let words = google.as_ref().and_then(|g| g.get("responseModalities")).map(elements).unwrap_or_default();
    let words = words.into_iter().filter_map(json::string).map(|word| word.to_ascii_lowercase());
    words.filter(|word| word != "text").collect()
}

/// The body's `providerOptions`.
pub(super) struct ProviderOptions<'a> {
    all: Option<Fields<'a>>,
    gateway: Option<Fields<'a>>,
}

impl<'a> ProviderOptions<'a> {
    /// Reads the member; the gateway's own part has been checked by its common reader.
    pub(super) fn read(body: &Fields<'a>) -> Result<Self, InputError> {
        let Some(raw) = body.get("providerOptions") else { return Ok(Self { all: None, gateway: None }) };
        let all = fields(&Path::Body.member("providerOptions"), raw)?;
        let gateway = all.get(GATEWAY).and_then(Fields::of);
        Ok(Self { all: Some(all), gateway })
    }

    fn word(&self, key: &str) -> Option<std::borrow::Cow<'a, str>> {
        self.gateway.as_ref().and_then(|gateway| word(gateway, key))
    }

    fn service_tier(&self) -> Option<String> {
        let tier = self.word("serviceTier")?;
        Some(if tier == "fast" { "priority".to_owned() } else { tier.into_owned() })
    }

    /// The end user's opaque id, cut to its limit.
    pub(super) fn safety_identifier(&self) -> Option<String> {
        let text: String = self.word("safetyIdentifier")?.chars().take(SAFETY_IDENTIFIER_CHARS).collect();
        Some(text).filter(|t| !t.is_empty())
    }

    fn automatic_cache(&self) -> Option<CacheMark> {
        self.word("caching").filter(|c| c == "auto").map(|_| CacheMark::default())
    }

    /// The namespaces of providers.
    pub(super) fn others(&self) -> Result<Vec<(String, Value)>, InputError> {
        let path = Path::Body.member("providerOptions");
        let all = self.all.iter().flat_map(Fields::iter);
        let others = all.filter(|(slug, raw)| *slug != GATEWAY && !json::is_null(raw));
        others
            .map(|(slug, raw)| {
                let path = path.member(slug);
                if json::kind(raw) != json::Kind::Object {
                    return Err(wrong(&path, "an object", raw));
                }
                Ok((slug.to_owned(), value(&path, raw)?))
            })
            .collect()
    }
}
