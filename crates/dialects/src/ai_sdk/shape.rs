//! The structure of the prompt, checked before a request is admitted, and what its content needs of a
//! model. Nothing is built, so that large files cost one look at their bytes.

use tollgate_domain::{InputError, Needs};
use tollgate_wire::json::{self, Kind};

use super::members::{fields, required, required_text, word};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, excerpt, wrong};

const ROLES: &str = "\"system\", \"user\", \"assistant\" or \"tool\"";

/// Checks the member `prompt`.
pub(super) fn check(body: &Fields<'_>) -> Result<Needs, InputError> {
    let root = Path::Body;
    let path = root.member("prompt");
    let raw = required(&root, body, "prompt", "a non-empty array of messages")?;
    array(&path, raw)?;
    let mut needs = Needs::default();
    let messages = elements(raw);
    if messages.is_empty() {
        let message = "'prompt' is an empty array; expected at least one message.";
        return Err(InputError::invalid("prompt", message));
    }
    for (i, raw) in messages.into_iter().enumerate() {
        check_message(&path.element(i), raw, &mut needs)?;
    }
    Ok(needs)
}

fn check_message(path: &Path<'_>, raw: &[u8], needs: &mut Needs) -> Result<(), InputError> {
    let message = fields(path, raw)?;
    let role = required_text(path, &message, "role", ROLES)?;
    if !matches!(role.as_str(), "system" | "user" | "assistant" | "tool") {
        let text = format!("'{path}.role' is \"{}\"; expected {ROLES}.", excerpt(&role));
        return Err(InputError::invalid(path.member("role").to_string(), text));
    }
    let content = path.member("content");
    let raw = required(path, &message, "content", "the message's content")?;
    match json::kind(raw) {
        Kind::String if role != "tool" => Ok(()),
        Kind::Array => {
            for (i, raw) in elements(raw).into_iter().enumerate() {
                check_part(&content.element(i), raw, &role, needs)?;
            }
            Ok(())
        }
        _ => Err(wrong(&content, "an array of parts", raw)),
    }
}

fn check_part(path: &Path<'_>, raw: &[u8], role: &str, needs: &mut Needs) -> Result<(), InputError> {
    let part = fields(path, raw)?;
    match required_text(path, &part, "type", "the part's type, such as \"text\"")?.as_str() {
        // What another model drew is left out where a model takes no images.
        "file" if role == "user" => note_file(&part, needs),
        "tool-result" => {
            let output = part.get("output").and_then(Fields::of);
            let items = output.as_ref().and_then(|o| o.get("value")).map(elements).unwrap_or_default();
            for item in items.into_iter().filter_map(Fields::of) {
                match word(&item, "type").as_deref() {
                    Some("image-data" | "image-url" | "image-file-id") => needs.images = true,
                    Some("media" | "file" | "file-data" | "file-url" | "file-id") => note_file(&item, needs),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn note_file(part: &Fields<'_>, needs: &mut Needs) {
    let media = word(part, "mediaType");
    match media.as_deref().map(|m| m.split('/').next().unwrap_or_default()) {
        Some("image") => needs.images = true,
        Some("audio") => needs.audio = true,
        // Text is told to a model that takes no files as well.
        Some("text") => {}
        _ => needs.files = true,
    }
}
