//! The thread for reading and for keys: it owns a second connection, so that neither waits behind a
//! commit of the ledger, and it tells when the revision has risen, whichever process raised it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use tollgate_store::StoreError;
use tollgate_store::ledger::BoxFuture;

use crate::{database, fault};

/// Questions that may wait; more are refused (I26).
const WAITING: usize = 1024;

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// Asks the thread. Cloned freely; the thread ends with the last one, or when told to.
#[derive(Clone)]
pub(crate) struct Desk {
    questions: Arc<Mutex<Option<SyncSender<Question>>>>,
    path: Arc<PathBuf>,
    revisions: watch::Receiver<u64>,
    /// Held while keys or rows are written, so that the two connections of this process never meet a locked
    /// database because of each other.
    gate: Arc<Mutex<()>>,
}

impl Desk {
    /// Starts the thread.
    pub(crate) fn start(
        path: PathBuf,
        connection: Connection,
        poll: Duration,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let first = revision(&connection).map_err(|error| fault::database(&path, &error))?;
        let (questions, waiting) = sync_channel(WAITING);
        let (raised, revisions) = watch::channel(first);
        let thread = std::thread::Builder::new()
            .name("ledger-desk".to_owned())
            .spawn(move || run(connection, &waiting, &raised, poll))
            .map_err(|error| fault::file("start the reading thread for", &path, &error))?;
        let questions = Arc::new(Mutex::new(Some(questions)));
        Ok((Self { questions, path: Arc::new(path), revisions, gate: Arc::default() }, thread))
    }

    /// The gate that writers pass.
    pub(crate) fn gate(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.gate)
    }

    /// The revision as last seen.
    pub(crate) fn revisions(&self) -> watch::Receiver<u64> {
        self.revisions.clone()
    }

    /// Runs `question` on the thread.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> BoxFuture<Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let path = Arc::clone(&self.path);
        let job: Question = Box::new(move |connection| {
            let result = question(connection).map_err(|refusal| match refusal {
                Refusal::Store(error) => error,
                Refusal::Sql(error @ rusqlite::Error::FromSqlConversionFailure(..)) => StoreError::Corrupt(format!(
                    "the database {} holds something that this Tollgate did not write ({error}). Restore it from a backup",
                    path.display()
                )),
                Refusal::Sql(error) => fault::database(&path, &error),
            });
            // Nobody listens any more: then nobody needs the answer.
            let _ = answer.send(result);
        });
        let sent = match &*self.questions.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(questions) => questions.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        let path = Arc::clone(&self.path);
        Box::pin(async move {
            match sent {
                Ok(()) => answered.await.unwrap_or_else(|_| Err(closed(&path))),
                Err(TrySendError::Disconnected(_)) => Err(closed(&path)),
                Err(TrySendError::Full(_)) => Err(StoreError::Unavailable(format!(
                    "{WAITING} questions already wait for the database {}; try again in a moment",
                    path.display()
                ))),
            }
        })
    }

    /// Like `ask`, in one writing transaction that is rolled back on an error.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> BoxFuture<Result<T, StoreError>> {
        let gate = self.gate();
        self.ask(move |connection| {
            let _writing = gate.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Lets the thread end when it has answered what waits.
    pub(crate) fn stop(&self) {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Why a question has no answer.
pub(crate) enum Refusal {
    /// Said already.
    Store(StoreError),
    /// By SQLite.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn closed(path: &std::path::Path) -> StoreError {
    StoreError::Unavailable(format!("the database {} is closed: Tollgate is shutting down", path.display()))
}

fn run(
    mut connection: Connection,
    waiting: &Receiver<Question>,
    raised: &watch::Sender<u64>,
    poll: Duration,
) {
    let mut next = Instant::now() + poll;
    loop {
        match waiting.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(question) => question(&mut connection),
            Err(RecvTimeoutError::Timeout) => next = Instant::now() + poll,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Read after each question too: one of them may have raised it. A failure shows up in the next question.
        if let Ok(now) = revision(&connection) {
            raised.send_if_modified(|seen| std::mem::replace(seen, now) != now);
        }
    }
}

/// The revision.
pub(crate) fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let text = database::meta(connection, database::REVISION)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    text.parse().map_err(|error| crate::rows::unreadable(0, error))
}
