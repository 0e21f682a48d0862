//! The OpenAI-style error envelope (gateway-api §6.1): chat, Responses, embeddings, the helper routes and
//! the AI SDK protocol. Clients choose their error class by status and `type`, and recognise an overflown
//! context by the text of `message` (clients §3), so a provider's sentence is never reworded.

use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::receipt::Routing;
use tollgate_domain::{Failure, GenerationId, InputError};
use tollgate_wire::json::write_string;

use crate::metadata;

const INVALID_REQUEST: &str = "invalid_request_error";
const MODEL_NOT_FOUND: &str = "model_not_found";
const INTERNAL: &str = "internal_server_error";

/// The type of a request that no provider is left for (gateway-api §6.4).
pub const NO_PROVIDERS: &str = "no_providers_available";

/// One error as an OpenAI client is told.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenAiError {
    /// The HTTP status.
    pub status: u16,
    /// What happened, what was expected, what to do next; or the provider's own sentence.
    pub message: String,
    /// The member `type`, one of the table in gateway-api §6.1.
    pub kind: &'static str,
    /// The member `param`: a JSON path, or an object such as `{"modelId": …}`.
    pub param: Option<Value>,
    /// The member `code`.
    pub code: Option<String>,
}

impl OpenAiError {
    /// An error without `param` and `code`.
    #[must_use]
    pub fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, param: None, code: None }
    }

    /// With a machine-readable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With a `param`.
    #[must_use]
    pub fn with_param(mut self, param: Value) -> Self {
        self.param = Some(param);
        self
    }

    /// With `param: {modelId}` when the error is that the model does not exist; else unchanged.
    #[must_use]
    pub fn with_model(self, model: &str) -> Self {
        if self.kind == MODEL_NOT_FOUND { self.with_param(json!({ "modelId": model })) } else { self }
    }

    /// 401: the caller's credential is missing, unknown, expired or revoked.
    #[must_use]
    pub fn authentication(message: impl Into<String>) -> Self {
        Self::new(401, "authentication_error", message)
    }

    /// 402: a budget is used up. The message names scope, spend, limit and reset (I13).
    #[must_use]
    pub fn budget_exceeded(message: impl Into<String>) -> Self {
        Self::new(402, "quota_for_entity_exceeded", message)
    }

    /// 402: the team has no credits.
    #[must_use]
    pub fn insufficient_funds(message: impl Into<String>) -> Self {
        Self::new(402, "insufficient_funds", message)
    }

    /// 403: a rule or the credential's own limits forbid it.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "forbidden", message)
    }

    /// 404: no route with this path.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "not_found_error", message)
    }

    /// 404: no model with this id.
    #[must_use]
    pub fn model_not_found(model: &str, message: impl Into<String>) -> Self {
        Self::new(404, MODEL_NOT_FOUND, message).with_code(MODEL_NOT_FOUND).with_model(model)
    }

    /// 413: the body is larger than the limit.
    #[must_use]
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, INVALID_REQUEST, message).with_code("request_too_large")
    }

    /// 429: one of the gateway's own limits.
    #[must_use]
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(429, "rate_limit_exceeded", message).with_code("rate_limit_exceeded")
    }

    /// 500: a fault of the gateway itself.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, INTERNAL, message)
    }

    /// 503: no provider is available, or a part of the gateway is away (I25).
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, INTERNAL, message)
    }
}

/// A request that cannot be served as it is. Of `ModelNotFound`, `param` holds the model's id and becomes
/// `{modelId}`; of the others it is the JSON path.
#[must_use]
pub fn from_input_error(error: &InputError) -> OpenAiError {
    let model = error.kind == InputErrorKind::ModelNotFound;
    let kind = if model { MODEL_NOT_FOUND } else { INVALID_REQUEST };
    let param = error.param.as_ref().map(|p| if model { json!({ "modelId": p }) } else { json!(p) });
    OpenAiError {
        status: error.status(),
        message: error.message.clone(),
        kind,
        param,
        code: error.code.map(str::to_owned),
    }
}

