use super::*;

fn read(text: &str, convention: UsageConvention) -> UsageReport {
    parse(text.as_bytes(), convention).unwrap()
}

/// Input total, cache read, cache write, output total, reasoning.
type Totals = (u64, u64, u64, u64, u64);

fn totals_of(report: &UsageReport) -> Totals {
    let r = &report.inclusive;
    (r.input_total, r.cache_read, r.cache_write_5m + r.cache_write_1h, r.output_total, r.reasoning)
}

#[test]
fn i01_every_convention_becomes_inclusive() {
    use UsageConvention as C;
    let table: &[(&str, C, Totals)] = &[
        (
            r#"{"prompt_tokens":100,"completion_tokens":30,"total_tokens":130,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":20}}"#,
            C::Inclusive,
            (100, 64, 0, 30, 20),
        ),
        (
            r#"{"prompt_tokens":100,"completion_tokens":30,"total_tokens":150,"completion_tokens_details":{"reasoning_tokens":20}}"#,
            C::ReasoningBeside,
            (100, 0, 0, 50, 20),
        ),
        (
            r#"{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}"#,
            C::TotalMinusPrompt,
            (35, 0, 0, 74, 62),
        ),
        (
            r#"{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"prompt_tokens_details":{"cached_tokens":40}}"#,
            C::CachedBeside,
            (140, 40, 0, 5, 0),
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":400,"prompt_tokens_details":{"audio_tokens":386}}"#,
            C::AudioApart,
            (9, 0, 0, 5, 0),
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"reasoning_tokens":7}"#,
            C::TopLevelReasoningBeside,
            (9, 0, 0, 12, 7),
        ),
    ];
    for (text, convention, expected) in table {
        let report = read(text, *convention);
        assert_eq!(totals_of(&report), *expected, "{text}");
        assert_eq!(
            (report.usage.input_total(), report.usage.output_total()),
            (expected.0, expected.3),
            "{text}"
        );
        assert!(!report.usage.anomaly, "{text}");
    }
}

#[test]
fn cached_tokens_are_found_under_every_name() {
    for cached in [
        r#""prompt_tokens_details":{"cached_tokens":7}"#,
        r#""prompt_token_details":{"cached_tokens":7}"#,
        r#""cached_tokens":7"#,
        r#""num_cached_tokens":7"#,
        r#""prompt_cache_hit_tokens":7,"prompt_cache_miss_tokens":3"#,
    ] {
        let text = format!(r#"{{"prompt_tokens":10,"completion_tokens":1,{cached}}}"#);
        assert_eq!(read(&text, UsageConvention::Inclusive).usage.input_cache_read, 7, "{text}");
    }
}

#[test]
fn cache_writes_are_split_by_lifetime() {
    let report = read(
        r#"{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_1h_input_tokens":20,"ephemeral_5m_input_tokens":30}}}"#,
        UsageConvention::Inclusive,
    );
    assert_eq!((report.usage.input_cache_write_5m, report.usage.input_cache_write_1h), (30, 20));
    let openrouter = read(
        r#"{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cache_write_tokens":40}}"#,
        UsageConvention::Inclusive,
    );
    assert_eq!((openrouter.usage.input_cache_write_5m, openrouter.usage.input_uncached), (40, 60));
}

#[test]
fn i03_contradictions_are_flagged_and_never_negative() {
    let both = read(
        r#"{"prompt_tokens":2168,"completion_tokens":10,"total_tokens":2178,"prompt_tokens_details":{"cached_tokens":2161,"cache_write_tokens":2161},"completion_tokens_details":{"reasoning_tokens":11}}"#,
        UsageConvention::Inclusive,
    );
    assert_eq!(totals_of(&both), (2168, 2161, 2161, 10, 11), "kept as sent");
    assert_eq!((both.usage.input_total(), both.usage.output_total()), (2168, 10));
    assert!(both.usage.anomaly);
    let negative = read(r#"{"prompt_tokens":-5,"completion_tokens":3}"#, UsageConvention::Inclusive);
    assert_eq!((negative.usage.input_total(), negative.usage.anomaly), (0, true));
    let wrong_total =
        read(r#"{"prompt_tokens":5,"completion_tokens":3,"total_tokens":99}"#, UsageConvention::Inclusive);
    assert!(wrong_total.usage.anomaly);
    let outside = read(
        r#"{"prompt_tokens":5,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40}}"#,
        UsageConvention::Inclusive,
    );
    assert_eq!(
        (outside.usage.input_total(), outside.usage.input_uncached, outside.usage.anomaly),
        (45, 5, true)
    );
}

#[test]
fn what_holds_no_counts_is_no_report() {
    for text in ["null", "{}", "[]", r#"{"cost":1}"#, r#"{"prompt_tokens":null}"#] {
        assert_eq!(parse(text.as_bytes(), UsageConvention::Inclusive), None, "{text}");
    }
}

#[test]
fn images_and_searches_have_their_own_buckets() {
    let report = read(
        r#"{"prompt_tokens":1,"completion_tokens":1300,"completion_tokens_details":{"image_tokens":1290},"server_tool_use_details":{"web_search_requests":2}}"#,
        UsageConvention::Inclusive,
    );
    assert_eq!((report.usage.output_image, report.usage.output_text, report.usage.searches), (1290, 10, 2));
}
