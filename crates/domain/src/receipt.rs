//! What happened to a request: what clients read in `provider_metadata.gateway` (gateway-api §5) and
//! what the ledger stores. One value for both, so that they cannot differ (I3).

use crate::id::{GenerationId, ModelId};
use crate::json_text::JsonText;
use crate::money::Nanodollars;
use crate::usage::Usage;
use crate::warning::Warning;

/// Everything a dialect needs to close an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The request's id.
    pub generation: GenerationId,
    /// The path it took.
    pub routing: Routing,
    /// What it consumed; all zero when nothing was reported or counted.
    pub usage: Usage,
    /// What is charged: 0 for own keys (BYOK); `None`: the model has no known price (I5).
    pub cost: Option<Nanodollars>,
    /// The list price.
    pub market_cost: Option<Nanodollars>,
    /// Served with a credential of the caller's own.
    pub byok: bool,
    /// The provider's own metadata: (namespace, object).
    pub native: Option<(String, JsonText)>,
    /// The service tier that served it, as the provider named it.
    pub service_tier: Option<String>,
    /// What could not be done exactly as asked.
    pub warnings: Vec<Warning>,
}

/// The path a request took (gateway-api §5).
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// What the client asked for.
    pub original_model: ModelId,
    /// The catalog's id of it.
    pub canonical_model: ModelId,
    /// The provider first planned.
    pub resolved_provider: String,
    /// That provider's id of the model.
    pub resolved_provider_model: String,
    /// The further providers planned, in order.
    pub fallbacks: Vec<String>,
    /// Why the plan is as it is.
    pub reasoning: String,
    /// The provider that served, or was tried last.
    pub final_provider: String,
    /// What was tried, in order.
    pub attempts: Vec<AttemptRecord>,
}

/// One call of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The provider's slug.
    pub provider: String,
    /// The provider's id of the model.
    pub provider_model: String,
    /// Whose credential.
    pub credential: CredentialKind,
    /// Whether it served the answer.
    pub success: bool,
    /// When it began: nanoseconds on the process's monotonic clock.
    pub start_nanos: u64,
    /// When it ended or its answer began to be final: nanoseconds on the same clock.
    pub end_nanos: u64,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// What went wrong: the provider's sentence, or `PROVIDER_TIMEOUT`.
    pub error: Option<String>,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// The provider's id of the request, from its headers.
    pub request_id: Option<String>,
}

/// Whose credential served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The operator's, from environment or configuration.
    System,
    /// The caller's own.
    Byok,
}

impl CredentialKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Byok => "byok",
        }
    }
}
