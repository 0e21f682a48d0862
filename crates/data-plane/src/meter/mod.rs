//! Usage × dated price → cost. What the provider reported counts; what it did not report is counted here
//! and marked as an estimate (I22).

use tollgate_catalog::{Level, Prices};
use tollgate_domain::reply::FinishReason;
use tollgate_domain::task::Product;
use tollgate_domain::{Nanodollars, Usage};
use tollgate_providers::Seen;

/// Bytes of text that make one token, where only bytes are known.
const BYTES_PER_TOKEN: u64 = 4;

/// What a request consumed and costs.
#[derive(Debug, Default)]
pub(crate) struct Metered {
    pub usage: Usage,
    /// `None`: the model has no known price (I5).
    pub cost: Option<Nanodollars>,
    /// The rates as JSON text (I6); empty when unpriced.
    pub rates: String,
}

/// What is known of a task's answer.
pub(crate) fn seen(product: &Product) -> Seen {
    let (info, native) = match product {
        Product::Embedding(reply) => (&reply.info, None),
        Product::Image(reply) => (&reply.info, reply.native.clone()),
        Product::Rerank(reply) => (&reply.info, None),
    };
    Seen {
        usage: product.usage(),
        finish: Some(FinishReason::Stop),
        info: info.clone(),
        native,
        output_bytes: 0,
    }
}

/// What was consumed by an answer that is complete, or was broken off after content.
pub(crate) fn usage(seen: &Seen, complete: bool, prompt_bytes: usize) -> Usage {
    let counted_output = seen.output_bytes.div_ceil(BYTES_PER_TOKEN);
    match seen.usage {
        Some(usage) if complete => usage,
        // A report from before the end knows the prompt but not yet the whole output, and nobody can say how
        // much of that is missing.
        Some(usage) => Usage {
            output_text: usage.output_text + counted_output.saturating_sub(usage.output_total()),
            estimated: true,
            ..usage
        },
        None => Usage {
            input_uncached: u64::try_from(prompt_bytes).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN),
            output_text: counted_output,
            estimated: true,
            ..Usage::default()
        },
    }
}

/// The cost of it at an endpoint's prices (I4, I5, I6).
pub(crate) fn price(usage: Usage, prices: Option<&Prices>, service_tier: Option<&str>) -> Metered {
    let Some(prices) = prices else { return Metered { usage, ..Metered::default() } };
    let level = match service_tier {
        Some("flex") => Level::Flex,
        Some("priority") => Level::Priority,
        _ => Level::Standard,
    };
    let level = if prices.level(level).is_some() { level } else { Level::Standard };
    let rates = prices.rates(&usage, level);
    Metered { usage, cost: rates.cost(&usage), rates: serde_json::to_string(&rates).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(usage: Option<Usage>, output_bytes: u64) -> Seen {
        Seen { usage, output_bytes, ..Seen::default() }
    }

    #[test]
    fn i22_what_nobody_reported_is_counted_and_marked() {
        let counted = usage(&seen(None, 10), false, 400);
        assert_eq!((counted.input_uncached, counted.output_text, counted.estimated), (100, 3, true));
    }

    #[test]
    fn i22_an_early_report_is_completed_by_the_count() {
        let early = Usage { input_uncached: 7, output_text: 1, ..Usage::default() };
        let counted = usage(&seen(Some(early), 40), false, 400);
        assert_eq!((counted.input_uncached, counted.output_total(), counted.estimated), (7, 10, true));
    }

    #[test]
    fn i22_a_report_from_before_the_end_is_an_estimate_however_large() {
        let early = Usage { input_uncached: 7, output_text: 50, ..Usage::default() };
        assert_eq!(usage(&seen(Some(early), 40), false, 400), Usage { estimated: true, ..early });
    }

    #[test]
    fn i03_the_report_of_a_complete_answer_stands() {
        let report = Usage { input_uncached: 7, output_text: 1, ..Usage::default() };
        assert_eq!(usage(&seen(Some(report), 4000), true, 400), report);
    }

    #[test]
    fn i05_no_price_is_no_cost() {
        let metered = price(Usage { input_uncached: 7, ..Usage::default() }, None, None);
        assert_eq!((metered.cost, metered.rates.as_str()), (None, ""));
    }
}
