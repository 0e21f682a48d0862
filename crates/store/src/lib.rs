//! Ports of the durable store. An implementation proves itself by the contract suite in [`contract`].
//!
//! The ledger is append-only: one row for each admitted request (I8), made durable before the last byte
//! of a successful answer leaves (I9), exactly once (I10).

#[cfg(feature = "contract")]
pub mod contract;
pub mod keys;
pub mod ledger;
pub mod report;

pub use keys::{KeyRecord, KeyStore, NewKey};
pub use ledger::{Durable, Intent, Ledger, LedgerRow, LedgerState, RowStatus, Totals};
pub use report::{ReportGroup, ReportQuery, ReportRow};

/// The store could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database or its disk refuses: full, locked, read-only, gone. Sentence for people.
    #[error("{0}")]
    Unavailable(String),
    /// What was stored cannot be understood; the database is newer than the program or damaged.
    #[error("{0}")]
    Corrupt(String),
    /// The request contradicts what is stored (a key id that does not exist, a name taken).
    #[error("{0}")]
    Conflict(String),
}
