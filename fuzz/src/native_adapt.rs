//! A client's Messages or Responses body, spliced for a provider of the same protocol: always JSON, always for
//! the endpoint's model, and what the gateway does not own stays byte for byte and in order (I17).

use std::collections::BTreeSet;

use bytes::Bytes;
use tollgate_dialects::{messages, responses};
use tollgate_providers::{Target, anthropic, openai};
use tollgate_wire::json::{self, Object};

use crate::{endpoints, shown};

/// Members of a Messages body that the gateway may change.
const OF_MESSAGES: [&str; 8] =
    ["model", "stream", "providerOptions", "caching", "messages", "system", "thinking", "context_management"];
/// Members that counting does not take.
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
/// Members of a Responses body that the gateway may change.
const OF_RESPONSES: [&str; 9] = [
    "model",
    "stream",
    "stream_options",
    "providerOptions",
    "caching",
    "cache_anchor_items",
    "cache_ttl",
    "input",
    "previous_response_id",
];

/// A byte that names the protocol (bit 0: Responses) and how it is asked, one for the endpoint, then a body.
pub fn check(data: &[u8]) {
    let [what, endpoint, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    if what % 2 == 0 {
        messages(&body, &endpoints::anthropic(endpoint % 2 == 0));
    } else {
        let previous = (what & 2 != 0).then_some("resp_before");
        responses(&body, &endpoints::responses(usize::from(*endpoint)), previous);
    }
}

fn messages(body: &Bytes, target: &Target) {
    let Ok(request) = messages::Request::parse(body) else { return };
    let stream = request.head.stream;
    let adapted = anthropic::messages::adapt(body, target, stream).expect("a checked body");
    check_adapted(body, &adapted, target, &OF_MESSAGES);
    let (sent, written) = (object(body), object(&adapted));
    assert!(!written.has("caching"), "the gateway's option went out");
    if written.get("stream") != sent.get("stream") || stream {
        assert_eq!(written.get("stream").is_some_and(|raw| raw == b"true"), stream, "stream");
    }
    let holds = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
    let looked_into = ["\"tgs1.", "\"encrypted_index\"", "\"caching\"", "\"providerOptions\"", "\\u"];
    if !looked_into.iter().any(|word| holds(word.as_bytes())) {
        for name in ["messages", "system", "thinking", "context_management"] {
            assert_eq!(written.get(name), sent.get(name), "{name} was touched");
        }
    }
    let counted = anthropic::messages::adapt_count(body, target).expect("a checked body");
    assert_eq!(json::validate(&counted), Ok(()), "{}", shown(&counted));
    assert!(NOT_COUNTED.iter().all(|name| !object(&counted).has(name)), "{}", shown(&counted));
    let betas = anthropic::messages::option_betas(&request.checked, target);
    assert!(betas.iter().all(|beta| !beta.trim().is_empty()), "{betas:?}");
}

fn responses(body: &Bytes, target: &Target, previous: Option<&str>) {
    let Ok(request) = responses::Request::parse(body) else { return };
    let adapted =
        openai::responses::adapt(body, target, request.head.stream, previous).expect("a checked body");
    let quirks = openai::responses::Quirks::for_target(target);
    let owned: Vec<&str> = OF_RESPONSES.iter().chain(quirks.drop).copied().collect();
    check_adapted(body, &adapted, target, &owned);
    let (sent, written) = (object(body), object(&adapted));
    assert!(!["caching", "cache_anchor_items", "cache_ttl"].iter().any(|name| written.has(name)));
    let streams = written.get("stream").is_some_and(|raw| raw == b"true");
    assert!(streams == request.head.stream || sent.has("providerOptions"), "stream");
    if let Some(previous) = previous.filter(|_| !sent.has("providerOptions")) {
        let told = written.get("previous_response_id").and_then(json::string);
        assert_eq!(told.as_deref(), Some(previous));
    }
    let compact = openai::responses::adapt_compact(body, target).expect("a checked body");
    check_adapted(body, &compact, target, &OF_RESPONSES);
}

fn object(body: &[u8]) -> Object<'_> {
    Object::parse(body).expect("an object")
}

/// All that the gateway does not own is there, as it was and in its order.
fn check_adapted(body: &[u8], adapted: &[u8], target: &Target, owned: &[&str]) {
    let provider = &target.provider;
    assert_eq!(json::validate(adapted), Ok(()), "{provider}: {}", shown(adapted));
    let (sent, written) = (object(body), object(adapted));
    assert!(!written.has("providerOptions"), "{provider}: the gateway's options went out");
    // Options of a provider may set any member.
    if sent.has("providerOptions") {
        return;
    }
    let model = written.get("model").and_then(json::string);
    assert_eq!(model.as_deref(), Some(&*target.model), "{provider}");
    let names: Vec<_> = sent.members().map(|(name, _)| name).collect();
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        // Of members of one name there is no right order.
        return;
    }
    let kept = |object: &Object<'_>| -> Vec<(String, Vec<u8>)> {
        let members = object.members().filter(|(name, _)| !owned.contains(&&**name));
        members.map(|(name, raw)| (name.into_owned(), raw.to_vec())).collect()
    };
    assert_eq!(kept(&written), kept(&sent), "{provider}");
}
