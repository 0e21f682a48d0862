//! Images that a request refers to: `{image_url}` objects, https and data URLs (gateway-api §10).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_wire::json::{self, Kind};

use crate::checked::Fields;
use crate::json_path::{Path, string, wrong};

const EXPECTED: &str = "an object with 'image_url': an https URL or a data URL with base64";

/// One element of `images`, or `mask`.
pub(super) fn read(path: &Path<'_>, raw: &[u8]) -> Result<File, InputError> {
    if json::kind(raw) == Kind::String {
        return url(path, &string(path, raw)?);
    }
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, EXPECTED, raw)) };
    if fields.get("file_id").is_some() {
        return Err(InputError::unsupported(
            path.member("file_id").to_string(),
            format!(
                "'{path}.file_id' is not supported: the gateway keeps no files. Send 'image_url' with an https URL or a data URL."
            ),
        ));
    }
    let image_path = path.member("image_url");
    let Some(raw) = fields.get("image_url") else {
        return Err(InputError::missing(image_path.to_string(), "an https URL or a data URL with base64"));
    };
    match Fields::of(raw) {
        // The form of chat completions.
        Some(inner) => {
            let path = image_path.member("url");
            match inner.get("url") {
                Some(raw) => url(&path, &string(&path, raw)?),
                None => Err(InputError::missing(path.to_string(), "an https URL or a data URL with base64")),
            }
        }
        None => url(&image_path, &string(&image_path, raw)?),
    }
}

/// The file at a URL.
pub(super) fn url(path: &Path<'_>, text: &str) -> Result<File, InputError> {
    let invalid = |problem: &str| {
        InputError::invalid(
            path.to_string(),
            format!("'{path}' {problem}; send an https URL, or a data URL such as data:image/png;base64,…"),
        )
    };
    if let Some(rest) = text.strip_prefix("data:") {
        let Some((head, data)) = rest.split_once(',') else {
            return Err(invalid("is a data URL without data"));
        };
        let mut words = head.split(';');
        let media_type = words.next().filter(|m| !m.is_empty()).unwrap_or("image/*");
        if !words.any(|w| w.trim().eq_ignore_ascii_case("base64")) {
            return Err(invalid("is a data URL that is not base64"));
        }
        let Ok(bytes) = STANDARD.decode(data) else {
            return Err(invalid("holds base64 that cannot be read"));
        };
        if bytes.is_empty() {
            return Err(invalid("is an empty image"));
        }
        let media_type =
            if media_type == "image/*" { sniffed(&bytes).unwrap_or(media_type) } else { media_type };
        return Ok(file(media_type, FileData::Base64(data.to_owned()), None));
    }
    let https = text.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    if !https || text.len() == 8 {
        return Err(invalid("is neither an https URL nor a data URL"));
    }
    Ok(file("image/*", FileData::Url(text.to_owned()), None))
}

/// An image that came as bytes.
pub(super) fn bytes(data: &[u8], stated: Option<&str>, filename: Option<String>) -> File {
    let stated = stated.map(|s| s.split(';').next().unwrap_or(s).trim()).filter(|s| s.starts_with("image/"));
    let media_type = stated.or_else(|| sniffed(data)).unwrap_or("application/octet-stream");
    file(media_type, FileData::Base64(STANDARD.encode(data)), filename)
}

fn file(media_type: &str, data: FileData, filename: Option<String>) -> File {
    File { media_type: media_type.to_owned(), data, filename, detail: None }
}

/// The media type that the first bytes tell.
fn sniffed(data: &[u8]) -> Option<&'static str> {
    match data {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Result<File, InputError> {
        read(&Path::Body.member("mask"), raw.as_bytes())
    }

    #[test]
    fn references_come_in_several_forms() {
        let file = of(r#"{"image_url":"data:image/webp;base64,QUJD"}"#).unwrap();
        assert_eq!((&file.media_type[..], file.data), ("image/webp", FileData::Base64("QUJD".into())));
        let file = of(r#"{"image_url":{"url":"HTTPS://x.test/a.png"}}"#).unwrap();
        assert_eq!(
            (&file.media_type[..], file.data),
            ("image/*", FileData::Url("HTTPS://x.test/a.png".into()))
        );
        assert_eq!(of(r#""data:;base64,iVBORw0KGgo=""#).unwrap().media_type, "image/png");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for (raw, path) in [
            (r#"{"file_id":"file-1"}"#, "mask.file_id"),
            ("{}", "mask.image_url"),
            ("7", "mask"),
            (r#"{"image_url":7}"#, "mask.image_url"),
            (r#"{"image_url":{}}"#, "mask.image_url.url"),
            (r#"{"image_url":"http://x.test/a"}"#, "mask.image_url"),
            (r#"{"image_url":"https://"}"#, "mask.image_url"),
            (r#"{"image_url":"data:image/png"}"#, "mask.image_url"),
            (r#"{"image_url":"data:image/png,abc"}"#, "mask.image_url"),
            (r#"{"image_url":"data:image/png;base64,?"}"#, "mask.image_url"),
            (r#"{"image_url":"data:image/png;base64,"}"#, "mask.image_url"),
        ] {
            assert_eq!(of(raw).unwrap_err().param.as_deref(), Some(path), "{raw}");
        }
    }

    #[test]
    fn bytes_are_known_by_their_type_or_their_start() {
        assert_eq!(bytes(b"GIF89a", None, None).media_type, "image/gif");
        assert_eq!(
            bytes(&[0xff, 0xd8, 0xff, 0], Some("application/octet-stream"), None).media_type,
            "image/jpeg"
        );
        assert_eq!(bytes(b"RIFF....WEBP", Some("image/png; x=y"), None).media_type, "image/png");
        assert_eq!(bytes(b"what", None, None).media_type, "application/octet-stream");
    }
}
