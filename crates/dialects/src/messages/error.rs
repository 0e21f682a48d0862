//! Anthropic's error envelope (gateway-api §6.2). Its clients choose their error class by status and `type`,
//! and recognise an overflown context by the text of `message` (clients §3), which is never reworded.

use tollgate_domain::receipt::Routing;
use tollgate_domain::{Failure, GenerationId};
use tollgate_wire::json::write_string;
use tollgate_wire::sse;

use crate::metadata::{self, write_plain};
use crate::openai_error::{self, OpenAiError};

/// The body of an error: Anthropic's type, the message word for word, the request's id when it has one, and
/// what was tried when something was.
#[must_use]
pub fn error_body(
    error: &OpenAiError,
    generation: Option<GenerationId>,
    routing: Option<&Routing>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + error.message.len());
    out.extend_from_slice(b"{\"type\":\"error\",\"error\":{\"type\":");
    write_string(&mut out, kind(error));
    out.extend_from_slice(b",\"message\":");
    write_string(&mut out, &error.message);
    out.push(b'}');
    if let Some(id) = generation {
        out.extend_from_slice(b",\"request_id\":\"");
        write_plain(&mut out, id);
        out.push(b'"');
    }
    if let Some(routing) = routing.filter(|r| !r.attempts.is_empty()) {
        out.extend_from_slice(b",\"providerMetadata\":{\"gateway\":");
        out.extend_from_slice(&metadata::failed(routing, generation));
        out.push(b'}');
    }
    out.push(b'}');
    out
}

/// Anthropic's types by status (providers §4 "Errors"); a part of the gateway that is away is to its clients
/// the same as an overloaded provider, and may be tried again.
fn kind(error: &OpenAiError) -> &'static str {
    match error.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        // What the request relies on has failed: nothing is wrong with the request itself.
        424 => "api_error",
        400..=499 => "invalid_request_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        _ if error.code.as_deref() == Some("overloaded") => "overloaded_error",
        _ => "api_error",
    }
}

/// `event: error` with the same object.
pub(super) fn write_failure(failure: &Failure, generation: GenerationId, out: &mut Vec<u8>) {
    let error = openai_error::from_failure(failure);
    sse::write_event(out, "error", &error_body(&error, Some(generation), None));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tollgate_domain::failure::FailureClass;
    use tollgate_domain::id::Ulid;
    use tollgate_domain::receipt::{AttemptRecord, CredentialKind};
    use tollgate_domain::{InputError, ModelId};

    use super::*;

    fn value(error: &OpenAiError) -> Value {
        serde_json::from_slice(&error_body(error, Some(GenerationId(Ulid::from_parts(1, 1))), None)).unwrap()
    }

    #[test]
    fn the_table_of_statuses() {
        for (status, kind) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "billing_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (422, "invalid_request_error"),
            (424, "api_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (502, "api_error"),
            (503, "overloaded_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ] {
            let body = value(&OpenAiError::new(status, "internal_server_error", "said \"so\"\n"));
            assert_eq!(
                body,
                json!({
                    "type": "error",
                    "error": {"type": kind, "message": "said \"so\"\n"},
                    "request_id": "gen_00000000010000000000000001",
                }),
                "{status}"
            );
        }
    }

    #[test]
    fn the_table_of_classes() {
        use FailureClass as C;
        for (class, kind) in [
            (C::InvalidRequest, "invalid_request_error"),
            (C::ContextLength, "invalid_request_error"),
            (C::ContentFilter, "invalid_request_error"),
            (C::Auth, "api_error"),
            (C::Billing, "api_error"),
            (C::Permission, "api_error"),
            (C::NotFound, "not_found_error"),
            (C::RequestTooLarge, "request_too_large"),
            (C::RateLimit, "rate_limit_error"),
            (C::Overloaded, "overloaded_error"),
            (C::Server, "api_error"),
            (C::Timeout, "timeout_error"),
            (C::Truncated, "api_error"),
        ] {
            let sentence = "prompt is too long: 210000 tokens > 200000 maximum";
            let body = value(&openai_error::from_failure(&Failure::provider(class, sentence)));
            assert_eq!(
                (&body["error"]["type"], &body["error"]["message"]),
                (&json!(kind), &json!(sentence)),
                "{class:?}"
            );
        }
    }

    #[test]
    fn the_gateways_own_errors() {
        for (error, kind) in [
            (OpenAiError::authentication("no key"), "authentication_error"),
            (OpenAiError::budget_exceeded("Team budget exceeded."), "billing_error"),
            (OpenAiError::insufficient_funds("no credits"), "billing_error"),
            (OpenAiError::forbidden("denied"), "permission_error"),
            (OpenAiError::model_not_found("a/b", "no model"), "not_found_error"),
            (OpenAiError::too_large("too large"), "request_too_large"),
            (OpenAiError::rate_limited("slow down"), "rate_limit_error"),
            (OpenAiError::unavailable("away"), "overloaded_error"),
            (OpenAiError::internal("a fault"), "api_error"),
            (
                openai_error::from_input_error(&InputError::missing("max_tokens", "a number")),
                "invalid_request_error",
            ),
        ] {
            assert_eq!(value(&error)["error"]["type"], kind, "{error:?}");
        }
    }

    #[test]
    fn attempts_are_told() {
        let mut routing = Routing {
            original_model: ModelId::new("a/b"),
            canonical_model: ModelId::new("a/b"),
            resolved_provider: "p".into(),
            resolved_provider_model: "m".into(),
            fallbacks: Vec::new(),
            reasoning: String::new(),
            final_provider: "p".into(),
            attempts: Vec::new(),
        };
        let error = OpenAiError::unavailable("away");
        let body = |routing: &Routing| -> Value {
            serde_json::from_slice(&error_body(&error, None, Some(routing))).unwrap()
        };
        assert_eq!(body(&routing).get("providerMetadata"), None);
        routing.attempts.push(AttemptRecord {
            provider: "p".into(),
            provider_model: "m".into(),
            credential: CredentialKind::System,
            success: false,
            start_nanos: 0,
            end_nanos: 1,
            status: Some(529),
            error: Some("Overloaded".into()),
            response_id: None,
            request_id: None,
        });
        let tried = body(&routing);
        assert_eq!(tried["providerMetadata"]["gateway"]["routing"]["attempts"][0]["error"], "Overloaded");
        assert_eq!(tried.get("request_id"), None);
    }
}
