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

use crate::ledger::{Core, Job};
use crate::{fault, rows};

/// Rows in one transaction at most, so that a long backlog does not become one long transaction.
const LARGEST_BATCH: usize = 8192;

/// Takes room in the database and gives it back: whether rows could be written when none wait.
const PROBE: &str = "INSERT INTO meta (name, value) VALUES ('probe', hex(zeroblob(32768)));
    DELETE FROM meta WHERE name = 'probe';";

/// The times the writer keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Commits begin at least so far apart, so that rows gather under load.
    pub(crate) commit: Duration,
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
    /// Taken from the queue, not yet on disk, oldest first.
    batch: Vec<Job>,
    last_commit: Option<Instant>,
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
            batch: Vec::new(),
            last_commit: None,
            last_journal: Instant::now(),
            failing: false,
        }
    }

    /// Runs until told to stop; then writes what waits, once, and ends.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        loop {
            let stopping = self.wait();
            self.pause();
            self.take();
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
            let until = if broken { retry } else { self.last_journal + self.pace.journal };
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
        let until = last + self.pace.commit;
        let mut shared = self.core.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let enough = shared.hurried || shared.queue.len() >= self.pace.enough;
            if left.is_zero() || shared.stopping || enough {
                shared.gathering = 0;
                return;
            }
            shared.gathering = self.pace.enough;
            shared = self.core.wake.wait_timeout(shared, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn take(&mut self) {
        let mut shared = self.core.lock();
        shared.hurried = false;
        if self.batch.is_empty() {
            std::mem::swap(&mut self.batch, &mut shared.queue);
        } else {
            self.batch.append(&mut shared.queue);
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

    /// Writes the whole batch and releases those who wait for it.
    fn commit_all(&mut self) -> Result<(), StoreError> {
        if self.batch.is_empty() && self.failing {
            // Nothing to write: find out whether something could be.
            self.commit(0).map_err(|error| fault::database(&self.path, &error))?;
            self.recovered();
        }
        while !self.batch.is_empty() {
            let count = self.batch.len().min(LARGEST_BATCH);
            self.last_commit = Some(Instant::now());
            self.commit(count).map_err(|error| fault::database(&self.path, &error))?;
            self.recovered();
            self.core.committed(rows_of(&self.batch[..count]));
            for job in self.batch.drain(..count) {
                if let Some(waiter) = job.waiter {
                    // The request may be gone; its row is written all the same.
                    let _ = waiter.send(Ok(()));
                }
            }
        }
        Ok(())
    }

    /// One transaction: rows and the totals they move (I11). Nothing of it stays when any of it fails.
    fn commit(&self, count: usize) -> rusqlite::Result<()> {
        let jobs = &self.batch[..count];
        let probing = rows_of(jobs).next().is_none();
        if probing && !self.failing {
            return Ok(());
        }
        let _writing = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = || -> rusqlite::Result<()> {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            if probing {
                self.connection.execute_batch(PROBE)?;
            }
            let inserted = rows::insert_all(&self.connection, rows_of(jobs))?;
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            let counters = &self.core.counters;
            counters.commits.fetch_add(1, Ordering::Relaxed);
            counters.rows.fetch_add(u64::try_from(inserted).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        attempt().inspect_err(|_| {
            if !self.connection.is_autocommit() {
                // It can only fail when SQLite has rolled back by itself.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        })
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
        for job in &mut self.batch {
            let deadline = *job.deadline.get_or_insert(now + self.pace.patience);
            if deadline <= now
                && let Some(waiter) = job.waiter.take()
            {
                let _ = waiter.send(Err(error.clone()));
            }
        }
        // What only waited and has been told is done; rows stay until they are written.
        self.batch.retain(|job| job.row.is_some() || job.waiter.is_some());
    }

    fn end(mut self, failed: Option<StoreError>) -> Result<(), StoreError> {
        if let Some(error) = failed {
            let unwritten = self.batch.iter().filter(|job| job.row.is_some()).count();
            for waiter in self.batch.iter_mut().filter_map(|job| job.waiter.take()) {
                let _ = waiter.send(Err(error.clone()));
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

fn rows_of(jobs: &[Job]) -> impl Iterator<Item = &LedgerRow> {
    jobs.iter().filter_map(|job| job.row.as_deref())
}
