//! One attempt, up to its first content: the gate behind which the client sees nothing (I15).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tollgate_dialects::ConversationRequest;
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::task::Product;
use tollgate_providers::classify::classify;

use super::call::{Call, prepare};
use super::task;
use crate::admit::Ticket;
use crate::decode::{RequestIntent, Work};
use crate::lanes::{LaneBody, SendError};
use crate::relay::{Step, Translation};
use crate::resolve::Route;

/// An attempt whose first content has come; a whole answer has come to its end.
pub(crate) struct Live {
    pub translation: Translation,
    pub upstream: LaneBody,
    pub out: Vec<u8>,
    pub finished: bool,
}

/// What an attempt came to.
pub(crate) enum Done {
    /// A conversation whose answer has begun, or is whole.
    Live(Box<Live>),
    /// A task's answer.
    Product(Box<Product>),
}

/// Sends one request and reads until content, end or failure.
///
/// # Errors
/// Whatever went wrong before the first content.
pub(super) async fn attempt(
    ticket: &mut Ticket,
    asked: &RequestIntent,
    route: &Route,
) -> Result<Done, Failure> {
    let patience = ticket.gateway.settings.first_content_timeout.min(ticket.time_left());
    let deadline = Instant::now() + patience;
    let in_time = async {
        match &asked.work {
            Work::Conversation(request) => {
                converse(ticket, asked, request, route).await.map(|live| Done::Live(Box::new(live)))
            }
            Work::Task(request) => {
                let product = task::attempt(ticket, request.task(), route).await?;
                ticket.first_content = Some(Instant::now());
                succeed(ticket, None);
                Ok(Done::Product(Box::new(product)))
            }
        }
    };
    match tokio::time::timeout_at(deadline, in_time).await {
        Ok(result) => result,
        Err(_) => {
            ticket.gateway.metrics.limit_hit("first_content_timeout");
            let what = if asked.head().stream { "first content" } else { "answer" };
            Err(Failure::provider(
                FailureClass::Timeout,
                format!("{} gave no {what} within {patience:?}.", route.access.slug),
            ))
        }
    }
}

async fn converse(
    ticket: &mut Ticket,
    asked: &RequestIntent,
    request: &Arc<dyn ConversationRequest>,
    route: &Route,
) -> Result<Live, Failure> {
    let Call { head, body, translation, streams, warnings } = prepare(ticket, asked, request, route).await?;
    ticket.warnings = warnings;
    let response = route.access.lane.post(&head, body).await.map_err(|e| unsent(&e))?;
    note_response(ticket, &response);
    if response.status().is_success() {
        let forms = Forms { client_streams: request.head().stream, provider_streams: streams };
        open(ticket, forms, translation, response).await
    } else {
        Err(refused(ticket, route, response).await)
    }
}

/// The attempt has served.
fn succeed(ticket: &mut Ticket, response_id: Option<String>) {
    if let Some(attempt) = ticket.attempts.last_mut() {
        attempt.success = true;
        attempt.response_id = response_id;
    }
}

/// Who streams: a provider may where the client does not.
#[derive(Clone, Copy)]
struct Forms {
    client_streams: bool,
    provider_streams: bool,
}

pub(super) fn note_response(ticket: &mut Ticket, response: &Response<LaneBody>) {
    let request_id = ["x-request-id", "request-id"].iter().find_map(|name| response.headers().get(*name));
    if let Some(attempt) = ticket.attempts.last_mut() {
        attempt.status = Some(response.status().as_u16());
        attempt.request_id = request_id.and_then(|v| v.to_str().ok()).map(str::to_owned);
    }
}

/// Reads a success response up to its first content, or to its end.
async fn open(
    ticket: &mut Ticket,
    forms: Forms,
    mut translation: Translation,
    response: Response<LaneBody>,
) -> Result<Live, Failure> {
    let (parts, mut upstream) = response.into_parts();
    let mut out = Vec::new();
    if forms.provider_streams && !may_be_event_stream(&parts.headers) {
        return Err(not_a_stream(ticket, &parts.headers, upstream).await);
    }
    loop {
        let step = match upstream.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => translation.push(&bytes, &mut out),
                Err(_) => Step::Quiet,
            },
            Some(Err(error)) => {
                return Err(Failure::provider(
                    FailureClass::Truncated,
                    format!("The provider's connection broke before its answer was complete: {error}."),
                ));
            }
            None => match translation.end(&mut out) {
                Step::Quiet | Step::Content => {
                    return Err(Failure::provider(
                        FailureClass::Truncated,
                        "The provider's answer was empty.",
                    ));
                }
                step => step,
            },
        };
        let finished = match step {
            Step::Quiet => continue,
            // A whole answer is not over until it is over.
            Step::Content if !forms.client_streams => continue,
            Step::Content => false,
            Step::Finished => true,
            Step::Failed(failure) => return Err(failure),
        };
        ticket.first_content = Some(Instant::now());
        succeed(ticket, translation.seen().info.id.clone());
        return Ok(Live { translation, upstream, out, finished });
    }
}

/// Some servers label their event streams wrongly; JSON and HTML are never one.
fn may_be_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    !(kind.starts_with("application/json") || kind.starts_with("text/html"))
}

async fn not_a_stream(ticket: &Ticket, headers: &HeaderMap, upstream: LaneBody) -> Failure {
    let body = limited(upstream, ticket.gateway.settings.max_error_bytes).await;
    let provider = ticket.route.as_ref().map_or("", |r| &*r.access.slug);
    if tollgate_wire::json::Object::parse(&body).is_ok_and(|o| o.has("error")) {
        return classify(provider, 200, headers, &body);
    }
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("nothing");
    Failure::provider(
        FailureClass::Server,
        format!("{provider} was asked for an event stream but answered with {kind}."),
    )
    .with_status(200)
}

pub(super) async fn refused(ticket: &Ticket, route: &Route, response: Response<LaneBody>) -> Failure {
    let (parts, upstream) = response.into_parts();
    let body = limited(upstream, ticket.gateway.settings.max_error_bytes).await;
    if parts.status.is_redirection() {
        // Redirects are not followed with credentials (I29).
        let message =
            format!("{} answered with a redirect ({}); check its base_url.", route.access.slug, parts.status);
        return Failure::provider(FailureClass::NotFound, message).with_status(parts.status.as_u16());
    }
    classify(&route.access.slug, parts.status.as_u16(), &parts.headers, &body)
}

/// As much of an error body as is worth reading.
async fn limited(mut upstream: LaneBody, limit: usize) -> Bytes {
    let mut body = Vec::new();
    while let Some(Ok(frame)) = upstream.frame().await {
        if let Ok(bytes) = frame.into_data() {
            let room = limit.saturating_sub(body.len());
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if bytes.len() > room {
                break;
            }
        }
    }
    Bytes::from(body)
}

pub(super) fn unsent(error: &SendError) -> Failure {
    let class = match error {
        SendError::ConnectTimeout { .. } => FailureClass::Timeout,
        SendError::Connect { .. } | SendError::Broken { .. } => FailureClass::Server,
    };
    let mut message = error.to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Failure::provider(class, format!("{message}."))
}
