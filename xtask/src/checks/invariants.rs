//! Which invariants have a test that carries their number in its name.
use std::collections::BTreeSet;

use crate::rust::words;
use crate::source::Source;

const LAST: u8 = 29;

/// The numbers of the invariants I1 to I29 that no test is named after.
pub fn without_test(sources: &[Source]) -> Vec<u8> {
    let mut named = BTreeSet::new();
    for source in sources {
        let tests = words(&source.code).filter(|(at, _)| source.in_test(*at));
        named.extend(tests.filter_map(|(_, word)| number(word.strip_prefix("test_").unwrap_or(word))));
    }
    (1..=LAST).filter(|n| !named.contains(n)).collect()
}

/// The 7 of `i07_unknown_price_is_null`.
fn number(name: &str) -> Option<u8> {
    let (digits, rest) = name.strip_prefix('i')?.split_once('_')?;
    (digits.len() == 2 && !rest.is_empty()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_counts_by_its_name() {
        let sources = [
            Source::new("src/a.rs", "fn i03_not_a_test() {}\n#[test]\nfn i05_unknown_price_is_null() {}"),
            Source::new("e2e/a.py", "def test_i09_durable(): pass"),
        ];
        let missing = without_test(&sources);
        assert_eq!(missing.len(), usize::from(LAST) - 2);
        assert!(missing.contains(&3) && !missing.contains(&5) && !missing.contains(&9));
    }
}
