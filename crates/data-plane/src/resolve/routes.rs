//! The endpoints that can be called, compiled once for a snapshot, so that a request only picks.

use std::collections::HashMap;
use std::sync::Arc;

use http::Uri;
use tollgate_catalog::{Capability, Catalog, Endpoint, Model, Prices};
use tollgate_domain::{ModelId, Needs};
use tollgate_providers::Target;

use super::access::Access;
use super::protocol::{Purpose, UpstreamProtocol};

/// One endpoint that can be called, by one protocol.
#[derive(Debug)]
pub(crate) struct Route {
    pub access: Arc<Access>,
    pub protocol: UpstreamProtocol,
    /// The request target of a whole and of a streamed answer; tasks name their own.
    whole: Uri,
    stream: Uri,
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

impl Route {
    /// Where a conversation is sent.
    pub(crate) fn target(&self, stream: bool) -> &Uri {
        if stream { &self.stream } else { &self.whole }
    }

    /// Whether a caller's own subscription counts here: a token of Anthropic's goes to Anthropic, and not to
    /// others that speak its protocol (I28).
    pub(crate) fn takes_subscriptions(&self) -> bool {
        &*self.access.slug == "anthropic" && self.protocol == UpstreamProtocol::AnthropicMessages
    }

    /// The namespace of the provider's own metadata.
    pub(crate) fn namespace(&self) -> &str {
        self.protocol.namespace().unwrap_or(&self.access.slug)
    }
}

impl ModelRoutes {
    /// One route for each provider, in the catalog's order, by the protocol that carries the request best.
    /// Providers that have none are named with the reason.
    pub(crate) fn for_purpose(&self, purpose: Purpose, needs: &Needs) -> (Vec<Arc<Route>>, Vec<String>) {
        let mut chosen: Vec<(u8, &Arc<Route>)> = Vec::with_capacity(self.routes.len());
        let mut unfit: Vec<&str> = Vec::new();
        for route in &self.routes {
            let Some(fitness) = route.protocol.fitness(purpose, needs, &route.codec) else {
                unfit.push(&route.access.slug);
                continue;
            };
            match chosen.iter_mut().find(|(_, r)| r.access.slug == route.access.slug) {
                Some(best) if fitness < best.0 => *best = (fitness, route),
                Some(_) => {}
                None => chosen.push((fitness, route)),
            }
        }
        unfit.retain(|slug| !chosen.iter().any(|(_, r)| *r.access.slug == **slug));
        unfit.dedup();
        let unfit = unfit.into_iter().map(|slug| format!("{slug} (its protocols cannot carry this request)"));
        (chosen.into_iter().map(|(_, route)| Arc::clone(route)).collect(), unfit.collect())
    }
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
        // A provider's further regions and names are for the routing policies; the first serves.
        if found.routes.iter().any(|r| *r.access.slug == *endpoint.provider) {
            continue;
        }
        match routes(catalog, access, model, endpoint) {
            Ok(routes) => found.routes.extend(routes.into_iter().map(Arc::new)),
            Err(reason) if found.left_out.contains(&reason) => {}
            Err(reason) => found.left_out.push(reason),
        }
    }
    found
}

fn routes(
    catalog: &Catalog,
    access: &HashMap<String, Arc<Access>>,
    model: &Model,
    endpoint: &Endpoint,
) -> Result<Vec<Route>, String> {
    let slug = &*endpoint.provider;
    let Some(access) = access.get(slug) else {
        return Err(match catalog.provider(slug) {
            Some(p) if p.env.is_empty() => format!("{slug} (not configured: add [providers.{slug}])"),
            Some(p) => format!("{slug} (not configured: set {})", p.env.join(" and ")),
            None => format!("{slug} (not known to the catalog)"),
        });
    };
    let patch = endpoint.request_patch.iter().flatten();
    if patch.clone().any(|(name, _)| name == "batch") {
        return Err(format!("{slug} (serves this model only in batches)"));
    }
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for protocol in &access.protocols {
        match protocol.serves(model, endpoint) {
            Ok(()) => found.push(route(access, *protocol, model, endpoint)),
            Err(reason) => reasons.push(reason),
        }
    }
    if found.is_empty() {
        let reason = reasons.into_iter().next().unwrap_or_default();
        return Err(format!("{slug} ({reason})"));
    }
    Ok(found)
}

fn route(access: &Arc<Access>, protocol: UpstreamProtocol, model: &Model, endpoint: &Endpoint) -> Route {
    let patch = endpoint.request_patch.iter().flatten();
    let reasoning = model.reasoning.as_ref();
    let codec = Target {
        provider: access.slug.to_string(),
        model: endpoint.model.clone(),
        canonical: model.id.as_str().to_owned(),
        max_output_tokens: endpoint.max_output_tokens.or(model.max_output_tokens),
        reasoning: model.can(Capability::Reasoning),
        reasoning_efforts: reasoning.map(|r| r.efforts.clone()).unwrap_or_default(),
        reasoning_budget_min: reasoning.and_then(|r| r.budget.as_ref()).map(|b| b.min.unwrap_or(1024)),
        explicit_caching: model.can(Capability::ExplicitCaching),
        structured_output: model.can(Capability::StructuredOutput),
    };
    let target = |stream| access.target(&protocol.path(&codec, stream).unwrap_or_default());
    Route {
        whole: target(false),
        stream: target(true),
        access: Arc::clone(access),
        protocol,
        codec,
        prices: endpoint.prices.clone(),
        patch: patch.map(|(name, value)| (name.clone(), value.to_string().into_bytes())).collect(),
    }
}
