//! Reading members of checked objects, with errors that name their path.

use serde_json::{Number, Value};
use tollgate_domain::InputError;
use tollgate_wire::json;

use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, string, wrong};

/// A text member, if it is there.
pub(super) fn text(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<String>, InputError> {
    fields.get(key).map(|raw| string(&path.member(key), raw).map(std::borrow::Cow::into_owned)).transpose()
}

/// A text member that must be there.
pub(super) fn required_text(
    path: &Path<'_>,
    fields: &Fields<'_>,
    key: &str,
    expected: &str,
) -> Result<String, InputError> {
    text(path, fields, key)?.ok_or_else(|| InputError::missing(path.member(key).to_string(), expected))
}

/// A member that must be there, as it stands.
pub(super) fn required<'a>(
    path: &Path<'_>,
    fields: &Fields<'a>,
    key: &str,
    expected: &str,
) -> Result<&'a [u8], InputError> {
    fields.get(key).ok_or_else(|| InputError::missing(path.member(key).to_string(), expected))
}

/// The members of an object.
pub(super) fn fields<'a>(path: &Path<'_>, raw: &'a [u8]) -> Result<Fields<'a>, InputError> {
    Fields::of(raw).ok_or_else(|| wrong(path, "an object", raw))
}

/// Any JSON value. A number beyond every number type, or a lone surrogate, is the only way to fail here.
pub(super) fn value(path: &Path<'_>, raw: &[u8]) -> Result<Value, InputError> {
    serde_json::from_slice(raw).map_err(|e| {
        InputError::invalid(
            path.to_string(),
            format!("'{path}' cannot be represented: {e}. Send a plainer value."),
        )
    })
}

/// A number member, digits kept.
pub(super) fn number(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<Number>, InputError> {
    let Some(raw) = fields.get(key) else { return Ok(None) };
    let path = path.member(key);
    match value(&path, raw)? {
        Value::Number(n) => Ok(Some(n)),
        _ => Err(wrong(&path, "a number", raw)),
    }
}

/// A whole number that may be negative.
pub(super) fn signed(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<i64>, InputError> {
    let Some(raw) = fields.get(key) else { return Ok(None) };
    let parsed = std::str::from_utf8(raw).ok().and_then(|t| t.parse::<i64>().ok());
    parsed.map(Some).ok_or_else(|| wrong(&path.member(key), "a whole number", raw))
}

/// A whole number of 0 or more.
pub(super) fn unsigned(path: &Path<'_>, fields: &Fields<'_>, key: &str) -> Result<Option<u64>, InputError> {
    fields.get(key).map(|raw| crate::json_path::unsigned(&path.member(key), raw)).transpose()
}

/// The texts of an array.
pub(super) fn texts(path: &Path<'_>, raw: &[u8]) -> Result<Vec<String>, InputError> {
    array(path, raw).map_err(|_| wrong(path, "an array of strings", raw))?;
    let each = elements(raw).into_iter().enumerate();
    each.map(|(i, raw)| string(&path.element(i), raw).map(std::borrow::Cow::into_owned)).collect()
}

/// The text of a member whatever else is wrong with it; for words that decide a form.
pub(super) fn word<'a>(fields: &Fields<'a>, key: &str) -> Option<std::borrow::Cow<'a, str>> {
    fields.get(key).and_then(json::string)
}

/// The model's id, which stands in a header.
pub(super) fn model(header: &'static str, model: &str) -> Result<String, InputError> {
    if model.trim().is_empty() {
        return Err(InputError::missing(
            header,
            "this request header with a model id such as \"openai/gpt-5\"",
        ));
    }
    Ok(model.to_owned())
}
