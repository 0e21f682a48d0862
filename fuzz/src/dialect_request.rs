//! A client's request in any dialect but chat completions: read, or refused with a reason that names its place;
//! and written for every protocol of a provider: always JSON, or a refusal in words.

use bytes::Bytes;
use tollgate_dialects::ai_sdk::{LanguageRequest, Version};
use tollgate_dialects::{ConversationRequest, messages, responses};
use tollgate_domain::conversation::Conversation;
use tollgate_domain::input_error::{InputError, InputErrorKind};
use tollgate_providers::{Target, anthropic, gemini, openai};
use tollgate_wire::json::{self, Object};

use crate::{endpoints, shown};

/// A byte that names the dialect, one for the endpoint, then the body.
pub fn check(data: &[u8]) {
    let [what, endpoint, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    let endpoint = usize::from(*endpoint);
    match what % 8 {
        0 => language(&body, messages::Request::parse(&body), endpoint),
        1 => language(&body, responses::Request::parse(&body), endpoint),
        2 => language(&body, LanguageRequest::parse(Version::V2, "a/b", false, &body), endpoint),
        3 => language(&body, LanguageRequest::parse(Version::V3, "a/b", true, &body), endpoint),
        4 => language(&body, LanguageRequest::parse(Version::V4, "a/b", true, &body), endpoint),
        5 => count_tokens(&body),
        6 => compact(&body),
        _ => frame(&body),
    }
}

fn language<R: ConversationRequest>(body: &Bytes, request: Result<R, InputError>, endpoint: usize) {
    let request = match request {
        Ok(request) => request,
        Err(error) => return check_refusal(body, &error),
    };
    assert_eq!(json::validate(body), Ok(()), "taken: {}", shown(body));
    assert_eq!(request.checked().text(), body, "the body is kept as it came");
    assert!(!request.head().model.trim().is_empty());
    assert_ne!(request.head().max_tokens, Some(0), "0 means absent");
    match request.conversation() {
        Ok(conversation) => encode(&conversation, endpoint),
        Err(error) => check_refusal(body, &error),
    }
}

fn count_tokens(body: &Bytes) {
    match messages::CountTokens::parse(body) {
        Ok(request) => match request.conversation() {
            Ok(conversation) => {
                assert!(messages::CountTokens::estimate(&conversation) > 0);
                for number in 0..endpoints::GEMINI_COUNT {
                    let target = endpoints::gemini(number);
                    check_body(gemini::count_tokens(&conversation, &target).as_deref(), None, None);
                }
            }
            Err(error) => check_refusal(body, &error),
        },
        Err(error) => check_refusal(body, &error),
    }
}

fn compact(body: &Bytes) {
    match responses::CompactRequest::parse(body) {
        Ok(request) => {
            assert!(!request.head.model.trim().is_empty() && !request.head.stream);
            assert_eq!(request.checked.text(), body);
        }
        Err(error) => check_refusal(body, &error),
    }
}

/// A frame of a WebSocket is a body with one member more.
fn frame(body: &Bytes) {
    let Ok(text) = std::str::from_utf8(body) else { return };
    match responses::websocket::read_frame(text) {
        Ok(read) => {
            let (sent, read) =
                (Object::parse(body).expect("taken"), Object::parse(&read).expect("an object"));
            assert!(!read.has("type") && read.get("stream") == Some(b"true"));
            for (name, _) in sent.members().filter(|(name, _)| !matches!(&**name, "type" | "stream")) {
                assert_eq!(read.get(&name), sent.get(&name), "{name} was touched");
            }
        }
        Err(error) => check_refusal(body, &error),
    }
}

/// A refusal is `Malformed` exactly for what is no JSON, and names a path otherwise.
pub fn check_refusal(body: &[u8], error: &InputError) {
    assert!(!error.message.trim().is_empty());
    let malformed = error.kind == InputErrorKind::Malformed;
    assert_eq!(malformed, json::validate(body).is_err(), "{error}: {}", shown(body));
    assert!((400..500).contains(&error.status()), "{error}");
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    let named = error.param.as_deref().is_some_and(|path| !path.is_empty());
    assert!(malformed || !is_object || named, "no path: {error:?}");
}

/// Writes a conversation for an endpoint of each protocol.
pub fn encode(conversation: &Conversation, endpoint: usize) {
    let stream = endpoint.is_multiple_of(2);
    let target = endpoints::endpoint(endpoint);
    let encoded = openai::chat::encode(conversation, &target, stream);
    check_body(encoded.as_deref(), Some(&target), Some("messages"));

    let target = endpoints::anthropic(stream);
    let encoded = anthropic::messages::encode(conversation, &target, stream);
    check_body(encoded.as_ref().map(|e| &*e.body), Some(&target), Some("messages"));

    let target = endpoints::gemini(endpoint);
    let encoded = gemini::generate::encode(conversation, &target, stream);
    // The model stands in the address.
    check_body(encoded.as_ref().map(|e| &*e.body), None, Some("contents"));
    let path = gemini::generate::path(&target, stream);
    assert!(path.starts_with('/') && path.contains(&target.model), "{path}");

    let target = endpoints::responses(endpoint);
    let encoded = openai::responses::encode(conversation, &target, stream);
    check_body(encoded.as_ref().map(|e| &*e.body), Some(&target), Some("input"));
}

/// JSON for the endpoint's model with a list of messages, or a refusal in words.
fn check_body(encoded: Result<&[u8], &InputError>, target: Option<&Target>, list: Option<&str>) {
    match encoded {
        Ok(body) => {
            assert_eq!(json::validate(body), Ok(()), "{}", shown(body));
            let written = Object::parse(body).expect("an object");
            if let Some(target) = target {
                let model = written.get("model").and_then(json::string);
                assert_eq!(model.as_deref(), Some(&*target.model), "{}", target.provider);
            }
            if let Some(list) = list {
                let messages = written.get(list).map(json::elements);
                assert!(matches!(messages, Some(Ok(_))), "{list} is no list: {}", shown(body));
            }
        }
        Err(error) => {
            assert!(!error.message.trim().is_empty());
            assert_eq!(error.status(), 400, "{error}");
        }
    }
}
