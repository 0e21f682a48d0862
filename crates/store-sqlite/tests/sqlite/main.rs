//! The store on SQLite against the contract, against a killed process and against a database that refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests stop a test as tests themselves do")]

mod closing;
mod crash;
mod faults;
mod place;
mod processes;

tollgate_store::contract_tests!(place::Folder::new());
