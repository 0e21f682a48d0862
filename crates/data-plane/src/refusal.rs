//! A request that is answered without a provider's reply. Its facts are neutral; the envelope is the
//! dialect's (gateway-api §6).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use tollgate_dialects::openai_error::{self, NO_PROVIDERS, OpenAiError};
use tollgate_dialects::{ai_sdk, messages, rerank};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::receipt::{CredentialKind, Routing};
use tollgate_domain::{Failure, GenerationId, InputError};

use crate::relay::ReplyBody;

/// The response header that carries the request's id.
const GENERATION_HEADER: HeaderName = HeaderName::from_static("x-generation-id");

/// The envelope that a surface's errors come in (gateway-api §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// OpenAI's: chat, Responses, embeddings, images and the helper routes.
    OpenAi,
    /// Anthropic's: Messages.
    Anthropic,
    /// The AI SDK's: OpenAI's, always nested.
    AiSdk,
    /// Cohere's: rerank.
    Cohere,
}

/// Why there is no answer, and how to say so.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub error: Box<OpenAiError>,
    pub generation: Option<GenerationId>,
    pub routing: Option<Box<Routing>>,
    /// Further headers (`retry-after`, `x-should-retry`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(crate) fn new(error: OpenAiError) -> Self {
        Self { error: Box::new(error), generation: None, routing: None, headers: Vec::new() }
    }

    pub(crate) fn unauthorized(message: String) -> Self {
        Self::new(OpenAiError::authentication(message))
    }

    /// The gateway itself cannot serve now; the client may come again.
    pub(crate) fn unavailable(message: String) -> Self {
        let mut refusal = Self::new(OpenAiError::unavailable(message));
        refusal.headers.push((header::RETRY_AFTER, HeaderValue::from_static("5")));
        refusal
    }

    /// Every attempt failed; the last failure is what the client hears.
    pub(crate) fn failed(failure: &Failure, generation: GenerationId, routing: Option<Routing>) -> Self {
        let mut headers = Vec::new();
        if let Some(after) = failure.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        let mut error = openai_error::from_failure(failure);
        let last = routing.as_ref().and_then(|r| r.attempts.last());
        if let Some(credential) = last.map(|attempt| attempt.credential)
            && let Some((status, kind)) = callers_own(failure.class, credential)
        {
            (error.status, error.kind) = (status, kind);
        }
        if let (FailureClass::NotFound, Some(routing)) = (failure.class, &routing) {
            error = error.with_model(routing.original_model.as_str());
        }
        Self { error: Box::new(error), generation: Some(generation), routing: routing.map(Box::new), headers }
    }

    /// The response in the surface's envelope.
    pub(crate) fn into_response(self, envelope: Envelope) -> Response<ReplyBody> {
        let (error, routing) = (&self.error, self.routing.as_deref());
        let body = match envelope {
            Envelope::OpenAi if error.kind == NO_PROVIDERS => {
                openai_error::flat_policy_body(error.status, &error.message)
            }
            Envelope::OpenAi => openai_error::error_body(error, self.generation, routing),
            Envelope::Anthropic => messages::error_body(error, self.generation, routing),
            Envelope::AiSdk => ai_sdk::error_body(error, self.generation, routing),
            Envelope::Cohere => rerank::error_body(error),
        };
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, Bytes::from(body));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        note_generation(&mut response, self.generation);
        response
    }
}

/// Names the request in the response's header: some envelopes have no place for the id.
pub(crate) fn note_generation(response: &mut Response<ReplyBody>, generation: Option<GenerationId>) {
    let value = generation.and_then(|id| HeaderValue::from_str(&id.to_string()).ok());
    if let Some(value) = value {
        response.headers_mut().insert(GENERATION_HEADER, value);
    }
}

/// The status and the type of what a provider has against the caller's own credential. Against the
/// operator's it is a failed dependency (gateway-api §6.1), but his own the caller can mend: Claude Code
/// renews its token when it hears 401.
pub(crate) fn callers_own(class: FailureClass, credential: CredentialKind) -> Option<(u16, &'static str)> {
    match (credential, class) {
        (CredentialKind::Byok, FailureClass::Auth) => Some((401, "authentication_error")),
        (CredentialKind::Byok, FailureClass::Billing) => Some((402, "insufficient_funds")),
        (CredentialKind::Byok, FailureClass::Permission) => Some((403, "forbidden")),
        _ => None,
    }
}

impl From<InputError> for Refusal {
    fn from(error: InputError) -> Self {
        Self::new(openai_error::from_input_error(&error))
    }
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
