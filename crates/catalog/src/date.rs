//! Calendar dates as the catalog has them. No clock and no time zone: a date is midnight UTC.

use std::fmt;
use std::str::FromStr;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The text is no date.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a date; write it as YYYY-MM-DD")]
pub struct DateError(String);

impl Date {
    /// Seconds from 1970-01-01 to the day's beginning in UTC.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        // Days since the epoch in the proleptic Gregorian calendar, with years that begin in March so
        // that the leap day is the last of its year.
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * 146_097 + day_of_era - 719_468) * 86_400
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let bad = || DateError(text.to_owned());
        let digits = |range: std::ops::Range<usize>| {
            text.get(range).filter(|t| t.bytes().all(|b| b.is_ascii_digit())).ok_or_else(bad)
        };
        if text.len() != 10 || &text.as_bytes()[4..5] != b"-" || &text.as_bytes()[7..8] != b"-" {
            return Err(bad());
        }
        let year: u16 = digits(0..4)?.parse().map_err(|_| bad())?;
        let month: u8 = digits(5..7)?.parse().map_err(|_| bad())?;
        let day: u8 = digits(8..10)?.parse().map_err(|_| bad())?;
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(bad()),
        };
        if day == 0 || day > days {
            return Err(bad());
        }
        Ok(Self { year, month, day })
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-03-01", 951_868_800),
            ("2024-02-29", 1_709_164_800),
            ("2025-10-15", 1_760_486_400),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!((date.unix_seconds(), date.to_string().as_str()), (seconds, text));
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2025-13-01",
            "2025-02-29",
            "2025-1-01",
            "2025/01/01",
            "+025-01-01",
            "2025-01-00",
            "20250101xx",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
