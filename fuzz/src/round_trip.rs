//! What goes out in one form and comes back in another: vectors as numbers and base64, reasoning state of any
//! family in one token (I19).

use tollgate_dialects::{carried_state, embeddings};
use tollgate_domain::JsonText;
use tollgate_domain::conversation::{Reasoning, ReasoningKind};
use tollgate_domain::task::Vector;
use tollgate_wire::json;

use crate::shown;

/// A byte that names what the rest is: floats, a text for a vector, the members of an item, or a token.
pub fn check(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else { return };
    match what % 4 {
        0 => floats(rest),
        1 => vectors(rest),
        2 => item(*what, rest),
        _ => token(rest),
    }
}

fn written(write: fn(&mut Vec<u8>, &Vector), vector: &Vector) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, vector);
    assert_eq!(json::validate(&out), Ok(()), "{vector:?}: {}", shown(&out));
    out
}

/// Every finite float goes there and back with the same bits.
fn floats(data: &[u8]) {
    let (quads, _) = data.as_chunks::<4>();
    let floats: Vec<f32> = quads.iter().map(|q| f32::from_le_bytes(*q)).filter(|f| f.is_finite()).collect();
    let text = serde_json::to_string(&floats).expect("finite numbers");
    let base64 = written(embeddings::write_base64, &Vector::Json(JsonText::new(text)));
    let base64 = json::string(&base64).expect("a string").into_owned();
    let again = written(embeddings::write_floats, &Vector::Base64(base64.clone()));
    let read: Vec<f32> = serde_json::from_slice(&again).expect("numbers");
    let bits = |floats: &[f32]| -> Vec<u32> { floats.iter().map(|f| f.to_bits()).collect() };
    assert_eq!(bits(&read), bits(&floats));
    let again = JsonText::new(String::from_utf8(again).expect("JSON"));
    let back = written(embeddings::write_base64, &Vector::Json(again));
    assert_eq!(json::string(&back).as_deref(), Some(&*base64));
}

/// What is no vector after all is still JSON.
fn vectors(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let sent = Vector::Base64(text.to_owned());
    assert_eq!(json::string(&written(embeddings::write_base64, &sent)).as_deref(), Some(text));
    written(embeddings::write_floats, &sent);
    if json::validate(data).is_ok() {
        let sent = Vector::Json(JsonText::new(text.to_owned()));
        written(embeddings::write_base64, &sent);
        written(embeddings::write_floats, &sent);
    }
}

/// The members of an item, one a line; one that is missing is none.
fn item(what: u8, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().map(str::to_owned);
    let (id, signature, data, format) = (line(), line(), line(), line().filter(|f| !f.is_empty()));
    let kind = match what / 4 % 3 {
        0 => ReasoningKind::Text,
        1 => ReasoningKind::Summary,
        _ => ReasoningKind::Encrypted,
    };
    let item = Reasoning { kind, text: "thought".to_owned(), signature, data, id, format };
    let token = carried_state::wrap(&item);
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{token}");
    assert_eq!(carried_state::unwrap(&token, "thought"), Some(item));
}

/// A text that clients send is a token, or state of the dialect's own family; a token can be sent again.
fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for text in [text.to_owned(), format!("tgs1.{text}")] {
        if let Some(item) = carried_state::unwrap(&text, "t") {
            assert!(text.starts_with("tgs1."), "{text}");
            assert_eq!(carried_state::unwrap(&carried_state::wrap(&item), "t"), Some(item));
        }
    }
}
