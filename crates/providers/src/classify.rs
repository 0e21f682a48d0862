//! What a provider's error means (providers §0.3): its class by meaning rather than status, what may be
//! tried next, how long to wait. Serves every protocol whose errors are JSON over HTTP, and the errors that
//! come inside a stream.

mod body;
mod rules;
mod wait;

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tollgate_domain::Failure;
use tollgate_domain::failure::{FailureClass, Origin, Retry};

use self::body::ErrorBody;

/// The longest wait that is worth it on the same target (providers §0.3); beyond it the next target is
/// tried at once.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// Classifies an error response. `status` is the HTTP status; a body under 200 that is an error is taken
/// too. An HTTP date in `retry-after` is read against the response's own `date`.
#[must_use]
pub fn classify(provider: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    let mut error = ErrorBody::read(body, status);
    error.note_header(headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()));
    let asked = wait::from_headers(headers);
    let should_retry = headers.get("x-should-retry").and_then(|value| match value.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    });
    failure(provider, status, &error, asked, should_retry)
}

/// Classifies an error that came inside a reply: the event's or body's whole JSON value. `status` is the
/// reply's HTTP status, usually 200.
#[must_use]
pub fn error_value(provider: &str, status: u16, value: &Value) -> Failure {
    failure(provider, status, &ErrorBody::of(value, status), None, None)
}

fn failure(
    provider: &str,
    status: u16,
    error: &ErrorBody,
    asked: Option<Duration>,
    should_retry: Option<bool>,
) -> Failure {
    let effective = if status >= 400 { status } else { error.status.unwrap_or(status) };
    let class = rules::class(provider, effective, error);
    let retry_after = asked.or(error.retry_delay).or_else(|| wait::from_text(&error.message));
    let retry = retry(provider, class, error, retry_after, should_retry);
    Failure {
        origin: Origin::Provider,
        class,
        retry,
        status: (effective >= 400).then_some(effective),
        message: error.message.clone(),
        code: error.machine_code(),
        retry_after,
    }
}

fn retry(
    provider: &str,
    class: FailureClass,
    error: &ErrorBody,
    retry_after: Option<Duration>,
    should_retry: Option<bool>,
) -> Retry {
    let mut retry = class.default_retry();
    // Groq's 413 is a token rate too small for this request: another endpoint may take it.
    if class == FailureClass::RequestTooLarge && (provider == "groq" || error.says("tokens per minute")) {
        retry = Retry::OtherTarget;
    }
    if class == FailureClass::InvalidRequest && rules::is_this_endpoint_only(error) {
        retry = Retry::OtherTarget;
    }
    // A daily quota will not be back within any wait (providers §5).
    if class == FailureClass::RateLimit && error.daily_quota {
        retry = Retry::OtherTarget;
    }
    match (should_retry, retry) {
        (Some(false), Retry::SameTarget(_)) => retry = Retry::OtherTarget,
        // The provider's word overrides its status, but not what the message means.
        (Some(true), Retry::Never) if class == FailureClass::InvalidRequest => {
            retry = Retry::SameTarget(None)
        }
        _ => {}
    }
    match (retry, retry_after) {
        (Retry::SameTarget(_), Some(wait)) if wait > MAX_WAIT => Retry::OtherTarget,
        (Retry::SameTarget(_), wait) => Retry::SameTarget(wait),
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests;
