//! Time and ids are inputs, so that tests control them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tollgate_domain::Micros;
use tollgate_domain::id::Ulid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Makes ids. They need to be unique, not secret: a counter, mixed with a random seed of the process.
#[derive(Debug)]
pub struct IdSource {
    seed: [u64; 2],
    count: AtomicU64,
}

impl IdSource {
    /// Ids of a process with this random seed.
    #[must_use]
    pub fn new(seed: u128) -> Self {
        let low = u64::try_from(seed & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(seed >> 64).unwrap_or(0);
        Self { seed: [low, high], count: AtomicU64::new(0) }
    }

    /// A number that no other call gives, evenly spread.
    pub fn number(&self) -> u128 {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // The first half is a bijection of the counter, so that no number comes twice.
        let first = mix(count.wrapping_add(self.seed[0]));
        let second = mix(count.wrapping_mul(3) ^ self.seed[1]);
        (u128::from(second) << 64) | u128::from(first)
    }

    /// A new ULID.
    pub fn ulid(&self, now: Micros) -> Ulid {
        Ulid::from_parts(u64::try_from(now.millis()).unwrap_or(0), self.number())
    }
}

/// The finaliser of SplitMix64: a bijection of 64-bit numbers.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn i10_ids_do_not_repeat() {
        let source = IdSource::new(42);
        let ids: HashSet<_> = (0..10_000).map(|_| source.ulid(Micros(1_000))).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
