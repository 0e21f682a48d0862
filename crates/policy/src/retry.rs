//! What to do after a failed attempt: the four-way split of failures (providers §0.3) against the limits
//! of the retry policy.

use std::time::Duration;

use tollgate_domain::Failure;
use tollgate_domain::failure::Retry;

/// Limits of retrying. Durations are wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts on one target, the first included.
    pub attempts_per_target: u32,
    /// Attempts of one request in all.
    pub attempts_total: u32,
    /// The first backoff; it doubles with each attempt on the same target.
    pub backoff_base: Duration,
    /// The longest backoff.
    pub backoff_max: Duration,
    /// The longest wait that a provider may ask for while another target is left.
    pub retry_after_with_alternative: Duration,
    /// The longest wait that a provider may ask for when no other target is left.
    pub retry_after_alone: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_per_target: 2,
            attempts_total: 6,
            backoff_base: Duration::from_millis(200),
            backoff_max: Duration::from_secs(5),
            retry_after_with_alternative: Duration::from_secs(1),
            retry_after_alone: Duration::from_secs(20),
        }
    }
}

/// Where a request stands after a failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Attempts made on this target.
    pub on_target: u32,
    /// Attempts made in all.
    pub in_total: u32,
    /// Whether the plan has another target.
    pub has_next: bool,
    /// What is left of the request's total deadline.
    pub time_left: Duration,
    /// A random number for the jitter.
    pub random: u32,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The same target after this long.
    Again(Duration),
    /// The next target, at once.
    Next,
    /// Tell the client.
    GiveUp,
}

impl RetryPolicy {
    /// Decides after a failed attempt.
    #[must_use]
    pub fn decide(&self, failure: &Failure, standing: Standing) -> Decision {
        let onward = if standing.has_next
            && standing.in_total < self.attempts_total
            && !standing.time_left.is_zero()
        {
            Decision::Next
        } else {
            Decision::GiveUp
        };
        match failure.retry {
            Retry::Never => Decision::GiveUp,
            Retry::OtherTarget => onward,
            Retry::SameTarget(asked) => {
                let patience = if standing.has_next {
                    self.retry_after_with_alternative
                } else {
                    self.retry_after_alone
                };
                let wait = asked.unwrap_or_else(|| self.backoff(standing.on_target, standing.random));
                let spent = standing.on_target >= self.attempts_per_target
                    || standing.in_total >= self.attempts_total;
                if spent || wait > patience || wait >= standing.time_left {
                    onward
                } else {
                    Decision::Again(wait)
                }
            }
        }
    }

    /// Exponential, with full jitter over its upper half, so that clients of one outage spread out.
    fn backoff(&self, on_target: u32, random: u32) -> Duration {
        let doubled = self.backoff_base.saturating_mul(1 << on_target.saturating_sub(1).min(16));
        let half = doubled.min(self.backoff_max) / 2;
        let jitter = half.as_nanos() * u128::from(random) / (u128::from(u32::MAX) + 1);
        half + Duration::from_nanos(u64::try_from(jitter).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::failure::FailureClass;

    fn standing(on_target: u32, in_total: u32, has_next: bool) -> Standing {
        Standing { on_target, in_total, has_next, time_left: Duration::from_secs(600), random: 0 }
    }

    fn failure(class: FailureClass, asked: Option<Duration>) -> Failure {
        let mut failure = Failure::provider(class, "x");
        if let (Retry::SameTarget(_), Some(_)) = (failure.retry, asked) {
            failure.retry = Retry::SameTarget(asked);
        }
        failure
    }

    #[test]
    fn the_four_way_split() {
        let policy = RetryPolicy::default();
        let decide = |class, asked, s| policy.decide(&failure(class, asked), s);
        assert_eq!(decide(FailureClass::InvalidRequest, None, standing(1, 1, true)), Decision::GiveUp);
        assert_eq!(decide(FailureClass::Auth, None, standing(1, 1, true)), Decision::Next);
        assert_eq!(decide(FailureClass::Auth, None, standing(1, 1, false)), Decision::GiveUp);
        assert_eq!(
            decide(FailureClass::Server, None, standing(1, 1, true)),
            Decision::Again(Duration::from_millis(100))
        );
        assert_eq!(decide(FailureClass::Server, None, standing(2, 2, true)), Decision::Next);
        assert_eq!(decide(FailureClass::Server, None, standing(2, 2, false)), Decision::GiveUp);
        assert_eq!(decide(FailureClass::Server, None, standing(1, 6, true)), Decision::GiveUp);
    }

    #[test]
    fn a_wait_is_obeyed_only_while_it_is_worth_it() {
        let policy = RetryPolicy::default();
        let asked = |seconds| failure(FailureClass::RateLimit, Some(Duration::from_secs(seconds)));
        assert_eq!(policy.decide(&asked(1), standing(1, 1, true)), Decision::Again(Duration::from_secs(1)));
        assert_eq!(policy.decide(&asked(8), standing(1, 1, true)), Decision::Next);
        assert_eq!(policy.decide(&asked(8), standing(1, 1, false)), Decision::Again(Duration::from_secs(8)));
        assert_eq!(policy.decide(&asked(30), standing(1, 1, false)), Decision::GiveUp);
        let mut late = standing(1, 1, false);
        late.time_left = Duration::from_secs(5);
        assert_eq!(policy.decide(&asked(8), late), Decision::GiveUp);
    }

    #[test]
    fn the_backoff_doubles_within_bounds_and_is_jittered() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.backoff(1, 0), Duration::from_millis(100));
        assert_eq!(policy.backoff(2, 0), Duration::from_millis(200));
        assert_eq!(policy.backoff(40, 0), Duration::from_millis(2500));
        assert!(policy.backoff(1, u32::MAX) > Duration::from_millis(190));
        assert!(policy.backoff(1, u32::MAX) <= Duration::from_millis(200));
    }
}
