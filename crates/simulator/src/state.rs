//! What all connections of a simulator share: scripts, the default behaviour, what was seen, the counters.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::Notify;

use crate::Options;
use crate::answer::cache::PromptCache;
use crate::answer::responses::memory::Memory;
use crate::behaviour::Behaviour;
use crate::directive::{self, DirectiveError};
use crate::request::Request;
use crate::script::{self, Script};
use crate::seal::Seal;
use crate::stats::Counters;

/// Values kept per field of `/__sim/seen`.
const SEEN_LIMIT: usize = 1_000_000;
/// Sets of directives whose `times` is remembered.
const DIRECTIVES_LIMIT: usize = 100_000;
/// Scripts that may wait.
pub(crate) const SCRIPTS_LIMIT: usize = 100_000;

pub(crate) struct State {
    pub settings: Options,
    pub counters: Counters,
    /// Seals what callers are to bring back unchanged.
    pub seal: Seal,
    /// Told of every request and every departure.
    pub changed: Notify,
    scripts: Mutex<VecDeque<Script>>,
    default: Mutex<Arc<Behaviour>>,
    directives_used: Mutex<HashMap<String, u32>>,
    log: Mutex<Log>,
    cache: Mutex<PromptCache>,
    responses: Mutex<Memory>,
}

#[derive(Default)]
struct Log {
    /// Order of the next request.
    next: u64,
    /// The last requests; their orders have no gaps.
    kept: VecDeque<Entry>,
    seen: HashMap<String, Vec<Value>>,
}

/// A request that was kept.
#[derive(Clone)]
pub(crate) struct Entry {
    pub order: u64,
    pub request: Request,
    pub received: Instant,
    pub left: Option<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is whole after each statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(settings: Options) -> Self {
        Self {
            default: Mutex::new(Arc::new(settings.default.clone())),
            seal: Seal::new(&settings.issuer),
            settings,
            counters: Counters::default(),
            changed: Notify::new(),
            scripts: Mutex::default(),
            directives_used: Mutex::default(),
            log: Mutex::default(),
            cache: Mutex::default(),
            responses: Mutex::default(),
        }
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, PromptCache> {
        lock(&self.cache)
    }

    /// The stored responses. Taken together with the cache, it is taken second.
    pub(crate) fn responses(&self) -> MutexGuard<'_, Memory> {
        lock(&self.responses)
    }

    /// Adds a script, unless too many wait already.
    pub(crate) fn push_script(&self, script: Script) -> bool {
        let mut scripts = lock(&self.scripts);
        let fits = scripts.len() < SCRIPTS_LIMIT;
        if fits {
            scripts.push_back(script);
        }
        fits
    }

    pub(crate) fn scripts_left(&self) -> usize {
        lock(&self.scripts).len()
    }

    pub(crate) fn set_default(&self, behaviour: Behaviour) {
        *lock(&self.default) = Arc::new(behaviour);
    }

    /// Forgets scripts, requests, counts, prompts and stored responses, and goes back to the first default behaviour.
    pub(crate) fn reset(&self) {
        lock(&self.scripts).clear();
        self.set_default(self.settings.default.clone());
        lock(&self.directives_used).clear();
        let mut log = lock(&self.log);
        log.kept.clear();
        log.seen.clear();
        drop(log);
        *lock(&self.cache) = PromptCache::default();
        *lock(&self.responses) = Memory::default();
        self.counters.reset();
        self.changed.notify_waiters();
    }

