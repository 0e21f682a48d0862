//! A client's own chat-completions body, spliced for a provider of the same protocol (I17): only members
//! that the gateway owns, or that the provider is known not to take, change; all others stay byte for byte
//! and in order. Messages are looked into only when a search finds something there that has to change.

mod alternate;
mod array;
mod caching;
mod files;
mod format;
mod gateway;
mod messages;
mod reasoning;
mod tools;

use tollgate_domain::InputError;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_wire::json::{self, Checked, Object};

use super::quirks::{self, Quirks, TokenLimit};
use crate::Target;
pub(super) use caching::Placement;
use gateway::Gateway;

/// Members of `providerOptions.<provider>` that must not reach the body: who answers and what is billed is
/// the gateway's decision.
const NOT_OPTIONS: [&str; 6] = ["model", "models", "messages", "stream", "stream_options", "route"];

/// Writes a client's chat-completions body for an endpoint.
///
/// # Errors
/// When the body is no JSON object, or holds a file in a form that the provider cannot be given.
pub fn adapt(client_body: &[u8], target: &Target, stream: bool) -> Result<Vec<u8>, InputError> {
    let checked = Checked::new(client_body).map_err(|error| malformed(client_body, &error))?;
    adapt_checked(&checked, target, stream)
}

/// The same for a body that has been checked, whose text is then not walked through again.
///
/// # Errors
/// When the body holds a file in a form that the provider cannot be given.
pub fn adapt_checked<T: AsRef<[u8]>>(
    client_body: &Checked<T>,
    target: &Target,
    stream: bool,
) -> Result<Vec<u8>, InputError> {
    let may_hold = |word: &str| client_body.may_hold(word);
    rewrite(client_body.object(), &may_hold, target, stream, None)
}

/// The same for a body that the encoder wrote, with the breakpoints that it leaves to be placed.
pub(super) fn adapt_written(
    body: &[u8],
    target: &Target,
    stream: bool,
    marks: Option<Placement>,
) -> Result<Vec<u8>, InputError> {
    let checked = Checked::new(body).map_err(|error| malformed(body, &error))?;
    let may_hold = |word: &str| checked.may_hold(word);
    rewrite(checked.object(), &may_hold, target, stream, marks)
}

/// Rewrites the body; `may_hold` tells of a string whether it can stand anywhere in it.
fn rewrite(
    mut body: Object<'_>,
    may_hold: array::MayHold<'_>,
    target: &Target,
    stream: bool,
    marks: Option<Placement>,
) -> Result<Vec<u8>, InputError> {
    let quirks = Quirks::for_target(target);
    body.set_string("model", &target.model);
    set_stream(&mut body, &quirks, stream);
    let gateway = Gateway::of(&body);
    let options = take_options(&mut body, target);
    reasoning::rewrite(&mut body, &quirks, target);
    body.remove("provider");
    gateway.apply(&mut body, &quirks);
    limit(&mut body, quirks.limit);
    sampling(&mut body, &quirks, target);
    let instruction = format::rewrite(&mut body, quirks.schema);
    tools::rewrite(&mut body, &quirks, may_hold)?;
    let marks = marks.or_else(|| {
        let whole = take_mark(&mut body, &quirks);
        let own = body.has("cache_control");
        whole.or_else(|| (gateway.caching && !own).then(|| caching::PLAIN.to_vec())).map(Placement::of)
    });
    let marks = marks.filter(|_| quirks.cache_marks);
    messages::rewrite(&mut body, &quirks, target, may_hold, messages::Additions { marks, instruction })?;
    for (from, to) in quirks.rename {
        body.rename(from, to);
    }
    for member in &quirks.drop {
        body.remove(member);
    }
    for (member, value) in options {
        body.set(&member, value);
    }
    Ok(body.to_vec())
}

fn malformed(text: &[u8], error: &json::JsonError) -> InputError {
    let (line, column) = error.line_and_column(text);
    InputError {
        kind: InputErrorKind::Malformed,
        message: format!(
            "The request body is not a JSON object: {} at line {line}, column {column}. Send a chat completions request as JSON.",
            error.what
        ),
        param: None,
        code: Some("invalid_json"),
    }
}

