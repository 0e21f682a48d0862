//! The protocol's report of consumption, merged as it comes and mapped into disjoint buckets (I1, I2).

use serde_json::{Map, Value};
use tollgate_domain::Usage;
use tollgate_domain::usage::InclusiveUsage;

/// A report that grows over a reply: each update replaces the fields that it names (providers §4).
#[derive(Debug, Default)]
pub(super) struct Report {
    merged: Map<String, Value>,
}

/// Counts of one pass of the model. The protocol's input count leaves cache reads and writes out.
#[derive(Clone, Copy, Default)]
struct Pass {
    input: u64,
    read: u64,
    write_5m: u64,
    write_1h: u64,
    output: u64,
}

impl Report {
    /// Takes an update: every field that is not null overrides (it is cumulative, never a difference).
    pub(super) fn merge(&mut self, update: &Value) {
        for (key, value) in update.as_object().into_iter().flatten() {
            if !value.is_null() || !self.merged.contains_key(key) {
                self.merged.insert(key.clone(), value.clone());
            }
        }
    }

    /// The report as the provider sent it, fields of all updates together.
    pub(super) fn merged(&self) -> &Map<String, Value> {
        &self.merged
    }

    /// The buckets; `None` when nothing was reported.
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.merged.is_empty() {
            return None;
        }
        let mut anomaly = false;
        let total = self.total(&mut anomaly);
        let within = |object: &str, key: &str, anomaly: &mut bool| {
            count(self.merged.get(object).and_then(|v| v.get(key)), anomaly).unwrap_or(0)
        };
        let mut usage = Usage::from(InclusiveUsage {
            input_total: [total.input, total.read, total.write_5m, total.write_1h]
                .into_iter()
                .fold(0, u64::saturating_add),
            cache_read: total.read,
            cache_write_5m: total.write_5m,
            cache_write_1h: total.write_1h,
            output_total: total.output,
            reasoning: within("output_tokens_details", "thinking_tokens", &mut anomaly),
            ..InclusiveUsage::default()
        });
        usage.searches = within("server_tool_use", "web_search_requests", &mut anomaly);
        usage.anomaly |= anomaly;
        Some(usage)
    }

    /// The counts to bill. With compaction the top level leaves the compaction's own passes out, so the
    /// passes are summed. An advisor's pass is billed as its own model's and no part of this; after a
    /// fallback the top level is right.
    fn total(&self, anomaly: &mut bool) -> Pass {
        let passes = self.merged.get("iterations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let is = |pass: &Value, kind: &str| pass.get("type").and_then(Value::as_str) == Some(kind);
        let compacted = passes.iter().any(|p| is(p, "compaction"));
        if !compacted || passes.iter().any(|p| is(p, "fallback_message")) {
            return Pass::read(|key| self.merged.get(key), anomaly);
        }
        passes
            .iter()
            .filter(|p| is(p, "compaction") || is(p, "message"))
            .map(|p| Pass::read(|key| p.get(key), anomaly))
            .fold(Pass::default(), Pass::plus)
    }
}

impl Pass {
    fn read<'a>(get: impl Fn(&str) -> Option<&'a Value>, anomaly: &mut bool) -> Self {
        let mut number = |value: Option<&Value>| count(value, anomaly);
        let split = get("cache_creation");
        let of = |key: &str| split.and_then(|s| s.get(key));
        let stated_5m = number(of("ephemeral_5m_input_tokens")).unwrap_or(0);
        let stated_1h = number(of("ephemeral_1h_input_tokens")).unwrap_or(0);
        let written = number(get("cache_creation_input_tokens"));
        let (write_5m, write_1h) = divide_writes(written, stated_5m, stated_1h);
        Self {
            input: number(get("input_tokens")).unwrap_or(0),
            read: number(get("cache_read_input_tokens")).unwrap_or(0),
            write_5m,
            write_1h,
            output: number(get("output_tokens")).unwrap_or(0),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            read: self.read.saturating_add(other.read),
            write_5m: self.write_5m.saturating_add(other.write_5m),
            write_1h: self.write_1h.saturating_add(other.write_1h),
            output: self.output.saturating_add(other.output),
        }
    }
}