    /// The behaviour for a request: a script, else the default; then directives over it.
    pub(crate) fn behaviour(
        &self,
        path: &str,
        model: &str,
        directives: Option<&str>,
        header: Option<&str>,
        body: &Value,
    ) -> Result<Behaviour, DirectiveError> {
        let scripted = script::take(&mut lock(&self.scripts), path, model, body);
        let mut behaviour = scripted.unwrap_or_else(|| self.default_behaviour());
        if directives.is_none() && header.is_none() {
            return Ok(behaviour);
        }
        behaviour.times = None;
        for text in [directives, header].into_iter().flatten() {
            directive::apply(text, &mut behaviour)?;
        }
        if let Some(times) = behaviour.times {
            let key = format!("{model}@{}|{}", directives.unwrap_or_default(), header.unwrap_or_default());
            let mut used = lock(&self.directives_used);
            if used.len() >= DIRECTIVES_LIMIT {
                used.clear();
            }
            let count = used.entry(key).or_default();
            if *count >= times {
                behaviour.fault = None;
            } else {
                *count += 1;
            }
        }
        Ok(behaviour)
    }

    fn default_behaviour(&self) -> Behaviour {
        let mut default = lock(&self.default);
        let mut behaviour = Behaviour::clone(&default);
        match behaviour.times {
            None => {}
            Some(0) => behaviour.fault = None,
            Some(left) => Arc::make_mut(&mut default).times = Some(left - 1),
        }
        behaviour
    }

    /// Takes note of a request that was read in full.
    pub(crate) fn begin(self: &Arc<Self>, request: &Request, body: Option<&Value>) -> InFlight {
        let seen = body.map_or_else(Vec::new, |body| self.seen_values(body));
        let mut log = lock(&self.log);
        let order = log.next;
        log.next += 1;
        for (field, value) in seen {
            let values = log.seen.entry(field).or_default();
            if values.len() < SEEN_LIMIT {
                values.push(value);
            }
        }
        if self.settings.keep_requests > 0 {
            while log.kept.len() >= self.settings.keep_requests {
                log.kept.pop_front();
            }
            log.kept.push_back(Entry {
                order,
                request: request.clone(),
                received: Instant::now(),
                left: None,
            });
        }
        drop(log);
        self.counters.requests.fetch_add(1, Relaxed);
        self.counters.in_flight.fetch_add(1, Relaxed);
        self.changed.notify_waiters();
        InFlight { state: Arc::clone(self), order, stream: false }
    }

    /// The members of the body that `/__sim/seen` lists.
    fn seen_values(&self, body: &Value) -> Vec<(String, Value)> {
        let value = |field: &String| body.pointer(&format!("/{}", field.replace('.', "/"))).cloned();
        self.settings
            .seen_fields
            .iter()
            .filter_map(|field| value(field).map(|v| (field.clone(), v)))
            .collect()
    }

    /// The values of one field, or `None` when that field is not kept.
    pub(crate) fn seen(&self, field: &str) -> Option<Vec<Value>> {
        if !self.settings.seen_fields.iter().any(|f| f == field) {
            return None;
        }
        Some(lock(&self.log).seen.get(field).cloned().unwrap_or_default())
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        lock(&self.log).kept.iter().cloned().collect()
    }
}

/// A request being answered. Dropped unfinished, its client went away or the simulator stopped.
pub(crate) struct InFlight {
    state: Arc<State>,
    pub order: u64,
    stream: bool,
}

impl InFlight {
    pub(crate) fn streams(&mut self) {
        self.stream = true;
        self.state.counters.open_streams.fetch_add(1, Relaxed);
    }

    pub(crate) fn finished(self) {
        self.state.counters.finished.fetch_add(1, Relaxed);
    }

    pub(crate) fn client_left(self) {
        let mut log = lock(&self.state.log);
        let first = log.kept.front().map_or(0, |e| e.order);
        let at = self.order.checked_sub(first).and_then(|n| usize::try_from(n).ok());
        if let Some(entry) = at.and_then(|at| log.kept.get_mut(at)) {
            entry.left = Some(Instant::now());
        }
        drop(log);
        self.state.counters.aborted.fetch_add(1, Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.stream {
            self.state.counters.open_streams.fetch_sub(1, Relaxed);
        }
        self.state.counters.in_flight.fetch_sub(1, Relaxed);
        self.state.changed.notify_waiters();
    }
}
