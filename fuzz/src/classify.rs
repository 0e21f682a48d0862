//! A provider's error: whatever it is, people get a sentence of bounded length (providers §0.3, I26).

use http::{HeaderMap, HeaderValue};
use tollgate_domain::Failure;
use tollgate_domain::failure::{Origin, Retry};
use tollgate_providers::classify::{MAX_WAIT, classify, error_value};

use crate::endpoints;

const HEADERS: [&str; 6] = [
    "retry-after",
    "retry-after-ms",
    "date",
    "x-should-retry",
    "x-amzn-errortype",
    "x-ratelimit-reset-requests",
];

/// A byte that names the provider, two of the status, a line with the values of headers (parted by `|`),
/// then the body.
pub fn check(data: &[u8]) {
    let [provider, high, low, rest @ ..] = data else { return };
    let provider = match usize::from(*provider) % (endpoints::COUNT + 1) {
        endpoints::COUNT => "anthropic".to_owned(),
        number => endpoints::endpoint(number).provider,
    };
    let status = 100 + u16::from_be_bytes([*high, *low]) % 500;
    let (line, body) = match rest.iter().position(|b| *b == b'\n') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (&b""[..], rest),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in HEADERS.into_iter().zip(line.split(|b| *b == b'|')) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    check_failure(&classify(&provider, status, &headers, body), status);
    if let Ok(value) = serde_json::from_slice(body) {
        check_failure(&error_value(&provider, status, &value), status);
    }
}

fn check_failure(failure: &Failure, status: u16) {
    assert!(!failure.message.trim().is_empty(), "no message: {failure:?}");
    assert!(failure.message.chars().count() <= 2000, "{} bytes of message", failure.message.len());
    assert!(failure.code.as_ref().is_none_or(|code| code.chars().count() <= 2000), "the code is too long");
    assert_eq!(failure.origin, Origin::Provider);
    assert!(failure.status.is_none_or(|s| s >= 400), "{failure:?}");
    assert!(status < 400 || failure.status == Some(status), "{status}: {failure:?}");
    assert!(failure.class.client_status() >= 400);
    if let Retry::SameTarget(Some(wait)) = failure.retry {
        assert!(wait <= MAX_WAIT, "{failure:?}");
    }
}
