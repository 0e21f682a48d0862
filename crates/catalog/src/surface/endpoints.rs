//! Where a model is served (gateway-api §13.2).

use serde::Serialize;
use tollgate_domain::Picodollars;

use super::bytes;
use super::entry::{Architecture, architecture, description, supported_parameters, tags};
use super::pricing::{Decimal, ServiceTiers, Step, Text, steps};
use crate::catalog::Catalog;
use crate::model::{Capability, Endpoint, Model};

/// What the gateway has measured of an endpoint of late. What it has not is left out of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LiveStats {
    /// Share of requests that succeeded in 15 minutes, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_last_15m: Option<f64>,
    /// Share of requests that succeeded in an hour, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_last_1h: Option<f64>,
    /// Share of requests that succeeded in a day, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_last_1d: Option<f64>,
    /// Time to the first token, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_last_1h: Option<Percentiles>,
    /// Tokens a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_last_1h: Option<Percentiles>,
}

/// Two percentiles of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// The middle.
    pub p50: f64,
    /// All but the worst twentieth.
    pub p95: f64,
}

#[derive(Serialize)]
struct Body<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: &'a str,
    name: &'a str,
    created: i64,
    released: i64,
    description: String,
    architecture: FullArchitecture,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ReasoningSupport>,
    endpoints: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct FullArchitecture {
    // Clients of this shape expect the two, which the gateway does not know, as null.
    tokenizer: Option<&'static str>,
    instruct_type: Option<&'static str>,
    #[serde(flatten)]
    modalities: Architecture,
}

#[derive(Serialize)]
struct ReasoningSupport {
    mandatory: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    supports_max_tokens: Option<bool>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: String,
    model_name: &'a str,
    provider_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    max_prompt_tokens: Option<u64>,
    quantization: Option<&'static str>,
    supported_parameters: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inference_regions: Vec<Region<'a>>,
    pricing: EndpointPricing,
    status: u8,
    supports_implicit_caching: bool,
    #[serde(flatten)]
    live: LiveStats,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated_at: Option<i64>,
}

#[derive(Serialize)]
struct Region<'a> {
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    geo_region: Option<&'a str>,
}

#[derive(Serialize)]
struct EndpointPricing {
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cache_read: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cache_write: Option<Decimal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompt_tiers: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    completion_tiers: Vec<Step>,
    request: Decimal,
    image: Decimal,
    image_output: Decimal,
    web_search: Decimal,
    internal_reasoning: Decimal,
    discount: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tiers: Option<ServiceTiers>,
}

/// The body of `GET /v1/models/{creator}/{model}/endpoints`: the endpoints at providers that the gateway
/// knows how to call, with what it has measured of each.
#[must_use]
pub fn endpoints(catalog: &Catalog, model: &Model, live: &dyn Fn(&Endpoint) -> Option<LiveStats>) -> Vec<u8> {
    let there = model.endpoints.iter().filter(|e| catalog.callable(e));
    let released = model.released.map_or(0, |d| d.unix_seconds());
    bytes(&Body {
        data: Data {
            id: model.id.as_str(),
            name: &model.name,
            created: released,
            released,
            description: description(model),
            architecture: FullArchitecture {
                tokenizer: None,
                instruct_type: None,
                modalities: architecture(model),
            },
            reasoning: model.can(Capability::Reasoning).then(|| ReasoningSupport {
                mandatory: model.reasoning.as_ref().is_some_and(|r| r.always_on),
                supports_max_tokens: model.reasoning.as_ref().map(|r| r.budget.is_some()),
            }),
            endpoints: there.map(|e| entry(model, e, live(e).unwrap_or_default())).collect(),
        },
    })
}

fn entry<'a>(model: &'a Model, endpoint: &'a Endpoint, live: LiveStats) -> Entry<'a> {
    Entry {
        name: format!("{} | {}", endpoint.provider, model.id),
        model_name: &model.name,
        provider_name: &endpoint.provider,
        context_length: endpoint.context_window,
        max_completion_tokens: endpoint.max_output_tokens,
        max_prompt_tokens: endpoint.max_input_tokens,
        quantization: None,
        supported_parameters: supported_parameters(model),
        tags: tags(model, &[endpoint]),
        inference_regions: endpoint.region.as_deref().map(region).into_iter().collect(),
        pricing: pricing(model, endpoint),
        status: 0,
        supports_implicit_caching: model.can(Capability::ImplicitCaching),
        live,
        deprecated_at: endpoint.deprecated_on.map(|d| d.unix_seconds() * 1000),
    }
}

fn region(prefix: &str) -> Region<'_> {
    match prefix {
        "global" => Region { scope: "global", geo_region: None },
        zone => Region { scope: "zone", geo_region: Some(zone) },
    }
}

/// Prices are named prompt and completion here. Those that have no price of their own are `"0"` in this
/// shape: nothing is charged beside the tokens. Prompt and completion are left out when not known (I5).
fn pricing(model: &Model, endpoint: &Endpoint) -> EndpointPricing {
    let marks = model.can(Capability::ExplicitCaching);
    let prices = endpoint.prices.clone().unwrap_or_default();
    let table = &prices.standard.table;
    let text = Text::new(table, marks);
    let or_zero = |p: Option<Picodollars>| Decimal(p.unwrap_or_default());
    EndpointPricing {
        prompt: text.input.map(Decimal),
        completion: text.output.map(Decimal),
        input_cache_read: text.cache_read.map(Decimal),
        input_cache_write: text.cache_write.map(Decimal),
        prompt_tiers: steps(&prices.standard, marks, |t| t.input),
        completion_tiers: steps(&prices.standard, marks, |t| t.output),
        request: or_zero(table.per_query),
        image: or_zero(table.image),
        image_output: or_zero(table.output_image_token),
        web_search: or_zero(table.web_search),
        internal_reasoning: or_zero(table.reasoning),
        discount: 0,
        service_tiers: ServiceTiers::new(&prices, marks),
    }
}