/// `stream`, and the usage report that the ledger needs with it.
fn set_stream(body: &mut Object<'_>, quirks: &Quirks, stream: bool) {
    if !stream {
        if body.get("stream").is_some_and(|raw| raw != b"false") {
            body.set("stream", &b"false"[..]);
        }
        body.remove("stream_options");
        return;
    }
    if body.get("stream") != Some(b"true") {
        body.set("stream", &b"true"[..]);
    }
    if !quirks.stream_usage {
        return;
    }
    let sent = body.get_borrowed("stream_options").and_then(|raw| Object::parse_checked(raw).ok());
    let mut options = sent.unwrap_or_default();
    if options.get("include_usage") != Some(b"true") {
        options.set("include_usage", &b"true"[..]);
        body.set("stream_options", options.to_vec());
    }
    if quirks.tool_stream && body.has("tools") && !body.has("tool_stream") {
        body.set("tool_stream", &b"true"[..]);
    }
}

/// Takes `providerOptions` out; gives the members that are for this provider, under the body's names.
fn take_options(body: &mut Object<'_>, target: &Target) -> Vec<(String, Vec<u8>)> {
    let Some(raw) = body.remove("providerOptions") else { return Vec::new() };
    let Ok(namespaces) = Object::parse_checked(&raw) else { return Vec::new() };
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for namespace in namespaces_of(&target.provider) {
        let Some(own) = namespaces.get(namespace).and_then(|raw| Object::parse_checked(raw).ok()) else {
            continue;
        };
        for (name, value) in own.members() {
            let name = snake_case(&name);
            if !NOT_OPTIONS.contains(&name.as_str()) {
                found.push((name, value.to_vec()));
            }
        }
    }
    found
}

/// The namespaces that speak to a provider; a later one wins.
fn namespaces_of(provider: &str) -> Vec<&str> {
    match provider {
        "azure" => vec!["openai", "azure"],
        "together" | "togetherai" => vec!["together", "togetherai"],
        other => vec![other],
    }
}

/// Option names come in the AI SDK's camel case or as the provider writes them.
fn snake_case(name: &str) -> String {
    if name == "textVerbosity" {
        return "verbosity".to_owned();
    }
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// `max_tokens` and `max_completion_tokens`: 0 means absent (clients §4), and some know only one name.
fn limit(body: &mut Object<'_>, limit: TokenLimit) {
    for name in ["max_tokens", "max_completion_tokens"] {
        if body.get(name).is_some_and(|raw| raw == b"0") {
            body.remove(name);
        }
    }
    let (from, to) = match limit {
        TokenLimit::AsSent => return,
        TokenLimit::MaxTokens => ("max_completion_tokens", "max_tokens"),
        TokenLimit::MaxCompletionTokens => ("max_tokens", "max_completion_tokens"),
    };
    if body.get(to).is_some_and(|raw| !json::is_null(raw)) {
        body.remove(from);
    } else {
        body.remove(to);
        body.rename(from, to);
    }
}

/// Sampling settings that reasoning models refuse, temperatures out of range, several choices.
fn sampling(body: &mut Object<'_>, quirks: &Quirks, target: &Target) {
    if quirks::follows_openai_reasoning(target) {
        let off = body.get("reasoning_effort") == Some(b"\"none\"");
        if !(off && quirks::samples_without_effort(target)) {
            for name in quirks::SAMPLING {
                body.remove(name);
            }
        }
    }
    if quirks.temperature_to_one && body.get("temperature").is_some_and(is_above_one) {
        body.set("temperature", &b"1"[..]);
    }
    if quirks.single_choice && body.get("n").is_some_and(|raw| raw != b"1") {
        body.remove("n");
    }
}

fn is_above_one(raw: &[u8]) -> bool {
    std::str::from_utf8(raw).ok().and_then(|text| text.parse::<f64>().ok()).is_some_and(|n| n > 1.0)
}

/// Takes the mark on the request as a whole; it stays where the provider has automatic breakpoints, and
/// else they are placed here (clients §0.6, gateway-api §4.5).
fn take_mark(body: &mut Object<'_>, quirks: &Quirks) -> Option<Vec<u8>> {
    if quirks.cache_mark_of_request {
        return None;
    }
    let mark = body.remove("cache_control")?;
    (quirks.cache_marks && mark.first() == Some(&b'{')).then(|| mark.into_owned())
}

#[cfg(test)]
mod tests;
