//! The ledger port on SQLite: what requests touch. Everything here is memory and one small append; the
//! database is the writer's (see [`crate::writer`]).

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tollgate_domain::GenerationId;
use tollgate_domain::id::TeamId;
use tollgate_store::ledger::BoxFuture;
use tollgate_store::{
    Durable, Intent, Ledger, LedgerRow, LedgerState, ReportQuery, ReportRow, StoreError, Totals,
};

use crate::desk::Desk;
use crate::journal::Journal;
use crate::report;
use crate::rows;
use crate::waiting::{Teller, Waiting};

/// Rows in one transaction at most, so that a long backlog does not become one long transaction.
const LARGEST_GROUP: usize = 8192;

/// Rows that are worth a commit when hardly anything else is running that could join them.
const WORTHWHILE: usize = 16;

/// What requests and the writer share.
pub(crate) struct Core {
    pub(crate) shared: Mutex<Shared>,
    /// Tells the writer that there is something to do.
    pub(crate) wake: Condvar,
    /// `None` in a process that does not own the ledger.
    pub(crate) journal: Mutex<Option<Journal>>,
    /// Whether new requests are taken; the reason why not is in `shared`.
    accepting: AtomicBool,
    /// Requests opened and not yet on disk.
    reserved: AtomicUsize,
    capacity: usize,
    pub(crate) counters: Counters,
}

/// What the writer has done, for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// Behind one lock that is held for moments only.
#[derive(Default)]
pub(crate) struct Shared {
    entries: HashMap<u128, Entry, BuildHasherDefault<IdHasher>>,
    /// What the writer has not taken yet, oldest first.
    pub(crate) queue: Vec<Group>,
    /// Rows in it, and others who wait.
    queued: usize,
    /// Entries that are settled and not yet on disk.
    settled: usize,
    /// Why the database cannot be written.
    pub(crate) database_fault: Option<String>,
    /// Why the journal cannot be written.
    pub(crate) journal_fault: Option<String>,
    /// Nothing is taken any more, and why.
    pub(crate) closed: Option<String>,
    /// The writer shall end.
    pub(crate) stopping: bool,
    /// The writer waits on `wake` for anything at all.
    pub(crate) writer_idle: bool,
    /// The writer waits on `wake` for so many rows; 0 when it does not.
    pub(crate) gathering: usize,
    /// Somebody waits for what is there already; more rows are not to be waited for.
    pub(crate) hurried: bool,
}

struct Entry {
    /// Where its intent is; `None` for a row whose request was never opened.
    segment: Option<u64>,
    /// Its row, once settled.
    row: Option<Arc<LedgerRow>>,
}

/// Rows for one transaction, and those who wait for it.
pub(crate) struct Group {
    /// None when somebody only waits for what came before.
    pub(crate) rows: Vec<Arc<LedgerRow>>,
    pub(crate) teller: Teller,
    /// Until when they wait, once writing has failed.
    pub(crate) deadline: Option<std::time::Instant>,
}

