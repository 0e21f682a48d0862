//! Reasoning state in a part's metadata (I19). A client sends the metadata of a part back as the part's
//! options, so that state of a family that the AI SDK knows travels under that family's own names, and any
//! other state as one token in the gateway's namespace.

use serde_json::Value;
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, Reasoning, ReasoningKind,
};

use super::part::{GATEWAY, Marks};
use crate::carried_state;

/// The member of the gateway's namespace that holds a token.
pub(super) const TOKEN: &str = "reasoning";
/// Namespaces of Anthropic's models, by whatever way they are reached.
const ANTHROPIC: &[&str] = &["anthropic", "bedrock", "vertexAnthropic"];
/// Namespaces of OpenAI's models.
const OPENAI: &[&str] = &["openai", "azure"];
/// Namespaces of Gemini's models.
pub(super) const GOOGLE: &[&str] = &["google", "vertex"];
/// The option with Gemini's signature.
pub(super) const THOUGHT_SIGNATURE: &str = "thoughtSignature";

/// What a finished reasoning part says of its state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// It has none.
    Nothing,
    /// A family's own members: (namespace, name and value).
    Family(&'static str, Vec<(&'static str, &'a str)>),
    /// A token in the gateway's namespace.
    Token(String),
}

/// The state of a reasoning item. Of its text only counts whether there is any.
pub(super) fn state(item: &Reasoning, has_text: bool) -> State<'_> {
    let (signature, data, id) = (item.signature.as_deref(), item.data.as_deref(), item.id.as_deref());
    if (signature, data, id) == (None, None, None) {
        return State::Nothing;
    }
    match (item.format.as_deref(), item.kind, signature, data, id) {
        (Some(FORMAT_ANTHROPIC), ReasoningKind::Text, Some(signature), None, None) => {
            State::Family("anthropic", vec![("signature", signature)])
        }
        (Some(FORMAT_ANTHROPIC), ReasoningKind::Encrypted, None, Some(data), None) if !has_text => {
            State::Family("anthropic", vec![("redactedData", data)])
        }
        // An item without a summary has no text, whichever of the two kinds it came as.
        (Some(FORMAT_OPENAI), ReasoningKind::Summary, None, data, Some(id)) if has_text || data.is_some() => {
            openai(id, data)
        }
        (Some(FORMAT_OPENAI), ReasoningKind::Encrypted, None, Some(data), Some(id)) if !has_text => {
            openai(id, Some(data))
        }
        (Some(FORMAT_GEMINI), ReasoningKind::Text, Some(signature), None, None) if has_text => {
            State::Family("google", vec![(THOUGHT_SIGNATURE, signature)])
        }
        (Some(FORMAT_GEMINI), ReasoningKind::Encrypted, None, Some(data), None) if !has_text => {
            State::Family("google", vec![(THOUGHT_SIGNATURE, data)])
        }
        _ => State::Token(carried_state::wrap(item)),
    }
}

fn openai<'a>(id: &'a str, data: Option<&'a str>) -> State<'a> {
    let mut members = vec![("itemId", id)];
    members.extend(data.map(|data| ("reasoningEncryptedContent", data)));
    State::Family("openai", members)
}

/// The reasoning item of a part that a client sends back. The options that hold its state are taken.
pub(super) fn read(text: String, marks: &mut Marks) -> Reasoning {
    let token = marks.gateway.as_ref().and_then(|own| own.get(TOKEN)).and_then(Value::as_str);
    if let Some(item) = token.and_then(|token| carried_state::unwrap(token, &text)) {
        return item;
    }
    let item =
        |kind, format: &str| Reasoning { kind, format: Some(format.to_owned()), ..Reasoning::default() };
    if let Some(data) = marks.take_option(ANTHROPIC, "redactedData") {
        return Reasoning { text, data: Some(data), ..item(ReasoningKind::Encrypted, FORMAT_ANTHROPIC) };
    }
    if let Some(signature) = marks.take_option(ANTHROPIC, "signature") {
        let signature = Some(signature);
        return Reasoning { text, signature, ..item(ReasoningKind::Text, FORMAT_ANTHROPIC) };
    }
    let id = marks.take_option(OPENAI, "itemId");
    let data = marks.take_option(OPENAI, "reasoningEncryptedContent");
    if id.is_some() || data.is_some() {
        let encrypted = text.is_empty() && data.is_some();
        let kind = if encrypted { ReasoningKind::Encrypted } else { ReasoningKind::Summary };
        return Reasoning { text, data, id, ..item(kind, FORMAT_OPENAI) };
    }
    match marks.take_option(GOOGLE, THOUGHT_SIGNATURE) {
        Some(data) if text.is_empty() => {
            Reasoning { data: Some(data), ..item(ReasoningKind::Encrypted, FORMAT_GEMINI) }
        }
        Some(signature) => {
            Reasoning { text, signature: Some(signature), ..item(ReasoningKind::Text, FORMAT_GEMINI) }
        }
        None => Reasoning { text, ..item(ReasoningKind::Text, FORMAT_UNKNOWN) },
    }
}

