//! The clock, and times as text.

use std::time::{SystemTime, UNIX_EPOCH};

use tollgate_domain::Micros;

/// Now, by the machine's clock; the epoch when the clock is set before it.
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// RFC 3339 with whole seconds, UTC: `2025-11-22T16:48:00Z`.
pub fn text(at: Micros) -> String {
    jiff::Timestamp::from_second(at.seconds()).map_or_else(|_| at.seconds().to_string(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(text(Micros(1_760_486_400_123_456)), "2025-10-15T00:00:00Z");
    }
}
