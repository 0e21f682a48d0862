//! What was spent, put together in groups (gateway-api §14.3).

use tollgate_domain::id::TeamId;
use tollgate_domain::{Micros, Nanodollars};

/// Which rows are counted, and into which groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    /// Whose rows.
    pub team: TeamId,
    /// Admitted at this time or later.
    pub from: Micros,
    /// Admitted before this time.
    pub until: Micros,
    /// The groups.
    pub group: ReportGroup,
    /// Only of this end user.
    pub user: Option<String>,
    /// Only of this model (the catalog's id).
    pub model: Option<String>,
    /// Only of the provider that served.
    pub provider: Option<String>,
    /// Only with the caller's own credential, or only with the operator's.
    pub byok: Option<bool>,
    /// Only with these tags; empty: no matter.
    pub tags: Vec<String>,
    /// Any one of `tags` is enough; else all must be there.
    pub any_tag: bool,
}

/// What makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportGroup {
    /// The day, UTC: `2026-11-22`.
    Day,
    /// The hour, UTC: `2026-11-22T09`.
    Hour,
    /// The end user; rows without one are left out.
    User,
    /// The model.
    Model,
    /// Each tag; rows without tags are left out, and a row with several counts in each.
    Tag,
    /// The provider that served.
    Provider,
    /// `system` or `byok`.
    Credential,
    /// Whether zero data retention was asked for: always `false` as long as nobody can.
    ZeroDataRetention,
    /// The key's name.
    KeyName,
}

/// The sums of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportRow {
    /// The group, as its kind writes it.
    pub group: String,
    /// What was charged.
    pub cost: Nanodollars,
    /// The list price.
    pub market_cost: Nanodollars,
    /// Prompt tokens, cached ones included.
    pub input_tokens: u64,
    /// Generated tokens, reasoning included.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cached_input_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_creation_input_tokens: u64,
    /// Reasoning tokens.
    pub reasoning_tokens: u64,
    /// Requests.
    pub requests: u64,
}
