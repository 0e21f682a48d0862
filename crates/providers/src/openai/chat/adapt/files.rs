//! File parts: the gateway's form `file{data, media_type, filename}` (gateway-api §7.1) and OpenAI's, in the
//! form the provider takes.

use tollgate_domain::InputError;
use tollgate_wire::json::{self, Object};

use super::super::quirks::FileForm;

/// Rewrites a part of type `file`; whether it changed.
///
/// # Errors
/// When the file is an address and the provider takes only bytes.
pub(super) fn rewrite(part: &mut Object<'_>, form: FileForm, path: &str) -> Result<bool, InputError> {
    let Some(raw) = part.get("file").map(<[u8]>::to_vec) else { return Ok(false) };
    let Ok(file) = Object::parse_checked(&raw) else { return Ok(false) };
    let text = |key: &str| file.get(key).and_then(json::string).map(|text| text.into_owned());
    let filename = text("filename");
    let Some(data) = text("data") else {
        return Ok(match text("file_data") {
            Some(data) if form == FileForm::DocumentUrl => {
                document(part, &data, filename.as_deref());
                true
            }
            _ => false,
        });
    };
    let media_type = text("media_type").or_else(|| text("mediaType")).unwrap_or_default();
    let is_url = data.starts_with("http://") || data.starts_with("https://");
    let bytes =
        if is_url { data.as_str() } else { data.split_once(";base64,").map_or(data.as_str(), |(_, b)| b) };
    let stated = data.strip_prefix("data:").and_then(|rest| rest.split(';').next());
    let media_type =
        stated.unwrap_or(if media_type.is_empty() { "application/octet-stream" } else { &media_type });
    let address = if is_url { data.clone() } else { format!("data:{media_type};base64,{bytes}") };
    if media_type.starts_with("image/") {
        replace(part, "image_url", "image_url", &one("url", &address));
    } else if let (Some(format), false) = (audio_format(media_type), is_url) {
        let mut audio = Object::new();
        audio.set_string("data", bytes);
        audio.set_string("format", format);
        replace(part, "input_audio", "input_audio", &audio);
    } else if form == FileForm::DocumentUrl {
        document(part, &address, filename.as_deref());
    } else if is_url && form != FileForm::OpenAiOrUrl {
        return Err(InputError::unsupported(
            format!("{path}.data"),
            format!(
                "'{path}.data' is an address, but this model's provider takes documents only as bytes. Send the document base64-encoded."
            ),
        ));
    } else {
        let mut own = Object::new();
        own.set_string("file_data", &address);
        let fallback = if media_type == "application/pdf" { "document.pdf" } else { "document" };
        own.set_string("filename", filename.as_deref().unwrap_or(fallback));
        part.set("file", own.to_vec());
    }
    Ok(true)
}

fn one(key: &str, text: &str) -> Object<'static> {
    let mut object = Object::new();
    object.set_string(key, text);
    object
}

/// Makes the part one of another type; its other members stay.
fn replace(part: &mut Object<'_>, kind: &str, member: &str, value: &Object<'_>) {
    part.set_string("type", kind);
    part.rename("file", member);
    part.set(member, value.to_vec());
}

/// Mistral's document part.
fn document(part: &mut Object<'_>, address: &str, filename: Option<&str>) {
    part.set_string("type", "document_url");
    part.rename("file", "document_url");
    part.set_string("document_url", address);
    if let Some(name) = filename {
        part.set_string("document_name", name);
    }
}

/// The formats that `input_audio` names.
fn audio_format(media_type: &str) -> Option<&'static str> {
    match media_type {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        _ => None,
    }
}