/// For ids, which Tollgate makes itself and mostly of random bits.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u128(u128::from(*byte));
        }
    }

    fn write_u128(&mut self, id: u128) {
        let folded = u64::try_from((id ^ (id >> 64)) & u128::from(u64::MAX)).unwrap_or(0);
        let mixed = (self.0 ^ folded).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Core {
    pub(crate) fn new(journal: Option<Journal>, capacity: usize, closed: Option<String>) -> Self {
        Self {
            accepting: AtomicBool::new(closed.is_none()),
            shared: Mutex::new(Shared { closed, ..Shared::default() }),
            wake: Condvar::new(),
            journal: Mutex::new(journal),
            reserved: AtomicUsize::new(0),
            capacity,
            counters: Counters::default(),
        }
    }

    /// The shared state; a panic elsewhere is one request's and does not spread (I24).
    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets or clears faults and decides from them whether requests are taken.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Shared)) {
        let mut shared = self.lock();
        let before = shared.refusal();
        change(&mut shared);
        let after = shared.refusal();
        let closed = shared.closed.is_some();
        self.accepting.store(after.is_none(), Ordering::Release);
        if shared.writer_idle || shared.gathering > 0 {
            self.wake.notify_one();
        }
        drop(shared);
        match (before, after) {
            // The normal end.
            (None, Some(reason)) if closed => {
                tracing::info!(%reason, "the ledger closes; new requests are refused");
            }
            (None, Some(reason)) => {
                tracing::error!(%reason, "the ledger cannot be written; new requests are refused")
            }
            (Some(_), None) => tracing::info!("the ledger can be written again"),
            _ => {}
        }
    }

    /// Forgets rows that are on disk and releases their room and their journal.
    pub(crate) fn committed(&self, rows: &[Arc<LedgerRow>]) {
        // Rows of one transaction were mostly admitted one after another.
        let mut segments: Vec<(u64, usize)> = Vec::new();
        let mut count = 0;
        let mut shared = self.lock();
        for row in rows {
            if let Some(entry) = shared.entries.remove(&row.intent.id.0.0) {
                count += 1;
                if let Some(segment) = entry.segment {
                    match segments.iter_mut().find(|(number, _)| *number == segment) {
                        Some((_, count)) => *count += 1,
                        None => segments.push((segment, 1)),
                    }
                }
            }
        }
        shared.settled -= count;
        drop(shared);
        self.reserved.fetch_sub(count, Ordering::AcqRel);
        let finished = self.journal().as_mut().map_or_else(Vec::new, |journal| {
            segments.into_iter().for_each(|(number, count)| journal.settled(number, count));
            journal.take_finished()
        });
        crate::journal::remove(&finished);
    }

    /// Room for one more row (I26).
    fn reserve(&self) -> Result<(), StoreError> {
        if self.reserved.fetch_add(1, Ordering::AcqRel) < self.capacity {
            return Ok(());
        }
        self.reserved.fetch_sub(1, Ordering::AcqRel);
        Err(StoreError::Unavailable(format!(
            "{} requests are running or wait for the ledger, which is as many as it takes. Try again in a moment, or \
             raise the limit of open requests",
            self.capacity
        )))
    }

    /// Appends the intent and remembers it.
    fn admit(&self, intent: &Intent) -> Result<(), StoreError> {
        let appended = Journal::encoded(intent, |record| match self.journal().as_mut() {
            Some(journal) => journal.append(record),
            None => Err(StoreError::Unavailable("the ledger is closed".to_owned())),
        });
        let segment = appended.inspect_err(|error| {
            self.update(|shared| shared.journal_fault = Some(error.to_string()));
        })?;
        match self.lock().entries.entry(intent.id.0.0) {
            Slot::Vacant(slot) => {
                slot.insert(Entry { segment: Some(segment), row: None });
                return Ok(());
            }
            Slot::Occupied(_) => {}
        }
        if let Some(journal) = self.journal().as_mut() {
            journal.settled(segment, 1);
        }
        Err(StoreError::Conflict(format!(
            "the request {} was opened before. Each request needs an id of its own",
            intent.id
        )))
    }

    fn enqueue(&self, mut shared: MutexGuard<'_, Shared>, row: Option<Arc<LedgerRow>>) -> Waiting {
        shared.hurried |= row.is_none();
        let waiting = shared.push(row);
        let enough = shared.gathering > 0 && shared.enough(shared.gathering);
        if enough {
            shared.gathering = 0;
        }
        let idle = std::mem::take(&mut shared.writer_idle);
        drop(shared);
        // Waking a thread costs more than the rest of this, so it is done once for a batch.
        if idle || enough {
            self.wake.notify_one();
        }
        waiting
    }
}

impl Shared {
    /// Why new requests are refused, if they are.
    fn refusal(&self) -> Option<String> {
        self.closed.as_ref().or(self.database_fault.as_ref()).or(self.journal_fault.as_ref()).cloned()
    }

    /// Adds to the last group, or begins one.
    fn push(&mut self, row: Option<Arc<LedgerRow>>) -> Waiting {
        self.queued += 1;
        match self.queue.last_mut().filter(|group| group.rows.len() < LARGEST_GROUP) {
            Some(group) => {
                group.rows.extend(row);
                group.teller.waiting()
            }
            None => {
                let mut rows = Vec::with_capacity(64);
                rows.extend(row);
                let teller = Teller::new();
                let waiting = teller.waiting();
                self.queue.push(Group { rows, teller, deadline: None });
                waiting
            }
        }
    }

