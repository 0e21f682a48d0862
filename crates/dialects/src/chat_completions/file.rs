//! Files in a prompt: image, document and audio parts in all forms that clients send (gateway-api §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_wire::json::{self, Kind};

use crate::checked::Fields;
use crate::json_path::{Path, string, wrong};

const UNKNOWN_MEDIA: &str = "application/octet-stream";

/// The media type that a `file` object states itself, or that its name or data URL tells.
pub(crate) fn stated_media_type(file: &Fields<'_>) -> Option<String> {
    let text = |key| file.get(key).and_then(json::string);
    if let Some(stated) = text("media_type").or_else(|| text("mime_type")) {
        return Some(stated.into_owned());
    }
    for key in ["file_data", "data"] {
        // Only the start is looked at: the rest may be megabytes of base64.
        if let Some(raw) = file.get(key)
            && let Some(rest) = raw.strip_prefix(b"\"data:")
        {
            let end = rest.iter().take(128).position(|b| matches!(b, b';' | b','))?;
            return Some(String::from_utf8_lossy(&rest[..end]).replace("\\/", "/")).filter(|m| !m.is_empty());
        }
    }
    text("filename").and_then(|name| by_extension(&name)).map(str::to_owned)
}

fn by_extension(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// `{"type":"file","file":{data|file_data|file_id, media_type?, filename?}}`.
pub(crate) fn read_file(path: &Path<'_>, raw: &[u8]) -> Result<File, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let filename = match fields.get("filename") {
        Some(raw) => Some(string(&path.member("filename"), raw)?.into_owned()),
        None => None,
    };
    let media_type = stated_media_type(&fields);
    if let Some(raw) = fields.get("file_id") {
        let id = string(&path.member("file_id"), raw)?.into_owned();
        let media_type = media_type.unwrap_or_else(|| UNKNOWN_MEDIA.to_owned());
        return Ok(File { media_type, data: FileData::Reference(id), filename, detail: None });
    }
    for key in ["file_data", "data", "url"] {
        let Some(raw) = fields.get(key) else { continue };
        let text = string(&path.member(key), raw)?;
        let mut file = from_text(&text, UNKNOWN_MEDIA)
            .unwrap_or_else(|| base64_file(text.into_owned(), UNKNOWN_MEDIA.to_owned()));
        if let Some(stated) = media_type {
            file.media_type = stated;
        }
        file.filename = filename;
        return Ok(file);
    }
    Err(InputError::missing(
        path.member("file_data").to_string(),
        "the file as base64, a data URL, an https URL, or a 'file_id'",
    ))
}

/// `{"type":"<key>","<key>":{url, detail?}}`, or the URL itself in place of the object.
pub(crate) fn read_url(path: &Path<'_>, raw: &[u8], default_media: &str) -> Result<File, InputError> {
    let (url_path, url, detail) = match (json::kind(raw), Fields::of(raw)) {
        (Kind::String, _) => (*path, raw, None),
        (_, Some(fields)) => {
            let url_path = path.member("url");
            let Some(url) = fields.get("url") else {
                return Err(InputError::missing(url_path.to_string(), "an https URL or a data URL"));
            };
            let detail = match fields.get("detail") {
                Some(raw) => Some(string(&path.member("detail"), raw)?.into_owned()),
                None => None,
            };
            (url_path, url, detail)
        }
        _ => return Err(wrong(path, "an object with 'url'", raw)),
    };
    let text = string(&url_path, url)?;
    let mut file = match from_text(&text, default_media) {
        Some(file) => file,
        // Some clients send bare base64 where a URL belongs; no URL is that long without a colon.
        None if text.len() > 64 && STANDARD.decode(&text.as_bytes()[..64]).is_ok() => {
            base64_file(text.into_owned(), default_media.to_owned())
        }
        None => {
            return Err(InputError::invalid(
                url_path.to_string(),
                format!("'{url_path}' is no https URL and no data URL; send one of the two."),
            ));
        }
    };
    file.detail = detail;
    Ok(file)
}

/// `{"type":"input_audio","input_audio":{data, format}}`.
pub(crate) fn read_audio(path: &Path<'_>, raw: &[u8]) -> Result<File, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let data_path = path.member("data");
    let Some(data) = fields.get("data") else {
        return Err(InputError::missing(data_path.to_string(), "the audio as base64"));
    };
    let text = string(&data_path, data)?;
    let media = match fields.get("format") {
        Some(raw) => match &*string(&path.member("format"), raw)? {
            "mp3" => "audio/mpeg".to_owned(),
            other => format!("audio/{other}"),
        },
        None => "audio/*".to_owned(),
    };
    Ok(from_text(&text, &media).unwrap_or_else(|| base64_file(text.into_owned(), media)))
}

