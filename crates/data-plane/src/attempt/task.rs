//! One attempt at a task: its calls one after the other, each read whole, their answers put together.

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::BodyExt;
use tollgate_domain::conversation::FileData;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::task::{ImageRequest, Product, Task};
use tollgate_domain::{Failure, InputError};
use tollgate_providers::{Target, TaskCall, cohere, gemini, openai, rerank};

use super::call::{patched, unsuitable};
use super::gate::{note_response, refused, unsent};
use crate::admit::Ticket;
use crate::lanes::{Head, LaneBody};
use crate::resolve::{Route, UpstreamProtocol};

/// Sends a task to a target and reads its answer.
///
/// # Errors
/// What this target cannot carry, or whatever went wrong on the way.
pub(super) async fn attempt(ticket: &mut Ticket, task: &Task, route: &Route) -> Result<Product, Failure> {
    let mut inlined = None;
    let calls = match (calls(task, route.protocol, &route.codec), task) {
        // What the provider cannot fetch itself is fetched for it.
        (Err(error), Task::Image(images))
            if error.kind == InputErrorKind::Unsupported && names_images(images) =>
        {
            let mut images = images.clone();
            ticket.gateway.fetcher.inline_images(&mut images).await.map_err(|e| unsuitable(&e))?;
            calls(inlined.insert(Task::Image(images)), route.protocol, &route.codec)
        }
        (made, _) => made,
    };
    let calls = calls.map_err(|e| unsuitable(&e))?;
    let task = inlined.as_ref().unwrap_or(task);
    let mut product: Option<Product> = None;
    for (part, call) in calls.into_iter().enumerate() {
        let body = send(ticket, route, call).await?;
        let answer = read(task, route.protocol, &route.codec, part, &body)?;
        match &mut product {
            Some(product) => product.append(answer),
            None => product = Some(answer),
        }
    }
    let origin = route.access.lane.origin();
    match &mut product {
        Some(Product::Image(reply)) => {
            // Clients get bytes only (gateway-api §10).
            ticket.gateway.fetcher.resolve_images(reply, origin).await.map_err(|e| {
                Failure::provider(
                    FailureClass::Server,
                    format!("An image of the answer could not be fetched: {e}"),
                )
            })?;
            ticket.warnings.clone_from(&reply.warnings);
        }
        Some(Product::Rerank(reply)) => ticket.warnings.clone_from(&reply.warnings),
        Some(Product::Embedding(_)) | None => {}
    }
    product
        .ok_or_else(|| Failure::provider(FailureClass::Server, "The request made no call of the provider."))
}

fn names_images(request: &ImageRequest) -> bool {
    request.images.iter().chain(&request.mask).any(|file| matches!(file.data, FileData::Url(_)))
}

async fn send(ticket: &mut Ticket, route: &Route, call: TaskCall) -> Result<Bytes, Failure> {
    let mut headers = route.access.headers.clone();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let json = call.content_type == "application/json";
    if let Ok(kind) = HeaderValue::from_str(&call.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let head = Head { target: route.access.target(&call.path), headers };
    let body = if json { patched(call.body, route) } else { call.body };
    let response = route.access.lane.post(&head, Bytes::from(body)).await.map_err(|e| unsent(&e))?;
    note_response(ticket, &response);
    if !response.status().is_success() {
        return Err(refused(ticket, route, response).await);
    }
    whole(response.into_body(), ticket.gateway.settings.max_reply_bytes).await
}

/// The whole body, within its limit (I26).
async fn whole(mut upstream: LaneBody, limit: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    while let Some(frame) = upstream.frame().await {
        let frame = frame.map_err(|error| {
            Failure::provider(
                FailureClass::Truncated,
                format!("The provider's connection broke before its answer was complete: {error}."),
            )
        })?;
        if let Ok(bytes) = frame.into_data() {
            body.extend_from_slice(&bytes);
        }
        if body.len() > limit {
            return Err(Failure::provider(
                FailureClass::Server,
                format!("The provider's answer exceeds {limit} bytes, the limit of this gateway."),
            ));
        }
    }
    Ok(Bytes::from(body))
}

fn calls(task: &Task, protocol: UpstreamProtocol, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    use UpstreamProtocol as P;
    match (task, protocol) {
        (Task::Embedding(request), P::OpenaiEmbeddings) => openai::embeddings::calls(request, target),
        (Task::Embedding(request), P::CohereEmbed) => cohere::embed::calls(request, target),
        (Task::Embedding(request), P::Gemini) => gemini::embeddings::calls(request, target),
        (Task::Image(request), P::OpenaiImages) => openai::images::calls(request, target),
        (Task::Image(request), P::Gemini) => gemini::images::calls(request, target),
        (Task::Rerank(request), P::CohereRerank) => cohere::rerank::calls(request, target),
        (Task::Rerank(request), P::Rerank) => rerank::calls(request, target),
        _ => Err(InputError::unsupported(
            "model",
            "The provider's protocol does not carry this kind of request.",
        )),
    }
}

fn read(
    task: &Task,
    protocol: UpstreamProtocol,
    target: &Target,
    part: usize,
    body: &[u8],
) -> Result<Product, Failure> {
    use UpstreamProtocol as P;
    match (task, protocol) {
        (Task::Embedding(request), P::OpenaiEmbeddings) => {
            openai::embeddings::read(request, target, part, body).map(Product::Embedding)
        }
        (Task::Embedding(request), P::CohereEmbed) => {
            cohere::embed::read(request, target, part, body).map(Product::Embedding)
        }
        (Task::Embedding(request), P::Gemini) => {
            gemini::embeddings::read(request, target, part, body).map(Product::Embedding)
        }
        (Task::Image(request), P::OpenaiImages) => {
            openai::images::read(request, target, part, body).map(Product::Image)
        }
        (Task::Image(request), P::Gemini) => {
            gemini::images::read(request, target, part, body).map(Product::Image)
        }
        (Task::Rerank(request), P::CohereRerank) => {
            cohere::rerank::read(request, target, part, body).map(Product::Rerank)
        }
        (Task::Rerank(request), P::Rerank) => rerank::read(request, target, part, body).map(Product::Rerank),
        _ => Err(Failure::provider(
            FailureClass::Server,
            "The provider's protocol does not carry this answer.",
        )),
    }
}
