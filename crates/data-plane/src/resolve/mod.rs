//! Intent + Caller + Snapshot → [`Plan`]: which endpoints are tried, in which order, and why.

mod access;
mod protocol;
mod routes;

pub use access::{Access, AccessConfig, AccessError};
pub(crate) use protocol::Purpose;
pub use protocol::UpstreamProtocol;
pub(crate) use routes::{ModelRoutes, Route, compile};

use std::sync::Arc;

use tollgate_catalog::{Capability, Model, ModelKind, ResolveContext};
use tollgate_dialects::openai_error::{NO_PROVIDERS, OpenAiError};
use tollgate_dialects::{Dialect, Head};
use tollgate_domain::options::GatewayOptions;
use tollgate_domain::{InputError, ModelId, Needs};

use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// What will be tried.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the client asked for.
    pub requested: ModelId,
    /// The catalog's id of it.
    pub canonical: ModelId,
    /// In order; at least one.
    pub targets: Vec<Arc<Route>>,
    /// Names the prices (I6).
    pub price_version: Arc<str>,
    /// Why, for people.
    pub reasoning: String,
}

/// Picks the endpoints (gateway-api §3, §4.2).
///
/// # Errors
/// 404 with the nearest ids for an unknown model; 400 for a model that does not do what is asked, or when no
/// endpoint is left, with the reason for each.
pub(crate) fn plan(
    snapshot: &Snapshot,
    head: &Head,
    options: &GatewayOptions,
    purpose: Purpose,
) -> Result<Plan, Refusal> {
    let catalog = &snapshot.catalog;
    let requested = head.model.as_str();
    // Claude's own clients name their models without a creator (clients §0.15).
    let bare_creator =
        matches!(purpose, Purpose::Conversation { dialect: Dialect::Messages, .. }).then_some("anthropic");
    let Some(found) = catalog.resolve(requested, &ResolveContext { bare_creator }) else {
        return Err(unknown_model(snapshot, requested));
    };
    check_kind(found.model, purpose)?;
    // Image models take images to change them; the catalog's `vision` speaks of understanding them.
    if purpose != Purpose::Image {
        check_needs(found.model, &head.needs)?;
    }
    let Some(routes) = snapshot.routes.get(&found.model.id) else {
        return Err(unknown_model(snapshot, requested));
    };
    let (able, unfit) = routes.for_purpose(purpose, &head.needs);
    let allowed =
        |r: &Arc<Route>| options.only.is_empty() || options.only.iter().any(|s| **s == *r.access.slug);
    let mut targets: Vec<Arc<Route>> = able.iter().filter(|r| allowed(r)).cloned().collect();
    if targets.is_empty() {
        let considered = routes.left_out.iter().cloned().chain(unfit);
        let removed =
            able.iter().map(|r| format!("{} (removed by providerOptions.gateway.only)", r.access.slug));
        let considered: Vec<_> = considered.chain(removed).collect();
        if let Purpose::Conversation { state: true, .. } = purpose {
            return Err(no_state(requested, &considered));
        }
        return Err(nothing_left(requested, considered, options));
    }
    let wish = |route: &Arc<Route>| {
        let slug = &*route.access.slug;
        let ordered = options.order.iter().position(|o| o == slug);
        (ordered.unwrap_or(usize::MAX), found.preferred != Some(slug))
    };
    // A stable sort: what is not wished for keeps the catalog's order.
    targets.sort_by_key(wish);
    let reasoning = explain(&targets);
    Ok(Plan {
        requested: ModelId::new(requested),
        canonical: found.model.id.clone(),
        targets,
        price_version: Arc::clone(&snapshot.price_version),
        reasoning,
    })
}

fn explain(targets: &[Arc<Route>]) -> String {
    let mut slugs = String::new();
    let mut order = String::new();
    for (i, route) in targets.iter().enumerate() {
        let slug = &*route.access.slug;
        if i > 0 {
            slugs.push_str(", ");
            order.push_str(" → ");
        }
        slugs.push_str(slug);
        order.push_str(slug);
        order.push_str("(system)");
    }
    format!("System credentials planned for: {slugs}. Total execution order: {order}")
}

fn unknown_model(snapshot: &Snapshot, requested: &str) -> Refusal {
    let nearest = snapshot.catalog.nearest(requested, 3);
    let hint = if nearest.is_empty() {
        "GET /v1/models lists all of them.".to_owned()
    } else {
        format!("Did you mean {}? GET /v1/models lists all of them.", quoted(&nearest))
    };
    let message = format!("Model '{requested}' not found. {hint}");
    Refusal::new(OpenAiError::model_not_found(requested, message))
}

fn quoted(ids: &[&str]) -> String {
    let quoted: Vec<_> = ids.iter().map(|id| format!("'{id}'")).collect();
    quoted.join(" or ")
}

fn check_kind(model: &Model, purpose: Purpose) -> Result<(), Refusal> {
    let (does, what, kind) = match purpose {
        Purpose::Conversation { .. } => {
            (model.kind == ModelKind::Language, "answer conversations", "language")
        }
        Purpose::Embedding => (model.kind == ModelKind::Embedding, "make embeddings", "embedding"),
        Purpose::Image => {
            let able = model.kind == ModelKind::Language && model.can(Capability::ImageOutput);
            (able || model.kind == ModelKind::Image, "make images", "image")
        }
        Purpose::Rerank => (model.kind == ModelKind::Reranking, "rerank documents", "reranking"),
    };
    if does {
        return Ok(());
    }
    let message = format!(
        "'{}' is a model of type '{}' and does not {what}; use a model of type '{kind}'.",
        model.id, model.kind
    );
    Err(InputError::unsupported("model", message).into())
}

/// Refuses content that the model is known not to take. Of a model whose abilities the catalog does not
/// know, nothing is refused.
fn check_needs(model: &Model, needs: &Needs) -> Result<(), Refusal> {
    if model.capabilities.iter().next().is_none() {
        return Ok(());
    }
    for (needed, capability, what) in [
        (needs.images, Capability::Vision, "images"),
        (needs.audio, Capability::AudioInput, "audio"),
        (needs.tools, Capability::ToolUse, "tools"),
    ] {
        if needed && !model.can(capability) {
            let path = if capability == Capability::ToolUse { "tools" } else { "messages" };
            let message =
                format!("'{}' does not take {what}; choose a model with the tag '{capability}'.", model.id);
            return Err(InputError::unsupported(path, message).into());
        }
    }
    Ok(())
}

/// Nobody can go on from what a provider would have to remember (gateway-api §7.2).
fn no_state(requested: &str, considered: &[String]) -> Refusal {
    let message = format!(
        "The request needs a provider that keeps answers ('previous_response_id', item references, stored prompts, background or compaction), and none of '{requested}' does here. Providers considered: {}. Send the whole history in 'input' instead.",
        considered.join(", ")
    );
    Refusal::new(OpenAiError::new(400, "invalid_request_error", message).with_code("unsupported_value"))
}

fn nothing_left(requested: &str, considered: Vec<String>, options: &GatewayOptions) -> Refusal {
    let considered = if considered.is_empty() { "none".to_owned() } else { considered.join(", ") };
    let what_next = if options.only.is_empty() {
        "Configure one of them"
    } else {
        "Widen 'only' or configure another provider"
    };
    let message = format!(
        "No providers available for model: {requested}. Providers considered: {considered}. {what_next}, or choose another model."
    );
    Refusal::new(OpenAiError::new(400, NO_PROVIDERS, message))
}
