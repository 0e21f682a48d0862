//! What `/__mock/stats` counts.
use std::sync::atomic::{AtomicI64, AtomicU64};

pub static REQUESTS: AtomicU64 = AtomicU64::new(0);
pub static ERRORS: AtomicU64 = AtomicU64::new(0);
pub static CONNS: AtomicI64 = AtomicI64::new(0);
pub static CONNS_TOTAL: AtomicU64 = AtomicU64::new(0);
pub static STREAMS_OPEN: AtomicI64 = AtomicI64::new(0);
pub static STREAMS_DONE: AtomicU64 = AtomicU64::new(0);
pub static STREAMS_ABORTED: AtomicU64 = AtomicU64::new(0); // the client went away before the end
