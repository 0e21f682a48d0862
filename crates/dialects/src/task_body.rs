//! What the bodies of embeddings, images and rerank have in common.

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::options::GatewayOptions;
use tollgate_wire::json;

use crate::checked::Fields;
use crate::gateway_options;
use crate::json_path::{Path, object, string, unsigned};
use crate::surface::Head;

/// The model that a body names.
///
/// # Errors
/// It is missing, empty or no string.
pub(crate) fn model(raw: Option<&[u8]>) -> Result<String, InputError> {
    const EXAMPLE: &str = "a model id such as \"openai/text-embedding-3-small\"";
    let Some(raw) = raw else { return Err(InputError::missing("model", EXAMPLE)) };
    let model = string(&Path::Body.member("model"), raw)?.into_owned();
    if model.trim().is_empty() {
        return Err(InputError::invalid("model", format!("'model' is an empty string; expected {EXAMPLE}.")));
    }
    Ok(model)
}

/// The head of a request that is no conversation.
pub(crate) fn head(model: String, options: GatewayOptions) -> Head {
    Head { model, options, ..Head::default() }
}

/// The gateway's options of a body.
///
/// # Errors
/// See [`gateway_options::parse`].
pub(crate) fn options(fields: &Fields<'_>) -> Result<GatewayOptions, InputError> {
    gateway_options::parse(fields.get("providerOptions"), fields.get("user"), fields.get("safety_identifier"))
}

/// The namespaces of `providerOptions` other than `gateway`, in order.
///
/// # Errors
/// A namespace is no object.
pub(crate) fn namespaces(raw: Option<&[u8]>) -> Result<Vec<(String, Value)>, InputError> {
    let root = Path::Body;
    let path = root.member("providerOptions");
    let Some(options) = raw.and_then(Fields::of) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (slug, raw) in options.iter().filter(|(slug, raw)| *slug != "gateway" && !json::is_null(raw)) {
        let path = path.member(slug);
        object(&path, raw)?;
        let value = serde_json::from_slice(raw).map_err(|error| {
            InputError::invalid(path.to_string(), format!("'{path}' cannot be read: {error}. Mend its JSON."))
        })?;
        found.push((slug.to_owned(), value));
    }
    Ok(found)
}

/// Text, where the member is there.
///
/// # Errors
/// It is no string.
pub(crate) fn text(fields: &Fields<'_>, name: &str) -> Result<Option<String>, InputError> {
    let path = Path::Body;
    fields.get(name).map(|raw| Ok(string(&path.member(name), raw)?.into_owned())).transpose()
}

/// A whole number of 1 or more, where the member is there.
///
/// # Errors
/// It is anything else.
pub(crate) fn positive(fields: &Fields<'_>, name: &str) -> Result<Option<u64>, InputError> {
    let root = Path::Body;
    let Some(raw) = fields.get(name) else { return Ok(None) };
    match unsigned(&root.member(name), raw)? {
        0 => Err(InputError::invalid(name, format!("'{name}' is 0; expected 1 or more, or leave it out."))),
        n => Ok(Some(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_and_numbers_say_what_is_wrong_with_them() {
        assert_eq!(model(Some(b"\"a/b\"")).unwrap(), "a/b");
        for (raw, code) in [
            (None, "missing_required_parameter"),
            (Some(&b"7"[..]), "invalid_type"),
            (Some(b"\" \""), "invalid_value"),
        ] {
            let error = model(raw).unwrap_err();
            assert_eq!((error.param.as_deref(), error.code), (Some("model"), Some(code)), "{error}");
        }
        let fields = Fields::of(br#"{"a":0,"b":3,"c":"x"}"#).unwrap();
        assert_eq!(positive(&fields, "b").unwrap(), Some(3));
        assert_eq!(positive(&fields, "z").unwrap(), None);
        assert!(positive(&fields, "a").unwrap_err().message.contains("1 or more"));
        assert_eq!(positive(&fields, "c").unwrap_err().param.as_deref(), Some("c"));
    }

    #[test]
    fn namespaces_are_objects_and_the_gateways_own_is_left_out() {
        let raw = br#"{"gateway":{"only":["a"]},"voyage":{"inputType":"query"},"x":null}"#;
        assert_eq!(
            namespaces(Some(raw)).unwrap(),
            [("voyage".to_owned(), serde_json::json!({"inputType": "query"}))]
        );
        let error = namespaces(Some(br#"{"voyage":1}"#)).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("providerOptions.voyage"));
    }
}
