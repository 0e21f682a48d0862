//! What an operator's configuration adds to the catalog: other addresses, own providers, own models
//! (operations "Configuration"). Nothing unknown is passed over (I14), and nothing is made up: a price
//! that is not stated stays unknown (I5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tollgate_domain::{ModelId, Picodollars};

use crate::catalog::{Catalog, CatalogError};
use crate::format;
use crate::model::{Capabilities, Capability, Endpoint, EndpointStatus, Modality, Model, ModelKind};
use crate::price::Prices;
use crate::provider::{Auth, Protocol, Provider};

/// The part of a configuration that concerns the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overlay {
    /// By slug: of the catalog, or new.
    pub providers: BTreeMap<String, ProviderOverlay>,
}

/// `[providers.<slug>]` as far as the catalog is concerned; credentials are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderOverlay {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it speaks; a new provider needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// What it speaks besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Protocol>,
    /// Where it is; a new provider needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How to authenticate, where that is not what its protocol has usually.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Models it serves besides those of the catalog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelOverlay>,
}

/// One entry of `models` of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOverlay {
    /// `creator/model`: of the catalog, or new.
    pub id: String,
    /// What the provider calls it; the part of `id` after the slash when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it does; `language` when absent and the model is new.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ModelKind>,
    /// Price of a prompt token, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<PriceText>,
    /// Price of a generated token, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<PriceText>,
    /// Price of a prompt token read from the cache, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<PriceText>,
    /// Price of a prompt token written to the cache, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<PriceText>,
    /// Price of a prompt token written to the cache for an hour, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<PriceText>,
    /// Prompt and answer together, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Answer, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// What it can do: `tools`, `vision`, `reasoning` and the other words of [`Capability`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

/// A price in configuration: decimal text, so that it cannot have been a float on the way (I4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceText(pub Picodollars);

impl Serialize for PriceText {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PriceText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct PriceVisitor;
        const NUMBER: &str = "a price is written in quotes, in dollars a token, such as \"0.00000125\": \
                              a bare number would lose digits on its way";
        impl serde::de::Visitor<'_> for PriceVisitor {
            type Value = PriceText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a price in quotes, in dollars a token, such as \"0.00000125\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PriceText, E> {
                match Picodollars::parse(text).map_err(E::custom)? {
                    price if price.0 < 0 => {
                        Err(E::custom(format_args!("'{text}' is negative; a price is zero or more")))
                    }
                    price => Ok(PriceText(price)),
                }
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<PriceText, E> {
                Err(E::custom(format_args!("{value} is a number; {NUMBER}")))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<PriceText, E> {
                Err(E::custom(format_args!("{value} is a number; {NUMBER}")))
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<PriceText, E> {
                Err(E::custom(format_args!("{value} is a number; {NUMBER}")))
            }
        }
        d.deserialize_any(PriceVisitor)
    }
}

