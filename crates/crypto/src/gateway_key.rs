//! Gateway keys: `tgk_` and 40 base-62 characters, the last six a checksum, so that scanners and clients
//! can tell a typo from a key without asking anybody (operations "Keys").

use crate::random::{self, NoEntropy};
use crate::{Secret, sha256};

const PREFIX: &str = "tgk_";
const BODY: usize = 34;
const CHECK: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A well-formed gateway key. Whether it is *known* is the snapshot's business.
#[derive(Clone, Debug)]
pub struct GatewayKey(Secret);

/// Why a text is no gateway key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    /// It does not begin with `tgk_`.
    #[error(
        "the key does not begin with 'tgk_'; use a Tollgate key (tollgate key create), not a provider's key"
    )]
    Prefix,
    /// It is not 44 characters long.
    #[error("the key is {0} characters long, expected 44; it was probably cut or padded when it was copied")]
    Length(usize),
    /// It has a character outside letters and digits.
    #[error("the key has characters other than letters and digits after 'tgk_'; check how it was copied")]
    Character,
    /// Its checksum is not right.
    #[error("the key's checksum does not match; it has a typo")]
    Checksum,
}

impl GatewayKey {
    /// Makes a new random key (202 bits).
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn generate() -> Result<Self, NoEntropy> {
        let mut text = String::with_capacity(PREFIX.len() + BODY + CHECK);
        text.push_str(PREFIX);
        while text.len() < PREFIX.len() + BODY {
            let mut bytes = [0; 64];
            random::fill(&mut bytes)?;
            // 248 = 4 × 62: larger bytes are thrown away so that every character is equally likely.
            for byte in bytes.into_iter().filter(|b| *b < 248).take(PREFIX.len() + BODY - text.len()) {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        let check = checksum(&text);
        text.extend(check.iter().map(|b| char::from(*b)));
        Ok(Self(Secret::new(text)))
    }

    /// Reads a key and proves its form and checksum.
    ///
    /// # Errors
    /// What is wrong with it, in words for the person who sent it.
    pub fn parse(text: &str) -> Result<Self, KeyFormatError> {
        Self::check(text)?;
        Ok(Self(Secret::new(text)))
    }

    /// Proves a key's form and checksum without keeping it.
    ///
    /// # Errors
    /// As [`GatewayKey::parse`].
    pub fn check(text: &str) -> Result<(), KeyFormatError> {
        let body = text.strip_prefix(PREFIX).ok_or(KeyFormatError::Prefix)?;
        if body.len() != BODY + CHECK {
            return Err(KeyFormatError::Length(text.chars().count()));
        }
        if !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(KeyFormatError::Character);
        }
        let (head, check) = text.split_at(PREFIX.len() + BODY);
        if checksum(head) == check.as_bytes() { Ok(()) } else { Err(KeyFormatError::Checksum) }
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What is stored instead of the key (I27). A key has 202 random bits: a plain hash cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.expose().as_bytes())
    }

    /// The first characters, to recognise it by in lists.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{}…", &self.0.expose()[..PREFIX.len() + 6])
    }
}

/// CRC-32 of the text as six base-62 digits.
fn checksum(text: &str) -> [u8; CHECK] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_reads_back_and_differs_from_the_next() {
        let (a, b) = (GatewayKey::generate().unwrap(), GatewayKey::generate().unwrap());
        assert_eq!(GatewayKey::check(a.secret().expose()), Ok(()));
        assert_ne!(a.hash(), b.hash());
        assert_eq!(a.secret().expose().len(), 44);
        assert!(a.secret().expose().starts_with(a.display().trim_end_matches('…')));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let key = GatewayKey::generate().unwrap();
        let good = key.secret().expose();
        assert_eq!(GatewayKey::check("sk-abc"), Err(KeyFormatError::Prefix));
        assert_eq!(GatewayKey::check(&good[..40]), Err(KeyFormatError::Length(40)));
        assert_eq!(GatewayKey::check(&format!("{}-", &good[..43])), Err(KeyFormatError::Character));
        let typo = if good.ends_with('a') { 'b' } else { 'a' };
        assert_eq!(GatewayKey::check(&format!("{}{typo}", &good[..43])), Err(KeyFormatError::Checksum));
    }

    #[test]
    fn the_checksum_is_that_of_the_operating_contract() {
        // CRC-32 of "tgk_" + 34 zeros, computed independently.
        let head = format!("tgk_{}", "0".repeat(34));
        let mut crc = u32::MAX;
        for byte in head.bytes() {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            }
        }
        let mut rest = !crc;
        let mut expected = Vec::new();
        for _ in 0..6 {
            expected.insert(0, ALPHABET[(rest % 62) as usize]);
            rest /= 62;
        }
        assert_eq!(checksum(&head).to_vec(), expected);
    }
}
