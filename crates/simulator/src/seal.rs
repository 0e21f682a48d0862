//! What a provider hands out sealed and takes back only unchanged: encrypted reasoning, signatures of
//! thoughts. Made from the text and the issuer alone, so nothing has to be remembered; it keeps honest
//! callers honest and is no cipher.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::answer::text;

/// What is sealed. What was issued as one kind is not accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// OpenAI's `encrypted_content` of a reasoning item.
    Reasoning = 1,
    /// OpenAI's `encrypted_content` of a compaction item.
    Compaction = 2,
    /// Anthropic's `signature` of a thinking block.
    Thinking = 3,
    /// Anthropic's `data` of a redacted thinking block.
    Redacted = 4,
    /// Anthropic's `encrypted_content` of a search result.
    SearchResult = 5,
    /// Gemini's `thoughtSignature` of a function call.
    CallThought = 6,
    /// Gemini's `thoughtSignature` of a text.
    TextThought = 7,
}

/// Seals under the name of one issuer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seal {
    key: u64,
}

const MAC: usize = 16;

impl Seal {
    pub(crate) fn new(issuer: &str) -> Self {
        Self { key: text::hash(issuer.as_bytes()) }
    }

    /// Seals a text; the same text of the same kind always the same way.
    pub(crate) fn issue(self, kind: Kind, content: &str) -> String {
        let mac = self.mac(kind, content.as_bytes());
        let mut bytes = kind.head();
        bytes.extend(mac);
        bytes.extend(scrambled(&mac, content.as_bytes()));
        kind.encode(&bytes)
    }

    /// The text of a seal that this issuer made, if every byte of it is as it was issued.
    pub(crate) fn open(self, kind: Kind, token: &str) -> Option<String> {
        let bytes = kind.decode(token)?;
        let rest = bytes.strip_prefix(kind.head().as_slice())?;
        let (mac, hidden) = rest.split_first_chunk::<MAC>()?;
        let content = String::from_utf8(scrambled(mac, hidden)).ok()?;
        (self.issue(kind, &content) == token).then_some(content)
    }

    fn mac(self, kind: Kind, content: &[u8]) -> [u8; MAC] {
        let mut state = text::extend_hash(self.key ^ (kind as u64), content);
        let mut mac = [0; MAC];
        for half in mac.chunks_exact_mut(8) {
            half.copy_from_slice(&text::mix(&mut state).to_be_bytes());
        }
        mac
    }
}

impl Kind {
    /// OpenAI's begin as Fernet tokens do, the others with the simulator's name.
    fn head(self) -> Vec<u8> {
        let mut head = match self {
            Self::Reasoning | Self::Compaction => vec![0x80, 0, 0, 0, 0],
            _ => b"simulator".to_vec(),
        };
        head.push(self as u8);
        head
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Reasoning | Self::Compaction => URL_SAFE.encode(bytes),
            _ => STANDARD.encode(bytes),
        }
    }

    fn decode(self, token: &str) -> Option<Vec<u8>> {
        match self {
            Self::Reasoning | Self::Compaction => URL_SAFE.decode(token).ok(),
            _ => STANDARD.decode(token).ok(),
        }
    }
}

/// The bytes under a key stream drawn from the checksum; twice gives them back.
fn scrambled(mac: &[u8; MAC], bytes: &[u8]) -> Vec<u8> {
    let mut state = text::hash(mac);
    let mut key = [0; 8];
    bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if at % 8 == 0 {
                key = text::mix(&mut state).to_be_bytes();
            }
            byte ^ key[at % 8]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_issued_opens_and_only_as_its_kind() {
        let seal = Seal::new("a");
        let token = seal.issue(Kind::Reasoning, "Ümläute and more");
        assert!(token.starts_with("gAAAAA"), "{token}");
        assert_eq!(seal.open(Kind::Reasoning, &token).as_deref(), Some("Ümläute and more"));
        assert_eq!(seal.open(Kind::Compaction, &token), None);
        assert_eq!(Seal::new("b").open(Kind::Reasoning, &token), None);
        assert_eq!(seal.open(Kind::Reasoning, ""), None);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(seal.open(Kind::Reasoning, &other), None, "changed at {at}");
        }
    }

    #[test]
    fn signatures_carry_the_simulators_name() {
        assert!(Seal::new("a").issue(Kind::Thinking, "").starts_with("c2ltdWxhdG9y"));
    }
}
