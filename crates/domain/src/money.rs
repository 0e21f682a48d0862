//! Integer money (I4). A price is a whole number of picodollars (10⁻¹² dollars) per unit, the cost of
//! one request a whole number of nanodollars (10⁻⁹ dollars). No float ever holds an amount; the only
//! rounding is half-even, once, when a request's exact sum becomes its cost.

use std::fmt;
use std::str::FromStr;

const PICO_DIGITS: usize = 12;
const NANO_DIGITS: usize = 9;

/// No amount but zero stays exact when it is moved by more places: its digits are kept in 128 bits, which hold 39.
/// Without a bound the exponent would set how long reading takes (I26).
const MOST_PLACES: i64 = 40;

/// A price: picodollars per unit (token, image, second, call).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Picodollars(pub i64);

/// A cost or balance: nanodollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanodollars(pub i64);

/// Why a text is not an amount of money.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a decimal number such as `0.00000125`.
    #[error("'{0}' is not a decimal amount; write it like \"0.00000125\" (dollars, no exponent beyond e-12)")]
    NotDecimal(String),
    /// More digits than the unit can hold exactly.
    #[error("'{0}' has more decimal places than can be stored exactly ({1})")]
    TooFine(String, usize),
    /// Beyond the range of the integer.
    #[error("'{0}' is too large an amount")]
    TooLarge(String),
}

impl Picodollars {
    /// Parses decimal dollars per unit, exactly (`"0.00000125"` is 1 250 000 picodollars).
    ///
    /// # Errors
    /// When the text is no plain decimal, is negative beyond range, or needs more than 12 places.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        parse_scaled(text, PICO_DIGITS).map(Self)
    }
}

impl Nanodollars {
    /// Zero dollars.
    pub const ZERO: Self = Self(0);

    /// Parses decimal dollars, exactly.
    ///
    /// # Errors
    /// When the text is no plain decimal or needs more than 9 places.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        parse_scaled(text, NANO_DIGITS).map(Self)
    }

    /// The one rounding of a request's exact sum, half-even (I4). `None` when it exceeds the range.
    #[must_use]
    pub fn from_pico_half_even(pico: i128) -> Option<Self> {
        let quotient = pico.div_euclid(1000);
        let remainder = pico.rem_euclid(1000);
        let up = remainder > 500 || (remainder == 500 && quotient % 2 != 0);
        i64::try_from(quotient + i128::from(up)).ok().map(Self)
    }

    /// Sum that stays within range (saturating).
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Picodollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, PICO_DIGITS)
    }
}

impl fmt::Display for Nanodollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, NANO_DIGITS)
    }
}

impl FromStr for Picodollars {
    type Err = MoneyError;
    fn from_str(s: &str) -> Result<Self, MoneyError> {
        Self::parse(s)
    }
}

impl FromStr for Nanodollars {
    type Err = MoneyError;
    fn from_str(s: &str) -> Result<Self, MoneyError> {
        Self::parse(s)
    }
}

/// Decimal text (optionally with an exponent) times ten to the `digits`, exactly.
fn parse_scaled(text: &str, digits: usize) -> Result<i64, MoneyError> {
    let not_decimal = || MoneyError::NotDecimal(text.to_owned());
    let trimmed = text.trim();
    let (negative, unsigned) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| not_decimal())?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(not_decimal());
    }
    let mut value: i128 = 0;
    for c in whole.chars().chain(fraction.chars()) {
        let d = c.to_digit(10).ok_or_else(not_decimal)?;
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i128::from(d)))
            .ok_or_else(|| MoneyError::TooLarge(text.to_owned()))?;
    }
    let places = i64::try_from(digits).unwrap_or(0) + i64::from(exponent)
        - i64::try_from(fraction.len()).map_err(|_| not_decimal())?;
    if value == 0 {
        return Ok(0);
    }
    if places > MOST_PLACES {
        return Err(MoneyError::TooLarge(text.to_owned()));
    }
    if places < -MOST_PLACES {
        return Err(MoneyError::TooFine(text.to_owned(), digits));
    }
    for _ in 0..places.max(0) {
        value = value.checked_mul(10).ok_or_else(|| MoneyError::TooLarge(text.to_owned()))?;
    }
    for _ in places.min(0)..0 {
        if value % 10 != 0 {
            return Err(MoneyError::TooFine(text.to_owned(), digits));
        }
        value /= 10;
    }
    let signed = if negative { -value } else { value };
    i64::try_from(signed).map_err(|_| MoneyError::TooLarge(text.to_owned()))
}

