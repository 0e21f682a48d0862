//! One parser for every usage report of the protocol, whole or streamed (I2; providers §0.1).

use tollgate_domain::Usage;
use tollgate_domain::usage::InclusiveUsage;
use tollgate_wire::json::{self, Object};

/// A usage report, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) usage: Usage,
    /// The tier that served the request.
    pub(super) service_tier: Option<String>,
    /// The report as sent.
    pub(super) sent: String,
}

/// Reads `usageMetadata`. `None` when it holds no total: then it is no report yet, and says nothing of an
/// earlier one.
pub(super) fn parse(raw: &[u8]) -> Option<Report> {
    let report = Object::parse_checked(raw).ok()?;
    let mut counts = Counts { report: &report, anomaly: false };
    let total = counts.get("totalTokenCount")?;
    let prompt = counts.of("promptTokenCount");
    let tool_use = counts.of("toolUsePromptTokenCount");
    let candidates = counts.of("candidatesTokenCount");
    let thoughts = counts.of("thoughtsTokenCount");
    let input_total = prompt.saturating_add(tool_use);
    let output_total = candidates.saturating_add(thoughts);
    let prompted = |counts: &mut Counts<'_, '_>, modality: &str| {
        let read = counts.modality("cacheTokensDetails", modality);
        let all = counts.modality("promptTokensDetails", modality);
        // What came from the cache is counted there.
        all.saturating_sub(read).saturating_add(counts.modality("toolUsePromptTokensDetails", modality))
    };
    let input_audio = prompted(&mut counts, "AUDIO");
    let input_image = prompted(&mut counts, "IMAGE");
    let output_audio = counts.modality("candidatesTokensDetails", "AUDIO");
    let output_image = counts.modality("candidatesTokensDetails", "IMAGE");
    let mut usage = Usage::from(InclusiveUsage {
        input_total,
        cache_read: counts.of("cachedContentTokenCount"),
        input_audio,
        output_total,
        reasoning: thoughts,
        output_audio,
        ..InclusiveUsage::default()
    });
    usage.anomaly |= counts.anomaly || total != input_total.saturating_add(output_total);
    usage.input_image = take(&mut usage.input_uncached, input_image);
    usage.output_image = take(&mut usage.output_text, output_image);
    let service_tier = report.get("serviceTier").and_then(json::string).map(|tier| tier.into_owned());
    let sent = std::str::from_utf8(raw).ok()?.to_owned();
    Some(Report { usage, service_tier, sent })
}

/// Moves up to `count` out of a bucket.
fn take(from: &mut u64, count: u64) -> u64 {
    let taken = count.min(*from);
    *from -= taken;
    taken
}

/// Looks counts up and remembers whether one made no sense.
struct Counts<'r, 'a> {
    report: &'r Object<'a>,
    anomaly: bool,
}

impl Counts<'_, '_> {
    /// A count; `None` when absent or null. A negative or broken one counts as 0 and is remembered.
    fn get(&mut self, name: &str) -> Option<u64> {
        let raw = self.report.get(name).filter(|raw| !json::is_null(raw))?;
        let count = json::unsigned(raw);
        self.anomaly |= count.is_none();
        Some(count.unwrap_or(0))
    }

    fn of(&mut self, name: &str) -> u64 {
        self.get(name).unwrap_or(0)
    }

    /// A modality's count in a list of details.
    fn modality(&mut self, list: &str, modality: &str) -> u64 {
        let details = self.report.get(list).and_then(|raw| json::elements(raw).ok()).unwrap_or_default();
        details
            .into_iter()
            .filter_map(|raw| Object::parse_checked(raw).ok())
            .filter(|detail| detail.get("modality").and_then(json::string).as_deref() == Some(modality))
            .filter_map(|detail| detail.get("tokenCount").and_then(json::unsigned))
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i01_thoughts_and_tool_prompts_are_added_and_modalities_taken_out() {
        let report = parse(
            br#"{"promptTokenCount":100,"toolUsePromptTokenCount":20,"candidatesTokenCount":40,"thoughtsTokenCount":7,
            "cachedContentTokenCount":30,"totalTokenCount":167,"serviceTier":"flex",
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":60},{"modality":"AUDIO","tokenCount":25},{"modality":"IMAGE","tokenCount":15}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":30},{"modality":"TEXT","tokenCount":10}]}"#,
        )
        .unwrap();
        let wanted = Usage {
            input_uncached: 70,
            input_cache_read: 30,
            input_audio: 5,
            input_image: 15,
            output_text: 10,
            output_reasoning: 7,
            output_image: 30,
            ..Usage::default()
        };
        assert_eq!((report.usage, report.service_tier.as_deref()), (wanted, Some("flex")));
        assert_eq!((report.usage.input_total(), report.usage.output_total()), (120, 47));
    }

    #[test]
    fn i03_reports_that_contradict_themselves_are_flagged() {
        let read = |text: &str| parse(text.as_bytes()).unwrap().usage;
        assert!(read(r#"{"promptTokenCount":-5,"totalTokenCount":2}"#).anomaly);
        assert!(read(r#"{"promptTokenCount":5,"totalTokenCount":9}"#).anomaly);
        let cached = read(r#"{"promptTokenCount":5,"cachedContentTokenCount":9,"totalTokenCount":5}"#);
        assert_eq!((cached.input_total(), cached.anomaly), (5, true));
        assert!(!read(r#"{"promptTokenCount":5,"totalTokenCount":5}"#).anomaly);
    }

    #[test]
    fn without_a_total_there_is_no_report() {
        assert_eq!(parse(br#"{"trafficType":"ON_DEMAND"}"#), None);
        assert_eq!(parse(br#"{"promptTokenCount":5,"totalTokenCount":null}"#), None);
        assert_eq!(parse(b"null"), None);
    }
}