    /// Whether what waits is worth a commit before its time: it is `rows`, or nearly everything that is
    /// running, so that little could join it (clients that wait for their answers send nothing new).
    pub(crate) fn enough(&self, rows: usize) -> bool {
        let running = self.entries.len() - self.settled;
        self.hurried || self.queued >= rows || (self.queued >= WORTHWHILE && self.queued >= 3 * running)
    }

    /// What the writer takes.
    pub(crate) fn take(&mut self, groups: &mut Vec<Group>) {
        self.hurried = false;
        self.queued = 0;
        groups.append(&mut self.queue);
    }
}

/// The ledger port.
pub(crate) struct SqliteLedger {
    pub(crate) core: Arc<Core>,
    pub(crate) desk: Desk,
}

impl Ledger for SqliteLedger {
    /// I8: the intent is in the journal before this returns; nothing is waited for but one append.
    fn open(&self, intent: &Intent) -> Result<(), StoreError> {
        if !self.core.accepting.load(Ordering::Acquire)
            && let Some(reason) = self.core.lock().refusal()
        {
            return Err(StoreError::Unavailable(reason));
        }
        self.core.reserve()?;
        self.core.admit(intent).inspect_err(|_| {
            self.core.reserved.fetch_sub(1, Ordering::AcqRel);
        })
    }

    /// I9: the future resolves after the commit. The row is on its way also when the future is dropped.
    fn settle(&self, row: LedgerRow) -> Durable {
        let id = row.intent.id.0.0;
        let row = Arc::new(row);
        let mut shared = self.core.lock();
        if let Some(reason) = &shared.closed {
            return refused(reason);
        }
        let fresh = match shared.entries.entry(id) {
            Slot::Occupied(mut slot) => {
                let entry = slot.get_mut();
                let fresh = entry.row.is_none();
                entry.row.get_or_insert_with(|| Arc::clone(&row));
                fresh
            }
            // Settled and committed before (then the insert changes nothing, I10), or never opened: money spent
            // is recorded all the same.
            Slot::Vacant(slot) => {
                if let Err(error) = self.core.reserve() {
                    return Box::pin(std::future::ready(Err(error)));
                }
                slot.insert(Entry { segment: None, row: Some(Arc::clone(&row)) });
                true
            }
        };
        shared.settled += usize::from(fresh);
        Box::pin(self.core.enqueue(shared, fresh.then_some(row)))
    }

    fn state(&self) -> LedgerState {
        let shared = self.core.lock();
        match shared.refusal() {
            None => LedgerState::Healthy,
            Some(reason) => LedgerState::Unavailable { reason, waiting: shared.settled },
        }
    }

    fn open_count(&self) -> usize {
        let shared = self.core.lock();
        shared.entries.len() - shared.settled
    }

    fn generation(&self, id: GenerationId) -> BoxFuture<Result<Option<LedgerRow>, StoreError>> {
        // Rows leave memory after their commit, so one that is not here now can be read there.
        if let Some(row) = self.core.lock().entries.get(&id.0.0).and_then(|entry| entry.row.clone()) {
            return Box::pin(std::future::ready(Ok(Some((*row).clone()))));
        }
        self.desk.ask(move |connection| Ok(rows::find(connection, id)?))
    }

    fn totals(&self, team: TeamId) -> BoxFuture<Result<Totals, StoreError>> {
        self.desk.ask(move |connection| Ok(rows::totals(connection, team)?))
    }

    fn report(&self, query: ReportQuery) -> BoxFuture<Result<Vec<ReportRow>, StoreError>> {
        self.desk.ask(move |connection| Ok(report::report(connection, &query)?))
    }

    fn flush(&self) -> BoxFuture<Result<(), StoreError>> {
        let shared = self.core.lock();
        if let Some(reason) = &shared.closed {
            // What was settled before the end was written by then, or its waiters were told.
            return if shared.settled == 0 { Box::pin(std::future::ready(Ok(()))) } else { refused(reason) };
        }
        Box::pin(self.core.enqueue(shared, None))
    }
}

fn refused(reason: &str) -> Durable {
    Box::pin(std::future::ready(Err(StoreError::Unavailable(reason.to_owned()))))
}