fn write_scaled(f: &mut fmt::Formatter<'_>, value: i64, digits: usize) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let scale = 10u64.pow(u32::try_from(digits).unwrap_or(0));
    let (whole, fraction) = (magnitude / scale, magnitude % scale);
    if fraction == 0 {
        return write!(f, "{sign}{whole}");
    }
    let (mut fraction, mut places) = (fraction, digits);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    write!(f, "{sign}{whole}.{fraction:0places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i04_prices_parse_exactly_and_print_back() {
        for (text, pico) in [
            ("0.00000125", 1_250_000),
            ("0.0000000375", 37_500),
            ("0", 0),
            ("3", 3_000_000_000_000),
            ("1e-6", 1_000_000),
            ("0.000000000001", 1),
            (".5", 500_000_000_000),
            ("-0.25", -250_000_000_000),
        ] {
            assert_eq!(Picodollars::parse(text), Ok(Picodollars(pico)), "{text}");
        }
        assert_eq!(Picodollars(1_250_000).to_string(), "0.00000125");
        assert_eq!(Nanodollars(-1_838_750).to_string(), "-0.00183875");
        assert_eq!(Nanodollars(0).to_string(), "0");
        assert_eq!(Nanodollars(2_000_000_000).to_string(), "2");
    }

    #[test]
    fn i04_bad_amounts_are_refused_with_the_text() {
        for text in ["", ".", "1.2.3", "abc", "1e", "0x10", "1,5", "--1"] {
            assert_eq!(Picodollars::parse(text), Err(MoneyError::NotDecimal(text.to_owned())), "{text}");
        }
        assert!(matches!(Picodollars::parse("0.0000000000001"), Err(MoneyError::TooFine(..))));
        assert!(matches!(Picodollars::parse("99999999999999999999"), Err(MoneyError::TooLarge(_))));
    }

    /// Such texts were read digit by digit, two billion times.
    #[test]
    fn i26_huge_exponents_are_answered_at_once() {
        for text in ["0e-2147483647", "0e2147483647", "-0.00e-2147483648", "0e+9"] {
            assert_eq!(Picodollars::parse(text), Ok(Picodollars(0)), "{text}");
        }
        assert_eq!(Nanodollars::parse(&format!("0.{}", "0".repeat(500))), Ok(Nanodollars(0)));
        let (large, fine) = ("1e2147483647", "1e-2147483648");
        assert_eq!(Picodollars::parse(large), Err(MoneyError::TooLarge(large.to_owned())));
        assert_eq!(Picodollars::parse(fine), Err(MoneyError::TooFine(fine.to_owned(), 12)));
        let exact = format!("1{}e-30", "0".repeat(30));
        assert_eq!(Picodollars::parse(&exact), Ok(Picodollars(1_000_000_000_000)), "{exact}");
    }

    #[test]
    fn i04_rounding_is_half_even() {
        for (pico, nano) in
            [(500, 0), (1500, 2), (2500, 2), (2501, 3), (499, 0), (-500, 0), (-1500, -2), (999, 1)]
        {
            assert_eq!(Nanodollars::from_pico_half_even(pico), Some(Nanodollars(nano)), "{pico}");
        }
        assert_eq!(Nanodollars::from_pico_half_even(i128::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn i04_text_round_trips(pico in proptest::num::i64::ANY) {
            proptest::prop_assert_eq!(Picodollars::parse(&Picodollars(pico).to_string()), Ok(Picodollars(pico)));
        }
    }
}
