//! The handle by which a test or a demo directs a simulator in its own process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::script::Script;
use crate::state::{Entry, State};
use crate::stats::Stats;

/// Directs a running simulator. Cheap to clone; outlives the simulator without harm.
#[derive(Clone)]
pub struct Control {
    pub(crate) state: Arc<State>,
}

/// A request that the simulator received in full.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// Its place in the order of arrival, from 0.
    pub order: u64,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// All headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from its transfer coding.
    pub body: Bytes,
    /// When it had been received in full.
    pub received_at: Instant,
    /// When its client was noticed to have gone away before the answer was out.
    pub client_left_at: Option<Instant>,
}

impl SeenRequest {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Whether the client went away before the answer was out.
    #[must_use]
    pub fn client_left(&self) -> bool {
        self.client_left_at.is_some()
    }

    /// From the receipt of the request to the moment its client's departure was noticed.
    #[must_use]
    pub fn left_after(&self) -> Option<Duration> {
        self.client_left_at.map(|left| left.duration_since(self.received_at))
    }
}

impl From<Entry> for SeenRequest {
    fn from(entry: Entry) -> Self {
        Self {
            order: entry.order,
            headers: entry.request.headers(),
            method: entry.request.method,
            target: entry.request.target,
            body: entry.request.body,
            received_at: entry.received,
            client_left_at: entry.left,
        }
    }
}

impl Control {
    /// Lays out a behaviour for the next matching requests. False when 100,000 scripts wait already and
    /// this one was not taken.
    pub fn push_script(&self, script: Script) -> bool {
        self.state.push_script(script)
    }

    /// Scripts that are not used up.
    #[must_use]
    pub fn scripts_left(&self) -> usize {
        self.state.scripts_left()
    }

    /// Sets what requests get that no script matches.
    pub fn set_default(&self, behaviour: Behaviour) {
        self.state.set_default(behaviour);
    }

    /// Forgets scripts, requests, counts and cached prompts, and restores the default behaviour of the
    /// options.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// The last requests, oldest first; how many are kept is an option.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.state.entries().into_iter().map(SeenRequest::from).collect()
    }

    /// The values of a body member over all requests since the start or the last reset; `None` when the
    /// field is not among [`crate::Options::seen_fields`].
    #[must_use]
    pub fn seen(&self, field: &str) -> Option<Vec<Value>> {
        self.state.seen(field)
    }

    /// The counts so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state.counters.read()
    }

    /// Waits until at least so many requests were received in full.
    pub async fn wait_for_requests(&self, count: u64) -> Stats {
        self.wait_until(|stats| stats.requests >= count).await
    }

    /// Waits until at least so many clients were noticed to have gone away.
    pub async fn wait_for_aborts(&self, count: u64) -> Stats {
        self.wait_until(|stats| stats.aborted >= count).await
    }

    /// Waits until the counts are as wanted.
    pub async fn wait_until(&self, mut wanted: impl FnMut(&Stats) -> bool) -> Stats {
        loop {
            let mut changed = std::pin::pin!(self.state.changed.notified());
            changed.as_mut().enable();
            let stats = self.stats();
            if wanted(&stats) {
                return stats;
            }
            changed.await;
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
