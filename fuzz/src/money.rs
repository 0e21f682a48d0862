//! Money: any text is read exactly or refused, and what is written reads back (I4).

use tollgate_domain::{Nanodollars, Picodollars};

/// A text, and its first eight bytes as an amount.
pub fn check(data: &[u8]) {
    if let Some(amount) = data.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes)) {
        assert_eq!(Picodollars::parse(&Picodollars(amount).to_string()), Ok(Picodollars(amount)));
        assert_eq!(Nanodollars::parse(&Nanodollars(amount).to_string()), Ok(Nanodollars(amount)));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pico, nano) = (Picodollars::parse(text), Nanodollars::parse(text));
    if let Ok(pico) = &pico {
        assert_eq!(Picodollars::parse(&pico.to_string()), Ok(*pico), "{text:?}");
    }
    if let Ok(nano) = &nano {
        assert_eq!(Nanodollars::parse(&nano.to_string()), Ok(*nano), "{text:?}");
    }
    if let (Ok(pico), Ok(nano)) = (&pico, &nano) {
        assert_eq!(i128::from(pico.0), i128::from(nano.0) * 1000, "{text:?}");
        assert_eq!(Nanodollars::from_pico_half_even(i128::from(pico.0)), Some(*nano), "{text:?}");
    }
    for error in [pico.err(), nano.err()].into_iter().flatten() {
        assert!(error.to_string().contains(text), "the refusal names the text: {error}");
    }
}
