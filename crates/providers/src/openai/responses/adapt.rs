//! A client's own Responses body, spliced for a provider of the same protocol (I17): only members that the
//! gateway owns, or that the provider is known not to take, change; all others stay byte for byte and in
//! order. Items of the input are looked into only when a search finds something there that has to change.

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::id::Ulid;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_wire::json::{self, Checked, JsonError, Object};

use super::super::chat;
use super::options::Options;
use super::quirks::Quirks;
use super::text;
use crate::Target;

/// Members that are between the gateway and its clients only (gateway-api §4, §7.2).
const GATEWAY_ONLY: [&str; 4] = ["providerOptions", "caching", "cache_anchor_items", "cache_ttl"];
/// The longest safety identifier (gateway-api §4.1).
const SAFETY_IDENTIFIER_CHARS: usize = 64;
/// How reasoning state of another family begins that a client carried for the gateway (I19).
const CARRIED: &str = "tgs1.";
/// How the id of a reasoning item begins. What follows in an id that the gateway made is the answer's own id
/// and a number, which no provider's id looks like.
const REASONING_ID: &str = "rs_";
const ANSWER_ID_CHARS: usize = 26;

/// Writes a client's Responses body for an endpoint. `previous` replaces the client's
/// `previous_response_id`; without it the client's own stays.
///
/// # Errors
/// When the body is no JSON object.
pub fn adapt(
    client_body: &[u8],
    target: &Target,
    stream: bool,
    previous: Option<&str>,
) -> Result<Vec<u8>, InputError> {
    let checked = Checked::new(client_body).map_err(|error| malformed(client_body, &error))?;
    adapt_checked(&checked, target, stream, previous)
}

/// The same for a body that has been checked, whose text is then not walked through again.
///
/// # Errors
/// None so far: every checked body can be written.
pub fn adapt_checked<T: AsRef<[u8]>>(
    client_body: &Checked<T>,
    target: &Target,
    stream: bool,
    previous: Option<&str>,
) -> Result<Vec<u8>, InputError> {
    let quirks = Quirks::for_target(target);
    let mut body = client_body.object();
    body.set_string("model", &target.model);
    set_stream(&mut body, stream);
    let options = body.get("providerOptions").and_then(|raw| serde_json::from_slice::<Value>(raw).ok());
    take_gateway_members(&mut body, quirks.cache_marks);
    if let Some(previous) = previous {
        body.set_string("previous_response_id", previous);
    }
    for member in quirks.drop {
        body.remove(member);
    }
    if let Some(namespaces) = options {
        set_wishes(&mut body, &namespaces["gateway"], &quirks, target);
        let options = Options::of(|namespace| namespaces.get(namespace), &quirks);
        let edits = options.edits(|key| serde_json::from_slice(body.get(key)?).ok());
        for (member, value) in edits {
            body.set(&member, value.to_string().into_bytes());
        }
    }
    Ok(body.to_vec())
}

/// What the client wants of the gateway and the protocol has a member for (gateway-api §4.1). The body's own
/// members win.
fn set_wishes(body: &mut Object<'_>, gateway: &Value, quirks: &Quirks, target: &Target) {
    let absent = |body: &Object<'_>, name: &str| body.get(name).is_none_or(json::is_null);
    let tier = match gateway["serviceTier"].as_str() {
        Some("flex") => Some("flex"),
        Some("priority" | "fast") => Some("priority"),
        _ => None,
    };
    let known = |tier: &&str| quirks.openai_members && chat::knows_tier(target, tier);
    if let Some(tier) = tier.filter(known).filter(|_| absent(body, "service_tier")) {
        body.set_string("service_tier", tier);
    }
    let identifier = gateway["safetyIdentifier"].as_str().filter(|text| !text.is_empty());
    let named = ["safety_identifier", "user"].iter().any(|name| !absent(body, name));
    if let (Some(identifier), Some(member), false) = (identifier, quirks.user, named) {
        let cut: String = identifier.chars().take(SAFETY_IDENTIFIER_CHARS).collect();
        body.set_string(member, &cut);
    }
}

/// Writes a client's body of `POST /responses/compact` for an endpoint: only the model changes, and what is
/// between the gateway and its clients goes (gateway-api §7.2).
///
/// # Errors
/// When the body is no JSON object.
pub fn adapt_compact(client_body: &[u8], target: &Target) -> Result<Vec<u8>, InputError> {
    let mut body = Object::parse(client_body).map_err(|error| malformed(client_body, &error))?;
    body.set_string("model", &target.model);
    take_gateway_members(&mut body, false);
    Ok(body.to_vec())
}

