//! Metrics and logs. Metric names and labels live in one place ([`metrics`]); prompts, completions and
//! secrets are never logged (I28).

pub mod logs;
pub mod metrics;

pub use metrics::Metrics;