/// The configuration cannot be laid over the catalog.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OverlayError {
    /// A field is wrong.
    #[error("{path}: {problem}")]
    Field {
        /// Where, as `providers.my-vllm.models[0].id`.
        path: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The result is no catalog.
    #[error("providers: {0}")]
    Content(#[from] CatalogError),
}

impl Catalog {
    /// The catalog with the configuration laid over it. An entry of `models` replaces what the same
    /// provider has for that model; otherwise the new endpoint goes before the others, since the
    /// operator asked for it.
    ///
    /// # Errors
    /// When something in the configuration is unknown or malformed, with its path (I14).
    pub fn with_overlay(&self, overlay: &Overlay) -> Result<Self, OverlayError> {
        if overlay.providers.values().all(|p| *p == ProviderOverlay::default())
            && overlay.providers.keys().all(|slug| self.provider(slug).is_some())
        {
            return Ok(self.clone());
        }
        let mut providers = self.providers().to_vec();
        let mut models: BTreeMap<String, Model> =
            self.models().iter().map(|m| (m.id.to_string(), m.clone())).collect();
        for (slug, entry) in &overlay.providers {
            let path = format!("providers.{slug}");
            let provider = self.overlaid_provider(&path, slug, entry)?;
            providers.retain(|p| p.slug != provider.slug);
            let mut seen = BTreeSet::new();
            for (at, model) in entry.models.iter().enumerate() {
                let path = format!("{path}.models[{at}]");
                if !seen.insert(&model.id) {
                    return Err(field(&path, "id", format!("'{}' occurs twice; merge the two", model.id)));
                }
                self.add_model(&path, &provider.slug, model, &mut models)?;
            }
            providers.push(provider);
        }
        let catalog = Self::new(self.date(), providers, models.into_values().collect())?;
        let text = format::to_compact(&catalog);
        Ok(catalog.with_version_of(text.as_bytes()))
    }

    fn overlaid_provider(
        &self,
        path: &str,
        slug: &str,
        entry: &ProviderOverlay,
    ) -> Result<Provider, OverlayError> {
        if let Some(url) = &entry.base_url {
            check_url(url).map_err(|problem| field(path, "base_url", problem))?;
        }
        let Some(known) = self.provider(slug) else { return self.new_provider(path, slug, entry) };
        let protocol = entry.protocol.unwrap_or(known.protocol);
        let auth = match &entry.auth {
            Some(auth) => auth.clone(),
            None if protocol == known.protocol => known.auth.clone(),
            None => protocol.usual_auth(),
        };
        Ok(Provider {
            slug: known.slug.clone(),
            name: entry.name.clone().unwrap_or_else(|| known.name.clone()),
            base_url: entry.base_url.clone().unwrap_or_else(|| known.base_url.clone()),
            protocol,
            also: if entry.also.is_empty() { known.also.clone() } else { entry.also.clone() },
            auth,
            env: known.env.clone(),
            optional_env: known.optional_env.clone(),
        })
    }

    fn new_provider(
        &self,
        path: &str,
        slug: &str,
        entry: &ProviderOverlay,
    ) -> Result<Provider, OverlayError> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if slug.is_empty() || !slug.bytes().all(valid) {
            let problem = format!("'{slug}' is no slug; use letters, digits, '-', '_' and '.' only");
            return Err(OverlayError::Field { path: path.to_owned(), problem });
        }
        let (Some(protocol), Some(base_url)) = (entry.protocol, &entry.base_url) else {
            let slugs = self.providers().iter().map(|p| &*p.slug);
            let problem = format!(
                "'{slug}' is not a provider of the catalog{}; a new provider needs protocol and base_url",
                did_you_mean(slug, slugs)
            );
            return Err(OverlayError::Field { path: path.to_owned(), problem });
        };
        Ok(Provider {
            slug: Arc::from(slug),
            name: entry.name.clone().unwrap_or_else(|| slug.to_owned()),
            base_url: base_url.clone(),
            protocol,
            also: entry.also.clone(),
            auth: entry.auth.clone().unwrap_or_else(|| protocol.usual_auth()),
            env: Vec::new(),
            optional_env: Vec::new(),
        })
    }

    fn add_model(
        &self,
        path: &str,
        slug: &Arc<str>,
        entry: &ModelOverlay,
        models: &mut BTreeMap<String, Model>,
    ) -> Result<(), OverlayError> {
        let id = ModelId::new(&entry.id);
        if id.creator().is_none_or(str::is_empty) || id.name().is_empty() {
            let problem =
                format!("'{}' is not of the form creator/model, such as meta/llama-4-maverick", entry.id);
            return Err(field(path, "id", problem));
        }
        if let Some(canonical) = self.models().iter().find(|m| m.aliases.contains(&entry.id)) {
            let problem = format!("'{}' is an older id of '{}'; use that", entry.id, canonical.id);
            return Err(field(path, "id", problem));
        }
        let capabilities = read_capabilities(path, &entry.capabilities)?;
        let model = models.entry(entry.id.clone()).or_insert_with(|| new_model(id, entry));
        if let Some(kind) = entry.kind.filter(|kind| *kind != model.kind) {
            let problem = format!("'{kind}', but '{}' is of type '{}'; leave it out", entry.id, model.kind);
            return Err(field(path, "type", problem));
        }
        capabilities.iter().for_each(|c| model.capabilities.add(c));
        if capabilities.has(Capability::Vision) && !model.input.contains(&Modality::Image) {
            model.input.push(Modality::Image);
        }
        let endpoint = new_endpoint(slug, entry, model);
        let place = model.endpoints.iter().position(|e| e.provider == *slug).unwrap_or(0);
        model.endpoints.retain(|e| e.provider != *slug);
        model.endpoints.insert(place, endpoint);
        Ok(())
    }
}

