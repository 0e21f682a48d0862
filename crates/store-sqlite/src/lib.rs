//! The store on SQLite: one file, one writer, group commit, and a journal of what is about to be sent.
//!
//! - [`SqliteStore`]: opens it all, recovers from a crash, closes it
//! - `ledger`: what requests touch; `writer`: the thread that commits; `journal`: intents (I8)
//! - `rows` and `terms`: rows in SQL; `report`: sums over them; `waiting`: those who wait for a commit
//! - `desk`: the thread that reads and keeps keys; `recovery`: interrupted rows
//!
//! Files in the data folder: the database with its `-wal` and `-shm`, `ledger.intents-<n>` (the journal)
//! and `ledger.lock` (only one process owns the ledger).

mod database;
mod desk;
mod fault;
mod journal;
mod keys;
mod ledger;
mod lock;
mod recovery;
mod report;
mod rows;
mod store;
mod terms;
mod waiting;
mod writer;

pub use store::{Clock, Entropy, Options, Role, SqliteStore, Statistics};
