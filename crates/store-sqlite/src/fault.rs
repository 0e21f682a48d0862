//! Errors of SQLite and of the file system, told to people: what happened, to which file, what to do.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use tollgate_store::StoreError;

/// An error of SQLite.
pub(crate) fn database(path: &Path, error: &rusqlite::Error) -> StoreError {
    let file = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Unavailable(format!(
            "the database {file} cannot grow: its disk is full ({error}). Free space on that disk; Tollgate goes on by \
             itself"
        )),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable(format!(
            "the database {file} is locked by another program ({error}). End that program or its transaction; Tollgate \
             goes on by itself"
        )),
        Some(
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied,
        ) => StoreError::Unavailable(format!(
            "the database {file} cannot be written ({error}). Make the file and its folder writable for the user \
                 that Tollgate runs as"
        )),
        Some(ErrorCode::CannotOpen) => StoreError::Unavailable(format!(
            "the database {file} cannot be opened ({error}). Check that the folder exists and that the user Tollgate \
             runs as may write to it"
        )),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(format!(
            "{file} is damaged or is no SQLite database ({error}). Restore it from a backup, or move it away to begin \
             with an empty one"
        )),
        _ => StoreError::Unavailable(format!(
            "the database {file} cannot be used ({error}). Check its disk and the system log"
        )),
    }
}

/// An error of the file system while `doing` something with a file.
pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    let file = path.display();
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free space on it; Tollgate goes on by itself"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "make the file and its folder writable for the user that Tollgate runs as"
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "put the data folder back in its place",
        _ => "check the disk and the system log",
    };
    StoreError::Unavailable(format!("cannot {doing} {file} ({error}); {advice}"))
}
