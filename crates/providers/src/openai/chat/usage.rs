//! One parser for every usage report of the protocol, whole or streamed (I2), and the way from each
//! provider's convention to disjoint buckets (I1; providers §0.1, §2).

use serde_json::Value;
use tollgate_domain::Usage;
use tollgate_domain::usage::InclusiveUsage;

use super::quirks::UsageConvention;

/// A usage report, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageReport {
    /// Totals and subsets, as reported after the convention was made inclusive; may contradict itself.
    pub inclusive: InclusiveUsage,
    /// The same in disjoint buckets, clamped and flagged where it contradicts itself (I3).
    pub usage: Usage,
    /// The report as sent.
    pub sent: Value,
}

/// Reads a `usage` value. `None` when it holds no counts (`null`, an empty object): no report.
#[must_use]
pub fn parse(raw: &[u8], convention: UsageConvention) -> Option<UsageReport> {
    if raw.first() != Some(&b'{') {
        return None;
    }
    let sent: Value = serde_json::from_slice(raw).ok()?;
    let mut counts = Counts { sent: &sent, anomaly: false };
    let prompt = counts.get("/prompt_tokens");
    let completion = counts.get("/completion_tokens");
    let total = counts.get("/total_tokens");
    if prompt.is_none() && completion.is_none() && total.is_none() {
        return None;
    }
    let mut report = subsets(&mut counts);
    let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let top_level_reasoning = counts.get("/reasoning_tokens");
    totals(&mut report, convention, prompt, completion, total, top_level_reasoning);
    if convention == UsageConvention::AudioApart {
        report.input_audio = 0;
    }
    let mut anomaly = counts.anomaly;
    if report.cache_read > report.input_total {
        // Cached above the prompt cannot be a subset of it: this report leaves cached tokens out.
        report.input_total = report.input_total.saturating_add(report.cache_read);
        anomaly = true;
    }
    anomaly |= contradicts_total(&report, convention, total);
    let mut usage = Usage::from(report);
    usage.anomaly |= anomaly;
    let images = counts.get("/completion_tokens_details/image_tokens").unwrap_or(0).min(usage.output_text);
    usage.output_text -= images;
    usage.output_image = images;
    usage.searches = counts
        .first(&[
            "/server_tool_use/web_search_requests",
            "/server_tool_use_details/web_search_requests",
            "/num_search_queries",
        ])
        .unwrap_or(0);
    Some(UsageReport { inclusive: report, usage, sent })
}

/// The subsets, under every name that providers use (providers §2, "cached tokens").
fn subsets(counts: &mut Counts<'_>) -> InclusiveUsage {
    let cache_read = counts.most(&[
        "/prompt_tokens_details/cached_tokens",
        "/prompt_token_details/cached_tokens",
        "/cached_tokens",
        "/num_cached_tokens",
        "/prompt_cache_hit_tokens",
    ]);
    let written = counts.most(&[
        "/prompt_tokens_details/cache_write_tokens",
        "/prompt_tokens_details/cache_creation_input_tokens",
        "/cache_creation_input_tokens",
    ]);
    let hour = counts.most(&[
        "/prompt_tokens_details/cache_creation/ephemeral_1h_input_tokens",
        "/cache_creation/ephemeral_1h_input_tokens",
    ]);
    let five = counts.most(&[
        "/prompt_tokens_details/cache_creation/ephemeral_5m_input_tokens",
        "/cache_creation/ephemeral_5m_input_tokens",
    ]);
    InclusiveUsage {
        cache_read,
        cache_write_5m: five.max(written.saturating_sub(hour)),
        cache_write_1h: hour,
        input_audio: counts.most(&["/prompt_tokens_details/audio_tokens"]),
        reasoning: counts.most(&["/completion_tokens_details/reasoning_tokens", "/reasoning_tokens"]),
        output_audio: counts.most(&["/completion_tokens_details/audio_tokens"]),
        ..InclusiveUsage::default()
    }
}

fn totals(
    report: &mut InclusiveUsage,
    convention: UsageConvention,
    prompt: u64,
    completion: u64,
    total: Option<u64>,
    top_level_reasoning: Option<u64>,
) {
    report.input_total = prompt;
    report.output_total = completion;
    match convention {
        UsageConvention::Inclusive | UsageConvention::AudioApart => {}
        UsageConvention::ReasoningBeside => {
            report.output_total = completion.saturating_add(report.reasoning);
        }
        UsageConvention::TotalMinusPrompt => {
            let output = total.unwrap_or(0).saturating_sub(prompt).max(completion);
            report.reasoning = report.reasoning.max(output - completion);
            report.output_total = output;
        }
        UsageConvention::CachedBeside => report.input_total = prompt.saturating_add(report.cache_read),
        UsageConvention::TopLevelReasoningBeside => {
            report.output_total = completion.saturating_add(top_level_reasoning.unwrap_or(0));
        }
    }
}

/// Whether the provider's total differs from the sum, where its convention promises that it does not.
fn contradicts_total(report: &InclusiveUsage, convention: UsageConvention, total: Option<u64>) -> bool {
    let (Some(total), UsageConvention::Inclusive | UsageConvention::ReasoningBeside) = (total, convention)
    else {
        return false;
    };
    total != 0 && total != report.input_total.saturating_add(report.output_total)
}

/// Looks counts up and remembers whether one made no sense.
struct Counts<'a> {
    sent: &'a Value,
    anomaly: bool,
}

impl Counts<'_> {
    /// A count; `None` when absent or null. A negative or broken one counts as 0 and is remembered.
    fn get(&mut self, pointer: &str) -> Option<u64> {
        let value = self.sent.pointer(pointer).filter(|v| !v.is_null())?;
        if let Some(count) = value.as_u64() {
            return Some(count);
        }
        // Some servers write whole counts as `12.0`.
        let text = value.to_string();
        let whole = text.strip_suffix(".0").and_then(|n| n.parse().ok());
        self.anomaly |= whole.is_none();
        Some(whole.unwrap_or(0))
    }

    fn first(&mut self, pointers: &[&str]) -> Option<u64> {
        pointers.iter().find_map(|p| self.get(p))
    }

    /// The largest of several names for one count.
    fn most(&mut self, pointers: &[&str]) -> u64 {
        pointers.iter().filter_map(|p| self.get(p)).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
