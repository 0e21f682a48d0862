//! `GET /v1/models`, `/v1/models/{creator}/{model}` and `…/endpoints`.

use bytes::Bytes;
use http::{Response, StatusCode};
use tollgate_catalog::{Level, Model, ModelKind, ResolveContext, surface};
use tollgate_dialects::ai_sdk::{self, ConfigEntry, Prefix, Version};
use tollgate_dialects::openai_error::OpenAiError;

use tollgate_domain::Picodollars;

use crate::refusal::{Refusal, json};
use crate::relay::ReplyBody;
use crate::snapshot::Snapshot;

/// All models.
pub(crate) fn list(snapshot: &Snapshot) -> Response<ReplyBody> {
    json(StatusCode::OK, snapshot.models())
}

/// The list that Claude Code reads (gateway-api §16).
pub(crate) fn claude_code_list(snapshot: &Snapshot) -> Response<ReplyBody> {
    json(StatusCode::OK, Bytes::from(surface::claude_code_models(&snapshot.catalog)))
}

/// The list that Codex reads (gateway-api §16).
pub(crate) fn codex_list(snapshot: &Snapshot) -> Response<ReplyBody> {
    json(StatusCode::OK, Bytes::from(surface::codex_models(&snapshot.catalog)))
}

/// The list that the AI SDK's clients read (gateway-api §17.3).
pub(crate) fn ai_sdk_config(snapshot: &Snapshot, prefix: Prefix) -> Response<ReplyBody> {
    let catalog = &snapshot.catalog;
    let version = Version::of(prefix, None);
    // The first line of clients refuses the whole list for a kind that it does not know (gateway-api §17.3).
    let known = |kind: ModelKind| {
        version != Version::V2
            || matches!(kind, ModelKind::Language | ModelKind::Embedding | ModelKind::Image)
    };
    let priced: Vec<_> = catalog
        .models()
        .iter()
        .filter(|model| known(model.kind))
        .filter_map(|model| {
            let endpoint = model.endpoints.iter().find(|e| catalog.callable(e))?;
            let table = endpoint.prices.as_ref().map(|p| p.effective(Level::Standard, 0)).unwrap_or_default();
            let text = |price: Option<Picodollars>| price.map(|p| p.to_string());
            let prices = [table.input, table.output, table.cache_read, table.cache_write_5m].map(text);
            Some((model, endpoint, prices))
        })
        .collect();
    let entries =
        priced.iter().map(|(model, endpoint, [input, output, cache_read, cache_write])| ConfigEntry {
            id: model.id.as_str(),
            name: &model.name,
            description: None,
            input_price: input.as_deref(),
            output_price: output.as_deref(),
            cache_read: cache_read.as_deref(),
            cache_write: cache_write.as_deref(),
            model_type: model.kind.as_str(),
            provider: &endpoint.provider,
        });
    json(StatusCode::OK, Bytes::from(ai_sdk::config(version, entries)))
}

/// One model.
pub(crate) fn one(snapshot: &Snapshot, id: &str) -> Result<Response<ReplyBody>, Refusal> {
    let model = find(snapshot, id)?;
    let body = surface::model(&snapshot.catalog, model).ok_or_else(|| unknown(snapshot, id))?;
    Ok(json(StatusCode::OK, Bytes::from(body)))
}

/// One model's endpoints.
pub(crate) fn endpoints(snapshot: &Snapshot, id: &str) -> Result<Response<ReplyBody>, Refusal> {
    let model = find(snapshot, id)?;
    let body = surface::endpoints(&snapshot.catalog, model, &|_| None);
    Ok(json(StatusCode::OK, Bytes::from(body)))
}

fn find<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a Model, Refusal> {
    snapshot
        .catalog
        .resolve(id, &ResolveContext::default())
        .map(|found| found.model)
        .ok_or_else(|| unknown(snapshot, id))
}

fn unknown(snapshot: &Snapshot, id: &str) -> Refusal {
    let nearest = snapshot.catalog.nearest(id, 3).join(", ");
    let hint = if nearest.is_empty() { String::new() } else { format!(" Nearest: {nearest}.") };
    Refusal::new(OpenAiError::model_not_found(id, format!("Model '{id}' not found.{hint}")))
}
