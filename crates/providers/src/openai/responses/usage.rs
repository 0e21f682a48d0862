//! One parser for the protocol's usage reports, whole or streamed (I2), and the metadata that shows them
//! (providers §0.1, §3).

use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::usage::InclusiveUsage;
use tollgate_domain::{JsonText, Usage};
use tollgate_wire::json::{self, Object, write_string};

/// A usage report, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageReport {
    /// Totals and subsets as reported; may contradict itself.
    pub inclusive: InclusiveUsage,
    /// The same in disjoint buckets, clamped and flagged where it contradicts itself (I3).
    pub usage: Usage,
    /// The report as sent.
    pub sent: String,
}

/// Reads a `usage` value. `None` when it holds no counts (`null`, an empty object): no report.
#[must_use]
pub fn parse(raw: &[u8]) -> Option<UsageReport> {
    if raw.first() != Some(&b'{') {
        return None;
    }
    let top = Object::parse(raw).ok()?;
    let mut anomaly = false;
    let mut count = |object: &Object<'_>, key: &str| {
        let raw = object.get(key).filter(|raw| !json::is_null(raw))?;
        let count = json::unsigned(raw).or_else(|| whole(raw));
        anomaly |= count.is_none();
        Some(count.unwrap_or(0))
    };
    let (input, output) = (count(&top, "input_tokens"), count(&top, "output_tokens"));
    let total = count(&top, "total_tokens");
    if input.is_none() && output.is_none() && total.is_none() {
        return None;
    }
    let (of_input, of_output) = (nested(&top, "input_tokens_details"), nested(&top, "output_tokens_details"));
    let mut inclusive = InclusiveUsage {
        input_total: input.unwrap_or(0),
        cache_read: count(&of_input, "cached_tokens").unwrap_or(0),
        cache_write_5m: count(&of_input, "cache_write_tokens").unwrap_or(0),
        input_audio: count(&of_input, "audio_tokens").unwrap_or(0),
        output_total: output.unwrap_or(0),
        reasoning: count(&of_output, "reasoning_tokens").unwrap_or(0),
        output_audio: count(&of_output, "audio_tokens").unwrap_or(0),
        ..InclusiveUsage::default()
    };
    let server = nested(&top, "server_side_tool_usage_details");
    let searches = ["web_search_calls", "x_search_calls"].map(|key| count(&server, key).unwrap_or(0));
    if inclusive.cache_read > inclusive.input_total {
        // Cached above the prompt cannot be a subset of it (providers §0.1).
        inclusive.input_total = inclusive.input_total.saturating_add(inclusive.cache_read);
        anomaly = true;
    }
    let sum = inclusive.input_total.saturating_add(inclusive.output_total);
    anomaly |= total.is_some_and(|total| total != 0 && total != sum);
    let mut usage = Usage::from(inclusive);
    usage.anomaly |= anomaly;
    usage.searches = searches.into_iter().fold(0, u64::saturating_add);
    Some(UsageReport { inclusive, usage, sent: std::str::from_utf8(raw).ok()?.to_owned() })
}

/// An object within an object; an empty one when there is none.
pub(super) fn nested<'a>(object: &Object<'a>, name: &str) -> Object<'a> {
    object.get_borrowed(name).and_then(|raw| Object::parse_checked(raw).ok()).unwrap_or_default()
}

/// Some servers write whole counts as `12.0`.
fn whole(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.strip_suffix(".0")?.parse().ok()
}

/// The provider's own metadata (gateway-api §5): its usage as sent, its id of the answer, the tier, why the
/// answer is incomplete.
pub(super) fn native(
    info: &ResponseInfo,
    incomplete: Option<&str>,
    report: Option<&UsageReport>,
) -> JsonText {
    let mut out = Vec::with_capacity(128 + report.map_or(0, |report| report.sent.len()));
    out.push(b'{');
    let name = |out: &mut Vec<u8>, name: &str| {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
    };
    let words = [
        ("responseId", info.id.as_deref()),
        ("serviceTier", info.service_tier.as_deref()),
        ("incompleteReason", incomplete),
    ];
    for (key, word) in words {
        if let Some(word) = word {
            name(&mut out, key);
            write_string(&mut out, word);
        }
    }
    if let Some(report) = report {
        name(&mut out, "usage");
        out.extend_from_slice(report.sent.as_bytes());
    }
    out.push(b'}');
    JsonText::new(String::from_utf8(out).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i01_buckets_are_disjoint() {
        let report = parse(
            br#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":150}"#,
        )
        .unwrap();
        let usage = report.usage;
        assert_eq!((usage.input_uncached, usage.input_cache_read, usage.input_cache_write_5m), (30, 60, 10));
        assert_eq!((usage.output_text, usage.output_reasoning, usage.anomaly), (30, 20, false));
    }

    #[test]
    fn i03_contradictions_are_flagged() {
        let of = |text: &[u8]| parse(text).unwrap().usage;
        assert!(of(br#"{"input_tokens":-1,"output_tokens":2}"#).anomaly);
        assert!(of(br#"{"input_tokens":1,"output_tokens":2,"total_tokens":9}"#).anomaly);
        let hidden =
            of(br#"{"input_tokens":5,"input_tokens_details":{"cached_tokens":7},"output_tokens":1}"#);
        assert_eq!((hidden.input_total(), hidden.anomaly), (12, true));
        assert_eq!(parse(b"null"), None);
        assert_eq!(parse(b"{}"), None);
    }

    #[test]
    fn searches_that_the_provider_ran_are_counted() {
        let report = parse(
            br#"{"input_tokens":1,"output_tokens":1.0,"server_side_tool_usage_details":{"web_search_calls":2,"x_search_calls":1}}"#,
        );
        assert_eq!(report.unwrap().usage.searches, 3);
    }
}