fn new_model(id: ModelId, entry: &ModelOverlay) -> Model {
    let kind = entry.kind.unwrap_or(ModelKind::Language);
    Model {
        name: entry.name.clone().unwrap_or_else(|| id.name().to_owned()),
        id,
        kind,
        listed: false,
        released: None,
        knowledge: None,
        context_window: entry.context_window,
        max_input_tokens: None,
        max_output_tokens: entry.max_output_tokens,
        input: inputs(kind),
        output: outputs(kind),
        capabilities: Capabilities::default(),
        reasoning: None,
        aliases: Vec::new(),
        variant: None,
        deprecated: false,
        endpoints: Vec::new(),
    }
}

/// What every model of the kind takes.
fn inputs(kind: ModelKind) -> Vec<Modality> {
    match kind {
        ModelKind::Transcription => vec![Modality::Audio],
        ModelKind::Realtime => vec![Modality::Text, Modality::Audio],
        _ => vec![Modality::Text],
    }
}

/// What every model of the kind gives.
fn outputs(kind: ModelKind) -> Vec<Modality> {
    match kind {
        ModelKind::Language | ModelKind::Transcription => vec![Modality::Text],
        ModelKind::Embedding => vec![Modality::Embedding],
        ModelKind::Image => vec![Modality::Image],
        ModelKind::Video => vec![Modality::Video],
        ModelKind::Realtime => vec![Modality::Text, Modality::Audio],
        ModelKind::Speech => vec![Modality::Audio],
        ModelKind::Reranking | ModelKind::Decision => vec![Modality::Score],
    }
}

fn new_endpoint(slug: &Arc<str>, entry: &ModelOverlay, model: &Model) -> Endpoint {
    let mut prices = Prices::default();
    let price = |text: Option<PriceText>| text.map(|p| p.0);
    let table = &mut prices.standard.table;
    table.input = price(entry.input);
    table.output = price(entry.output);
    table.cache_read = price(entry.cache_read);
    table.cache_write_5m = price(entry.cache_write);
    table.cache_write_1h = price(entry.cache_write_1h);
    let known = !table.is_empty();
    Endpoint {
        provider: slug.clone(),
        model: entry.upstream.clone().unwrap_or_else(|| model.id.name().to_owned()),
        other_ids: Vec::new(),
        context_window: entry.context_window.or(model.context_window),
        max_input_tokens: if entry.context_window.is_some() { None } else { model.max_input_tokens },
        max_output_tokens: entry.max_output_tokens.or(model.max_output_tokens),
        apis: Vec::new(),
        region: None,
        status: EndpointStatus::Active,
        deprecated_on: None,
        prices: known.then_some(prices),
        request_patch: None,
    }
}

fn read_capabilities(path: &str, words: &[String]) -> Result<Capabilities, OverlayError> {
    let mut set = Capabilities::default();
    for (at, word) in words.iter().enumerate() {
        // `tools` is what people call it.
        let name = if word == "tools" { Capability::ToolUse.as_str() } else { word };
        let Some(capability) = Capability::parse(name) else {
            let all = || Capability::ALL.iter().map(|c| c.as_str()).chain(["tools"]);
            let problem = format!(
                "'{word}' is no capability{}; expected one of {}",
                did_you_mean(word, all()),
                all().collect::<Vec<_>>().join(", ")
            );
            return Err(field(path, &format!("capabilities[{at}]"), problem));
        };
        set.add(capability);
    }
    Ok(set)
}

fn field(path: &str, name: &str, problem: String) -> OverlayError {
    OverlayError::Field { path: format!("{path}.{name}"), problem }
}

fn did_you_mean<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> String {
    let best = words.map(|w| (strsim::jaro_winkler(text, w), w)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, word)) if likeness > 0.75 => format!(" (did you mean '{word}'?)"),
        _ => String::new(),
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|r| r.split('/').next().unwrap_or_default());
    let plain = !url.contains(['?', '#', '@']) && !url.contains(char::is_whitespace);
    match host {
        Some(host) if !host.is_empty() && plain => Ok(()),
        _ => Err(format!(
            "'{url}' is no base URL; expected http:// or https://, a host and perhaps a path, such as http://127.0.0.1:8000/v1"
        )),
    }
}

#[cfg(test)]
mod tests;
