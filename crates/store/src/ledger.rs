//! The ledger port.

use std::future::Future;
use std::pin::Pin;

use tollgate_domain::id::{KeyId, ProjectId, TeamId};
use tollgate_domain::{GenerationId, Micros, Nanodollars, Usage};

use crate::StoreError;
use crate::report::{ReportQuery, ReportRow};

/// A boxed future, so that the port can be a trait object.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is known when a request is admitted; written before anything is sent upstream (I8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The request's id, made once at admission (I10).
    pub id: GenerationId,
    /// When it was admitted.
    pub admitted_at: Micros,
    /// Who pays.
    pub team: TeamId,
    /// The project, if any.
    pub project: Option<ProjectId>,
    /// The key that asked.
    pub key: KeyId,
    /// What the client asked for, as written.
    pub requested_model: String,
    /// The catalog's id.
    pub canonical_model: String,
    /// The provider first planned.
    pub provider: String,
    /// The client's dialect (`chat_completions`).
    pub dialect: String,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// The end user that spend is attributed to.
    pub end_user: Option<String>,
    /// Labels that spend is attributed to.
    pub tags: Vec<String>,
}

/// Where a row is in its life (I8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// Complete, from the provider's report.
    Settled,
    /// Complete or broken off, counted by Tollgate.
    Estimated,
    /// Cost nothing (I7).
    Void,
    /// The process died while the request ran; what it cost is not known.
    Interrupted,
}

/// One finished row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The intent it settles.
    pub intent: Intent,
    /// How it ended.
    pub status: RowStatus,
    /// When it was settled.
    pub settled_at: Micros,
    /// The provider that served, or was tried last.
    pub provider: String,
    /// That provider's id of the model.
    pub provider_model: String,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// What is charged; `None`: the model has no known price (I5).
    pub cost: Option<Nanodollars>,
    /// The list price.
    pub market_cost: Option<Nanodollars>,
    /// The rates it was computed with, as JSON text (I6); empty when unpriced.
    pub rates: String,
    /// The version of the price book (I6).
    pub price_version: String,
    /// Served with the caller's own credential.
    pub byok: bool,
    /// The neutral finish reason; empty when there was none.
    pub finish_reason: String,
    /// The class of the failure, if it failed (`FailureClass::as_str`, or `client_closed`).
    pub failure: Option<String>,
    /// The HTTP status the client got.
    pub client_status: u16,
    /// Microseconds from admission to the first content; `None` when none came.
    pub ttft_micros: Option<i64>,
    /// Microseconds from admission to the end.
    pub duration_micros: i64,
    /// Microseconds of that spent in Tollgate itself.
    pub overhead_micros: i64,
    /// How many provider calls were made.
    pub attempts: u32,
}

/// Whether the ledger takes rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// It does.
    Healthy,
    /// It does not: rows wait in memory and new requests must be refused. Reason for people.
    Unavailable {
        /// What happened and what to do.
        reason: String,
        /// Rows that wait.
        waiting: usize,
    },
}

/// Sums over the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of costs, in nanodollars.
    pub cost_nano: i128,
    /// Rows.
    pub requests: u64,
}

/// Resolves when a row is on disk (I9), or cannot be put there for now (it is then kept in memory and
/// written later; the answer must not be called successful).
pub type Durable = BoxFuture<Result<(), StoreError>>;

/// The ledger.
pub trait Ledger: Send + Sync {
    /// Records that a request is about to be sent upstream (I8). Survives a crash of the process from the
    /// moment it returns. Also reserves room for the settlement, so that settling cannot be refused.
    ///
    /// # Errors
    /// When the ledger cannot be written: the request must not be sent.
    fn open(&self, intent: &Intent) -> Result<(), StoreError>;

    /// Settles an opened request. Does not block. Each id is settled once; a repetition changes nothing (I10).
    fn settle(&self, row: LedgerRow) -> Durable;

    /// Whether rows can be written now.
    fn state(&self) -> LedgerState;

    /// Requests opened and not yet settled.
    fn open_count(&self) -> usize;

    /// The row of a request, also when it was settled a moment ago; `None` when there is none (yet).
    fn generation(&self, id: GenerationId) -> BoxFuture<Result<Option<LedgerRow>, StoreError>>;

    /// What a team has spent in all.
    fn totals(&self, team: TeamId) -> BoxFuture<Result<Totals, StoreError>>;

    /// What was spent, in groups, in the order of their names. Rows settled a moment ago may be missing.
    fn report(&self, query: ReportQuery) -> BoxFuture<Result<Vec<ReportRow>, StoreError>>;

    /// Waits until everything settled so far is on disk, for shutdown.
    fn flush(&self) -> BoxFuture<Result<(), StoreError>>;
}
