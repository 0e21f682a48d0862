//! The neutral conversation, written for both protocols: always JSON, or a refusal in words.

use bytes::Bytes;
use tollgate_dialects::chat_completions::Request;
use tollgate_domain::InputError;
use tollgate_providers::{anthropic, openai};
use tollgate_wire::json::{self, Object};

use crate::{chat_request, endpoints, shown};

/// Any body that is a request.
pub fn check(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let Ok(request) = Request::parse(&body) else { return };
    let Some(conversation) = chat_request::conversation(&request) else { return };
    for target in endpoints::all() {
        let encoded = openai::chat::encode(&conversation, &target, request.head.stream);
        check_body(encoded.as_deref(), &target.model);
    }
    for target in [endpoints::anthropic(false), endpoints::anthropic(true)] {
        let encoded = anthropic::messages::encode(&conversation, &target, request.head.stream);
        check_body(encoded.as_ref().map(|e| &*e.body), &target.model);
        if let Ok(encoded) = &encoded {
            let written = Object::parse(&encoded.body).expect("an object");
            let limit = written.get("max_tokens").and_then(json::unsigned);
            assert!(limit.is_some_and(|n| n > 0), "max_tokens is required: {limit:?}");
            assert!(encoded.betas.iter().all(|beta| !beta.is_empty()));
            assert!(encoded.json_tool.as_ref().is_none_or(|_| written.has("tools")));
        }
    }
}

fn check_body(encoded: Result<&[u8], &InputError>, model: &str) {
    match encoded {
        Ok(body) => {
            assert_eq!(json::validate(body), Ok(()), "{}", shown(body));
            let written = Object::parse(body).expect("an object");
            assert_eq!(written.get("model").and_then(json::string).as_deref(), Some(model));
            let messages = written.get("messages").map(json::elements);
            assert!(matches!(messages, Some(Ok(_))), "messages is no list: {}", shown(body));
        }
        Err(error) => {
            assert!(!error.message.trim().is_empty());
            assert_eq!(error.status(), 400, "{error}");
        }
    }
}
