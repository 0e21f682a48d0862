//! The form in which collected catalogs are exchanged: one JSON document of models and one of providers,
//! with the prices of several price lists merged. `tollgate catalog update` reads it and our own format.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_domain::ModelId;

use crate::catalog::{Catalog, CatalogError};
use crate::date::Date;
use crate::format::{self, FormatError};
use crate::model::{
    Capabilities, Capability, Endpoint, EndpointStatus, Modality, Model, ModelKind, Reasoning,
    ReasoningBudget, Variant,
};
use crate::price::{Level, Prices};
use crate::provider::{Auth, Protocol, Provider};

/// Decimal places of a picodollar.
const PLACES: usize = 12;

/// The feed cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Broken JSON, or a document of another shape.
    #[error(
        "the {document} feed cannot be read: {reason}; expected an object with schema 1 and a list '{document}'"
    )]
    Shape {
        /// `models` or `providers`.
        document: &'static str,
        /// What the reader says.
        reason: String,
    },
    /// A schema this program does not know.
    #[error("the {document} feed has schema {schema}, this program reads schema 1; use a newer program")]
    Schema {
        /// `models` or `providers`.
        document: &'static str,
        /// What it says.
        schema: u64,
    },
    /// One entry is malformed.
    #[error("{path}: {reason}")]
    Entry {
        /// The model or provider, and the field.
        path: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The feed names no date, which dates the prices (I6).
    #[error("the models feed has no date in its sources; expected sources[].date as YYYY-MM-DD")]
    Undated,
    /// The entries do not fit together.
    #[error("the feed contradicts itself: {0}")]
    Content(#[from] CatalogError),
    /// A document in our own format that cannot be read.
    #[error(transparent)]
    Own(#[from] FormatError),
}

/// Reads a catalog in whichever form it is: our own, or the feed's. The feed's models come without
/// providers when they are fetched alone; those of `known` serve then.
///
/// # Errors
/// When the text is neither, or malformed.
pub fn read(text: &str, providers: Option<&str>, known: &Catalog) -> Result<Catalog, ImportError> {
    if format::recognise(text) {
        return Ok(format::read(text)?);
    }
    let providers = match providers {
        Some(text) => read_providers(text)?,
        None => known.providers().to_vec(),
    };
    assemble(text, providers)
}

/// Converts the two documents of the feed.
///
/// # Errors
/// When one of them is malformed, with the place.
pub fn from_feed(models: &str, providers: &str) -> Result<Catalog, ImportError> {
    assemble(models, read_providers(providers)?)
}

fn assemble(models: &str, providers: Vec<Provider>) -> Result<Catalog, ImportError> {
    let feed: ModelsFeed = document("models", models)?;
    schema("models", feed.schema)?;
    let date = feed.sources.iter().filter_map(|s| s.date).max().ok_or(ImportError::Undated)?;
    let models = feed.models.into_iter().map(model).collect::<Result<Vec<_>, _>>()?;
    let catalog = Catalog::new(date, providers, models)?;
    // The version names the content in our own format, so that it is the same by whichever way it came.
    let text = format::to_compact(&catalog);
    Ok(catalog.with_version_of(text.as_bytes()))
}

fn read_providers(text: &str) -> Result<Vec<Provider>, ImportError> {
    let feed: ProvidersFeed = document("providers", text)?;
    schema("providers", feed.schema)?;
    feed.providers.into_iter().map(provider).collect()
}

fn document<'a, T: Deserialize<'a>>(name: &'static str, text: &'a str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|e| ImportError::Shape { document: name, reason: e.to_string() })
}

fn schema(document: &'static str, schema: u64) -> Result<(), ImportError> {
    if schema == 1 { Ok(()) } else { Err(ImportError::Schema { document, schema }) }
}

// Unknown fields of the feed are passed over: it carries more than the gateway uses.

#[derive(Deserialize)]
struct ModelsFeed {
    schema: u64,
    #[serde(default)]
    sources: Vec<FeedSource>,
    models: Vec<FeedModel>,
}

#[derive(Deserialize)]
struct FeedSource {
    date: Option<Date>,
}

#[derive(Deserialize)]
struct ProvidersFeed {
    schema: u64,
    providers: Vec<FeedProvider>,
}

#[derive(Deserialize)]
struct FeedProvider {
    slug: String,
    name: String,
    base_url: String,
    protocol: Protocol,
    #[serde(default)]
    also: Vec<Protocol>,
    auth: FeedAuth,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    optional_env: Vec<String>,
}

#[derive(Deserialize)]
struct FeedAuth {
    #[serde(rename = "type")]
    kind: String,
    header: Option<String>,
}

#[derive(Deserialize)]
struct FeedModel {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: ModelKind,
    #[serde(default)]
    listed: bool,
    status: Option<EndpointStatus>,
    released: Option<Date>,
    knowledge_cutoff: Option<String>,
    context_window: Option<u64>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    modalities: FeedModalities,
    #[serde(default)]
    capabilities: Map<String, Value>,
    reasoning: Option<FeedReasoning>,
    #[serde(default)]
    aliases: Vec<String>,
    variant: Option<FeedVariant>,
    #[serde(default)]
    endpoints: Vec<FeedEndpoint>,
}

#[derive(Deserialize, Default)]
struct FeedModalities {
    #[serde(default)]
    input: Vec<Modality>,
    #[serde(default)]
    output: Vec<Modality>,
}

#[derive(Deserialize)]
struct FeedReasoning {
    #[serde(default)]
    toggle: bool,
    #[serde(default)]
    always_on: bool,
    #[serde(default)]
    efforts: Vec<String>,
    budget_tokens: Option<ReasoningBudget>,
}

#[derive(Deserialize)]
struct FeedVariant {
    of: String,
    service: Level,
}

#[derive(Deserialize)]
struct FeedEndpoint {
    provider: String,
    model: String,
    #[serde(default)]
    other_ids: Vec<String>,
    context_window: Option<u64>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    apis: Vec<String>,
    region: Option<String>,
    status: Option<EndpointStatus>,
    deprecated_on: Option<Date>,
    pricing: Option<Map<String, Value>>,
    request_patch: Option<Map<String, Value>>,
}

fn provider(feed: FeedProvider) -> Result<Provider, ImportError> {
    let auth = match (feed.auth.kind.as_str(), feed.auth.header) {
        ("header", Some(name)) => Auth::Header(name.into()),
        (kind, _) => kind.parse().map_err(|e: crate::provider::AuthError| ImportError::Entry {
            path: format!("provider {}: auth", feed.slug),
            reason: e.to_string(),
        })?,
    };
    Ok(Provider {
        slug: Arc::from(feed.slug),
        name: feed.name,
        base_url: feed.base_url,
        protocol: feed.protocol,
        also: feed.also,
        auth,
        env: feed.env,
        optional_env: feed.optional_env,
    })
}

fn model(feed: FeedModel) -> Result<Model, ImportError> {
    let limits = (feed.context_window, feed.max_input_tokens, feed.max_output_tokens);
    let id = feed.id;
    let endpoints =
        feed.endpoints.into_iter().map(|e| endpoint(&id, limits, e)).collect::<Result<Vec<_>, _>>()?;
    Ok(Model {
        capabilities: capabilities(&id, &feed.capabilities)?,
        id: ModelId::new(&id),
        name: feed.name,
        kind: feed.kind,
        listed: feed.listed,
        released: feed.released,
        knowledge: feed.knowledge_cutoff,
        context_window: feed.context_window,
        max_input_tokens: feed.max_input_tokens,
        max_output_tokens: feed.max_output_tokens,
        input: feed.modalities.input,
        output: feed.modalities.output,
        reasoning: feed.reasoning.map(|r| Reasoning {
            toggle: r.toggle,
            always_on: r.always_on,
            efforts: r.efforts,
            budget: r.budget_tokens,
        }),
        aliases: feed.aliases,
        variant: feed.variant.map(|v| Variant { of: ModelId::new(&v.of), level: v.service }),
        deprecated: feed.status == Some(EndpointStatus::Deprecated),
        endpoints,
    })
}

fn capabilities(id: &str, feed: &Map<String, Value>) -> Result<Capabilities, ImportError> {
    let mut set = Capabilities::default();
    for (name, value) in feed {
        let bad = |reason: &str| ImportError::Entry {
            path: format!("model {id}: capabilities.{name}"),
            reason: reason.to_owned(),
        };
        let capability = Capability::parse(&name.replace('_', "-"))
            .ok_or_else(|| bad("no capability this program knows"))?;
        match (value.as_bool(), capability) {
            (Some(true), _) => set.add(capability),
            (Some(false), Capability::Temperature) => set.add(Capability::NoTemperature),
            (Some(false), _) => {}
            (None, _) => return Err(bad("expected true or false")),
        }
    }
    Ok(set)
}

type Limits = (Option<u64>, Option<u64>, Option<u64>);

fn endpoint(id: &str, limits: Limits, feed: FeedEndpoint) -> Result<Endpoint, ImportError> {
    let prices = feed.pricing.filter(|p| !p.is_empty()).map(|p| prices(id, &feed.provider, p)).transpose()?;
    Ok(Endpoint {
        provider: Arc::from(feed.provider),
        model: feed.model,
        other_ids: feed.other_ids,
        context_window: feed.context_window.or(limits.0),
        max_input_tokens: feed.max_input_tokens.or(limits.1),
        max_output_tokens: feed.max_output_tokens.or(limits.2),
        apis: feed.apis,
        region: feed.region,
        status: feed.status.unwrap_or(EndpointStatus::Active),
        deprecated_on: feed.deprecated_on,
        prices,
        request_patch: feed.request_patch,
    })
}

fn prices(id: &str, provider: &str, mut feed: Map<String, Value>) -> Result<Prices, ImportError> {
    feed.values_mut().for_each(shorten);
    serde_json::from_value(Value::Object(feed)).map_err(|e| ImportError::Entry {
        path: format!("model {id} at {provider}: pricing"),
        reason: e.to_string(),
    })
}

/// Price lists hold thirds of a cent by the second as fifteen digits, already rounded by whoever wrote
/// them. They are rounded to the picodollar here, half-even, once; every other price is taken exactly.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(short) = rounded(text) {
                *text = short;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(map) => map.values_mut().for_each(shorten),
        _ => {}
    }
}

fn rounded(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if fraction.len() <= PLACES || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (kept, rest) = fraction.split_at(PLACES);
    let mut amount: u128 = format!("{whole}{kept}").parse().ok()?;
    let half = format!("5{}", "0".repeat(rest.len() - 1));
    if rest > half.as_str() || (rest == half && amount % 2 == 1) {
        amount += 1;
    }
    let scale = 10u128.pow(u32::try_from(PLACES).ok()?);
    Some(format!("{}.{:0PLACES$}", amount / scale, amount % scale))
}

#[cfg(test)]
mod tests;
