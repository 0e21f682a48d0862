//! One parser for every usage report of the protocol, whole or streamed (I2), and the way from each
//! provider's convention to disjoint buckets (I1; providers §0.1, §2).

use tollgate_domain::Usage;
use tollgate_domain::usage::InclusiveUsage;
use tollgate_wire::json::{self, Object};

use super::quirks::UsageConvention;

/// A usage report, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageReport {
    /// Totals and subsets, as reported after the convention was made inclusive; may contradict itself.
    pub inclusive: InclusiveUsage,
    /// The same in disjoint buckets, clamped and flagged where it contradicts itself (I3).
    pub usage: Usage,
    /// The report as sent.
    pub sent: String,
}

/// Reads a `usage` value. `None` when it holds no counts (`null`, an empty object): no report.
#[must_use]
pub fn parse(raw: &[u8], convention: UsageConvention) -> Option<UsageReport> {
    if raw.first() != Some(&b'{') {
        return None;
    }
    let mut counts = Counts::of(Object::parse(raw).ok()?);
    let prompt = counts.get(At::Top("prompt_tokens"));
    let completion = counts.get(At::Top("completion_tokens"));
    let total = counts.get(At::Top("total_tokens"));
    if prompt.is_none() && completion.is_none() && total.is_none() {
        return None;
    }
    let mut report = subsets(&mut counts);
    let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let top_level_reasoning = counts.get(At::Top("reasoning_tokens"));
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
    let images = counts.get(At::Completion("image_tokens")).unwrap_or(0).min(usage.output_text);
    usage.output_text -= images;
    usage.output_image = images;
    usage.searches = counts
        .first(&[
            At::In("server_tool_use", "web_search_requests"),
            At::In("server_tool_use_details", "web_search_requests"),
            At::Top("num_search_queries"),
        ])
        .unwrap_or(0);
    let sent = std::str::from_utf8(raw).ok()?.to_owned();
    Some(UsageReport { inclusive: report, usage, sent })
}

/// The subsets, under every name that providers use (providers §2, "cached tokens").
fn subsets(counts: &mut Counts<'_>) -> InclusiveUsage {
    let cache_read = counts.most(&[
        At::Prompt("cached_tokens"),
        At::PromptAlias("cached_tokens"),
        At::Top("cached_tokens"),
        At::Top("num_cached_tokens"),
        At::Top("prompt_cache_hit_tokens"),
    ]);
    let written = counts.most(&[
        At::Prompt("cache_write_tokens"),
        At::Prompt("cache_creation_input_tokens"),
        At::Top("cache_creation_input_tokens"),
    ]);
    let hour = counts.most(&[
        At::InPrompt("cache_creation", "ephemeral_1h_input_tokens"),
        At::In("cache_creation", "ephemeral_1h_input_tokens"),
    ]);
    let five = counts.most(&[
        At::InPrompt("cache_creation", "ephemeral_5m_input_tokens"),
        At::In("cache_creation", "ephemeral_5m_input_tokens"),
    ]);
    InclusiveUsage {
        cache_read,
        cache_write_5m: five.max(written.saturating_sub(hour)),
        cache_write_1h: hour,
        input_audio: counts.most(&[At::Prompt("audio_tokens")]),
        reasoning: counts.most(&[At::Completion("reasoning_tokens"), At::Top("reasoning_tokens")]),
        output_audio: counts.most(&[At::Completion("audio_tokens")]),
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
    top: Object<'a>,
    prompt: Object<'a>,
    /// Some servers leave the plural out.
    prompt_alias: Object<'a>,
    completion: Object<'a>,
    anomaly: bool,
}

/// Where a count stands.
#[derive(Clone, Copy)]
enum At {
    /// In the report itself.
    Top(&'static str),
    /// In `prompt_tokens_details`.
    Prompt(&'static str),
    /// In `prompt_token_details`.
    PromptAlias(&'static str),
    /// In `completion_tokens_details`.
    Completion(&'static str),
    /// In another object of the report.
    In(&'static str, &'static str),
    /// In an object of `prompt_tokens_details`.
    InPrompt(&'static str, &'static str),
}

impl<'a> Counts<'a> {
    fn of(top: Object<'a>) -> Self {
        let prompt = nested(&top, "prompt_tokens_details");
        let prompt_alias = nested(&top, "prompt_token_details");
        let completion = nested(&top, "completion_tokens_details");
        Self { top, prompt, prompt_alias, completion, anomaly: false }
    }

    /// A count; `None` when absent or null. A negative or broken one counts as 0 and is remembered.
    fn get(&mut self, at: At) -> Option<u64> {
        let inner;
        let raw = match at {
            At::Top(name) => self.top.get(name),
            At::Prompt(name) => self.prompt.get(name),
            At::PromptAlias(name) => self.prompt_alias.get(name),
            At::Completion(name) => self.completion.get(name),
            At::In(object, name) => {
                inner = nested(&self.top, object);
                inner.get(name)
            }
            At::InPrompt(object, name) => {
                inner = nested(&self.prompt, object);
                inner.get(name)
            }
        };
        let raw = raw.filter(|raw| !json::is_null(raw))?;
        let count = json::unsigned(raw).or_else(|| whole(raw));
        self.anomaly |= count.is_none();
        Some(count.unwrap_or(0))
    }

    fn first(&mut self, places: &[At]) -> Option<u64> {
        places.iter().find_map(|at| self.get(*at))
    }

    /// The largest of several names for one count.
    fn most(&mut self, places: &[At]) -> u64 {
        places.iter().filter_map(|at| self.get(*at)).max().unwrap_or(0)
    }
}

/// An object within an object; an empty one when there is none.
fn nested<'a>(object: &Object<'a>, name: &str) -> Object<'a> {
    object.get_borrowed(name).and_then(|raw| Object::parse_checked(raw).ok()).unwrap_or_default()
}

/// Some servers write whole counts as `12.0`.
fn whole(raw: &[u8]) -> Option<u64> {
    let number: serde_json::Number = serde_json::from_slice(raw).ok()?;
    number.to_string().strip_suffix(".0")?.parse().ok()
}

#[cfg(test)]
mod tests;
