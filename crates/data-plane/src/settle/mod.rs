//! One durable ledger row, exactly once, and the receipt that the client gets: the same values (I3, I10).

use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::failure::{FailureClass, Origin, Retry};
use tollgate_domain::receipt::{CredentialKind, Receipt, Routing};
use tollgate_domain::reply::FinishReason;
use tollgate_domain::{Failure, Nanodollars};
use tollgate_providers::Seen;
use tollgate_store::ledger::Durable;
use tollgate_store::{LedgerRow, RowStatus};
use tollgate_telemetry::metrics::RequestLabels;

use crate::admit::Ticket;
use crate::meter::{self, Metered};
use crate::refusal::callers_own;

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The answer is complete.
    Complete,
    /// No answer, or one broken off.
    Failed(Failure),
    /// The client went away (I22).
    ClientGone,
}

impl Ending {
    /// Of a request that is dropped before its end: the client went away, unless the request panicked (I24).
    pub(crate) fn dropped() -> Self {
        if !std::thread::panicking() {
            return Self::ClientGone;
        }
        Self::Failed(Failure {
            origin: Origin::Gateway,
            retry: Retry::Never,
            ..Failure::provider(FailureClass::Server, "The request panicked.")
        })
    }
}

/// Settles a ticket. What it returns is on its way to the disk; the last bytes wait for it (I9).
pub(crate) fn settle(ticket: &mut Ticket, ending: &Ending, seen: &Seen) -> (Receipt, Durable) {
    ticket.settled = true;
    end_attempt(ticket);
    let (status, metered) = measure(ticket, ending, seen);
    let now = ticket.gateway.clock.now();
    let duration = ticket.arrived.elapsed();
    let ttft = ticket.first_content.map(|at| at.saturating_duration_since(ticket.arrived));
    let receipt = receipt(ticket, seen, &metered);
    count(ticket, ending, &metered, duration, ttft);
    let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    let last = ticket.attempts.last();
    let row = LedgerRow {
        intent: ticket.intent.clone(),
        status,
        settled_at: now,
        provider: last.map_or_else(|| ticket.intent.provider.clone(), |a| a.provider.clone()),
        provider_model: last.map(|a| a.provider_model.clone()).unwrap_or_default(),
        response_id: seen.info.id.clone(),
        usage: metered.usage,
        cost: charged(ticket, &metered),
        market_cost: metered.cost,
        rates: metered.rates,
        price_version: ticket.plan.price_version.to_string(),
        byok: byok(ticket),
        finish_reason: seen.finish.map_or("", FinishReason::as_str).to_owned(),
        failure: match ending {
            Ending::Complete => None,
            Ending::Failed(failure) => Some(failure.class.as_str().to_owned()),
            Ending::ClientGone => Some(FailureClass::ClientClosed.as_str().to_owned()),
        },
        client_status: client_status(ticket, ending),
        ttft_micros: ttft.map(micros),
        duration_micros: micros(duration),
        overhead_micros: micros(duration.saturating_sub(ticket.upstream)),
        attempts: u32::try_from(ticket.attempts.len()).unwrap_or(u32::MAX),
    };
    let durable = ticket.gateway.ledger.settle(row);
    ticket.gateway.closed();
    (receipt, durable)
}

/// Whether the caller's own credential served.
fn byok(ticket: &Ticket) -> bool {
    ticket.attempts.last().is_some_and(|a| a.credential == CredentialKind::Byok)
}

/// What is charged: nothing where the caller pays the provider himself.
fn charged(ticket: &Ticket, metered: &Metered) -> Option<Nanodollars> {
    if byok(ticket) { Some(Nanodollars::ZERO) } else { metered.cost }
}

/// Closes the running attempt's clock.
pub(crate) fn end_attempt(ticket: &mut Ticket) {
    let Some(began) = ticket.attempt_began.take() else { return };
    let now = Instant::now();
    ticket.upstream += now.saturating_duration_since(began);
    let end = ticket.gateway.nanos(now);
    if let Some(attempt) = ticket.attempts.last_mut() {
        attempt.end_nanos = end;
    }
}

