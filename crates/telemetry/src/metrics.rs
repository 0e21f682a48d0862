//! Prometheus metrics of the data plane. Labels have few values: never ids, keys or users.

use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// A finished request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The client's dialect.
    pub dialect: &'static str,
    /// The HTTP status that the client got; 499 when it left.
    pub status: u16,
}

/// A finished attempt.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct AttemptLabels {
    /// The provider's slug.
    pub provider: String,
    /// `success` or `failure`.
    pub outcome: &'static str,
}

/// A kind of token.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct TokenLabels {
    /// The provider's slug.
    pub provider: String,
    /// `input`, `cache_read`, `cache_write` or `output`.
    pub kind: &'static str,
}

/// The counters of one provider, looked up once, so that counting a request hashes nothing.
#[derive(Clone, Debug)]
pub struct ProviderCounters {
    /// Attempts that served an answer.
    pub success: Counter,
    /// Attempts that did not.
    pub failure: Counter,
    /// Prompt tokens, cached ones included.
    pub input: Counter,
    /// Prompt tokens read from a cache.
    pub cache_read: Counter,
    /// Prompt tokens written to a cache.
    pub cache_write: Counter,
    /// Generated tokens.
    pub output: Counter,
}

/// A limit that was hit (I26).
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct LimitLabels {
    /// Its name.
    pub limit: &'static str,
}

/// All metrics. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Finished requests.
    pub requests: Family<RequestLabels, Counter>,
    /// Finished attempts.
    pub attempts: Family<AttemptLabels, Counter>,
    /// Tokens.
    pub tokens: Family<TokenLabels, Counter>,
    /// Cost charged, in nanodollars.
    pub cost_nanodollars: Counter<u64, AtomicU64>,
    /// Requests between admission and settlement.
    pub open_requests: Gauge<i64, AtomicI64>,
    /// Seconds from admission to the first content.
    pub first_content: Histogram,
    /// Seconds from admission to the end.
    pub duration: Histogram,
    /// Requests refused or cut because a limit was hit.
    pub limits: Family<LimitLabels, Counter>,
    /// Rows that wait because the ledger cannot be written.
    pub ledger_waiting: Gauge<i64, AtomicI64>,
    /// Connections opened to providers.
    pub connections_opened: Family<ProviderLabels, Counter>,
}

/// A provider.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ProviderLabels {
    /// The origin (scheme, host, port).
    pub origin: String,
}

impl Metrics {
    /// Registers everything.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        let seconds = || {
            Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0])
        };
        let (requests, attempts, tokens, limits, connections_opened) =
            (Family::default(), Family::default(), Family::default(), Family::default(), Family::default());
        let (cost_nanodollars, open_requests, ledger_waiting) =
            (Counter::default(), Gauge::default(), Gauge::default());
        let (first_content, duration) = (seconds(), seconds());
        registry.register("requests", "Finished requests by dialect and status", Clone::clone(&requests));
        registry.register("attempts", "Calls of providers by outcome", Clone::clone(&attempts));
        registry.register("tokens", "Tokens by provider and kind", Clone::clone(&tokens));
        registry.register(
            "limit_hits",
            "Requests refused or cut because a limit was hit",
            Clone::clone(&limits),
        );
        registry.register(
            "cost_nanodollars",
            "Cost charged, in nanodollars",
            Clone::clone(&cost_nanodollars),
        );
        registry.register(
            "open_requests",
            "Requests between admission and settlement",
            Clone::clone(&open_requests),
        );
        registry.register(
            "ledger_waiting_rows",
            "Rows waiting because the ledger cannot be written",
            Clone::clone(&ledger_waiting),
        );
        registry.register(
            "upstream_connections_opened",
            "Connections opened to providers",
            Clone::clone(&connections_opened),
        );
        registry.register_with_unit(
            "first_content",
            "From admission to first content",
            Unit::Seconds,
            first_content.clone(),
        );
        registry.register_with_unit("duration", "From admission to the end", Unit::Seconds, duration.clone());
        Self {
            registry,
            requests,
            attempts,
            tokens,
            cost_nanodollars,
            open_requests,
            first_content,
            duration,
            limits,
            ledger_waiting,
            connections_opened,
        }
    }

    /// The text that `GET /metrics` answers with.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    /// The counters of a provider.
    #[must_use]
    pub fn provider(&self, slug: &str) -> ProviderCounters {
        let attempt = |outcome| {
            self.attempts.get_or_create(&AttemptLabels { provider: slug.to_owned(), outcome }).clone()
        };
        let tokens =
            |kind| self.tokens.get_or_create(&TokenLabels { provider: slug.to_owned(), kind }).clone();
        ProviderCounters {
            success: attempt("success"),
            failure: attempt("failure"),
            input: tokens("input"),
            cache_read: tokens("cache_read"),
            cache_write: tokens("cache_write"),
            output: tokens("output"),
        }
    }

    /// Counts a limit that was hit (I26).
    pub fn limit_hit(&self, limit: &'static str) {
        self.limits.get_or_create(&LimitLabels { limit }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.requests.get_or_create(&RequestLabels { dialect: "chat_completions", status: 200 }).inc();
        metrics.limit_hit("body_bytes");
        let text = metrics.encode();
        assert!(
            text.contains("tollgate_requests_total{dialect=\"chat_completions\",status=\"200\"} 1"),
            "{text}"
        );
        assert!(text.contains("tollgate_limit_hits_total{limit=\"body_bytes\"} 1"));
    }
}
