//! The writer: one thread, one connection, one transaction for everything that waits (group commit).
//!
//! While a commit is on its way to the disk, the next rows gather. When the database or the journal
//! cannot be written, the rows stay in memory and the writer tries again until it can.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tollgate_store::{LedgerRow, StoreError};

use crate::fault;
use crate::ledger::{Core, Group};
use crate::rows::Inserter;
use crate::waiting::Teller;

/// How long those who were not woken by the first of them sleep at most. The first nearly always wakes them at
/// once; it need not, when it is polled by somebody with other things to do.
const OVERSLEPT: Duration = Duration::from_millis(10);

/// Takes room in the database and gives it back: whether rows could be written when none wait.
const PROBE: &str = "INSERT INTO meta (name, value) VALUES ('probe', hex(zeroblob(32768)));
    DELETE FROM meta WHERE name = 'probe';";

/// The times the writer keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Commits begin at least so far apart, so that rows gather under load.
    pub(crate) commit: Duration,
    /// Less when commits are quick: so many times as long as one takes.
    pub(crate) spacing: u32,
    /// Rows that are worth a commit before that.
    pub(crate) enough: usize,
    /// Between attempts while writing fails.
    pub(crate) retry: Duration,
    /// How long somebody waits for a row that cannot be written.
    pub(crate) patience: Duration,
    /// Between flushes of the journal: what lost power may cost in intents.
    pub(crate) journal: Duration,
}

/// The thread's state.
pub(crate) struct Writer {
    core: Arc<Core>,
    path: PathBuf,
    connection: Connection,
    gate: Arc<Mutex<()>>,
    pace: Pace,
    inserter: Inserter,
    /// Taken from the queue, not yet on disk, oldest first.
    groups: Vec<Group>,
    /// Told of their commit, and perhaps not all awake; since when.
    told: Vec<Teller>,
    told_since: Instant,
    last_commit: Option<Instant>,
    /// How long a commit takes, as a moving average.
    commit_takes: Duration,
    last_journal: Instant,
    failing: bool,
}

impl Writer {
    pub(crate) fn new(
        core: Arc<Core>,
        path: PathBuf,
        connection: Connection,
        gate: Arc<Mutex<()>>,
        pace: Pace,
    ) -> Self {
        Self {
            core,
            path,
            connection,
            gate,
            pace,
            inserter: Inserter::default(),
            groups: Vec::new(),
            told: Vec::new(),
            told_since: Instant::now(),
            last_commit: None,
            commit_takes: pace.commit,
            last_journal: Instant::now(),
            failing: false,
        }
    }