/// Cache writes by lifetime; together they are always what was written. Growth that came without a split
/// belongs to the lifetime already in use, else to five minutes.
fn divide_writes(written: Option<u64>, stated_5m: u64, stated_1h: u64) -> (u64, u64) {
    let stated = stated_5m.saturating_add(stated_1h);
    let written = written.unwrap_or(stated);
    if stated_5m == 0 && stated_1h > 0 {
        return (0, written);
    }
    let write_1h = stated_1h.min(written);
    (written - write_1h, write_1h)
}

/// A count; anything that is no unsigned integer is nothing, and flagged unless it is absent (I3).
fn count(value: Option<&Value>, anomaly: &mut bool) -> Option<u64> {
    match value {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = value.as_u64();
            *anomaly |= number.is_none();
            number
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usage(updates: &[Value]) -> Usage {
        let mut report = Report::default();
        updates.iter().for_each(|update| report.merge(update));
        report.usage().unwrap()
    }

    #[test]
    fn i02_later_fields_replace_earlier_ones_and_null_does_not() {
        let found = usage(&[
            json!({"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 7}),
            json!({"output_tokens": 30, "cache_read_input_tokens": null}),
            json!({"input_tokens": 12, "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 25}}),
        ]);
        assert_eq!((found.input_uncached, found.input_cache_read), (12, 7));
        assert_eq!((found.output_text, found.output_reasoning), (15, 25));
    }

    #[test]
    fn i01_growth_without_a_split_goes_to_the_lifetime_in_use() {
        assert_eq!(divide_writes(Some(30), 0, 10), (0, 30));
        assert_eq!(divide_writes(Some(30), 10, 0), (30, 0));
        assert_eq!(divide_writes(Some(30), 0, 0), (30, 0));
        assert_eq!(divide_writes(Some(30), 5, 10), (20, 10));
        assert_eq!(divide_writes(None, 5, 10), (5, 10));
        assert_eq!(divide_writes(Some(4), 5, 10), (0, 4));
    }

    #[test]
    fn i01_compaction_passes_are_summed_with_their_cache_fields() {
        let pass = |kind: &str, n: u64| {
            json!({"type": kind, "input_tokens": n, "output_tokens": n, "cache_read_input_tokens": n,
                "cache_creation_input_tokens": n, "cache_creation": {"ephemeral_1h_input_tokens": n}})
        };
        let top = json!({"input_tokens": 5, "output_tokens": 6});
        let with = |passes: Value| {
            let mut all = top.clone();
            all["iterations"] = passes;
            usage(&[all])
        };
        let found = with(json!([pass("compaction", 100), pass("message", 10), pass("advisor_message", 999)]));
        assert_eq!((found.input_uncached, found.input_cache_read), (110, 110));
        assert_eq!((found.input_cache_write_5m, found.input_cache_write_1h), (0, 110));
        assert_eq!(found.output_total(), 110);
        let found = with(json!([pass("compaction", 100), pass("fallback_message", 10)]));
        assert_eq!((found.input_total(), found.output_total()), (5, 6));
        let found = with(json!([pass("message", 4), pass("advisor_message", 999)]));
        assert_eq!((found.input_total(), found.output_total()), (5, 6));
    }

    #[test]
    fn i03_a_negative_count_is_flagged_and_never_a_charge() {
        let found = usage(&[json!({"input_tokens": -3, "output_tokens": 2})]);
        assert_eq!((found.input_total(), found.output_total(), found.anomaly), (0, 2, true));
    }

    #[test]
    fn searches_are_counted() {
        let found = usage(&[json!({"input_tokens": 1, "server_tool_use": {"web_search_requests": 3}})]);
        assert_eq!(found.searches, 3);
    }
}
