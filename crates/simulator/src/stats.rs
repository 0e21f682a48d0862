//! Counters of a simulator.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

/// What a simulator has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Requests read in full, those under `/__sim/` not counted.
    pub requests: u64,
    /// Requests being answered, also those that wait or hang.
    pub in_flight: u64,
    /// Streams being answered.
    pub open_streams: u64,
    /// Answers that went out as planned, also when the plan was a cut or a reset.
    pub finished: u64,
    /// Requests whose client went away before the answer was out.
    pub aborted: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub connections: AtomicU64,
    pub requests: AtomicU64,
    pub in_flight: AtomicU64,
    pub open_streams: AtomicU64,
    pub finished: AtomicU64,
    pub aborted: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            connections: self.connections.load(Relaxed),
            requests: self.requests.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            open_streams: self.open_streams.load(Relaxed),
            finished: self.finished.load(Relaxed),
            aborted: self.aborted.load(Relaxed),
        }
    }

    /// Starts the counts anew; what is in flight stays counted.
    pub(crate) fn reset(&self) {
        for counter in [&self.connections, &self.requests, &self.finished, &self.aborted] {
            counter.store(0, Relaxed);
        }
    }
}