/// A failure of a provider or of the gateway. The status follows the class, never the provider's status;
/// a provider that refuses the gateway's own credential is a failed dependency, not the client's 401
/// (gateway-api §6.1).
#[must_use]
pub fn from_failure(failure: &Failure) -> OpenAiError {
    let class = failure.class;
    let own = |fallback: &str| Some(failure.code.clone().unwrap_or_else(|| fallback.to_owned()));
    let (kind, code) = match class {
        FailureClass::InvalidRequest => (INVALID_REQUEST, failure.code.clone()),
        // Every agent looks for this code; the provider's own word would hide the overflow (clients §3).
        FailureClass::ContextLength => (INVALID_REQUEST, Some("context_length_exceeded".to_owned())),
        // Found by its words, a filter's code may be no more than the general type.
        FailureClass::ContentFilter if failure.code.as_deref() == Some(INVALID_REQUEST) => {
            (INVALID_REQUEST, Some("content_filter".to_owned()))
        }
        FailureClass::ContentFilter => (INVALID_REQUEST, own("content_filter")),
        FailureClass::RequestTooLarge => (INVALID_REQUEST, own("request_too_large")),
        // The provider's code (`invalid_api_key`, `insufficient_quota`) speaks of the operator's account.
        FailureClass::Auth | FailureClass::Billing | FailureClass::Permission => {
            ("failed_dependency", Some(format!("provider_{}", class.as_str())))
        }
        FailureClass::NotFound => (MODEL_NOT_FOUND, own(MODEL_NOT_FOUND)),
        FailureClass::RateLimit => ("rate_limit_exceeded", own("rate_limit_exceeded")),
        FailureClass::Overloaded
        | FailureClass::Server
        | FailureClass::Timeout
        | FailureClass::Truncated
        | FailureClass::ClientClosed => (INTERNAL, own(class.as_str())),
    };
    OpenAiError { status: class.client_status(), message: failure.message.clone(), kind, param: None, code }
}

