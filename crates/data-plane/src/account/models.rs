//! `GET /v1/models`, `/v1/models/{creator}/{model}` and `…/endpoints`.

use bytes::Bytes;
use http::{Response, StatusCode};
use tollgate_catalog::{Model, ResolveContext, surface};
use tollgate_dialects::openai_error::OpenAiError;

use crate::refusal::{Refusal, json};
use crate::relay::ReplyBody;
use crate::snapshot::Snapshot;

/// All models.
pub(crate) fn list(snapshot: &Snapshot) -> Response<ReplyBody> {
    json(StatusCode::OK, snapshot.models())
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
