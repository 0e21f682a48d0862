//! `POST /v1/messages/count_tokens` for every model (gateway-api §8.2): asked of a provider that counts for
//! nothing, else estimated here and marked so.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tollgate_dialects::messages::CountTokens;
use tollgate_dialects::{Dialect, gateway_options};
use tollgate_domain::Failure;
use tollgate_domain::failure::{FailureClass, Origin};
use tollgate_providers::classify::classify;
use tollgate_providers::{anthropic, gemini};

use crate::decode;
use crate::gateway::Gateway;
use crate::lanes::Head;
use crate::refusal::{self, Refusal};
use crate::relay::ReplyBody;
use crate::resolve::{self, Purpose, Route, UpstreamProtocol};
use crate::snapshot::Snapshot;

/// Says that the number is an estimate of the gateway's own.
const ESTIMATE_HEADER: HeaderName = HeaderName::from_static("x-tollgate-estimated");

/// Counts the tokens of a request.
///
/// # Errors
/// 400 for a body that is wrong, 404 for an unknown model, and the provider's own refusal of the content.
pub(crate) async fn count(
    gateway: &Gateway,
    snapshot: &Snapshot,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response<ReplyBody>, Refusal> {
    let request = CountTokens::parse(body)?;
    let mut options = request.head.options.clone();
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let (tags, user) = (text(gateway_options::TAGS_HEADER), text(gateway_options::USER_HEADER));
    gateway_options::attribution(tags, user, &mut options)?;
    let purpose = Purpose::Conversation { dialect: Dialect::Messages, state: false };
    let plan = resolve::plan(snapshot, &request.head, &options, purpose)?;
    for route in &plan.targets {
        match ask(gateway, route, &request, headers).await {
            Some(Ok(tokens)) => return Ok(answer(tokens, false)),
            // What the provider says of the content holds for the answer too.
            Some(Err(failure)) if is_the_clients(&failure) => {
                return Err(Refusal::new(tollgate_dialects::openai_error::from_failure(&failure)));
            }
            Some(Err(failure)) => {
                tracing::debug!(
                    provider = &*route.access.slug,
                    class = failure.class.as_str(),
                    "count failed"
                );
            }
            None => {}
        }
    }
    let conversation = request.conversation()?;
    Ok(answer(CountTokens::estimate(&conversation), true))
}

fn is_the_clients(failure: &Failure) -> bool {
    failure.origin == Origin::Client
        || matches!(failure.class, FailureClass::InvalidRequest | FailureClass::RequestTooLarge)
}

fn answer(tokens: u64, estimated: bool) -> Response<ReplyBody> {
    let mut response = refusal::json(StatusCode::OK, Bytes::from(CountTokens::encode(tokens)));
    if estimated {
        response.headers_mut().insert(ESTIMATE_HEADER, HeaderValue::from_static("true"));
    }
    response
}

/// Asks a provider; `None` when it does not count.
async fn ask(
    gateway: &Gateway,
    route: &Route,
    request: &CountTokens,
    client: &HeaderMap,
) -> Option<Result<u64, Failure>> {
    let mut headers = route.access.headers.clone();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let (path, body) = match route.protocol {
        UpstreamProtocol::AnthropicMessages => {
            if let Some(token) = decode::subscription(client).filter(|_| route.takes_subscriptions()) {
                headers.remove("x-api-key");
                headers.insert(header::AUTHORIZATION, token);
            }
            let betas = client.get("anthropic-beta").and_then(|v| v.to_str().ok());
            for (name, value) in anthropic::messages::headers(betas) {
                headers.insert(name, HeaderValue::from_str(&value).ok()?);
            }
            let body = anthropic::messages::adapt_count_checked(&request.checked, &route.codec);
            ("/messages/count_tokens".to_owned(), body)
        }
        UpstreamProtocol::Gemini => {
            let conversation = request.conversation().ok()?;
            (gemini::count_path(&route.codec), gemini::count_tokens(&conversation, &route.codec).ok()?)
        }
        _ => return None,
    };
    let head = Head { target: route.access.target(&path), headers };
    let patience = gateway.settings.first_content_timeout;
    let answered = tokio::time::timeout(patience, fetch(gateway, route, &head, body)).await;
    Some(match answered {
        Ok(Ok(body)) => read(route, &body),
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::provider(FailureClass::Timeout, "The provider did not count in time.")),
    })
}

async fn fetch(gateway: &Gateway, route: &Route, head: &Head, body: Vec<u8>) -> Result<Bytes, Failure> {
    let server = |message: String| Failure::provider(FailureClass::Server, message);
    let response =
        route.access.lane.post(head, Bytes::from(body)).await.map_err(|e| server(e.to_string()))?;
    let (parts, upstream) = response.into_parts();
    let limited = Limited::new(upstream, gateway.settings.max_error_bytes);
    let body = limited.collect().await.map_err(|e| server(e.to_string()))?.to_bytes();
    if parts.status.is_success() {
        return Ok(body);
    }
    Err(classify(&route.access.slug, parts.status.as_u16(), &parts.headers, &body))
}

fn read(route: &Route, body: &[u8]) -> Result<u64, Failure> {
    if route.protocol == UpstreamProtocol::Gemini {
        return gemini::read_count(&route.codec, body);
    }
    anthropic::messages::read_count(body)
        .ok_or_else(|| Failure::provider(FailureClass::Server, "The provider's count has no 'input_tokens'."))
}
