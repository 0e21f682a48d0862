//! Durations and sizes as people write them: `500ms`, `30s`, `90d`; `64MiB`, `2GB`.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

const HOW: &str = "a whole number and a unit: 500ms, 30s, 5m, 12h, 90d or 2w";
const SIZE: &str = "a whole number of bytes, or one with a unit: 512KiB, 64MiB, 1GiB, 10MB";

/// The text is no duration or size.
#[derive(Debug, PartialEq, Eq)]
pub struct BadQuantity {
    text: String,
    /// What it should look like.
    pub expected: &'static str,
}

impl std::fmt::Display for BadQuantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.expected == SIZE { "size" } else { "duration" };
        write!(f, "'{}' is not a {kind}; expected {}", self.text, self.expected)
    }
}

/// Reads a duration.
///
/// # Errors
/// When the text is not a whole number and one of the units, or too long to be held.
pub fn duration(text: &str) -> Result<Duration, BadQuantity> {
    let bad = || BadQuantity { text: text.to_owned(), expected: HOW };
    let (number, unit) = split(text).ok_or_else(bad)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return Err(bad()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(bad)
}

/// Reads a size in bytes.
///
/// # Errors
/// When the text is not a whole number with or without one of the units, or too large to be held.
pub fn size(text: &str) -> Result<usize, BadQuantity> {
    let bad = || BadQuantity { text: text.to_owned(), expected: SIZE };
    let (number, unit) = split(text).ok_or_else(bad)?;
    let bytes: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(bad()),
    };
    number.checked_mul(bytes).and_then(|n| usize::try_from(n).ok()).ok_or_else(bad)
}

/// Number and unit.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A duration in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationText(pub Duration);

/// A size in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeText(pub usize);

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(i64),
    Other(serde::de::IgnoredAny),
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => duration(&text).map(Self).map_err(D::Error::custom),
            Scalar::Number(n) => {
                Err(D::Error::custom(format_args!("{n} has no unit; expected {HOW}, in quotes: \"{n}s\"")))
            }
            Scalar::Other(_) => {
                Err(D::Error::custom(format_args!("this is not a duration; expected {HOW}, in quotes")))
            }
        }
    }
}

impl<'de> Deserialize<'de> for SizeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| size(text).map(Self).map_err(D::Error::custom);
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => read(&text),
            Scalar::Number(n) => read(&n.to_string()),
            Scalar::Other(_) => Err(D::Error::custom(format_args!("this is not a size; expected {SIZE}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_unit() {
        assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!((size("64MiB"), size("1024"), size("10 MB")), (Ok(64 << 20), Ok(1024), Ok(10_000_000)));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_the_form() {
        for text in ["", "30", "s", "1.5h", "-1s", "30 parsecs", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "1.5GiB", "64 cats", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(duration("30").unwrap_err().to_string().contains("30s, 5m"));
    }
}
