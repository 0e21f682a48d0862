//! The catalog: providers and models, immutable, to be shared behind an `Arc`.

use std::sync::{Arc, OnceLock};

use tollgate_domain::ModelId;

use crate::date::Date;
use crate::format::{self, FormatError};
use crate::model::{Endpoint, Model};
use crate::price::Level;
use crate::provider::Provider;
use crate::resolve::Index;

/// The data the program is built with, in its compact format.
const BUILTIN: &str = include_str!("../data/catalog.json");

/// Models, their endpoints and the providers behind them.
#[derive(Clone, Debug)]
pub struct Catalog {
    date: Date,
    version: String,
    providers: Vec<Provider>,
    models: Vec<Model>,
    // Built at the first request that does not name a model by its id, so that start need not wait.
    index: OnceLock<Arc<Index>>,
}

/// The parts do not make a catalog.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogError {
    /// Two entries claim an id.
    #[error("{what} '{id}' occurs twice; each id must be there once")]
    Duplicate {
        /// Of what kind.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// An id without creator.
    #[error("model id '{0}' is not of the form creator/model")]
    ModelId(String),
    /// A variant of a model that is not there.
    #[error("model '{id}' is a variant of '{of}', which is not in the catalog; add it or remove the variant")]
    VariantOf {
        /// The variant.
        id: String,
        /// What it is a variant of.
        of: String,
    },
}

impl Catalog {
    /// The catalog that is compiled into the program.
    ///
    /// # Errors
    /// When the compiled data cannot be read; the tests rule that out.
    pub fn builtin() -> Result<Self, FormatError> {
        format::read(BUILTIN)
    }

    /// Puts a catalog together. Providers and models are brought into the order of their ids.
    ///
    /// # Errors
    /// When ids occur twice or are malformed.
    pub fn new(
        date: Date,
        mut providers: Vec<Provider>,
        mut models: Vec<Model>,
    ) -> Result<Self, CatalogError> {
        providers.sort_by(|a, b| a.slug.cmp(&b.slug));
        models.sort_by(|a, b| a.id.cmp(&b.id));
        check(&providers, &models)?;
        for model in &mut models {
            let anthropic = model.creator() == "anthropic";
            let level = model.variant.as_ref().map(|v| v.level);
            for endpoint in &mut model.endpoints {
                derive_pricing_rules(endpoint, anthropic, level);
            }
        }
        Ok(Self { date, version: String::new(), providers, models, index: OnceLock::new() })
    }

    pub(crate) fn with_version_of(mut self, content: &[u8]) -> Self {
        self.version = format!("{}-{:010x}", self.date, fnv1a(content) >> 24);
        self
    }

    /// When its facts were collected.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// Names the prices for ledger rows (I6): date of the facts and a hash of the content, so that equal
    /// content has an equal version on every machine.
    #[must_use]
    pub fn price_version(&self) -> &str {
        &self.version
    }

    /// All models, by id.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// All providers, by slug.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The model with exactly this id.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.binary_search_by(|m| m.id.as_str().cmp(id)).ok().and_then(|at| self.models.get(at))
    }

    /// The provider with exactly this slug.
    #[must_use]
    pub fn provider(&self, slug: &str) -> Option<&Provider> {
        self.providers.binary_search_by(|p| (*p.slug).cmp(slug)).ok().and_then(|at| self.providers.get(at))
    }

    /// Whether the gateway knows how to call the provider of an endpoint. Some models are known only by
    /// name, at providers of which nothing else is.
    #[must_use]
    pub fn callable(&self, endpoint: &Endpoint) -> bool {
        self.provider(&endpoint.provider).is_some()
    }

    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Arc::new(Index::new(self)))
    }
}

/// What prices mean besides their numbers follows from the model.
fn derive_pricing_rules(endpoint: &mut Endpoint, anthropic: bool, level: Option<Level>) {
    let priority = endpoint
        .request_patch
        .as_ref()
        .and_then(|p| p.get("service_tier"))
        .is_some_and(|tier| tier == "priority");
    if let Some(prices) = &mut endpoint.prices {
        prices.hour_writes_twice_input = anthropic;
        prices.standard_is = level.into_iter().chain(priority.then_some(Level::Priority)).collect();
    }
}

fn check(providers: &[Provider], models: &[Model]) -> Result<(), CatalogError> {
    let twice = |what, id: &str| CatalogError::Duplicate { what, id: id.to_owned() };
    if let Some(pair) = providers.windows(2).find(|p| p[0].slug == p[1].slug) {
        return Err(twice("provider", &pair[0].slug));
    }
    if let Some(pair) = models.windows(2).find(|p| p[0].id == p[1].id) {
        return Err(twice("model", pair[0].id.as_str()));
    }
    let has = |id: &ModelId| models.binary_search_by(|m| m.id.cmp(id)).is_ok();
    for model in models {
        if model.id.creator().is_none_or(str::is_empty) || model.id.name().is_empty() {
            return Err(CatalogError::ModelId(model.id.to_string()));
        }
        if let Some(variant) = model.variant.as_ref().filter(|v| !has(&v.of)) {
            let (id, of) = (model.id.to_string(), variant.of.to_string());
            return Err(CatalogError::VariantOf { id, of });
        }
        if let Some(alias) = model.aliases.iter().find(|a| has(&ModelId::new(a))) {
            return Err(twice("alias", alias));
        }
    }
    Ok(())
}

fn fnv1a(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
