//! A folder of its own for each test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tollgate_domain::Micros;
use tollgate_store::contract::Place;
use tollgate_store::ledger::BoxFuture;
use tollgate_store::{KeyStore, Ledger, StoreError};
use tollgate_store_sqlite::{Options, Role, SqliteStore};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A folder that is removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tollgate-store-{}-{number}", std::process::id()));
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("tollgate.db")
    }

    /// Options whose waits are short enough for tests that provoke them.
    pub fn options(&self, role: Role) -> Options {
        options_of(&self.0, role)
    }

    pub fn server(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.options(Role::Server))
    }

    /// Another program's connection to the database.
    pub fn stranger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    /// The journal segments, in the order of their numbers.
    pub fn segments(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("ledger.intents-"))
            .collect();
        found.sort_by_key(|path| path.to_string_lossy().rsplit('-').next().unwrap().parse::<u64>().unwrap());
        found
    }
}

pub fn options_of(folder: &Path, role: Role) -> Options {
    let counter = AtomicU64::new(1);
    let entropy = Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed)));
    let clock = Arc::new(|| Micros(1_800_000_000_000_000));
    Options {
        busy_timeout: Duration::from_millis(5),
        retry_interval: Duration::from_millis(5),
        patience: Duration::from_millis(30),
        poll_interval: Duration::from_millis(20),
        ..Options::new(folder.join("tollgate.db"), role, clock, entropy)
    }
}

/// Waits for a condition that another thread brings about.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "never came: {what}");
        tokio::task::yield_now().await;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place for Folder {
    type Store = SqliteStore;

    fn open(&self) -> Result<SqliteStore, StoreError> {
        // The contract is about what happens, not about impatience on a busy machine.
        SqliteStore::open(&Options {
            busy_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(60),
            ..self.options(Role::Server)
        })
    }

    fn ledger(&self, store: &SqliteStore) -> Arc<dyn Ledger> {
        store.ledger()
    }

    fn keys(&self, store: &SqliteStore) -> Arc<dyn KeyStore> {
        store.keys()
    }

    fn close(&self, store: SqliteStore) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async move { store.close().await })
    }

    fn crash(&self, store: SqliteStore) {
        drop(store);
    }
}
