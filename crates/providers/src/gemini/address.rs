//! Paths behind a provider's base address: models and their methods.

use std::fmt::Write as _;

use crate::codec::Target;

/// The path of a model's method: `/models/{model}:{method}`. Tuned models have a collection of their own.
pub(super) fn method(target: &Target, method: &str) -> String {
    format!("/{}:{method}", resource(&target.model, true))
}

/// The model's name as bodies want it (`models/gemini-embedding-001`).
pub(super) fn name(target: &Target) -> String {
    resource(&target.model, false)
}

fn resource(model: &str, encode: bool) -> String {
    let (collection, id) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), id)) => (collection, id),
        _ => ("models", model),
    };
    let id = if encode { percent_encoded(id) } else { id.to_owned() };
    format!("{collection}/{id}")
}

/// One segment of a path: everything that is not unreserved is escaped.
fn percent_encoded(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_one_escaped_segment() {
        let path =
            |model: &str| method(&Target { model: model.to_owned(), ..Target::default() }, "generateContent");
        assert_eq!(path("gemini-2.5-flash"), "/models/gemini-2.5-flash:generateContent");
        assert_eq!(path("models/gemini-2.5-flash"), "/models/gemini-2.5-flash:generateContent");
        assert_eq!(path("tunedModels/my 1"), "/tunedModels/my%201:generateContent");
        assert_eq!(path("a/../b:c?k=ä"), "/models/a%2F..%2Fb%3Ac%3Fk%3D%C3%A4:generateContent");
    }
}
