//! Identifiers. Each is a prefix and a ULID: 48 bits of milliseconds and 80 random bits in Crockford's
//! base 32 (26 characters), so that ids sort by the time they were made.

use std::fmt;
use std::sync::Arc;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid(pub u128);

impl Ulid {
    /// Made of a time in milliseconds since the epoch and 80 random bits.
    #[must_use]
    pub fn from_parts(millis: u64, random: u128) -> Self {
        Self((u128::from(millis & 0xFFFF_FFFF_FFFF) << 80) | (random & ((1 << 80) - 1)))
    }

    /// The time it was made, in milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(0)
    }

    /// The 26 characters.
    #[must_use]
    pub fn encode(self) -> [u8; 26] {
        let mut text = [0u8; 26];
        let mut rest = self.0;
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
            rest >>= 5;
        }
        text
    }

    /// Reads 26 characters, upper or lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 26 || text.as_bytes()[0] > b'7' {
            return None;
        }
        let mut value: u128 = 0;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|a| *a == byte.to_ascii_uppercase())?;
            value = (value << 5) | u128::try_from(digit).ok()?;
        }
        Some(Self(value))
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.encode()).unwrap_or_default())
    }
}

impl fmt::Debug for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub Ulid);

        impl $name {
            /// What the textual form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Reads the textual form; `None` when prefix or ULID are not right.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Ulid::parse(text.strip_prefix($prefix)?).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("expected ", $prefix, " and a ULID")))
            }
        }
    };
}

prefixed_id!(
    /// One client request, whatever number of attempts it took (gateway-api §3). Also the ledger row's id (I10).
    GenerationId,
    "gen_"
);
prefixed_id!(
    /// A gateway key.
    KeyId,
    "key_"
);
prefixed_id!(
    /// A team.
    TeamId,
    "team_"
);
prefixed_id!(
    /// A project of a team.
    ProjectId,
    "prj_"
);

/// A model id as clients write it, `creator/model` (gateway-api §3). Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first slash; `None` for a bare name.
    #[must_use]
    pub fn creator(&self) -> Option<&str> {
        self.0.split_once('/').map(|(creator, _)| creator)
    }

    /// The part after the first slash, or the whole of a bare name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulids_sort_by_time_and_round_trip() {
        let (a, b) = (Ulid::from_parts(1, u128::MAX), Ulid::from_parts(2, 0));
        assert!(a < b && a.to_string() < b.to_string());
        assert_eq!(Ulid::parse(&a.to_string()), Some(a));
        assert_eq!((a.millis(), b.millis()), (1, 2));
        assert_eq!(Ulid::parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"), None, "beyond 128 bits");
        assert_eq!(Ulid::parse("0000000000000000000000000U"), None, "U is not in the alphabet");
    }

    #[test]
    fn ids_carry_their_prefix() {
        let id = GenerationId(Ulid::from_parts(5, 7));
        assert_eq!(GenerationId::parse(&id.to_string()), Some(id));
        assert_eq!(KeyId::parse(&id.to_string()), None);
    }

    #[test]
    fn a_model_id_has_a_creator_unless_bare() {
        let id = ModelId::new("anthropic/claude-haiku-4.5");
        assert_eq!((id.creator(), id.name()), (Some("anthropic"), "claude-haiku-4.5"));
        assert_eq!(ModelId::new("claude").creator(), None);
    }
}
