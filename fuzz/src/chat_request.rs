//! A client's request: read, or refused with a reason that names its place.

use bytes::Bytes;
use tollgate_dialects::chat_completions::Request;
use tollgate_domain::conversation::Conversation;
use tollgate_domain::input_error::{InputError, InputErrorKind};
use tollgate_wire::json;

use crate::shown;

/// Any body.
pub fn check(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    match Request::parse(&body) {
        Ok(request) => {
            assert_eq!(json::validate(&body), Ok(()), "taken: {}", shown(&body));
            assert!(!request.head.model.trim().is_empty());
            assert_ne!(request.head.max_tokens, Some(0), "0 means absent");
            assert_eq!(request.checked.text(), body, "the body is kept as it came");
            let _ = conversation(&request);
        }
        Err(error) => {
            assert!(!error.message.trim().is_empty());
            let malformed = error.kind == InputErrorKind::Malformed;
            assert_eq!(malformed, json::validate(&body).is_err(), "{error}: {}", shown(&body));
            assert_eq!(error.status(), 400, "{error}");
            let is_object = body.trim_ascii_start().first() == Some(&b'{');
            assert!(malformed || !is_object || named(&error), "no path: {error:?}");
        }
    }
}

/// The neutral form; a refusal names the path of what is wrong.
pub fn conversation(request: &Request) -> Option<Conversation> {
    match request.conversation() {
        Ok(conversation) => {
            assert!(!conversation.messages.is_empty(), "no messages");
            Some(conversation)
        }
        Err(error) => {
            assert!(named(&error) && !error.message.trim().is_empty(), "no path: {error:?}");
            assert_eq!(error.status(), 400, "{error}");
            None
        }
    }
}

fn named(error: &InputError) -> bool {
    error.param.as_deref().is_some_and(|path| !path.is_empty())
}
