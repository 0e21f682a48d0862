//! Which path is what (operations "Listening surface", gateway-api §1).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::Instant;
use tollgate_dialects::openai_error::OpenAiError;

use super::{Fallback, body};
use crate::account;
use crate::admit::Arrival;
use crate::authenticate;
use crate::decode;
use crate::gateway::Gateway;
use crate::pipeline;
use crate::refusal::{Envelope, Refusal, json};
use crate::relay::ReplyBody;

/// What a path asks for.
enum Route<'a> {
    ChatCompletions,
    Models,
    /// The rest of the path: `creator/model` or `creator/model/endpoints`, maybe percent-encoded.
    Model(&'a str),
    Generation,
    Credits,
    Health,
    Ready,
    Metrics,
    /// Unknown, under a prefix of the data plane.
    Unknown,
    /// Not the data plane's.
    Other,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        match path {
            "/v1/chat/completions" => Self::ChatCompletions,
            "/v1/models" | "/v1/models/" => Self::Models,
            "/v1/generation" => Self::Generation,
            "/v1/credits" => Self::Credits,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            _ => match path.strip_prefix("/v1/models/") {
                Some(rest) => Self::Model(rest),
                None if path == "/v1" || path.starts_with("/v1/") => Self::Unknown,
                None => Self::Other,
            },
        }
    }

    fn method(&self) -> Option<Method> {
        match self {
            Self::ChatCompletions => Some(Method::POST),
            Self::Unknown | Self::Other => None,
            _ => Some(Method::GET),
        }
    }
}

/// Answers one request.
pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    fallback: Option<&Fallback>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let arrival = Arrival { at: gateway.clock.now(), instant: Instant::now() };
    let uri = request.uri().clone();
    let route = Route::of(uri.path());
    if let Some(method) = route.method()
        && *request.method() != method
    {
        // A known path with a wrong method answers 405 with an empty body (gateway-api §1).
        let mut response = Response::new(ReplyBody::full(Bytes::new()));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        if let Ok(allow) = HeaderValue::from_str(method.as_str()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    }
    let result = match route {
        Route::ChatCompletions => chat_completions(gateway, request, arrival).await,
        Route::Models => Ok(account::list(&gateway.snapshot())),
        Route::Model(rest) => model(gateway, rest),
        Route::Generation => generation(gateway, &request, arrival).await,
        Route::Credits => credits(gateway, &request, arrival).await,
        Route::Health => Ok(json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}"))),
        Route::Ready => Ok(ready(gateway)),
        Route::Metrics => Ok(metrics(gateway)),
        Route::Unknown => {
            let message = format!("{} {} does not exist on this gateway.", request.method(), uri.path());
            Err(Refusal::new(OpenAiError::new(404, "not_found_error", message)))
        }
        Route::Other => match fallback {
            Some(fallback) => return fallback(request).await,
            None => Ok(page(uri.path())),
        },
    };
    result.unwrap_or_else(|refusal| refusal.into_response(Envelope::OpenAi))
}

async fn chat_completions(
    gateway: &Arc<Gateway>,
    request: Request<Incoming>,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    let snapshot = gateway.snapshot();
    let caller = authenticate::caller(&snapshot, request.headers(), arrival.at)?;
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let body = body::read(gateway, body, waits).await?;
    let asked = decode::chat(&parts.headers, &body)?;
    pipeline::serve(gateway, &snapshot, &caller, asked, arrival).await
}

fn model(gateway: &Gateway, rest: &str) -> Result<Response<ReplyBody>, Refusal> {
    let snapshot = gateway.snapshot();
    let id = percent_encoding::percent_decode_str(rest.trim_end_matches('/')).decode_utf8_lossy();
    match id.strip_suffix("/endpoints") {
        Some(id) => account::endpoints(&snapshot, id),
        None => account::one(&snapshot, &id),
    }
}

async fn generation(
    gateway: &Gateway,
    request: &Request<Incoming>,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = authenticate::caller(&gateway.snapshot(), request.headers(), arrival.at)?;
    let query = request.uri().query().unwrap_or_default();
    let id = query.split('&').find_map(|pair| pair.strip_prefix("id="));
    account::generation(gateway, &caller, id).await
}

async fn credits(
    gateway: &Gateway,
    request: &Request<Incoming>,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = authenticate::caller(&gateway.snapshot(), request.headers(), arrival.at)?;
    account::credits(gateway, &caller).await
}

fn ready(gateway: &Gateway) -> Response<ReplyBody> {
    let degraded = gateway.degraded();
    let status = if degraded.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if degraded.is_empty() { "ready" } else { "degraded" };
    let body =
        serde_json::json!({ "status": word, "degraded": degraded, "open_requests": gateway.open_requests() });
    json(status, Bytes::from(body.to_string()))
}

fn metrics(gateway: &Gateway) -> Response<ReplyBody> {
    if let tollgate_store::LedgerState::Unavailable { waiting, .. } = gateway.ledger.state() {
        gateway.metrics.ledger_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    } else {
        gateway.metrics.ledger_waiting.set(0);
    }
    let mut response = Response::new(ReplyBody::full(Bytes::from(gateway.metrics.encode())));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    );
    response
}

/// A path outside the data plane is for people, so it answers in HTML (gateway-api §1).
fn page(path: &str) -> Response<ReplyBody> {
    let (status, body) = if path == "/" {
        let text = "<!doctype html><title>Tollgate</title><h1>Tollgate is running</h1>\
            <p>Point clients at <code>/v1</code> of this address with a Tollgate key. \
            <a href=\"/v1/models\">Models</a>, <a href=\"/readyz\">state</a>, <a href=\"/metrics\">metrics</a>.</p>";
        (StatusCode::OK, text)
    } else {
        let text = "<!doctype html><title>Not found</title><h1>Not found</h1>\
            <p>This address serves an AI gateway under <code>/v1</code>.</p>";
        (StatusCode::NOT_FOUND, text)
    };
    let mut response = Response::new(ReplyBody::full(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
