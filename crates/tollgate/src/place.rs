//! The data folder and the store in it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tollgate_crypto::random;
use tollgate_store::StoreError;
use tollgate_store_sqlite::{Options, Role, SqliteStore};

use crate::config::Config;
use crate::failure::Failure;
use crate::times;

/// How soon a key that another process made or revoked is noticed; operations promises a second.
const KEYS_NOTICED_WITHIN: Duration = Duration::from_millis(250);

/// Makes the data folder, for its owner only, unless it is there.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        Failure::new(format!("the data folder {} cannot be made: {error}", path.display())).next(
            "choose another folder with --data, or make this one writable for the user that Tollgate runs as",
        )
    })
}

/// Opens the store.
///
/// # Errors
/// When another process owns it, or its files cannot be used.
pub fn open_store(config: &Config, role: Role) -> Result<SqliteStore, Failure> {
    make_folder(&config.data)?;
    // Fails here once instead of in a place that cannot report it.
    random::number().map_err(|e| Failure::new(e.to_string()))?;
    let clock = Arc::new(times::now);
    let entropy = Arc::new(|| random::number().unwrap_or_default());
    let mut options = Options::new(&config.database, role, clock, entropy);
    options.poll_interval = KEYS_NOTICED_WITHIN;
    // Every request that may be open, and as many again whose rows wait to be written.
    options.max_open = options.max_open.max(config.limits.settings.max_open_requests.saturating_mul(2));
    SqliteStore::open(&options).map_err(|error| refused(&error))
}

/// An error of the store as the end of a command.
pub fn refused(error: &StoreError) -> Failure {
    Failure::new(sentence(&error.to_string()))
}

/// With a small first letter, as what follows "error: ".
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// A runtime for a command: one thread, since it waits for one thing at a time.
///
/// # Errors
/// When the system has no means for one.
pub fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime could not be started: {error}")))
}
