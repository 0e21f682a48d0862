//! Ids for calls that the provider gave none.

const PREFIX: &str = "call_gem";

/// The starting point of [`fnv`].
pub(super) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// An id that [`is_minted`] recognises. `seed` tells answers apart, `number` the calls of one.
pub(super) fn mint(seed: u64, number: u64) -> String {
    format!("{PREFIX}{:016x}", fnv(seed, &number.to_be_bytes()))
}

/// Whether the id was made here, so that the provider does not know it.
pub(super) fn is_minted(id: &str) -> bool {
    id.strip_prefix(PREFIX).is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The Fowler–Noll–Vo hash, going on from an earlier one.
pub(super) fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_ids_are_known_again_and_differ() {
        let ids: Vec<String> =
            (0..3).flat_map(|seed| (0..3).map(move |n| mint(fnv(SEED, &[seed]), n))).collect();
        assert!(ids.iter().all(|id| is_minted(id)));
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len());
        for foreign in ["call_1", "call_gem", "hq1dul8c", "call_gemzzzzzzzzzzzzzzzz", "toolu_01"] {
            assert!(!is_minted(foreign), "{foreign}");
        }
    }
}
