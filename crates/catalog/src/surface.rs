//! The catalog as clients read it (gateway-api §13, clients §2). Pure: the caller caches the bytes.

mod agents;
mod endpoints;
mod entry;
mod pricing;
#[cfg(test)]
mod tests;

pub use agents::{claude_code_models, codex_models, strip_agent_id};
pub use endpoints::{LiveStats, Percentiles, endpoints};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::model::{Endpoint, Model};
use entry::Entry;

/// What is told of a language model's context window where it is not known. Clients require a number on
/// every language model (clients §0.9, §2) and some divide by it, so that zero would break them; this is
/// less than any current model has.
pub const UNKNOWN_CONTEXT_WINDOW: u64 = 32_768;

/// What is told of a language model's output limit where it is not known.
pub const UNKNOWN_MAX_TOKENS: u64 = 8_192;

/// Which endpoints count as there.
pub type Available<'a> = &'a dyn Fn(&Endpoint) -> bool;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

/// The body of `GET /v1/models`: all models with at least one endpoint at a provider that the gateway
/// knows how to call.
#[must_use]
pub fn models(catalog: &Catalog) -> Vec<u8> {
    models_where(catalog, &|_| true)
}

/// As [`models`], with only the endpoints for which `available` holds.
#[must_use]
pub fn models_where(catalog: &Catalog, available: Available<'_>) -> Vec<u8> {
    let data = catalog.models().iter().filter_map(|m| entry_of(catalog, m, available)).collect();
    bytes(&List { object: "list", data })
}

/// The body of `GET /v1/models/{creator}/{model}`; `None` when no provider of it can be called.
#[must_use]
pub fn model(catalog: &Catalog, model: &Model) -> Option<Vec<u8>> {
    entry_of(catalog, model, &|_| true).map(|entry| bytes(&entry))
}

fn entry_of<'a>(catalog: &Catalog, model: &'a Model, available: Available<'_>) -> Option<Entry<'a>> {
    let there: Vec<&Endpoint> =
        model.endpoints.iter().filter(|e| catalog.callable(e) && available(e)).collect();
    (!there.is_empty()).then(|| Entry::new(model, &there))
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    // Serialising these plain structs into memory has no way to fail.
    serde_json::to_vec(value).unwrap_or_default()
}
