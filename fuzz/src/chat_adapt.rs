//! A client's body, spliced for each provider: always JSON, always for the endpoint's model, and what the
//! gateway does not own stays as it was written (I17).

use bytes::Bytes;
use tollgate_dialects::chat_completions::Request;
use tollgate_providers::Target;
use tollgate_providers::openai::chat::adapt;
use tollgate_wire::json::{self, Object};

use crate::{endpoints, shown};

/// Any body that is a request.
pub fn check(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let Ok(request) = Request::parse(&body) else { return };
    for target in endpoints::all() {
        match adapt(&body, &target, request.head.stream) {
            Ok(adapted) => check_adapted(&body, &adapted, &target, request.head.stream),
            Err(error) => {
                assert!(!error.message.trim().is_empty(), "{}", target.provider);
                assert!((400..500).contains(&error.status()), "{}: {error}", target.provider);
            }
        }
    }
}

fn check_adapted(body: &[u8], adapted: &[u8], target: &Target, stream: bool) {
    let provider = &target.provider;
    assert_eq!(json::validate(adapted), Ok(()), "{provider}: {}", shown(adapted));
    let written = Object::parse(adapted).expect("an object");
    let model = written.get("model").and_then(json::string);
    assert_eq!(model.as_deref(), Some(&*target.model), "{provider}");
    let streams = written.get("stream").is_some_and(|raw| raw == b"true");
    assert_eq!(streams, stream, "{provider}: stream");
    assert!(!written.has("providerOptions"), "{provider}: the gateway's options went out");

    // Options of a provider may set any member.
    let sent = Object::parse(body).expect("a parsed request");
    if sent.has("providerOptions") {
        return;
    }
    for (name, _) in sent.members().filter(|(name, _)| name.starts_with("x_")) {
        assert_eq!(written.get(&name), sent.get(&name), "{provider}: {name} was touched");
    }
    let messages = written.get("messages").map(json::elements);
    assert!(matches!(messages, Some(Ok(_))), "{provider}: messages is no list: {}", shown(adapted));
}
