//! After a crash: every intent without a row becomes an `interrupted` row (I8), exactly once (I10).

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use tollgate_domain::Micros;
use tollgate_store::{LedgerRow, StoreError};

use crate::{fault, journal, rows};

/// Reads the journal segments of an earlier process, writes what they hold to the ledger and removes them.
/// Returns the number of interrupted rows. A crash in the middle changes nothing: rows that are there stay
/// as they are.
pub(crate) fn recover(
    path: &Path,
    folder: &Path,
    connection: &mut Connection,
    now: Micros,
) -> Result<usize, StoreError> {
    let (segments, intents) = journal::read(folder)?;
    let lost: Vec<LedgerRow> = intents.into_iter().map(|intent| rows::interrupted(intent, now)).collect();
    let write = |connection: &mut Connection| -> rusqlite::Result<usize> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let inserted = rows::Inserter::default().insert_all(&transaction, lost.iter())?;
        transaction.commit()?;
        Ok(inserted)
    };
    let inserted =
        if lost.is_empty() { 0 } else { write(connection).map_err(|error| fault::database(path, &error))? };
    journal::remove(&segments);
    if inserted > 0 {
        tracing::warn!(
            rows = inserted,
            "requests were running when the last process ended; they are marked interrupted"
        );
    }
    Ok(inserted)
}
