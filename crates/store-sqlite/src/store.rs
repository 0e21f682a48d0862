//! Opening and closing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use tollgate_domain::Micros;
use tollgate_store::{KeyStore, Ledger, StoreError};

use crate::desk::Desk;
use crate::journal::Journal;
use crate::keys::SqliteKeys;
use crate::ledger::{Core, SqliteLedger};
use crate::lock::Lock;
use crate::writer::{Pace, Writer};
use crate::{database, fault, recovery};

/// Reads the time.
pub type Clock = Arc<dyn Fn() -> Micros + Send + Sync>;

/// Gives 128 random bits.
pub type Entropy = Arc<dyn Fn() -> u128 + Send + Sync>;

/// What the process wants of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns the ledger; there is one such process for a data folder.
    Server,
    /// Reads, and changes keys, also beside a running server. Its ledger refuses every request.
    Tool,
}

/// How the store is opened. [`Options::new`] sets the defaults.
#[derive(Clone)]
pub struct Options {
    /// The database file; journal and lock are made in the same folder. Folder and file are made when missing.
    pub path: PathBuf,
    /// What the process wants.
    pub role: Role,
    /// For the time in ids and of interruptions.
    pub clock: Clock,
    /// For ids.
    pub entropy: Entropy,
    /// Requests that may be open or waiting to be written; more are refused (I26). Default 65 536.
    pub max_open: usize,
    /// Commits begin at least so far apart, unless [`Options::commit_rows`] rows wait or nearly everything that
    /// runs does, so that rows share the price of a commit; a lone request is committed at once. Default 10 ms.
    pub commit_interval: Duration,
    /// Less than [`Options::commit_interval`] when commits are quick: so many times as long as one takes.
    /// Default 20.
    pub commit_spacing: u32,
    /// Rows that are committed without waiting for more. Default 128.
    pub commit_rows: usize,
    /// How long a settlement waits for a ledger that cannot be written, before it is told; its row is kept
    /// and written later. Default 5 s.
    pub patience: Duration,
    /// Between attempts while the ledger cannot be written. Default 250 ms.
    pub retry_interval: Duration,
    /// How long SQLite waits for another program's lock in one attempt. Default 500 ms.
    pub busy_timeout: Duration,
    /// Size at which a journal segment is left for a new one, in bytes. Default 16 MiB.
    pub segment_bytes: u64,
    /// Between flushes of the journal to the disk: intents that lost power (not a crash) may cost. Default 1 s.
    pub journal_interval: Duration,
    /// The most pages (of 4 KiB) that the database may take of its disk. Default: as many as there are.
    pub max_pages: Option<u32>,
    /// How soon a change of keys by another process is noticed. Default 500 ms.
    pub poll_interval: Duration,
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, role: Role, clock: Clock, entropy: Entropy) -> Self {
        Self {
            path: path.into(),
            role,
            clock,
            entropy,
            max_open: 65_536,
            commit_interval: Duration::from_millis(10),
            commit_spacing: 20,
            commit_rows: 128,
            patience: Duration::from_secs(5),
            retry_interval: Duration::from_millis(250),
            busy_timeout: Duration::from_millis(500),
            segment_bytes: 16 << 20,
            journal_interval: Duration::from_secs(1),
            max_pages: None,
            poll_interval: Duration::from_millis(500),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("path", &self.path).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What the writer has done since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions.
    pub commits: u64,
    /// Rows in them.
    pub rows: u64,
    /// Attempts that failed.
    pub failures: u64,
}

/// The open store. [`SqliteStore::close`] ends it in order. When it is dropped instead, what is settled is
/// still written if it can be, and requests that are open are found interrupted at the next start.
pub struct SqliteStore {
    core: Arc<Core>,
    desk: Desk,
    recovered: usize,
    running: Mutex<Option<Running>>,
}

/// What ends with the store.
struct Running {
    writer: Option<JoinHandle<()>>,
    written: Option<oneshot::Receiver<Result<(), StoreError>>>,
    desk: JoinHandle<()>,
    lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens the store: lock, migrations, default owner, recovery, threads. Blocks for the time that takes.
    ///
    /// # Errors
    /// When another process owns the ledger, when the database is newer than the program or damaged, and
    /// when files cannot be made or written.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        let path = &options.path;
        let folder = folder_of(path);
        make_folder(folder)?;
        let lock_path = folder.join("ledger.lock");
        let mut lock = match options.role {
            Role::Server => Some(Lock::take(&lock_path)?),
            Role::Tool => None,
        };
        let mut connection = database::connect(path, options.busy_timeout)?;
        if database::version(path, &connection)? < database::VERSION {
            // A tool migrates only what no server is using.
            let _held = if lock.is_none() { Some(Lock::take(&lock_path)?) } else { None };
            database::migrate(path, &mut connection)?;
        }
        database::ensure_owner(path, &mut connection, (options.clock)(), &*options.entropy)?;
        let recovered = match options.role {
            Role::Server => recovery::recover(path, folder, &mut connection, (options.clock)())?,
            Role::Tool => 0,
        };
        let reading = database::connect(path, options.busy_timeout)?;
        let (desk, desk_thread) = Desk::start(path.clone(), reading, options.poll_interval)?;
        let started = match options.role {
            Role::Server => start_writer(options, folder, connection, &desk),
            Role::Tool => {
                let reason =
                    "this process does not own the ledger; only `tollgate serve` writes it".to_owned();
                Ok((Arc::new(Core::new(None, 0, Some(reason))), None, None))
            }
        };
        let (core, writer, written) = started.inspect_err(|_| desk.stop())?;
        let running = Running { writer, written, desk: desk_thread, lock: lock.take() };
        Ok(Self { core, desk, recovered, running: Mutex::new(Some(running)) })
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(SqliteLedger { core: Arc::clone(&self.core), desk: self.desk.clone() })
    }

    /// Keys, default owner and revision.
    #[must_use]
    pub fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::new(SqliteKeys(self.desk.clone()))
    }

    /// Requests that were running when the last process ended, found at this start.
    #[must_use]
    pub fn recovered(&self) -> usize {
        self.recovered
    }

    /// The revision; the receiver is told of a change at once when it was made here, and within
    /// [`Options::poll_interval`] when another process made it.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.desk.revisions()
    }

    /// What the writer has done.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let counters = &self.core.counters;
        Statistics {
            commits: counters.commits.load(Ordering::Relaxed),
            rows: counters.rows.load(Ordering::Relaxed),
            failures: counters.failures.load(Ordering::Relaxed),
        }
    }

    /// Ends the store: refuses what comes, writes what is settled, checkpoints, releases files and lock.
    /// A second time does nothing.
    ///
    /// # Errors
    /// When settled rows could not be written; the next start shows their requests as interrupted.
    pub async fn close(&self) -> Result<(), StoreError> {
        // Waits as long as a settlement would, so that a passing fault does not cost rows.
        // Whether that was long enough is known from the last attempt, which the writer makes when it ends.
        let _ = self.ledger().flush().await;
        let Some(mut running) = self.stop() else { return Ok(()) };
        let written = match running.written.take() {
            Some(written) => written.await.unwrap_or_else(|_| {
                Err(StoreError::Unavailable("the ledger's writer ended early; see the log above".to_owned()))
            }),
            None => Ok(()),
        };
        running.join();
        written
    }

    /// Tells the threads to end.
    fn stop(&self) -> Option<Running> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        self.core.update(|shared| {
            shared.stopping = true;
            shared.closed.get_or_insert_with(|| "the ledger is closed: Tollgate is shutting down".to_owned());
        });
        self.desk.stop();
        Some(running)
    }
}

