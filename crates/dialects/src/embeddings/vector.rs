//! A vector as numbers or as base64. Every finite 32-bit float goes from one form to the other and back
//! with the same bits: decimals are the shortest that mean the same float, and are read with one rounding.

use std::io::Write;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};
use tollgate_domain::task::Vector;
use tollgate_wire::json::write_string;

use crate::checked::elements;

/// Providers leave padding out now and then.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Appends a vector as a JSON array of numbers; an array passes byte for byte. What is no vector after all
/// is written as it came.
pub fn write_floats(out: &mut Vec<u8>, vector: &Vector) {
    match vector {
        Vector::Json(text) => out.extend_from_slice(text.as_str().as_bytes()),
        Vector::Base64(text) => match floats_of_base64(text) {
            Some(floats) => write_array(out, &floats),
            None => write_string(out, text),
        },
    }
}

/// Appends a vector as a JSON string of base64; base64 passes byte for byte. What is no vector after all is
/// written as it came.
pub fn write_base64(out: &mut Vec<u8>, vector: &Vector) {
    match vector {
        Vector::Base64(text) => write_string(out, text),
        Vector::Json(text) => match floats_of_json(text.as_str()) {
            Some(floats) => {
                let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
                write_string(out, &STANDARD.encode(bytes));
            }
            None => out.extend_from_slice(text.as_str().as_bytes()),
        },
    }
}

fn floats_of_base64(text: &str) -> Option<Vec<f32>> {
    let bytes = LENIENT.decode(text).ok()?;
    let (quads, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| quads.iter().map(|quad| f32::from_le_bytes(*quad)).collect())
}

fn floats_of_json(text: &str) -> Option<Vec<f32>> {
    let text = text.trim();
    if !text.starts_with('[') {
        return None;
    }
    // Parsed as 32-bit at once: by way of 64 bits a number would be rounded twice.
    elements(text.as_bytes()).into_iter().map(|raw| std::str::from_utf8(raw).ok()?.parse().ok()).collect()
}

fn write_array(out: &mut Vec<u8>, floats: &[f32]) {
    out.reserve(floats.len() * 13 + 2);
    out.push(b'[');
    for (i, float) in floats.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if float.is_finite() {
            // Writing into memory cannot fail. This form has an exponent where the decimal would be long.
            let _ = write!(out, "{float:?}");
        } else {
            // JSON has no such number.
            out.extend_from_slice(b"null");
        }
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tollgate_domain::JsonText;

    use super::*;

    fn base64(floats: &[f32]) -> Vector {
        let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
        Vector::Base64(STANDARD.encode(bytes))
    }

    fn as_floats(vector: &Vector) -> String {
        let mut out = Vec::new();
        write_floats(&mut out, vector);
        String::from_utf8(out).unwrap()
    }

    fn as_base64(vector: &Vector) -> String {
        let mut out = Vec::new();
        write_base64(&mut out, vector);
        serde_json::from_slice(&out).unwrap()
    }

    /// Base64 to numbers and back must give the same text.
    fn goes_round(floats: &[f32]) {
        let sent = base64(floats);
        let numbers = as_floats(&sent);
        serde_json::from_str::<Vec<f64>>(&numbers).unwrap();
        let back = as_base64(&Vector::Json(JsonText::new(numbers)));
        assert_eq!(Vector::Base64(back), sent, "{floats:?}");
    }

    #[test]
    fn i17_each_form_passes_byte_for_byte() {
        let text = "[0.10, -1E-3,\t2 ]";
        assert_eq!(as_floats(&Vector::Json(JsonText::new(text.into()))), text);
        assert_eq!(as_base64(&Vector::Base64("AACAPw==".into())), "AACAPw==");
    }

    #[test]
    fn known_values() {
        assert_eq!(as_floats(&Vector::Base64("AACAPwAAAL8=".into())), "[1.0,-0.5]");
        assert_eq!(as_floats(&Vector::Base64("AACAPwAAAL8".into())), "[1.0,-0.5]", "no padding");
        assert_eq!(as_base64(&Vector::Json(JsonText::new(" [1, -5e-1]".into()))), "AACAPwAAAL8=");
        assert_eq!(as_floats(&base64(&[f32::NAN, 1e-40, 3.5])), "[null,1e-40,3.5]");
        assert_eq!(as_floats(&Vector::Base64(String::new())), "[]");
    }

    #[test]
    fn edges_of_the_range_go_round() {
        goes_round(&[
            0.0,
            -0.0,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::MIN,
            f32::EPSILON,
            f32::from_bits(1),
            16_777_217.0,
        ]);
        for exponent in 0..=254u32 {
            goes_round(&[
                f32::from_bits(exponent << 23),
                f32::from_bits((exponent << 23) | 0x7f_ffff),
                f32::from_bits((1 << 31) | (exponent << 23) | 1),
            ]);
        }
    }

    #[test]
    fn what_is_no_vector_is_written_as_it_came() {
        assert_eq!(as_floats(&Vector::Base64("AAA=".into())), "\"AAA=\"");
        let mut out = Vec::new();
        write_base64(&mut out, &Vector::Json(JsonText::new("[1,\"a\"]".into())));
        assert_eq!(out, b"[1,\"a\"]");
    }

    proptest! {
        #[test]
        fn i17_every_finite_float_goes_round(bits in proptest::collection::vec(any::<u32>(), 0..64)) {
            let floats: Vec<f32> = bits.into_iter().map(f32::from_bits).filter(|f| f.is_finite()).collect();
            goes_round(&floats);
        }
    }
}
