//! One door to spending: nothing can be sent upstream without a [`Ticket`], and a ticket settles exactly
//! once, whatever happens to the request (I8, I10, I12).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::receipt::AttemptRecord;
use tollgate_domain::{GenerationId, Micros, Warning};
use tollgate_providers::Seen;
use tollgate_store::Intent;

use crate::authenticate::Caller;
use crate::decode::RequestIntent;
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::resolve::{Plan, Route};
use crate::settle::{self, Ending};

/// Leave to spend. Dropping it unsettled settles it as a client that went away, or as a panic.
pub(crate) struct Ticket {
    pub gateway: Arc<Gateway>,
    pub intent: Intent,
    pub plan: Plan,
    /// When the request came, on the monotonic clock.
    pub arrived: Instant,
    pub attempts: Vec<AttemptRecord>,
    /// The target of the latest attempt.
    pub route: Option<Arc<Route>>,
    pub first_content: Option<Instant>,
    /// Time that was the provider's: attempts and the waits between them.
    pub upstream: Duration,
    /// When the running attempt began.
    pub attempt_began: Option<Instant>,
    pub prompt_bytes: usize,
    /// The client's surface, for metrics.
    pub surface: &'static str,
    /// What could not be done as asked, of the latest attempt.
    pub warnings: Vec<Warning>,
    pub settled: bool,
}

/// When a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub at: Micros,
    pub instant: Instant,
}

/// Admits a request: a place among the open ones, and its intent in the ledger (I8).
///
/// # Errors
/// 503 when there are too many open requests or the ledger cannot be written.
pub(crate) fn admit(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    asked: &RequestIntent,
    plan: Plan,
    arrival: Arrival,
) -> Result<Ticket, Refusal> {
    let limit = gateway.settings.max_open_requests;
    if gateway.open_requests() >= limit {
        gateway.metrics.limit_hit("open_requests");
        return Err(Refusal::unavailable(format!(
            "This gateway is serving its limit of {limit} requests at once. Try again in a moment."
        )));
    }
    let provider = plan.targets.first().map(|t| t.access.slug.to_string()).unwrap_or_default();
    let intent = Intent {
        id: GenerationId(gateway.ids.ulid(arrival.at)),
        admitted_at: arrival.at,
        team: caller.team,
        project: caller.project,
        key: caller.key,
        requested_model: plan.requested.as_str().to_owned(),
        canonical_model: plan.canonical.as_str().to_owned(),
        provider,
        dialect: asked.work.surface().to_owned(),
        streamed: asked.head().stream,
        end_user: asked.options.user.clone(),
        tags: asked.options.tags.clone(),
    };
    gateway.ledger.open(&intent).map_err(|e| {
        gateway.metrics.limit_hit("ledger_unavailable");
        Refusal::unavailable(format!(
            "This gateway cannot record requests right now, so it does not send any: {e}"
        ))
    })?;
    gateway.opened();
    Ok(Ticket {
        gateway: Arc::clone(gateway),
        intent,
        plan,
        arrived: arrival.instant,
        attempts: Vec::with_capacity(1),
        route: None,
        first_content: None,
        upstream: Duration::ZERO,
        attempt_began: None,
        surface: asked.work.surface(),
        prompt_bytes: asked.body_bytes,
        warnings: Vec::new(),
        settled: false,
    })
}

impl Ticket {
    /// What is left of the request's life (I23).
    pub(crate) fn time_left(&self) -> Duration {
        self.gateway.settings.total_timeout.saturating_sub(self.arrived.elapsed())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled {
            // Nothing waits for it any more: the ledger keeps the row until it is written.
            drop(settle::settle(self, &Ending::dropped(), &Seen::default()));
        }
    }
}