/// The signature of a call: encrypted reasoning whose id is the call's.
pub(super) fn of_call(call_id: &str, signature: String) -> Reasoning {
    Reasoning {
        kind: ReasoningKind::Encrypted,
        data: Some(signature),
        id: Some(call_id.to_owned()),
        format: Some(FORMAT_GEMINI.to_owned()),
        ..Reasoning::default()
    }
}

/// Appends the metadata of a part: a family's state, and the gateway's members. Nothing when there is
/// nothing to say.
pub(super) fn metadata(state: &State<'_>, generation: Option<&str>) -> Option<Vec<u8>> {
    let mut namespaces = serde_json::Map::new();
    let mut own = serde_json::Map::new();
    if let Some(id) = generation {
        own.insert("generationId".to_owned(), id.into());
    }
    match state {
        State::Nothing => {}
        State::Family(namespace, members) => {
            let members = members.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text)));
            namespaces.insert((*namespace).to_owned(), Value::Object(members.collect()));
        }
        State::Token(token) => {
            own.insert(TOKEN.to_owned(), Value::from(token.as_str()));
        }
    }
    if !own.is_empty() {
        namespaces.insert(GATEWAY.to_owned(), Value::Object(own));
    }
    (!namespaces.is_empty()).then(|| Value::Object(namespaces).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checked::Fields;
    use crate::json_path::Path;

    fn back(item: &Reasoning) -> Reasoning {
        let state = state(item, !item.text.is_empty());
        let options = metadata(&state, Some("gen_1")).unwrap();
        let part = format!("{{\"providerOptions\":{}}}", String::from_utf8(options).unwrap());
        let fields = Fields::of(part.as_bytes()).unwrap();
        let mut marks = Marks::read(&Path::Body, &fields).unwrap();
        let read = read(item.text.clone(), &mut marks);
        assert!(marks.provider.is_empty(), "state is taken out of the options: {:?}", marks.provider);
        read
    }

    fn texts() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("\\PC{1,20}")
    }

    proptest! {
        #[test]
        fn i19_state_goes_round_through_the_client(kind in 0..3usize, text in texts(), signature in texts(),
            data in texts(), id in texts(), format in 0..4usize) {
            let kind = [ReasoningKind::Text, ReasoningKind::Summary, ReasoningKind::Encrypted][kind];
            let format = [FORMAT_ANTHROPIC, FORMAT_OPENAI, FORMAT_GEMINI, FORMAT_UNKNOWN][format];
            let item = Reasoning { kind, text: text.unwrap_or_default(), signature, data, id, format: Some(format.into()) };
            prop_assume!(item.signature.is_some() || item.data.is_some() || item.id.is_some());
            let mut same = back(&item);
            if format == FORMAT_OPENAI && item.text.is_empty() && item.data.is_some() && kind == ReasoningKind::Summary {
                same.kind = kind;
            }
            prop_assert_eq!(same, item);
        }
    }

    #[test]
    fn families_are_written_under_their_own_names() {
        let item =
            |kind, format: &str| Reasoning { kind, format: Some(format.into()), ..Reasoning::default() };
        let text = |item: &Reasoning, has_text| {
            String::from_utf8(metadata(&state(item, has_text), None).unwrap_or_default()).unwrap()
        };
        let signed = Reasoning { signature: Some("s".into()), ..item(ReasoningKind::Text, FORMAT_ANTHROPIC) };
        assert_eq!(text(&signed, true), r#"{"anthropic":{"signature":"s"}}"#);
        let redacted =
            Reasoning { data: Some("d".into()), ..item(ReasoningKind::Encrypted, FORMAT_ANTHROPIC) };
        assert_eq!(text(&redacted, false), r#"{"anthropic":{"redactedData":"d"}}"#);
        let openai = Reasoning {
            data: Some("d".into()),
            id: Some("rs_1".into()),
            ..item(ReasoningKind::Encrypted, FORMAT_OPENAI)
        };
        assert_eq!(text(&openai, false), r#"{"openai":{"itemId":"rs_1","reasoningEncryptedContent":"d"}}"#);
        let thought = Reasoning { signature: Some("s".into()), ..item(ReasoningKind::Text, FORMAT_GEMINI) };
        assert_eq!(text(&thought, true), r#"{"google":{"thoughtSignature":"s"}}"#);
        let other = Reasoning { data: Some("d".into()), ..item(ReasoningKind::Encrypted, "other") };
        assert!(text(&other, false).starts_with(r#"{"gateway":{"reasoning":"tgs1."#));
        assert_eq!(text(&item(ReasoningKind::Text, FORMAT_UNKNOWN), true), "");
    }
}