/// The body: the error, the request's id when it has one, and what was tried when something was.
#[must_use]
pub fn error_body(
    error: &OpenAiError,
    generation: Option<GenerationId>,
    routing: Option<&Routing>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + error.message.len());
    out.extend_from_slice(b"{\"error\":{\"message\":");
    write_string(&mut out, &error.message);
    out.extend_from_slice(b",\"type\":");
    write_string(&mut out, error.kind);
    out.extend_from_slice(b",\"param\":");
    match &error.param {
        Some(param) => out.extend_from_slice(param.to_string().as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"code\":");
    match &error.code {
        Some(code) => write_string(&mut out, code),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
    if let Some(id) = generation {
        out.extend_from_slice(b",\"generationId\":");
        write_string(&mut out, &id.to_string());
    }
    if let Some(routing) = routing.filter(|r| !r.attempts.is_empty()) {
        out.extend_from_slice(b",\"providerMetadata\":{\"gateway\":");
        out.extend_from_slice(&metadata::failed(routing, generation));
        out.push(b'}');
    }
    out.push(b'}');
    out
}

/// The flat body of a policy that left no provider (gateway-api §6.4): 400 after a data-policy filter, 403
/// for a model outside the allow-list.
#[must_use]
pub fn flat_policy_body(status: u16, message: &str) -> Vec<u8> {
    json!({ "error": message, "type": NO_PROVIDERS, "statusCode": status }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use tollgate_domain::id::Ulid;

    use super::*;

    fn value(error: &OpenAiError) -> Value {
        serde_json::from_slice(&error_body(error, Some(GenerationId(Ulid::from_parts(1, 1))), None)).unwrap()
    }

    #[test]
    fn the_table_of_classes() {
        use FailureClass as C;
        for (class, status, kind, code) in [
            (C::InvalidRequest, 400, "invalid_request_error", None),
            (C::ContextLength, 400, "invalid_request_error", Some("context_length_exceeded")),
            (C::ContentFilter, 400, "invalid_request_error", Some("content_filter")),
            (C::Auth, 502, "failed_dependency", Some("provider_auth")),
            (C::Billing, 502, "failed_dependency", Some("provider_billing")),
            (C::Permission, 502, "failed_dependency", Some("provider_permission")),
            (C::NotFound, 404, "model_not_found", Some("model_not_found")),
            (C::RequestTooLarge, 413, "invalid_request_error", Some("request_too_large")),
            (C::RateLimit, 429, "rate_limit_exceeded", Some("rate_limit_exceeded")),
            (C::Overloaded, 503, "internal_server_error", Some("overloaded")),
            (C::Server, 502, "internal_server_error", Some("server")),
            (C::Timeout, 504, "internal_server_error", Some("timeout")),
            (C::Truncated, 502, "internal_server_error", Some("truncated")),
        ] {
            let error = from_failure(&Failure::provider(class, "said so"));
            assert_eq!((error.status, error.kind, error.code.as_deref()), (status, kind, code), "{class:?}");
        }
    }

    #[test]
    fn an_overflow_keeps_the_providers_sentence_and_gets_the_code() {
        let sentence = "This model's maximum context length is 8192 tokens. \"messages\" resulted in 9000.";
        let mut failure = Failure::provider(FailureClass::ContextLength, sentence).with_status(413);
        failure.code = Some("string_above_max_length".into());
        let body = value(&from_failure(&failure));
        assert_eq!(body["error"]["message"], sentence);
        assert_eq!(body["error"]["code"], "context_length_exceeded");
        assert!(body["generationId"].as_str().unwrap().starts_with("gen_"));
        let members: Vec<_> = body["error"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["message", "type", "param", "code"]);
    }

    #[test]
    fn a_content_filter_is_named_unless_the_provider_has_a_word_of_its_own() {
        for (code, told) in [
            (Some("invalid_request_error"), "content_filter"),
            (None, "content_filter"),
            (Some("content_policy_violation"), "content_policy_violation"),
        ] {
            let mut failure = Failure::provider(FailureClass::ContentFilter, "Your input was flagged.");
            failure.code = code.map(str::to_owned);
            assert_eq!(from_failure(&failure).code.as_deref(), Some(told));
        }
    }

    #[test]
    fn the_operators_account_stays_the_operators() {
        let mut failure = Failure::provider(FailureClass::Auth, "no").with_status(401);
        failure.code = Some("invalid_api_key".into());
        let error = from_failure(&failure);
        assert_eq!((error.status, error.code.as_deref()), (502, Some("provider_auth")));
    }

    #[test]
    fn a_missing_model_is_named() {
        let error = from_failure(&Failure::provider(FailureClass::NotFound, "gone")).with_model("a/b");
        assert_eq!(value(&error)["error"]["param"]["modelId"], "a/b");
        let own = OpenAiError::model_not_found("a/c", "Model 'a/c' does not exist.");
        assert_eq!(value(&own)["error"]["param"], json!({"modelId": "a/c"}));
        let mut input = InputError::invalid("a/d", "no such model");
        input.kind = InputErrorKind::ModelNotFound;
        assert_eq!(from_input_error(&input).param, Some(json!({"modelId": "a/d"})));
        let path = from_input_error(&InputError::missing("messages[0].role", "a role"));
        assert_eq!((path.status, path.param), (400, Some(json!("messages[0].role"))));
    }

    #[test]
    fn policy_bodies_are_flat() {
        let flat: Value = serde_json::from_slice(&flat_policy_body(400, "No providers")).unwrap();
        assert_eq!(flat, json!({"error":"No providers","type":"no_providers_available","statusCode":400}));
    }
}
