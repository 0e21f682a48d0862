//! The loop over targets: encode, send, wait for the first content, judge. Until content came a failed
//! attempt is replaced without the client noticing (I15); an attempt owns its request and its translation,
//! so that nothing of it reaches the next (I24).

mod call;
mod gate;
mod task;

pub(crate) use call::context;
pub(crate) use gate::{Done, Live};

use tokio::time::Instant;
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::receipt::{AttemptRecord, CredentialKind};
use tollgate_policy::retry::{Decision, Standing};

use crate::admit::Ticket;
use crate::decode::RequestIntent;
use crate::settle::end_attempt;

/// Tries the targets until one answers.
///
/// # Errors
/// The failure that the client is told, when none did.
pub(crate) async fn run(ticket: &mut Ticket, asked: &RequestIntent) -> Result<Done, Failure> {
    let (mut target, mut on_target) = (0, 0);
    loop {
        let Some(route) = ticket.plan.targets.get(target).cloned() else {
            return Err(Failure::provider(FailureClass::Server, "No provider is left to try."));
        };
        on_target += 1;
        let began = Instant::now();
        let start_nanos = ticket.gateway.nanos(began);
        let own = call::subscription(asked, &route).is_some();
        ticket.attempts.push(AttemptRecord {
            provider: route.access.slug.to_string(),
            provider_model: route.codec.model.clone(),
            credential: if own { CredentialKind::Byok } else { CredentialKind::System },
            success: false,
            start_nanos,
            end_nanos: start_nanos,
            status: None,
            error: None,
            response_id: None,
            request_id: None,
        });
        ticket.route = Some(route.clone());
        ticket.attempt_began = Some(began);
        let failure = match gate::attempt(ticket, asked, &route).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        end_attempt(ticket);
        route.access.counters.failure.inc();
        if let Some(attempt) = ticket.attempts.last_mut() {
            attempt.status = attempt.status.or(failure.status);
            let timeout = failure.class == FailureClass::Timeout && failure.status.is_none();
            attempt.error =
                Some(if timeout { "PROVIDER_TIMEOUT".to_owned() } else { failure.message.clone() });
        }
        tracing::debug!(
            provider = &*route.access.slug,
            class = failure.class.as_str(),
            status = failure.status,
            "attempt failed"
        );
        let standing = Standing {
            on_target,
            in_total: u32::try_from(ticket.attempts.len()).unwrap_or(u32::MAX),
            has_next: target + 1 < ticket.plan.targets.len(),
            time_left: ticket.time_left(),
            random: u32::try_from(ticket.gateway.ids.number() & u128::from(u32::MAX)).unwrap_or(0),
        };
        match ticket.gateway.settings.retry.decide(&failure, standing) {
            Decision::Again(wait) => {
                let before = Instant::now();
                tokio::time::sleep(wait).await;
                ticket.upstream += before.elapsed();
            }
            Decision::Next => {
                target += 1;
                on_target = 0;
            }
            Decision::GiveUp => return Err(failure),
        }
    }
}
