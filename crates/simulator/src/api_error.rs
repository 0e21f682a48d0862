//! Errors as the providers write them (providers §1 and §4).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::reply::Reply;

/// Whose envelope an error comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    OpenAi,
    Anthropic,
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
}

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None }
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

    pub(crate) fn body(&self, envelope: Envelope, order: u64) -> Value {
        match envelope {
            Envelope::OpenAi => {
                let (kind, code) = self.openai_kind();
                let code = self.code.or(code);
                json!({"error": {"message": self.message, "type": kind, "param": self.param, "code": code}})
            }
            Envelope::Anthropic => json!({"type": "error",
                "error": {"type": self.anthropic_kind(), "message": self.message},
                "request_id": request_id(envelope, order)}),
        }
    }

    pub(crate) fn reply(&self, envelope: Envelope, order: u64) -> Reply {
        Reply::json(self.status, &self.body(envelope, order))
    }

    /// The error inside a stream that has begun under a 200.
    pub(crate) fn event(&self, envelope: Envelope, order: u64) -> Bytes {
        let mut body = self.body(envelope, order);
        match envelope {
            Envelope::OpenAi => format!("data: {body}\n\n").into(),
            Envelope::Anthropic => {
                if let Some(members) = body.as_object_mut() {
                    members.remove("request_id");
                }
                format!("event: error\ndata: {body}\n\n").into()
            }
        }
    }
}

/// The id of a request, made from its place in the order of arrival.
pub(crate) fn request_id(envelope: Envelope, order: u64) -> String {
    match envelope {
        Envelope::OpenAi => format!("req_sim{order:025x}"),
        Envelope::Anthropic => format!("req_01Sim{order:019x}"),
    }
}
