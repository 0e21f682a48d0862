//! The endpoints that can be called, compiled once for a snapshot, so that a request only picks.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_catalog::{Capability, Catalog, Endpoint, Model, Prices};
use tollgate_domain::ModelId;
use tollgate_providers::Target;

use super::access::{Access, UpstreamProtocol};

/// One endpoint that can be called.
#[derive(Debug)]
pub(crate) struct Route {
    pub access: Arc<Access>,
    /// What the codec must know.
    pub codec: Target,
    pub prices: Option<Prices>,
    /// Members that are set in every request to this endpoint, as JSON text.
    pub patch: Vec<(String, Vec<u8>)>,
}

/// The endpoints of a model, in the catalog's order.
#[derive(Debug)]
pub(crate) struct ModelRoutes {
    pub routes: Vec<Arc<Route>>,
    /// Providers that have the model but cannot be called, with the reason.
    pub left_out: Vec<String>,
}

/// Compiles the routes of every model.
pub(crate) fn compile(
    catalog: &Catalog,
    access: &HashMap<String, Arc<Access>>,
) -> HashMap<ModelId, Arc<ModelRoutes>> {
    catalog
        .models()
        .iter()
        .map(|model| (model.id.clone(), Arc::new(of_model(catalog, access, model))))
        .collect()
}

fn of_model(catalog: &Catalog, access: &HashMap<String, Arc<Access>>, model: &Model) -> ModelRoutes {
    let mut found = ModelRoutes { routes: Vec::new(), left_out: Vec::new() };
    for endpoint in &model.endpoints {
        match route(catalog, access, model, endpoint) {
            // A provider's further regions and names are for the routing policies; the first serves.
            Ok(route) if found.routes.iter().any(|r| r.access.slug == route.access.slug) => {}
            Ok(route) => found.routes.push(Arc::new(route)),
            Err(reason) if found.left_out.contains(&reason) => {}
            Err(reason) => found.left_out.push(reason),
        }
    }
    found
}

fn route(
    catalog: &Catalog,
    access: &HashMap<String, Arc<Access>>,
    model: &Model,
    endpoint: &Endpoint,
) -> Result<Route, String> {
    let slug = &*endpoint.provider;
    let Some(access) = access.get(slug) else {
        return Err(match catalog.provider(slug) {
            Some(p) if p.env.is_empty() => format!("{slug} (not configured: add [providers.{slug}])"),
            Some(p) => format!("{slug} (not configured: set {})", p.env.join(" and ")),
            None => format!("{slug} (not known to the catalog)"),
        });
    };
    let chat = access.protocol == UpstreamProtocol::OpenaiChat;
    if chat && !endpoint.apis.is_empty() && !endpoint.apis.iter().any(|a| a.ends_with("/chat/completions")) {
        return Err(format!("{slug} (serves this model only by {})", endpoint.apis.join(", ")));
    }
    let patch = endpoint.request_patch.iter().flatten();
    if patch.clone().any(|(name, _)| name == "batch") {
        return Err(format!("{slug} (serves this model only in batches)"));
    }
    let reasoning = model.reasoning.as_ref();
    Ok(Route {
        access: Arc::clone(access),
        codec: Target {
            provider: slug.to_owned(),
            model: endpoint.model.clone(),
            canonical: model.id.as_str().to_owned(),
            max_output_tokens: endpoint.max_output_tokens.or(model.max_output_tokens),
            reasoning: model.can(Capability::Reasoning),
            reasoning_efforts: reasoning.map(|r| r.efforts.clone()).unwrap_or_default(),
            reasoning_budget_min: reasoning.and_then(|r| r.budget.as_ref()).map(|b| b.min.unwrap_or(1024)),
            explicit_caching: model.can(Capability::ExplicitCaching),
            structured_output: model.can(Capability::StructuredOutput),
        },
        prices: endpoint.prices.clone(),
        patch: patch.map(|(name, value)| (name.clone(), value.to_string().into_bytes())).collect(),
    })
}
