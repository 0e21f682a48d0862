//! What went wrong: whose fault it is, what kind it is and what may be tried next. The facts are set
//! where they are known; each dialect turns a failure into its envelope in one place.

use std::time::Duration;

/// Who caused a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The request itself, or the client left.
    Client,
    /// Tollgate: no capacity, no store, a bug.
    Gateway,
    /// The provider or the way to it.
    Provider,
}

/// The kinds of failure (providers §0.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The provider found the request wrong.
    InvalidRequest,
    /// The prompt does not fit the model's window.
    ContextLength,
    /// Refused by a content policy.
    ContentFilter,
    /// The provider did not accept our credential.
    Auth,
    /// The provider account has no money or quota.
    Billing,
    /// The credential may not do this, or not from here.
    Permission,
    /// The provider does not know the model or deployment.
    NotFound,
    /// The body is too large for the provider.
    RequestTooLarge,
    /// Too many requests or tokens.
    RateLimit,
    /// The provider is out of capacity.
    Overloaded,
    /// The provider broke: 5xx, a reset connection, an answer that makes no sense.
    Server,
    /// One of the deadlines of I23 passed.
    Timeout,
    /// The answer ended without its terminal event (I16).
    Truncated,
    /// The client went away.
    ClientClosed,
}

/// What may be tried after a failure; each step includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Nothing: any target would say the same.
    Never,
    /// The next target, not this one.
    OtherTarget,
    /// This target again, after this long when it said so; then the next.
    SameTarget(Option<Duration>),
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault.
    pub origin: Origin,
    /// Which kind.
    pub class: FailureClass,
    /// What may be tried next.
    pub retry: Retry,
    /// The provider's HTTP status, when there was one.
    pub status: Option<u16>,
    /// The sentence for people: the provider's own where there is one.
    pub message: String,
    /// The provider's machine-readable code or type, when it gave one.
    pub code: Option<String>,
    /// How long the provider asked to be left alone (also when that is too long to wait here).
    pub retry_after: Option<Duration>,
}

impl FailureClass {
    /// A stable word for metrics, the ledger and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Auth => "auth",
            Self::Billing => "billing",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::RequestTooLarge => "request_too_large",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Truncated => "truncated",
            Self::ClientClosed => "client_closed",
        }
    }

    /// What may be tried by default for the class (providers §0.3).
    #[must_use]
    pub fn default_retry(self) -> Retry {
        match self {
            Self::InvalidRequest
            | Self::ContextLength
            | Self::ContentFilter
            | Self::RequestTooLarge
            | Self::ClientClosed => Retry::Never,
            Self::Auth | Self::Billing | Self::Permission | Self::NotFound => Retry::OtherTarget,
            Self::RateLimit | Self::Overloaded | Self::Server | Self::Timeout | Self::Truncated => {
                Retry::SameTarget(None)
            }
        }
    }

    /// The HTTP status a client gets (providers §0.3): never 401 for the gateway's own credential.
    #[must_use]
    pub fn client_status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextLength | Self::ContentFilter => 400,
            Self::NotFound => 404,
            Self::RequestTooLarge => 413,
            Self::RateLimit => 429,
            Self::Overloaded => 503,
            Self::Timeout => 504,
            Self::ClientClosed => 499,
            Self::Auth | Self::Billing | Self::Permission | Self::Server | Self::Truncated => 502,
        }
    }
}

impl Failure {
    /// A provider's failure of a class, with that class's usual retry.
    #[must_use]
    pub fn provider(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            origin: Origin::Provider,
            class,
            retry: class.default_retry(),
            status: None,
            message: message.into(),
            code: None,
            retry_after: None,
        }
    }

    /// The same with the provider's status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}