fn base64_file(text: String, media_type: String) -> File {
    File { media_type, data: FileData::Base64(text), filename: None, detail: None }
}

/// A data URL or an http(s) URL; `None` for any other text.
pub(crate) fn from_text(text: &str, default_media: &str) -> Option<File> {
    let file = |media_type: &str, data| File {
        media_type: media_type.to_owned(),
        data,
        filename: None,
        detail: None,
    };
    if let Some(rest) = text.strip_prefix("data:") {
        let (head, body) = rest.split_once(',')?;
        let mut words = head.split(';');
        let media = words.next().filter(|m| !m.is_empty());
        if words.any(|w| w.eq_ignore_ascii_case("base64")) {
            return Some(file(media.unwrap_or(default_media), FileData::Base64(body.to_owned())));
        }
        let bytes = percent_decoded(body);
        let media = media.unwrap_or("text/plain");
        return Some(match String::from_utf8(bytes) {
            Ok(plain) if media.starts_with("text/") => file(media, FileData::Text(plain)),
            Ok(plain) => file(media, FileData::Base64(STANDARD.encode(plain))),
            Err(binary) => file(media, FileData::Base64(STANDARD.encode(binary.into_bytes()))),
        });
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme)?;
    if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") {
        let by_name = text.split(['?', '#']).next().and_then(by_extension);
        let media =
            if default_media == UNKNOWN_MEDIA { by_name.unwrap_or(default_media) } else { default_media };
        return Some(file(media, FileData::Url(text.to_owned())));
    }
    None
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.filter(|_| *byte == b'%').and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(raw: &str) -> Result<File, InputError> {
        read_url(&Path::Body.member("image_url"), raw.as_bytes(), "image/*")
    }

    #[test]
    fn images_come_as_urls_data_urls_and_objects() {
        let file = url(r#"{"url":"data:image/png;base64,AAAA","detail":"low"}"#).unwrap();
        assert_eq!((file.media_type.as_str(), file.detail.as_deref()), ("image/png", Some("low")));
        assert_eq!(file.data, FileData::Base64("AAAA".into()));
        let file = url(r#""https://x.test/a""#).unwrap();
        assert_eq!(
            (file.media_type.as_str(), file.data),
            ("image/*", FileData::Url("https://x.test/a".into()))
        );
        let error = url(r#"{"url":"ftp://x"}"#).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("image_url.url"));
        assert_eq!(url("{}").unwrap_err().param.as_deref(), Some("image_url.url"));
        assert!(url("7").is_err());
    }

    #[test]
    fn files_come_as_base64_urls_and_ids() {
        let read = |raw: &str| read_file(&Path::Body.member("file"), raw.as_bytes()).unwrap();
        let pdf = read(r#"{"data":"QUJD","media_type":"application/pdf","filename":"a.pdf"}"#);
        assert_eq!((pdf.media_type.as_str(), pdf.filename.as_deref()), ("application/pdf", Some("a.pdf")));
        assert_eq!(read(r#"{"file_id":"file-1"}"#).data, FileData::Reference("file-1".into()));
        assert_eq!(read(r#"{"file_data":"QUJD","filename":"b.CSV"}"#).media_type, "text/csv");
        let linked = read(r#"{"file_data":"https://x.test/d.pdf?k=1"}"#);
        assert_eq!(
            (linked.media_type.as_str(), linked.data),
            ("application/pdf", FileData::Url("https://x.test/d.pdf?k=1".into()))
        );
        let text = read(r#"{"file_data":"data:text/plain,a%20b%"}"#);
        assert_eq!((text.media_type.as_str(), text.data), ("text/plain", FileData::Text("a b%".into())));
        let error = read_file(&Path::Body.member("file"), b"{}").unwrap_err();
        assert_eq!(error.param.as_deref(), Some("file.file_data"));
    }

    #[test]
    fn audio_has_its_format() {
        let read = |raw: &str| read_audio(&Path::Body.member("input_audio"), raw.as_bytes()).unwrap();
        assert_eq!(read(r#"{"data":"QUJD","format":"mp3"}"#).media_type, "audio/mpeg");
        assert_eq!(read(r#"{"data":"QUJD","format":"wav"}"#).media_type, "audio/wav");
    }
}
