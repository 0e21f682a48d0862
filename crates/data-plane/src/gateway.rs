//! What all requests of a process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tokio::time::Instant;
use tollgate_store::{Ledger, LedgerState};
use tollgate_telemetry::Metrics;

use crate::clock::{Clock, IdSource};
use crate::fetch::Fetcher;
use crate::lanes::Connector;
use crate::settings::Settings;
use crate::snapshot::Snapshot;

/// What a gateway is made of.
pub struct GatewayParts {
    /// The first snapshot.
    pub snapshot: Snapshot,
    /// Where requests are recorded.
    pub ledger: Arc<dyn Ledger>,
    /// Limits.
    pub settings: Settings,
    /// Opens connections to where files are fetched from.
    pub connector: Connector,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: IdSource,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// Shared by all requests.
pub struct Gateway {
    snapshot: ArcSwap<Snapshot>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) settings: Settings,
    /// Fetches files that requests and answers give as addresses.
    pub(crate) fetcher: Fetcher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: IdSource,
    pub(crate) metrics: Arc<Metrics>,
    started: Instant,
    open: AtomicUsize,
}

impl Gateway {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Arc<Self> {
        Arc::new(Self {
            snapshot: ArcSwap::from_pointee(parts.snapshot),
            ledger: parts.ledger,
            settings: parts.settings,
            fetcher: Fetcher::new(parts.connector, parts.settings, Arc::clone(&parts.metrics)),
            clock: parts.clock,
            ids: parts.ids,
            metrics: parts.metrics,
            started: Instant::now(),
            open: AtomicUsize::new(0),
        })
    }

    /// The current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts another snapshot in force for all requests from now on.
    pub fn swap(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Requests between admission and settlement.
    #[must_use]
    pub fn open_requests(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// What is degraded, for people; empty when the gateway can serve (operations `/readyz`).
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let LedgerState::Unavailable { reason, waiting } = self.ledger.state() {
            found.push(format!("The ledger cannot be written: {reason} ({waiting} rows wait in memory)."));
        }
        found
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.metrics.open_requests.inc();
    }

    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.metrics.open_requests.dec();
    }

    /// Nanoseconds since the process's gateway began, on the monotonic clock.
    pub(crate) fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("open", &self.open).finish_non_exhaustive()
    }
}
