//! Cuts the inputs of a task into calls that a provider takes at once.

use std::ops::Range;

/// Consecutive ranges over all inputs, each of at most `max_count` inputs and, unless it is one input alone,
/// of at most `max_weight` in sum.
pub(crate) fn cut(
    weights: impl Iterator<Item = usize>,
    max_count: usize,
    max_weight: usize,
) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut start, mut end, mut sum) = (0, 0, 0usize);
    for weight in weights {
        let full = end - start >= max_count || sum.saturating_add(weight) > max_weight;
        if full && end > start {
            found.push(start..end);
            (start, sum) = (end, 0);
        }
        end += 1;
        sum = sum.saturating_add(weight);
    }
    if end > start {
        found.push(start..end);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_input_goes_alone() {
        assert_eq!(cut([1, 9, 1, 1, 1].into_iter(), 2, 5), [0..1, 1..2, 2..4, 4..5]);
        assert_eq!(cut([].into_iter(), 2, 5), []);
    }

    proptest::proptest! {
        #[test]
        fn all_inputs_are_there_in_order(weights in proptest::collection::vec(0usize..9, 0..50), count in 1usize..9, weight in 1usize..20) {
            let cuts = cut(weights.iter().copied(), count, weight);
            let all: Vec<usize> = cuts.iter().cloned().flatten().collect();
            proptest::prop_assert_eq!(all, (0..weights.len()).collect::<Vec<_>>());
            for range in cuts {
                proptest::prop_assert!(!range.is_empty() && range.len() <= count);
                proptest::prop_assert!(range.len() == 1 || weights[range].iter().sum::<usize>() <= weight);
            }
        }
    }
}