impl Running {
    fn join(self) {
        for thread in self.writer.into_iter().chain([self.desk]) {
            if thread.join().is_err() {
                tracing::error!("a thread of the ledger has panicked");
            }
        }
        drop(self.lock);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(running) = self.stop() {
            running.join();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("recovered", &self.recovered).finish_non_exhaustive()
    }
}

type Started = (Arc<Core>, Option<JoinHandle<()>>, Option<oneshot::Receiver<Result<(), StoreError>>>);

fn start_writer(
    options: &Options,
    folder: &Path,
    connection: Connection,
    desk: &Desk,
) -> Result<Started, StoreError> {
    if let Some(pages) = options.max_pages {
        database::limit(&options.path, &connection, pages)?;
    }
    let journal = Journal::begin(folder, options.segment_bytes)?;
    let core = Arc::new(Core::new(Some(journal), options.max_open, None));
    let pace = Pace {
        commit: options.commit_interval,
        spacing: options.commit_spacing.max(1),
        enough: options.commit_rows.max(1),
        retry: options.retry_interval,
        patience: options.patience,
        journal: options.journal_interval,
    };
    let writer = Writer::new(Arc::clone(&core), options.path.clone(), connection, desk.gate(), pace);
    let (ended, written) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("ledger-writer".to_owned())
        .spawn(move || {
            // Nobody hears it when the store was dropped; the log has it then.
            if let Err(Err(error)) = ended.send(writer.run()) {
                tracing::error!(%error, "the ledger was not closed in order");
            }
        })
        .map_err(|error| fault::file("start the writing thread for", &options.path, &error))?;
    Ok((core, Some(thread), Some(written)))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| fault::file("create", folder, &error))
}