    /// Runs until told to stop; then writes what waits, once, and ends.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        loop {
            let stopping = self.wait();
            self.pause();
            self.wake_who_overslept();
            self.core.lock().take(&mut self.groups);
            // Rows are written also while the journal is broken: they make its records needless.
            self.flush_journal(stopping);
            let result = self.commit_all();
            let failed = result.as_ref().err().cloned();
            self.note(result);
            if stopping {
                return self.end(failed);
            }
        }
    }

    /// Waits for something to do; `true` when it is the end.
    fn wait(&self) -> bool {
        let retry = Instant::now() + self.pace.retry;
        let mut shared = self.core.lock();
        loop {
            let broken = self.failing || shared.journal_fault.is_some();
            let mut until = if broken { retry } else { self.last_journal + self.pace.journal };
            if !self.told.is_empty() {
                until = until.min(self.told_since + OVERSLEPT);
            }
            let left = until.saturating_duration_since(Instant::now());
            let waiting = !self.failing && !shared.queue.is_empty();
            if shared.stopping || waiting || left.is_zero() {
                shared.writer_idle = false;
                return shared.stopping;
            }
            shared.writer_idle = true;
            shared = self.core.wake.wait_timeout(shared, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets rows gather after a commit, until there are enough. A lone request never waits here: the last
    /// commit is longer ago.
    fn pause(&self) {
        let Some(last) = self.last_commit.filter(|_| !self.failing) else { return };
        let until = last + self.pace.commit.min(self.commit_takes.saturating_mul(self.pace.spacing));
        let mut shared = self.core.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || shared.stopping || shared.enough(self.pace.enough) {
                shared.gathering = 0;
                return;
            }
            shared.gathering = self.pace.enough;
            shared = self.core.wake.wait_timeout(shared, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wake_who_overslept(&mut self) {
        if self.told_since.elapsed() >= OVERSLEPT {
            self.told.clear();
        }
    }

    /// Brings the journal to the disk when it is time, and tries it when it was broken.
    fn flush_journal(&mut self, stopping: bool) {
        let broken = self.core.lock().journal_fault.is_some();
        let due = stopping || broken || self.last_journal.elapsed() >= self.pace.journal;
        if !due {
            return;
        }
        self.last_journal = Instant::now();
        let result = self.try_journal(broken);
        let fault = result.err().map(|error| error.to_string());
        if broken || fault.is_some() {
            self.core.update(|shared| shared.journal_fault = fault);
        }
    }

    fn try_journal(&self, broken: bool) -> Result<(), StoreError> {
        let files = match self.core.journal().as_mut() {
            Some(journal) => {
                if broken {
                    journal.probe()?;
                }
                journal.take_unsynced()
            }
            None => return Ok(()),
        };
        for file in files {
            file.sync_data().map_err(|error| fault::file("flush the journal beside", &self.path, &error))?;
        }
        Ok(())
    }

    /// Writes all groups and releases those who wait for them.
    fn commit_all(&mut self) -> Result<(), StoreError> {
        if self.groups.is_empty() && self.failing {
            // Nothing to write: find out whether something could be.
            self.commit(None)?;
        }
        let groups = std::mem::take(&mut self.groups);
        let mut left = groups.into_iter();
        while let Some(group) = left.next() {
            let result = self.commit(Some(&group));
            if result.is_err() {
                self.groups.push(group);
                self.groups.extend(left);
                return result;
            }
            self.core.committed(&group.rows);
            self.release(group.teller);
        }
        Ok(())
    }

    /// Says that it is written.
    fn release(&mut self, teller: Teller) {
        teller.tell(Ok(()));
        self.told.retain(Teller::relies_on_the_first);
        if teller.relies_on_the_first() {
            if self.told.is_empty() {
                self.told_since = Instant::now();
            }
            self.told.push(teller);
        }
    }

    /// One transaction: rows and the totals they move (I11), or a probe of whether rows could be written.
    fn commit(&mut self, group: Option<&Group>) -> Result<(), StoreError> {
        let rows = group.map_or(&[][..], |group| &group.rows);
        if rows.is_empty() && !self.failing {
            return Ok(());
        }
        let began = Instant::now();
        self.last_commit = Some(began);
        self.transact(rows).map_err(|error| fault::database(&self.path, &error))?;
        self.commit_takes = (self.commit_takes * 7 + began.elapsed()) / 8;
        self.recovered();
        Ok(())
    }

    /// Nothing of it stays when any of it fails.
    fn transact(&mut self, rows: &[Arc<LedgerRow>]) -> rusqlite::Result<()> {
        let _writing = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let (connection, inserter) = (&self.connection, &mut self.inserter);
        let mut attempt = || -> rusqlite::Result<usize> {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            if rows.is_empty() {
                connection.execute_batch(PROBE)?;
            }
            let inserted = inserter.insert_all(connection, rows.iter().map(|row| &**row))?;
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(inserted)
        };
        let inserted = attempt().inspect_err(|_| {
            if !connection.is_autocommit() {
                // It can only fail when SQLite has rolled back by itself.
                let _ = connection.execute_batch("ROLLBACK");
            }
            self.inserter.forget();
        })?;
        let counters = &self.core.counters;
        counters.commits.fetch_add(1, Ordering::Relaxed);
        counters.rows.fetch_add(u64::try_from(inserted).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// Takes requests again; said before waiters are released, so that they find it so.
    fn recovered(&mut self) {
        if std::mem::take(&mut self.failing) {
            self.core.update(|shared| shared.database_fault = None);
        }
    }

    /// Publishes a failure, and tells those who have waited long enough.
    fn note(&mut self, result: Result<(), StoreError>) {
        let Err(error) = result else { return };
        self.failing = true;
        self.core.counters.failures.fetch_add(1, Ordering::Relaxed);
        self.core.update(|shared| shared.database_fault = Some(error.to_string()));
        self.tell_the_patient(&error);
    }

    fn tell_the_patient(&mut self, error: &StoreError) {
        let now = Instant::now();
        for group in &mut self.groups {
            let deadline = *group.deadline.get_or_insert(now + self.pace.patience);
            if deadline <= now {
                group.teller.tell(Err(error.clone()));
            }
        }
        // What only waited and has been told is done; rows stay until they are written.
        self.groups.retain(|group| !group.rows.is_empty() || group.deadline.is_none_or(|at| at > now));
    }

    fn end(self, failed: Option<StoreError>) -> Result<(), StoreError> {
        if let Some(error) = failed {
            let unwritten: usize = self.groups.iter().map(|group| group.rows.len()).sum();
            for group in &self.groups {
                group.teller.tell(Err(error.clone()));
            }
            return if unwritten == 0 {
                Err(error)
            } else {
                Err(StoreError::Unavailable(format!(
                    "{error}. {unwritten} finished requests could not be written; the next start shows them as interrupted"
                )))
            };
        }
        let finished = self.core.journal().take().map_or_else(Vec::new, |mut journal| journal.end());
        crate::journal::remove(&finished);
        // A checkpoint that fails, because somebody reads, costs nothing: the next start does it.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }
}
