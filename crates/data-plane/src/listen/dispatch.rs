//! From a path to its answer: who asks is known before the body is read, and errors come in the envelope
//! of the surface.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::Instant;
use tollgate_dialects::openai_error::OpenAiError;

use super::route::{Agent, AiSdkCall, Path, Route};
use super::{Fallback, Lifetime, body, websocket};
use crate::account;
use crate::admit::Arrival;
use crate::authenticate;
use crate::count;
use crate::decode;
use crate::gateway::Gateway;
use crate::pipeline;
use crate::refusal::{Refusal, json};
use crate::relay::ReplyBody;

type Answer = Result<Response<ReplyBody>, Refusal>;

/// Answers one request.
pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    fallback: Option<&Fallback>,
    lifetime: &Lifetime,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let arrival = Arrival { at: gateway.clock.now(), instant: Instant::now() };
    let uri = request.uri().clone();
    let path = Path::of(uri.path());
    let methods = path.route.methods();
    let upgrades = websocket::is_upgrade(&request);
    if !methods.is_empty()
        && (!methods.contains(request.method()) || is_plain_get(path.route, &request, upgrades))
    {
        return wrong_method(methods);
    }
    let result = match path.route {
        Route::Responses if upgrades => websocket::accept(gateway, lifetime, request, arrival),
        Route::Models => models(gateway, path.agent),
        Route::Model(rest) => model(gateway, rest),
        Route::AiSdk(prefix, AiSdkCall::Config) => config(gateway, &request, arrival, prefix),
        Route::Generation | Route::Credits | Route::Report => {
            look_up(gateway, path.route, &request, arrival).await
        }
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
        route => spend(gateway, route, path.agent, request, arrival).await,
    };
    result.unwrap_or_else(|refusal| refusal.into_response(path.envelope()))
}

/// A path that takes GET only to become a WebSocket.
fn is_plain_get(route: Route<'_>, request: &Request<Incoming>, upgrades: bool) -> bool {
    route == Route::Responses && *request.method() == Method::GET && !upgrades
}

/// A known path with a wrong method answers 405 with an empty body (gateway-api §1).
fn wrong_method(methods: &[Method]) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(Bytes::new()));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    if let Ok(allow) = HeaderValue::from_str(&names.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// A request with a body that a provider answers.
async fn spend(
    gateway: &Arc<Gateway>,
    route: Route<'_>,
    agent: Option<Agent>,
    request: Request<Incoming>,
    arrival: Arrival,
) -> Answer {
    let snapshot = gateway.snapshot();
    let caller = authenticate::caller(&snapshot, request.headers(), arrival.at)?;
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let body = body::read(gateway, body, waits).await?;
    let headers = &parts.headers;
    let mut asked = match route {
        Route::ChatCompletions => decode::chat(headers, &body, agent == Some(Agent::Cursor))?,
        Route::Messages => decode::messages(headers, &body)?,
        Route::Responses => decode::responses(headers, &body)?,
        Route::Compact => decode::compact(headers, &body)?,
        Route::Embeddings => decode::embeddings(headers, &body)?,
        Route::ImageGenerations => decode::image_generations(headers, &body)?,
        Route::ImageEdits => decode::image_edits(headers, &body)?,
        Route::Rerank(version) => decode::rerank(headers, &body, version)?,
        Route::AiSdk(prefix, AiSdkCall::Language) => decode::ai_language(headers, &body, prefix)?,
        Route::AiSdk(prefix, AiSdkCall::Embedding) => decode::ai_embedding(headers, &body, prefix)?,
        Route::AiSdk(prefix, AiSdkCall::Image) => decode::ai_image(headers, &body, prefix)?,
        Route::AiSdk(prefix, AiSdkCall::Reranking) => decode::ai_reranking(headers, &body, prefix)?,
        Route::CountTokens => return count::count(gateway, &snapshot, headers, &body).await,
        _ => return Err(Refusal::new(OpenAiError::not_found("There is nothing at this path."))),
    };
    if let Some(agent) = agent {
        asked.mark_agent(agent.name());
    }
    pipeline::serve(gateway, &snapshot, &caller, asked, arrival).await
}

fn models(gateway: &Gateway, agent: Option<Agent>) -> Answer {
    let snapshot = gateway.snapshot();
    Ok(match agent {
        Some(Agent::ClaudeCode) => account::claude_code_list(&snapshot),
        Some(Agent::Codex) => account::codex_list(&snapshot),
        _ => account::list(&snapshot),
    })
}

fn model(gateway: &Gateway, rest: &str) -> Answer {
    let snapshot = gateway.snapshot();
    let id = percent_encoding::percent_decode_str(rest.trim_end_matches('/')).decode_utf8_lossy();
    match id.strip_suffix("/endpoints") {
        Some(id) => account::endpoints(&snapshot, id),
        None => account::one(&snapshot, &id),
    }
}

fn config(
    gateway: &Gateway,
    request: &Request<Incoming>,
    arrival: Arrival,
    prefix: tollgate_dialects::ai_sdk::Prefix,
) -> Answer {
    let snapshot = gateway.snapshot();
    authenticate::caller(&snapshot, request.headers(), arrival.at)?;
    Ok(account::ai_sdk_config(&snapshot, prefix))
}

/// What costs nothing and belongs to the caller's team.
async fn look_up(
    gateway: &Gateway,
    route: Route<'_>,
    request: &Request<Incoming>,
    arrival: Arrival,
) -> Answer {
    let caller = authenticate::caller(&gateway.snapshot(), request.headers(), arrival.at)?;
    let query = request.uri().query().unwrap_or_default();
    match route {
        Route::Credits => account::credits(gateway, &caller).await,
        Route::Report => account::report(gateway, &caller, query).await,
        _ => {
            let id = query.split('&').find_map(|pair| pair.strip_prefix("id="));
            account::generation(gateway, &caller, id).await
        }
    }
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
