//! Content parts of Responses and Anthropic into those of chat completions.

use tollgate_domain::InputError;
use tollgate_wire::json::{self, Kind, Object};

use super::{made, quoted, required, required_text};
use crate::checked::Fields;
use crate::json_path::{Path, excerpt, string, wrong};

/// Whether a part is none of chat completions.
pub(super) fn foreign(raw: &[u8]) -> bool {
    let Some(fields) = Fields::of(raw) else { return false };
    match fields.get("type").and_then(json::string).as_deref() {
        Some(
            "input_text" | "output_text" | "input_image" | "input_file" | "image" | "document" | "tool_use"
            | "tool_result" | "redacted_thinking",
        ) => true,
        // Mistral's part of the same name has no signature.
        Some("thinking") => fields.get("signature").is_some(),
        _ => false,
    }
}

/// A part as chat completions has it; one that is not known stays as it is.
pub(super) fn part(path: &Path<'_>, raw: &[u8]) -> Result<Vec<u8>, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let expected = "the part's type, such as \"input_text\"";
    let kind = required_text(path, &fields, "type", expected)?;
    let (made, own): (Vec<u8>, &[&str]) = match &*kind {
        "input_text" | "output_text" => {
            let text = required(path, &fields, "text", "a string")?;
            string(&path.member("text"), text)?;
            // Citations and probabilities of an answer have no place in a request.
            (made(&[("type", b"\"text\""), ("text", text)]), &["text", "annotations", "logprobs"])
        }
        "input_image" => (input_image(path, &fields)?, &["image_url", "file_id", "detail"]),
        "input_file" => (input_file(path, &fields)?, &["file_id", "file_data", "file_url", "filename"]),
        "image" => (image(path, &fields)?, &["source"]),
        "document" => (document(path, &fields)?, &["source", "title"]),
        _ => return Ok(raw.to_vec()),
    };
    // Cache marks and whatever else stands on the part.
    let Ok(mut object) = Object::parse_checked(&made) else { return Ok(made) };
    for (name, raw) in fields.iter().filter(|(name, raw)| *name != "type" && !json::is_null(raw)) {
        if !own.contains(&name) {
            object.set(name, raw.to_vec());
        }
    }
    Ok(object.to_vec())
}

fn image_url(url: &[u8], detail: Option<&[u8]>) -> Vec<u8> {
    let mut image = Object::new();
    image.set("url", url);
    if let Some(detail) = detail {
        image.set("detail", detail);
    }
    made(&[("type", b"\"image_url\""), ("image_url", &image.to_vec())])
}

fn file(members: &[(&str, &[u8])]) -> Vec<u8> {
    made(&[("type", b"\"file\""), ("file", &made(members))])
}

fn input_image(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    if let (None, Some(id)) = (fields.get("image_url"), fields.get("file_id")) {
        return Ok(file(&[("file_id", id)]));
    }
    let url_path = path.member("image_url");
    let url = required(path, fields, "image_url", "an https URL or a data URL, or a 'file_id'")?;
    if json::kind(url) == Kind::Object {
        // Already in the form of chat completions.
        return Ok(made(&[("type", b"\"image_url\""), ("image_url", url)]));
    }
    string(&url_path, url)?;
    Ok(image_url(url, fields.get("detail")))
}

fn input_file(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let mut found = None;
    for (name, chat) in [("file_id", "file_id"), ("file_data", "file_data"), ("file_url", "file_data")] {
        if let Some(raw) = fields.get(name) {
            string(&path.member(name), raw)?;
            found = found.or(Some((chat, raw)));
        }
    }
    let Some(source) = found else {
        let expected = "the file as base64 or a data URL, or a 'file_url' or 'file_id'";
        return Err(InputError::missing(path.member("file_data").to_string(), expected));
    };
    Ok(match fields.get("filename") {
        Some(name) => file(&[source, ("filename", name)]),
        None => file(&[source]),
    })
}

/// Where an Anthropic part has its bytes.
enum Source<'a> {
    /// An URL, a data URL among them, as JSON.
    Url(Vec<u8>),
    /// The id of an uploaded file, as JSON.
    Id(&'a [u8]),
    /// Plain text, as JSON.
    Text(&'a [u8]),
}

fn source<'a>(path: &Path<'_>, fields: &Fields<'a>) -> Result<Source<'a>, InputError> {
    let raw = required(path, fields, "source", "an object with 'type'")?;
    let path = path.member("source");
    let Some(fields) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
    let kinds = "\"base64\", \"url\", \"text\" or \"file\"";
    let text = |name: &str, expected: &str| -> Result<&'a [u8], InputError> {
        let raw = required(&path, &fields, name, expected)?;
        string(&path.member(name), raw).map(|_| raw)
    };
    match &*required_text(&path, &fields, "type", kinds)? {
        "base64" => {
            let media = required_text(&path, &fields, "media_type", "a type such as \"image/png\"")?;
            let data = required_text(&path, &fields, "data", "the bytes as base64")?;
            Ok(Source::Url(quoted(&format!("data:{media};base64,{data}"))))
        }
        "url" => Ok(Source::Url(text("url", "an https URL")?.to_vec())),
        "file" => Ok(Source::Id(text("file_id", "the id of an uploaded file")?)),
        "text" => Ok(Source::Text(text("data", "the text")?)),
        other => {
            let path = path.member("type");
            let message = format!("'{path}' is \"{}\"; expected {kinds}.", excerpt(other));
            Err(InputError::invalid(path.to_string(), message))
        }
    }
}

fn image(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    Ok(match source(path, fields)? {
        Source::Url(url) => image_url(&url, None),
        Source::Id(id) => file(&[("file_id", id)]),
        Source::Text(text) => made(&[("type", b"\"text\""), ("text", text)]),
    })
}

fn document(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let name = fields.get("title").map(|title| ("filename", title));
    let with_name = |source: (&str, &[u8])| match name {
        Some(name) => file(&[source, name]),
        None => file(&[source]),
    };
    Ok(match source(path, fields)? {
        Source::Url(url) => with_name(("file_data", &url)),
        Source::Id(id) => with_name(("file_id", id)),
        Source::Text(text) => made(&[("type", b"\"text\""), ("text", text)]),
    })
}
