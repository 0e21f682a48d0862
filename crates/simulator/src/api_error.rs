//! Errors as the providers write them (providers §1, §3, §4, §5, §9 and §12).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::reply::Reply;

/// Whose envelope an error comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    OpenAi,
    /// OpenAI's envelope; a stream under a 200 fails with two events of its own.
    Responses,
    Anthropic,
    Google,
    Cohere,
    /// Voyage says no more than `detail`.
    Voyage,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub status: u16,
    pub message: String,
    /// OpenAI's `param`.
    pub param: Option<&'static str>,
    /// OpenAI's `code`, when it is not the usual one of the status.
    pub code: Option<&'static str>,
    /// Seconds to wait, where the body says so: Google has no `retry-after` header.
    pub retry_after: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None, retry_after: None }
    }

    /// A 400 about a member of the body.
    pub(crate) fn param(param: &'static str, message: impl Into<String>) -> Self {
        Self { param: Some(param), ..Self::new(400, message) }
    }

    /// The error of a status nobody gave a reason for.
    pub(crate) fn of_status(status: u16) -> Self {
        let message = match status {
            401 => "Incorrect API key provided.",
            402 => "Your credit balance is too low to access the API.",
            403 => "You do not have permission to use this resource.",
            404 => "The model does not exist or you do not have access to it.",
            413 => "Request exceeds the maximum size",
            429 => "Rate limit reached for requests. Please try again later.",
            529 => "Overloaded",
            503 => "The server is currently overloaded. Please try again later.",
            s if s >= 500 => "The server had an error while processing your request.",
            _ => "The request was refused.",
        };
        Self::new(status, message)
    }

    fn openai_kind(&self) -> (&'static str, Option<&'static str>) {
        match self.status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            402 => ("insufficient_quota", Some("insufficient_quota")),
            403 => ("invalid_request_error", Some("unsupported_country_region_territory")),
            404 => ("invalid_request_error", Some("model_not_found")),
            429 => ("requests", Some("rate_limit_exceeded")),
            s if s >= 500 => ("server_error", None),
            _ => ("invalid_request_error", None),
        }
    }

    fn anthropic_kind(&self) -> &'static str {
        match self.status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 | 529 => "overloaded_error",
            s if s >= 500 => "api_error",
            _ => "invalid_request_error",
        }
    }

    fn google_kind(&self) -> &'static str {
        match self.status {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            499 => "CANCELLED",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            s if s >= 500 => "INTERNAL",
            _ => "INVALID_ARGUMENT",
        }
    }

    fn google(&self) -> Value {
        let mut error = json!({"code": self.status, "message": self.message, "status": self.google_kind()});
        let mut details = Vec::new();
        if self.status == 429 {
            details.push(json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]}));
        }
        if let Some(seconds) = self.retry_after {
            details.push(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{seconds}s")}));
        }
        if !details.is_empty() {
            error["details"] = details.into();
        }
        json!({"error": error})
    }

    pub(crate) fn body(&self, envelope: Envelope, order: u64) -> Value {
        match envelope {
            Envelope::OpenAi | Envelope::Responses => {
                let (kind, code) = self.openai_kind();
                let code = self.code.or(code);
                json!({"error": {"message": self.message, "type": kind, "param": self.param, "code": code}})
            }
            Envelope::Anthropic => json!({"type": "error",
                "error": {"type": self.anthropic_kind(), "message": self.message},
                "request_id": request_id(envelope, order)}),
            Envelope::Google => self.google(),
            Envelope::Cohere => {
                json!({"id": format!("00000000-0000-4000-8000-{order:012x}"), "message": self.message})
            }
            Envelope::Voyage => json!({"detail": self.message}),
        }
    }

    pub(crate) fn reply(&self, envelope: Envelope, order: u64) -> Reply {
        Reply::json(self.status, &self.body(envelope, order))
    }

    /// The error inside a stream that has begun under a 200.
    pub(crate) fn event(&self, envelope: Envelope, order: u64) -> Bytes {
        let mut body = self.body(envelope, order);
        match envelope {
            Envelope::Anthropic => {
                if let Some(members) = body.as_object_mut() {
                    members.remove("request_id");
                }
                format!("event: error\ndata: {body}\n\n").into()
            }
            Envelope::Google => format!("data: {body}\r\n\r\n").into(),
            _ => format!("data: {body}\n\n").into(),
        }
    }
}

/// The id of a request, made from its place in the order of arrival.
pub(crate) fn request_id(envelope: Envelope, order: u64) -> String {
    match envelope {
        Envelope::Anthropic => format!("req_01Sim{order:019x}"),
        _ => format!("req_sim{order:025x}"),
    }
}
