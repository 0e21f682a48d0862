//! How long a provider asks to be left alone (providers §0.3): headers first, then Google's `RetryInfo`,
//! then the sentence.

use std::time::Duration;

use http::HeaderMap;

/// A wait beyond this is nonsense and is cut (I26).
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// `retry-after-ms`, else `retry-after` in seconds or as an HTTP date.
pub(super) fn from_headers(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    // Azure sends `retry-after-ms: 0` beside a `retry-after` that means it.
    let milliseconds = text("retry-after-ms").and_then(|t| scaled(t, 1)).filter(|wait| !wait.is_zero());
    let wait = milliseconds.or_else(|| {
        let after = text("retry-after")?;
        scaled(after, 1000).or_else(|| until(after, text("date")?))
    })?;
    Some(wait.min(LONGEST))
}

/// The time from the response's date to another.
fn until(date: &str, now: &str) -> Option<Duration> {
    let at = |text: &str| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second());
    Some(Duration::from_secs(u64::try_from(at(date)? - at(now)?).unwrap_or(0)))
}

/// A decimal number of a unit of `unit` milliseconds.
fn scaled(text: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let thousandths: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(Duration::from_millis(whole.checked_add(thousandths * unit / 1000)?))
}

/// A duration as Go and Google write it: `33.5s`, `6m0s`, `120ms`, `1h2m`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    read_duration(text).map(|(wait, _)| wait.min(LONGEST))
}

/// Reads a duration at the start of a text; gives what is left.
fn read_duration(text: &str) -> Option<(Duration, &str)> {
    let mut rest = text;
    let mut total: Option<Duration> = None;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number = number.trim_end_matches('.');
        let word = after.trim_start();
        let spaced = word.len() != after.len();
        let length = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
        let unit = match &word[..length] {
            "ms" | "millisecond" | "milliseconds" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => 1000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            _ => return total.map(|wait| (wait, rest)),
        };
        let Some(part) = scaled(number, unit) else {
            return total.map(|wait| (wait, rest));
        };
        total = Some(total.unwrap_or_default().checked_add(part)?);
        rest = &word[length..];
        if spaced {
            return total.map(|wait| (wait, rest));
        }
    }
}

/// "Please try again in 8s", "retry after 26 seconds", "Please retry in 33.5s".
pub(super) fn from_text(message: &str) -> Option<Duration> {
    let lower = message.to_lowercase();
    ["try again in ", "retry after ", "retry in ", "try again after ", "retrying in "].iter().find_map(
        |lead| {
            let start = lower.find(lead)? + lead.len();
            duration(&lower[start..])
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (http::HeaderName::from_static(k), http::HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn headers_in_their_order() {
        let ms =
            |pairs: &[(&'static str, &'static str)]| from_headers(&headers(pairs)).map(|w| w.as_millis());
        assert_eq!(ms(&[("retry-after-ms", "1500"), ("retry-after", "9")]), Some(1500));
        assert_eq!(ms(&[("retry-after-ms", "0"), ("retry-after", "1")]), Some(1000));
        assert_eq!(ms(&[("retry-after", "2.5")]), Some(2500));
        assert_eq!(ms(&[("retry-after", "0")]), Some(0));
        assert_eq!(
            ms(&[
                ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"),
                ("date", "Wed, 21 Oct 2015 07:28:00 GMT")
            ]),
            Some(30_000)
        );
        assert_eq!(
            ms(&[
                ("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT"),
                ("date", "Wed, 21 Oct 2015 07:28:00 GMT")
            ]),
            Some(0)
        );
        assert_eq!(ms(&[("retry-after", "soon")]), None);
        assert_eq!(ms(&[("retry-after", "99999999999999999999")]), None);
    }

    #[test]
    fn durations_in_words_and_in_texts() {
        let ms = |text: &str| duration(text).map(|w| w.as_millis());
        assert_eq!(ms("33.5s"), Some(33_500));
        assert_eq!(ms("6m0s"), Some(360_000));
        assert_eq!(ms("120ms"), Some(120));
        assert_eq!(ms("1h2m3.25s"), Some(3_723_250));
        assert_eq!(ms("x"), None);
        let said = |text: &str| from_text(text).map(|w| w.as_millis());
        assert_eq!(said("Rate limit reached. Please try again in 8s. Visit …"), Some(8000));
        assert_eq!(said("Please retry after 26 seconds."), Some(26_000));
        assert_eq!(said("Please try again in 7m12.5s"), Some(432_500));
        assert_eq!(said("Please retry in 33.509s."), Some(33_509));
        assert_eq!(said("try again in a moment"), None);
    }
}
