//! A form with files as the members of a JSON request, so that both kinds of edits are read and checked by
//! the same code.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::conversation::File;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_wire::json::{self, Kind, Object};

use super::multipart::{self, Part};
use super::reference;
use crate::json_path::Path;

/// What a form holds.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// Its text fields as a JSON object; a repeated one counts as the last.
    pub(super) members: Vec<u8>,
    /// `image` and `image[]`, in order.
    pub(super) images: Vec<File>,
    /// `mask`.
    pub(super) mask: Option<File>,
}

/// Fields whose text is a number, a boolean or an object.
const NOT_TEXT: [&str; 6] =
    ["n", "seed", "output_compression", "partial_images", "stream", "providerOptions"];

/// Fields of text.
const TEXT: [&str; 13] = [
    "model",
    "prompt",
    "size",
    "aspect_ratio",
    "user",
    "safety_identifier",
    "response_format",
    "quality",
    "background",
    "output_format",
    "moderation",
    "style",
    "input_fidelity",
];

/// Reads a form.
///
/// # Errors
/// The form is broken, or a field is no text where text is due.
pub(super) fn read(boundary: &str, body: &Bytes) -> Result<Form, InputError> {
    let mut form = Form::default();
    let mut members = Object::new();
    for part in multipart::parse(boundary, body)? {
        let name = part.name.clone();
        match name.as_str() {
            "image" | "image[]" => form.images.push(image(&part)?),
            "mask" => form.mask = Some(image(&part)?),
            // A file under a name that nothing here has is a member like any unknown one (gateway-api §3).
            _ if part.filename.is_some()
                && !TEXT.contains(&name.as_str())
                && !NOT_TEXT.contains(&name.as_str()) => {}
            _ => {
                let text = text(&part)?;
                if NOT_TEXT.contains(&name.as_str()) {
                    if !text.is_empty() {
                        members.set(&name, plain(&name, text)?);
                    }
                } else {
                    members.set_string(&name, text);
                }
            }
        }
    }
    form.members = members.to_vec();
    Ok(form)
}

/// A file, or the URL of one where the part is text.
fn image(part: &Part) -> Result<File, InputError> {
    let root = Path::Body;
    if part.data.is_empty() {
        return Err(InputError::invalid(
            part.name.clone(),
            format!("'{}' is an empty file; expected an image.", part.name),
        ));
    }
    if part.filename.is_none()
        && let Ok(text) = std::str::from_utf8(&part.data)
        && (text.starts_with("https://") || text.starts_with("http://") || text.starts_with("data:"))
    {
        return reference::url(&root.member(&part.name), text);
    }
    Ok(reference::bytes(&part.data, part.content_type.as_deref(), part.filename.clone()))
}

fn text(part: &Part) -> Result<&str, InputError> {
    std::str::from_utf8(&part.data).map_err(|_| {
        InputError::invalid(
            part.name.clone(),
            format!("'{}' is no text in UTF-8; only 'image', 'image[]' and 'mask' may be files.", part.name),
        )
    })
}

/// A value that is JSON as it stands.
fn plain(name: &str, text: &str) -> Result<Vec<u8>, InputError> {
    let text = text.trim();
    if json::validate(text.as_bytes()).is_err() || json::kind(text.as_bytes()) == Kind::String {
        return Err(InputError {
            kind: InputErrorKind::Invalid,
            message: format!(
                "'{name}' of the form cannot be read; expected a JSON value other than a string."
            ),
            param: Some(name.to_owned()),
            code: Some("invalid_type"),
        });
    }
    Ok(text.as_bytes().to_vec())
}
