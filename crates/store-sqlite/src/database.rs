//! Connections to the database, and its migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use tollgate_domain::Micros;
use tollgate_domain::id::{ProjectId, TeamId, Ulid};
use tollgate_store::StoreError;

use crate::fault;

/// Forward only; the version of a database is the number of the last one that it went through.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_ledger_keys_meta.sql")];

/// The version this program makes and understands.
pub(crate) const VERSION: usize = MIGRATIONS.len();

/// The name under which `meta` keeps the revision.
pub(crate) const REVISION: &str = "revision";

/// Opens the database, creating it when it is not there.
pub(crate) fn connect(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    make_private(path);
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit has reached the disk when it returns (I9); NORMAL would lose the last ones with the power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // 16 MiB between checkpoints: the pages at the ends of the tables, which every commit writes, are copied
        // to the database less often.
        connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        connection.pragma_update(None, "cache_size", -8192)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error| fault::database(path, &error))
}

/// Makes a new database readable for its owner only, whatever the folder allows; SQLite gives the files beside it
/// the same mode. One that exists keeps its mode, and is not even opened here: closing it again would give up the
/// locks that SQLite holds on it in this process.
fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // When it cannot be made, SQLite says why.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Limits the size of the database as this connection may grow it.
pub(crate) fn limit(path: &Path, connection: &Connection, pages: u32) -> Result<(), StoreError> {
    connection
        .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        .map_err(|error| fault::database(path, &error))
}

/// The version of the database.
///
/// # Errors
/// `Corrupt` when it is newer than this program.
pub(crate) fn version(path: &Path, connection: &Connection) -> Result<usize, StoreError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| fault::database(path, &error))?;
    match usize::try_from(found) {
        Ok(found) if found <= VERSION => Ok(found),
        _ => Err(StoreError::Corrupt(format!(
            "the database {} has schema version {found}, this Tollgate knows versions up to {VERSION}. Start the newer \
             Tollgate that wrote it, or restore a backup from before the upgrade",
            path.display()
        ))),
    }
}

/// Brings the database to this program's version.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let from = version(path, connection)?;
    for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(from) {
        let run = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()
        };
        run(connection).map_err(|error| fault::database(path, &error))?;
        tracing::info!(version = number, "migrated the database");
    }
    Ok(())
}

/// Makes the default team and project of the first start, unless they exist.
pub(crate) fn ensure_owner(
    path: &Path,
    connection: &mut Connection,
    now: Micros,
    mut entropy: impl FnMut() -> u128,
) -> Result<(), StoreError> {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let mut run = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let team = TeamId(Ulid::from_parts(millis, entropy())).to_string();
        let project = ProjectId(Ulid::from_parts(millis, entropy())).to_string();
        for (name, value) in [("default_team", team), ("default_project", project)] {
            transaction.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", (name, value))?;
        }
        transaction.commit()
    };
    run().map_err(|error| fault::database(path, &error))
}

/// A value of the table `meta`.
pub(crate) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbered_files_are_the_migrations_that_run() {
        let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len(), MIGRATIONS.len());
        for (index, file) in files.iter().enumerate() {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
            assert_eq!(std::fs::read_to_string(file).unwrap(), MIGRATIONS[index], "{name}");
        }
    }
}