fn malformed(text: &[u8], error: &JsonError) -> InputError {
    let (line, column) = error.line_and_column(text);
    InputError {
        kind: InputErrorKind::Malformed,
        message: format!(
            "The request body is not a JSON object: {} at line {line}, column {column}. Send a Responses request as JSON.",
            error.what
        ),
        param: None,
        code: Some("invalid_json"),
    }
}

fn set_stream(body: &mut Object<'_>, stream: bool) {
    if stream && body.get("stream") != Some(b"true") {
        body.set("stream", &b"true"[..]);
    }
    if !stream && body.get("stream").is_some_and(|raw| raw != b"false") {
        body.set("stream", &b"false"[..]);
        // Taken with a stream only.
        body.remove("stream_options");
    }
}

/// Takes out what the provider must not see, at the top and in the input.
fn take_gateway_members(body: &mut Object<'_>, keeps_marks: bool) {
    for member in GATEWAY_ONLY {
        body.remove(member);
    }
    let members: &[&str] =
        if keeps_marks { &["providerOptions"] } else { &["providerOptions", "cache_control"] };
    let Some(raw) = body.get_borrowed("input") else { return };
    let found = |word: &str| memchr::memmem::find(raw, word.as_bytes()).is_some();
    if !found(CARRIED) && !names_foreign_reasoning(raw) && !members.iter().any(|member| found(member)) {
        return;
    }
    if let Some(input) = edit(raw, |item| clean_item(item, members)) {
        body.set("input", input);
    }
}

/// What becomes of an element.
enum Edit {
    Keep,
    Replace(Vec<u8>),
    Remove,
}

/// Whether the id of an item that the gateway made for another family's reasoning stands somewhere.
fn names_foreign_reasoning(raw: &[u8]) -> bool {
    memchr::memmem::find_iter(raw, REASONING_ID.as_bytes())
        .any(|at| raw.get(at..).and_then(|id| id.split(|b| *b == b'"').next()).is_some_and(is_own_id))
}

/// `rs_<answer>_<number>`.
fn is_own_id(id: &[u8]) -> bool {
    let Some(rest) = id.strip_prefix(REASONING_ID.as_bytes()) else { return false };
    let Some((answer, number)) = rest.split_at_checked(ANSWER_ID_CHARS) else { return false };
    std::str::from_utf8(answer).is_ok_and(|text| Ulid::parse(text).is_some())
        && number.strip_prefix(b"_").is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit))
}

/// Whether an item is reasoning of another family: its state is wrapped, or it has none and an id of the
/// gateway's, under which the provider would look for an item that it never had (I19).
fn is_foreign_reasoning(item: &Object<'_>) -> bool {
    if item.get("type") != Some(b"\"reasoning\"") {
        return false;
    }
    match text(item, "encrypted_content") {
        Some(state) => state.starts_with(CARRIED),
        None => text(item, "id").is_some_and(|id| is_own_id(id.as_bytes())),
    }
}

fn clean_item(raw: &[u8], members: &[&str]) -> Edit {
    let Ok(mut item) = Object::parse_checked(raw) else { return Edit::Keep };
    if is_foreign_reasoning(&item) {
        return Edit::Remove;
    }
    let mut changed = remove(&mut item, members);
    for list in ["content", "output"] {
        let parts = item.get_borrowed(list).filter(|raw| raw.first() == Some(&b'['));
        if let Some(parts) = parts.and_then(|raw| edit(raw, |part| clean_part(part, members))) {
            item.set(list, parts);
            changed = true;
        }
    }
    if changed { Edit::Replace(item.to_vec()) } else { Edit::Keep }
}

fn clean_part(raw: &[u8], members: &[&str]) -> Edit {
    let Ok(mut part) = Object::parse_checked(raw) else { return Edit::Keep };
    if remove(&mut part, members) { Edit::Replace(part.to_vec()) } else { Edit::Keep }
}

fn remove(object: &mut Object<'_>, members: &[&str]) -> bool {
    members.iter().filter(|member| object.remove(member).is_some()).count() > 0
}

/// Edits an array element by element; `None` when nothing changed. Untouched elements keep their bytes.
fn edit(raw: &[u8], mut each: impl FnMut(&[u8]) -> Edit) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(raw.len());
    out.push(b'[');
    let mut changed = false;
    for element in json::elements(raw).ok()? {
        let replaced;
        let kept = match each(element) {
            Edit::Keep => element,
            Edit::Replace(text) => {
                changed = true;
                replaced = text;
                &replaced
            }
            Edit::Remove => {
                changed = true;
                continue;
            }
        };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(kept);
    }
    out.push(b']');
    changed.then_some(out)
}

#[cfg(test)]
mod tests;
