//! Files of a prompt: bytes, or an address that the provider reads itself.

use serde_json::{Map, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};

use super::super::model::Model;
use super::part::Body;
use crate::codec::Target;

/// Where the Gemini API keeps uploaded files.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// What a file becomes. `path` is its place in the request, for the error.
///
/// # Errors
/// A file that the model would have to be given as bytes but is only an address.
pub(super) fn body(file: &File, path: &str, target: &Target) -> Result<Body, InputError> {
    if let FileData::Text(text) = &file.data {
        return Ok(Body::Text(text.clone()));
    }
    inline(file, path, target).map(Body::File)
}

/// The members of a part that holds a file.
///
/// # Errors
/// As [`body`].
pub(crate) fn inline(file: &File, path: &str, target: &Target) -> Result<Map<String, Value>, InputError> {
    let media_type = media_type(file);
    let value = match &file.data {
        FileData::Base64(data) => json!({"inlineData": {"mimeType": media_type, "data": data}}),
        FileData::Text(text) => json!({"text": text}),
        FileData::Reference(id) => json!({"fileData": {"mimeType": media_type, "fileUri": stored(id)}}),
        FileData::Url(url) => {
            if !reads(url, target) {
                return Err(InputError::unsupported(
                    path,
                    "This model does not read files from such an address; send the file's bytes in base64, or choose a newer Gemini model.",
                ));
            }
            let media_type = if is_youtube(url) { "video/mp4" } else { &media_type };
            json!({"fileData": {"mimeType": media_type, "fileUri": url}})
        }
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

/// The address of an uploaded file: clients give its name (`files/abc`) or the whole.
fn stored(id: &str) -> String {
    if id.contains("://") {
        return id.to_owned();
    }
    let id = id.trim_start_matches('/');
    if id.starts_with("files/") { format!("{FILES}{id}") } else { format!("{FILES}files/{id}") }
}

/// Whether the provider reads from the address by itself (providers §5, §6).
fn reads(url: &str, target: &Target) -> bool {
    let vertex = target.provider == "vertex";
    if url.starts_with("gs://") {
        return vertex;
    }
    let newer = vertex || Model::of(target).since(2, 5);
    url.starts_with("https://") && (newer || is_youtube(url) || url.starts_with(FILES))
}

fn is_youtube(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    matches!(host, "youtu.be" | "youtube.com" | "www.youtube.com" | "m.youtube.com")
}

/// The media type without parameters. The protocol takes no wildcard: where the client named one or none, the
/// first bytes tell, or the address's ending; what tells nothing is taken for a JPEG image.
fn media_type(file: &File) -> String {
    let named = file.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = if named == "image/jpg" { "image/jpeg".to_owned() } else { named };
    if !(named.is_empty() || named.contains('*') || named == "application/octet-stream") {
        return named;
    }
    let found = match &file.data {
        FileData::Base64(data) => by_start(data),
        FileData::Url(url) | FileData::Reference(url) => by_ending(url),
        FileData::Text(_) => Some("text/plain"),
    };
    let guess = match named.split('/').next() {
        Some("audio") => "audio/wav",
        Some("video") => "video/mp4",
        Some("text") => "text/plain",
        _ => "image/jpeg",
    };
    found.or_else(|| file.filename.as_deref().and_then(by_ending)).unwrap_or(guess).to_owned()
}

fn by_start(base64: &str) -> Option<&'static str> {
    let starts = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi", "application/pdf"),
        ("SUQz", "audio/mp3"),
        ("T2dnU", "audio/ogg"),
        ("ZkxhQ", "audio/flac"),
    ];
    if base64.starts_with("UklGR") {
        // Both are RIFF; the form's name is in bytes 8 to 12.
        return Some(
            if base64.get(10..16).is_some_and(|name| name.contains("XQVZF") || name.contains("dBVkU")) {
                "audio/wav"
            } else {
                "image/webp"
            },
        );
    }
    starts.iter().find(|(start, _)| base64.starts_with(start)).map(|(_, media_type)| *media_type)
}

fn by_ending(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    let known = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("heic", "image/heic"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
        ("html", "text/html"),
        ("mp3", "audio/mp3"),
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("mp4", "video/mp4"),
        ("webm", "video/webm"),
        ("mov", "video/quicktime"),
    ];
    known.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(model: &str, media_type: &str, data: FileData) -> Result<Value, InputError> {
        let target = Target { provider: "google".into(), model: model.into(), ..Target::default() };
        let file = File { media_type: media_type.into(), data, filename: None, detail: None };
        inline(&file, "messages[0].content[0]", &target).map(Value::Object)
    }

    #[test]
    fn bytes_addresses_and_stored_files() {
        let url = |u: &str| FileData::Url(u.to_owned());
        assert_eq!(
            part("gemini-2.0-flash", "image/*", FileData::Base64("iVBORw0KGgoAAA".into())).unwrap(),
            json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAA"}})
        );
        assert_eq!(
            part("gemini-2.5-flash", "image/*", url("https://x.test/a.webp?b=c.png")).unwrap(),
            json!({"fileData": {"mimeType": "image/webp", "fileUri": "https://x.test/a.webp?b=c.png"}})
        );
        assert_eq!(
            part("gemini-2.0-flash", "video/*", url("https://youtu.be/abc")).unwrap(),
            json!({"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/abc"}})
        );
        assert_eq!(
            part("gemini-2.0-flash", "application/pdf", FileData::Reference("files/k8".into())).unwrap(),
            json!({"fileData": {"mimeType": "application/pdf", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/k8"}})
        );
        assert_eq!(
            part("gemini-3-flash", "", FileData::Base64("UklGRiQAAABXQVZFZm10".into())).unwrap()["inlineData"]
                ["mimeType"],
            "audio/wav"
        );
        for refused in ["https://x.test/a.png", "gs://bucket/a.png", "http://x.test/a.png"] {
            let error = part("gemini-2.0-flash", "image/png", url(refused)).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("messages[0].content[0]"), "{refused}");
        }
        assert!(part("gemini-3-flash", "image/png", url("http://x.test/a.png")).is_err());
    }
}