/// Errors are free unless the provider reports otherwise (I7); what was produced for a client that left, or
/// before a stream broke, is not.
fn measure(ticket: &Ticket, ending: &Ending, seen: &Seen) -> (RowStatus, Metered) {
    let complete = matches!(ending, Ending::Complete);
    let produced = complete || seen.output_bytes > 0;
    let reported = seen.usage.is_some_and(|u| u.output_total() > 0);
    if !produced && !reported {
        let nothing = Metered { cost: Some(Nanodollars::ZERO), ..Metered::default() };
        return (RowStatus::Void, nothing);
    }
    let usage = meter::usage(seen, complete, ticket.prompt_bytes);
    let prices = ticket.route.as_ref().and_then(|r| r.prices.as_ref());
    let status = if usage.estimated { RowStatus::Estimated } else { RowStatus::Settled };
    (status, meter::price(usage, prices, seen.info.service_tier.as_deref()))
}

fn client_status(ticket: &Ticket, ending: &Ending) -> u16 {
    match ending {
        Ending::Complete => 200,
        // A stream that had begun has had its status.
        Ending::Failed(_) if ticket.first_content.is_some() && ticket.intent.streamed => 200,
        Ending::Failed(failure) => {
            let credential = ticket.attempts.last().map(|attempt| attempt.credential);
            credential
                .and_then(|credential| callers_own(failure.class, credential))
                .map_or_else(|| failure.class.client_status(), |(status, _)| status)
        }
        Ending::ClientGone => FailureClass::ClientClosed.client_status(),
    }
}

/// The path that the request took so far.
pub(crate) fn routing(ticket: &Ticket) -> Routing {
    let plan = &ticket.plan;
    let first = plan.targets.first();
    Routing {
        original_model: plan.requested.clone(),
        canonical_model: plan.canonical.clone(),
        resolved_provider: ticket.intent.provider.clone(),
        resolved_provider_model: first.map(|t| t.codec.model.clone()).unwrap_or_default(),
        fallbacks: plan.targets.iter().skip(1).map(|t| t.access.slug.to_string()).collect(),
        reasoning: plan.reasoning.clone(),
        final_provider: ticket
            .attempts
            .last()
            .map_or_else(|| ticket.intent.provider.clone(), |a| a.provider.clone()),
        attempts: ticket.attempts.clone(),
    }
}

fn receipt(ticket: &Ticket, seen: &Seen, metered: &Metered) -> Receipt {
    let namespace = ticket.route.as_ref().map(|route| route.namespace().to_owned());
    Receipt {
        generation: ticket.intent.id,
        routing: routing(ticket),
        usage: metered.usage,
        cost: charged(ticket, metered),
        market_cost: metered.cost,
        byok: byok(ticket),
        native: namespace.zip(seen.native.clone()),
        // Anthropic names its usual tier too; the service does not.
        service_tier: seen.info.service_tier.clone().filter(|tier| tier != "standard"),
        warnings: ticket.warnings.clone(),
    }
}

fn count(ticket: &Ticket, ending: &Ending, metered: &Metered, duration: Duration, ttft: Option<Duration>) {
    let metrics = &ticket.gateway.metrics;
    let status = client_status(ticket, ending);
    metrics.requests.get_or_create(&RequestLabels { dialect: ticket.surface, status }).inc();
    if let Some(route) = &ticket.route {
        let counters = &route.access.counters;
        // Attempts that failed before content have been counted where they failed.
        match ticket.attempts.last() {
            Some(attempt) if ticket.first_content.is_some() => {
                if attempt.success { &counters.success } else { &counters.failure }.inc();
            }
            _ => {}
        }
        counters.input.inc_by(metered.usage.input_total());
        counters.cache_read.inc_by(metered.usage.input_cache_read);
        counters.cache_write.inc_by(metered.usage.cache_write());
        counters.output.inc_by(metered.usage.output_total());
    }
    if let Some(cost) = charged(ticket, metered) {
        metrics.cost_nanodollars.inc_by(u64::try_from(cost.0).unwrap_or(0));
    }
    metrics.duration.observe(duration.as_secs_f64());
    if let Some(ttft) = ttft {
        metrics.first_content.observe(ttft.as_secs_f64());
    }
}
