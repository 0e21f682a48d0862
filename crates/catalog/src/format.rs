//! The catalog's own format: one JSON document with one provider or model a line, so that an update
//! reads well as a diff. Only facts that the gateway uses; what is not known is absent.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tollgate_domain::ModelId;

use crate::catalog::{Catalog, CatalogError};
use crate::date::Date;
use crate::model::{Capability, Endpoint, EndpointStatus, Modality, Model, ModelKind, Reasoning, Variant};
use crate::price::{Level, Prices};
use crate::provider::{Auth, Protocol, Provider};

/// What the document calls itself.
pub const NAME: &str = "tollgate-catalog/1";

/// The text is not a catalog in our format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Broken JSON, an unknown or a missing field, a malformed value.
    #[error("the catalog cannot be read: {0}; expected a document that `tollgate catalog update` wrote")]
    Json(#[from] serde_json::Error),
    /// Another format, or a later version of this one.
    #[error("the catalog is in format '{0}', this program reads {NAME}; use a program of its age or newer")]
    Version(String),
    /// The entries do not fit together.
    #[error("the catalog contradicts itself: {0}")]
    Content(#[from] CatalogError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
    date: Date,
    #[serde(borrow)]
    providers: Vec<ProviderLine<'a>>,
    #[serde(borrow)]
    models: Vec<ModelLine<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderLine<'a> {
    #[serde(borrow)]
    slug: Cow<'a, str>,
    name: String,
    base_url: String,
    protocol: Protocol,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<Protocol>,
    auth: Auth,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    optional_env: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelLine<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    name: String,
    #[serde(rename = "type")]
    kind: ModelKind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    listed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    released: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    knowledge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_input: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_output: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    takes: Vec<Modality>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gives: Vec<Modality>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    can: Vec<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<VariantLine<'a>>,
    #[serde(borrow)]
    endpoints: Vec<EndpointLine<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantLine<'a> {
    #[serde(borrow)]
    of: Cow<'a, str>,
    level: Level,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointLine<'a> {
    #[serde(borrow)]
    provider: Cow<'a, str>,
    model: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_ids: Vec<String>,
    // The limits are written where they differ from the model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_input: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_output: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apis: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default = "active", skip_serializing_if = "is_active")]
    status: EndpointStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deprecated_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_patch: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prices: Option<Prices>,
}

fn active() -> EndpointStatus {
    EndpointStatus::Active
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_active(status: &EndpointStatus) -> bool {
    *status == EndpointStatus::Active
}

/// Whether a document says that it is in this format.
#[must_use]
pub fn recognise(text: &str) -> bool {
    // The writer puts the format first, so that the start of the text decides.
    text.trim_start().strip_prefix('{').map(str::trim_start).is_some_and(|t| t.starts_with("\"format\""))
}

/// Reads a catalog.
///
/// # Errors
/// When the text is not one, with the line and column.
pub fn read(text: &str) -> Result<Catalog, FormatError> {
    let document: Document<'_> = serde_json::from_str(text)?;
    if document.format != NAME {
        return Err(FormatError::Version(document.format.into_owned()));
    }
    let providers: Vec<Provider> = document.providers.into_iter().map(provider).collect();
    let mut slugs: Vec<Arc<str>> = providers.iter().map(|p| p.slug.clone()).collect();
    slugs.sort();
    let models = document.models.into_iter().map(|line| model(line, &mut slugs)).collect();
    Ok(Catalog::new(document.date, providers, models)?.with_version_of(text.as_bytes()))
}

fn provider(line: ProviderLine<'_>) -> Provider {
    Provider {
        slug: Arc::from(&*line.slug),
        name: line.name,
        base_url: line.base_url,
        protocol: line.protocol,
        also: line.also,
        auth: line.auth,
        env: line.env,
        optional_env: line.optional_env,
    }
}

fn model(line: ModelLine<'_>, slugs: &mut Vec<Arc<str>>) -> Model {
    let limits = (line.context, line.max_input, line.max_output);
    Model {
        id: ModelId::new(&line.id),
        name: line.name,
        kind: line.kind,
        listed: line.listed,
        released: line.released,
        knowledge: line.knowledge,
        context_window: line.context,
        max_input_tokens: line.max_input,
        max_output_tokens: line.max_output,
        input: line.takes,
        output: line.gives,
        capabilities: line.can.into_iter().collect(),
        reasoning: line.reasoning,
        aliases: line.aliases,
        variant: line.variant.map(|v| Variant { of: ModelId::new(&v.of), level: v.level }),
        deprecated: line.deprecated,
        endpoints: line.endpoints.into_iter().map(|e| endpoint(e, limits, slugs)).collect(),
    }
}

type Limits = (Option<u64>, Option<u64>, Option<u64>);

fn endpoint(line: EndpointLine<'_>, limits: Limits, slugs: &mut Vec<Arc<str>>) -> Endpoint {
    // One allocation for each slug, not for each endpoint.
    let slug = match slugs.binary_search_by(|s| (**s).cmp(&*line.provider)) {
        Ok(at) => slugs[at].clone(),
        Err(at) => {
            slugs.insert(at, Arc::from(&*line.provider));
            slugs[at].clone()
        }
    };
    Endpoint {
        provider: slug,
        model: line.model,
        other_ids: line.other_ids,
        context_window: line.context.or(limits.0),
        max_input_tokens: line.max_input.or(limits.1),
        max_output_tokens: line.max_output.or(limits.2),
        apis: line.apis,
        region: line.region,
        status: line.status,
        deprecated_on: line.deprecated_on,
        prices: line.prices,
        request_patch: line.request_patch,
    }
}

/// Writes a catalog; [`read`] gives it back. The same catalog gives the same bytes.
#[must_use]
pub fn to_compact(catalog: &Catalog) -> String {
    let providers: Vec<String> = catalog.providers().iter().map(|p| json(&provider_line(p))).collect();
    let models: Vec<String> = catalog.models().iter().map(|m| json(&model_line(m))).collect();
    format!(
        "{{\"format\":\"{NAME}\",\"date\":\"{}\",\n\"providers\":[\n{}\n],\n\"models\":[\n{}\n]}}\n",
        catalog.date(),
        providers.join(",\n"),
        models.join(",\n")
    )
}

fn json(line: &impl Serialize) -> String {
    // Serialising these plain structs into memory has no way to fail.
    serde_json::to_string(line).unwrap_or_default()
}

fn provider_line(provider: &Provider) -> ProviderLine<'_> {
    ProviderLine {
        slug: Cow::Borrowed(&provider.slug),
        name: provider.name.clone(),
        base_url: provider.base_url.clone(),
        protocol: provider.protocol,
        also: provider.also.clone(),
        auth: provider.auth.clone(),
        env: provider.env.clone(),
        optional_env: provider.optional_env.clone(),
    }
}

fn model_line(model: &Model) -> ModelLine<'_> {
    ModelLine {
        id: Cow::Borrowed(model.id.as_str()),
        name: model.name.clone(),
        kind: model.kind,
        listed: model.listed,
        deprecated: model.deprecated,
        released: model.released,
        knowledge: model.knowledge.clone(),
        context: model.context_window,
        max_input: model.max_input_tokens,
        max_output: model.max_output_tokens,
        takes: model.input.clone(),
        gives: model.output.clone(),
        can: model.capabilities.iter().collect(),
        reasoning: model.reasoning.clone(),
        aliases: model.aliases.clone(),
        variant: model
            .variant
            .as_ref()
            .map(|v| VariantLine { of: Cow::Borrowed(v.of.as_str()), level: v.level }),
        endpoints: model.endpoints.iter().map(|e| endpoint_line(e, model)).collect(),
    }
}

fn endpoint_line<'a>(endpoint: &'a Endpoint, model: &Model) -> EndpointLine<'a> {
    let own = |limit: Option<u64>, of_model: Option<u64>| limit.filter(|_| limit != of_model);
    EndpointLine {
        provider: Cow::Borrowed(&endpoint.provider),
        model: endpoint.model.clone(),
        other_ids: endpoint.other_ids.clone(),
        context: own(endpoint.context_window, model.context_window),
        max_input: own(endpoint.max_input_tokens, model.max_input_tokens),
        max_output: own(endpoint.max_output_tokens, model.max_output_tokens),
        apis: endpoint.apis.clone(),
        region: endpoint.region.clone(),
        status: endpoint.status,
        deprecated_on: endpoint.deprecated_on,
        request_patch: endpoint.request_patch.clone(),
        prices: endpoint.prices.clone(),
    }
}

#[cfg(test)]
mod tests;
