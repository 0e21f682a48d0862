//! Reasoning state of one provider carried through a dialect that was made for another's (I19).
//!
//! Anthropic's `signature` and `redacted_thinking.data` and OpenAI's `encrypted_content` are opaque texts
//! that clients send back unread. State of another family travels inside such a text: `tgs1.` and base64url
//! of a JSON object with what the neutral form knows of it. State of the dialect's own family is never
//! wrapped, so that a provider of that family can be reached by either way with the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tollgate_domain::conversation::{Reasoning, ReasoningKind};

const PREFIX: &str = "tgs1.";

#[derive(Serialize, Deserialize)]
struct Carried<'a> {
    /// Whose state: a `conversation::FORMAT_…`.
    f: std::borrow::Cow<'a, str>,
    /// `t` text, `s` summary, `e` encrypted.
    k: char,
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<std::borrow::Cow<'a, str>>,
}

/// Everything of a reasoning item but its visible text, as one opaque token of `[A-Za-z0-9._-]`.
#[must_use]
pub fn wrap(reasoning: &Reasoning) -> String {
    let carried = Carried {
        f: reasoning.format.as_deref().unwrap_or_default().into(),
        k: match reasoning.kind {
            ReasoningKind::Text => 't',
            ReasoningKind::Summary => 's',
            ReasoningKind::Encrypted => 'e',
        },
        i: reasoning.id.as_deref().map(Into::into),
        s: reasoning.signature.as_deref().map(Into::into),
        d: reasoning.data.as_deref().map(Into::into),
    };
    // Of strings and a letter there is always a JSON text.
    let json = serde_json::to_vec(&carried).unwrap_or_default();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
}

/// The reasoning item of such a token, with this visible text; `None` when it is no such token, and hence
/// state of the dialect's own family.
#[must_use]
pub fn unwrap(token: &str, text: &str) -> Option<Reasoning> {
    let json = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let carried: Carried<'_> = serde_json::from_slice(&json).ok()?;
    Some(Reasoning {
        kind: match carried.k {
            's' => ReasoningKind::Summary,
            'e' => ReasoningKind::Encrypted,
            _ => ReasoningKind::Text,
        },
        text: text.to_owned(),
        signature: carried.s.map(std::borrow::Cow::into_owned),
        data: carried.d.map(std::borrow::Cow::into_owned),
        id: carried.i.map(std::borrow::Cow::into_owned),
        format: Some(carried.f.into_owned()).filter(|f| !f.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn i19_state_goes_round_bit_exact(text in ".{0,20}", id in proptest::option::of(".{0,9}"), signature in proptest::option::of(".{0,40}"), data in proptest::option::of(".{0,40}"), kind in 0..3) {
            let kind = [ReasoningKind::Text, ReasoningKind::Summary, ReasoningKind::Encrypted][usize::try_from(kind).unwrap()];
            let item = Reasoning { kind, text: text.clone(), signature, data, id, format: Some("google-gemini-v1".into()) };
            let token = wrap(&item);
            proptest::prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
            proptest::prop_assert_eq!(unwrap(&token, &text), Some(item));
        }

        #[test]
        fn foreign_text_is_no_token(text in "\\PC{0,60}") {
            if let Some(item) = unwrap(&text, "") { proptest::prop_assert!(text.starts_with(PREFIX)); drop(item); }
        }
    }

    #[test]
    fn own_state_is_left_alone() {
        assert_eq!(unwrap("EqQBCkYIARgCIkD", "thought"), None);
        assert_eq!(unwrap("tgs1.!!", ""), None);
    }
}
