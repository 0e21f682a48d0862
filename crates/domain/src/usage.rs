//! What a request consumed, in disjoint buckets (I1). Providers report inclusive or exclusive of cache
//! and reasoning; every codec maps its provider's convention into this one type (providers §0.1).

use serde::{Deserialize, Serialize};

/// Token counts in buckets that never overlap, and counted units. All counts are unsigned (I3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_uncached: u64,
    /// Prompt tokens read from the provider's cache.
    pub input_cache_read: u64,
    /// Prompt tokens written to a cache that lives five minutes (or of unstated life).
    pub input_cache_write_5m: u64,
    /// Prompt tokens written to a cache that lives one hour.
    pub input_cache_write_1h: u64,
    /// Audio tokens of the prompt.
    pub input_audio: u64,
    /// Image tokens of the prompt that are priced apart.
    pub input_image: u64,
    /// Generated tokens that are not reasoning, audio or image.
    pub output_text: u64,
    /// Generated reasoning tokens, as far as the provider itemises them.
    pub output_reasoning: u64,
    /// Generated audio tokens.
    pub output_audio: u64,
    /// Generated image tokens.
    pub output_image: u64,
    /// Generated images that are priced each.
    pub images: u64,
    /// Billable provider-run searches.
    pub searches: u64,
    /// The provider's report contradicted itself and was clamped (I3).
    pub anomaly: bool,
    /// Counted by Tollgate because the provider gave no report (I22).
    pub estimated: bool,
}

/// A provider's report after its own convention has been made inclusive (providers §0.1): totals and
/// their subsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InclusiveUsage {
    /// All prompt tokens, cache reads and writes included.
    pub input_total: u64,
    /// Subset of `input_total`.
    pub cache_read: u64,
    /// Subset of `input_total`: five-minute or unstated writes.
    pub cache_write_5m: u64,
    /// Subset of `input_total`: one-hour writes.
    pub cache_write_1h: u64,
    /// Subset of `input_total`.
    pub input_audio: u64,
    /// All generated tokens, reasoning included.
    pub output_total: u64,
    /// Subset of `output_total`.
    pub reasoning: u64,
    /// Subset of `output_total`.
    pub output_audio: u64,
}

impl From<InclusiveUsage> for Usage {
    /// Takes the subsets out of the totals. A contradictory report (subsets above their total) is
    /// clamped and flagged, never negative (I3).
    fn from(r: InclusiveUsage) -> Self {
        let mut anomaly = false;
        let mut take = |left: &mut u64, part: u64| {
            let taken = part.min(*left);
            anomaly |= taken != part;
            *left -= taken;
            taken
        };
        let mut input = r.input_total;
        let input_cache_read = take(&mut input, r.cache_read);
        let input_cache_write_5m = take(&mut input, r.cache_write_5m);
        let input_cache_write_1h = take(&mut input, r.cache_write_1h);
        let input_audio = take(&mut input, r.input_audio);
        let mut output = r.output_total;
        let output_reasoning = take(&mut output, r.reasoning);
        let output_audio = take(&mut output, r.output_audio);
        Self {
            input_uncached: input,
            input_cache_read,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            output_text: output,
            output_reasoning,
            output_audio,
            anomaly,
            ..Self::default()
        }
    }
}

impl Usage {
    /// All prompt tokens.
    #[must_use]
    pub fn input_total(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.input_cache_read)
            .saturating_add(self.cache_write())
            .saturating_add(self.input_audio)
            .saturating_add(self.input_image)
    }

    /// Prompt tokens written to a cache, whatever its lifetime.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.input_cache_write_5m.saturating_add(self.input_cache_write_1h)
    }

    /// The sum of two reports, for a request that took several calls.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input_uncached: self.input_uncached.saturating_add(other.input_uncached),
            input_cache_read: self.input_cache_read.saturating_add(other.input_cache_read),
            input_cache_write_5m: self.input_cache_write_5m.saturating_add(other.input_cache_write_5m),
            input_cache_write_1h: self.input_cache_write_1h.saturating_add(other.input_cache_write_1h),
            input_audio: self.input_audio.saturating_add(other.input_audio),
            input_image: self.input_image.saturating_add(other.input_image),
            output_text: self.output_text.saturating_add(other.output_text),
            output_reasoning: self.output_reasoning.saturating_add(other.output_reasoning),
            output_audio: self.output_audio.saturating_add(other.output_audio),
            output_image: self.output_image.saturating_add(other.output_image),
            images: self.images.saturating_add(other.images),
            searches: self.searches.saturating_add(other.searches),
            anomaly: self.anomaly || other.anomaly,
            estimated: self.estimated || other.estimated,
        }
    }

    /// All generated tokens.
    #[must_use]
    pub fn output_total(&self) -> u64 {
        self.output_text
            .saturating_add(self.output_reasoning)
            .saturating_add(self.output_audio)
            .saturating_add(self.output_image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i01_buckets_are_disjoint_and_sum_to_the_report() {
        let report = InclusiveUsage {
            input_total: 1000,
            cache_read: 600,
            cache_write_5m: 100,
            cache_write_1h: 50,
            input_audio: 10,
            output_total: 200,
            reasoning: 150,
            output_audio: 5,
        };
        let usage = Usage::from(report);
        assert_eq!((usage.input_uncached, usage.output_text), (240, 45));
        assert_eq!((usage.input_total(), usage.output_total()), (1000, 200));
        assert!(!usage.anomaly);
    }

    #[test]
    fn i03_a_contradictory_report_is_clamped_and_flagged() {
        let report = InclusiveUsage {
            input_total: 10,
            cache_read: 30,
            output_total: 5,
            reasoning: 9,
            ..Default::default()
        };
        let usage = Usage::from(report);
        assert_eq!((usage.input_total(), usage.output_total()), (10, 5));
        assert!(usage.anomaly);
    }

    proptest::proptest! {
        #[test]
        fn i01_totals_survive_any_report(a in 0u64..1 << 40, b in 0u64..1 << 40, c in 0u64..1 << 40, d in 0u64..1 << 40) {
            let usage = Usage::from(InclusiveUsage { input_total: a, cache_read: b, cache_write_5m: c, output_total: d, reasoning: b, ..Default::default() });
            proptest::prop_assert_eq!(usage.input_total(), a);
            proptest::prop_assert_eq!(usage.output_total(), d);
        }
    }
}
