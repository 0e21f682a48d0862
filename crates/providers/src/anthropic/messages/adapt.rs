//! A client's own Messages body, spliced for a provider of the same protocol (I17): only what the gateway
//! owns changes; every other member, known or not, stays byte for byte and in order. Messages are looked
//! into only when a search finds something there that has to change.

mod caching;
mod edit;
mod history;
mod options;

use tollgate_domain::InputError;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_wire::json::{self, Checked, JsonError, Object};

use super::Betas;
use crate::Target;
use options::Asked;

/// Members that are between the gateway and its clients only.
const GATEWAY_ONLY: [&str; 2] = ["providerOptions", "caching"];

/// Members that have no influence on the count of a prompt, and that counting refuses or does not know.
const NOT_COUNTED: [&str; 9] = [
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
    "service_tier",
    "inference_geo",
];

/// Writes a client's Messages body for an endpoint.
///
/// # Errors
/// When the body is no JSON object.
pub fn adapt(client_body: &[u8], target: &Target, stream: bool) -> Result<Vec<u8>, InputError> {
    adapt_checked(&checked(client_body)?, target, stream)
}

/// The same for a body that has been checked, whose text is then not walked through again.
///
/// # Errors
/// None so far; the shape is that of every protocol's splice.
pub fn adapt_checked<T: AsRef<[u8]>>(
    client_body: &Checked<T>,
    target: &Target,
    stream: bool,
) -> Result<Vec<u8>, InputError> {
    let mut body = client_body.object();
    let current = body.get("stream");
    if stream && current != Some(b"true") {
        body.set("stream", &b"true"[..]);
    } else if !stream && current.is_some_and(|raw| raw != b"false") {
        body.set("stream", &b"false"[..]);
    }
    Ok(rewrite(body, target))
}

/// Writes a client's body for `POST /v1/messages/count_tokens` of an endpoint.
///
/// # Errors
/// When the body is no JSON object.
pub fn adapt_count(client_body: &[u8], target: &Target) -> Result<Vec<u8>, InputError> {
    Ok(adapt_count_checked(&checked(client_body)?, target))
}

/// The same for a body that has been checked.
#[must_use]
pub fn adapt_count_checked<T: AsRef<[u8]>>(client_body: &Checked<T>, target: &Target) -> Vec<u8> {
    let body = rewrite(client_body.object(), target);
    let Ok(mut body) = Object::parse_checked(&body) else { return body };
    for member in NOT_COUNTED {
        body.remove(member);
    }
    body.to_vec()
}

/// The count in the answer of `count_tokens`; `None` when there is none in it.
#[must_use]
pub fn read_count(body: &[u8]) -> Option<u64> {
    Object::parse(body).ok()?.get("input_tokens").and_then(json::unsigned)
}

/// Betas that the provider's part of a client's `providerOptions` asks for or makes necessary, for
/// [`headers`](super::headers) beside the client's own `anthropic-beta`.
#[must_use]
pub fn option_betas<T: AsRef<[u8]>>(client_body: &Checked<T>, target: &Target) -> Vec<String> {
    let mut betas = Betas::default();
    Asked::of(&client_body.object(), target, &mut betas);
    betas.0
}

fn rewrite(mut body: Object<'_>, target: &Target) -> Vec<u8> {
    let asked = Asked::of(&body, target, &mut Betas::default());
    for member in GATEWAY_ONLY {
        body.remove(member);
    }
    body.set_string("model", &target.model);
    history::rewrite(&mut body);
    caching::place(&mut body, &asked);
    asked.apply(&mut body);
    body.to_vec()
}

fn checked(text: &[u8]) -> Result<Checked<&[u8]>, InputError> {
    Checked::new(text).map_err(|error| malformed(text, &error))
}

fn malformed(text: &[u8], error: &JsonError) -> InputError {
    let (line, column) = error.line_and_column(text);
    InputError {
        kind: InputErrorKind::Malformed,
        message: format!(
            "The request body is not a JSON object: {} at line {line}, column {column}. Send a Messages request as JSON.",
            error.what
        ),
        param: None,
        code: Some("invalid_json"),
    }
}

#[cfg(test)]
mod tests;
