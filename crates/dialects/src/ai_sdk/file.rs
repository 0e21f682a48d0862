//! Files of a request: tagged data of v4, and the strings of v2 and v3 (gateway-api §17.4 "Binary"). Both
//! are read in every version, since a client may be configured with another version's path.

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_wire::json::{self, Kind};

use super::members::{fields, required, required_text, text, value};
use crate::chat_completions::file::from_text;
use crate::checked::Fields;
use crate::json_path::{Path, excerpt, string, wrong};

const UNKNOWN_MEDIA: &str = "application/octet-stream";

/// A file part: `{data, mediaType, filename?}`.
pub(super) fn read(path: &Path<'_>, part: &Fields<'_>) -> Result<File, InputError> {
    let stated = text(path, part, "mediaType")?;
    let data = required(path, part, "data", "the file: base64, a data URL, an https URL, or tagged data")?;
    let mut file = data_of(&path.member("data"), data, stated.as_deref())?;
    file.filename = text(path, part, "filename")?;
    Ok(file)
}

/// A file by its address: `{url, mediaType?}`.
pub(super) fn at_url(path: &Path<'_>, part: &Fields<'_>, media: &str) -> Result<File, InputError> {
    let url = required_text(path, part, "url", "an https URL or a data URL")?;
    let stated = text(path, part, "mediaType")?;
    from_url(&path.member("url"), &url, Some(stated.as_deref().unwrap_or(media)))
}

/// A file in the provider's own store: `{fileId}`, the id or one id a provider.
pub(super) fn by_id(path: &Path<'_>, part: &Fields<'_>, media: &str) -> Result<File, InputError> {
    let raw = required(path, part, "fileId", "the file's id, or an object with one id a provider")?;
    Ok(plain(media, FileData::Reference(reference(&path.member("fileId"), raw)?)))
}

/// The media type as the neutral form has it: v4 writes `image` for any image.
pub(super) fn media_type(stated: &str) -> String {
    if stated.is_empty() {
        return UNKNOWN_MEDIA.to_owned();
    }
    if stated.contains('/') { stated.to_owned() } else { format!("{stated}/*") }
}

fn plain(media: &str, data: FileData) -> File {
    File { media_type: media_type(media), data, filename: None, detail: None }
}

fn data_of(path: &Path<'_>, raw: &[u8], stated: Option<&str>) -> Result<File, InputError> {
    let media = stated.unwrap_or(UNKNOWN_MEDIA);
    match json::kind(raw) {
        Kind::String => from_string(path, string(path, raw)?.into_owned(), stated),
        Kind::Object => tagged(path, &fields(path, raw)?, media),
        _ => Err(wrong(path, "a string or an object with 'type'", raw)),
    }
}

fn from_string(path: &Path<'_>, data: String, stated: Option<&str>) -> Result<File, InputError> {
    if data.starts_with("data:") || data.contains("://") {
        return from_url(path, &data, stated);
    }
    Ok(plain(stated.unwrap_or(UNKNOWN_MEDIA), FileData::Base64(data)))
}

/// A data URL names its own type, which counts where the part names only a wildcard.
fn from_url(path: &Path<'_>, url: &str, stated: Option<&str>) -> Result<File, InputError> {
    let stated = stated.map(media_type);
    let Some(mut file) = from_text(url, stated.as_deref().unwrap_or(UNKNOWN_MEDIA)) else {
        let message = format!("'{path}' is no https URL and no data URL; send one of the two, or base64.");
        return Err(InputError::invalid(path.to_string(), message));
    };
    if let Some(stated) = stated.filter(|s| !s.ends_with("/*") && s != UNKNOWN_MEDIA) {
        file.media_type = stated;
    }
    Ok(file)
}

fn tagged(path: &Path<'_>, data: &Fields<'_>, media: &str) -> Result<File, InputError> {
    const KINDS: &str = "\"data\", \"url\", \"reference\" or \"text\"";
    let kind = required_text(path, data, "type", KINDS)?;
    let content = match kind.as_str() {
        "data" => {
            let bytes = required_text(path, data, "data", "the file as base64")?;
            return from_string(&path.member("data"), bytes, Some(media));
        }
        "url" => {
            let url = required_text(path, data, "url", "an https URL or a data URL")?;
            return from_url(&path.member("url"), &url, Some(media));
        }
        "reference" => {
            let raw = required(path, data, "reference", "an object with one id a provider")?;
            FileData::Reference(reference(&path.member("reference"), raw)?)
        }
        "text" => FileData::Text(required_text(path, data, "text", "the file's text")?),
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {KINDS}.", excerpt(other));
            return Err(InputError::invalid(path.member("type").to_string(), message));
        }
    };
    Ok(plain(media, content))
}

/// An id in a provider's file store. Of several, one for each provider, the first counts: which provider
/// will serve is not known here.
fn reference(path: &Path<'_>, raw: &[u8]) -> Result<String, InputError> {
    if let Some(id) = json::string(raw) {
        return Ok(id.into_owned());
    }
    let expected = "a string or an object with one id a provider";
    match value(path, raw)? {
        Value::Object(ids) => {
            let found = ids.values().find_map(Value::as_str).map(str::to_owned);
            found.ok_or_else(|| InputError::missing(path.to_string(), expected))
        }
        _ => Err(wrong(path, expected, raw)),
    }
}
