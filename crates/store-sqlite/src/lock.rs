//! Only one process may own a ledger: an exclusive lock on a file beside the database. The system gives
//! it up when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use tollgate_store::StoreError;

use crate::fault;

/// The lock; given up when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be made.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| fault::file("open", path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                note_owner(&mut file);
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // The owner's number is only a hint; without it the message still says what to do.
                let _ = file.read_to_string(&mut owner);
                let owner = owner.trim();
                let who = if owner.is_empty() { String::new() } else { format!(" (process {owner})") };
                Err(StoreError::Unavailable(format!(
                    "another Tollgate{who} owns the ledger in {}. Stop it, or give this one another data folder",
                    path.parent().unwrap_or(path).display()
                )))
            }
            Err(TryLockError::Error(error)) => Err(fault::file("lock", path, &error)),
        }
    }
}

/// Writes the process's number for the message of the next one; failing to costs nothing but that.
fn note_owner(file: &mut File) {
    let _ = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()));
}
