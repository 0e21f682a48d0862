//! What a fetched file is.

use super::Fetched;

/// The media type that the first bytes tell.
fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        _ => None,
    }
}

/// The type without parameters, in the spelling that providers take; `None` where it says nothing.
pub(super) fn essence(text: &str) -> Option<String> {
    let plain = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match plain.as_str() {
        "image/jpg" => Some("image/jpeg".to_owned()),
        "application/octet-stream" | "binary/octet-stream" => None,
        other if other.contains('*') || !other.contains('/') => None,
        _ => Some(plain),
    }
}

/// The media type of a file that its sender named `named`: that, where it says something; else what the first
/// bytes tell; else what its server said. `None`: nobody knows.
pub(super) fn of(named: &str, file: &Fetched) -> Option<String> {
    if essence(named).is_some() {
        return Some(named.to_owned());
    }
    sniffed(&file.bytes).map(str::to_owned).or_else(|| file.media_type.clone())
}

/// Whether a web page came where something else was meant: a page to sign in, or one about the file.
pub(super) fn is_web_page(named: &str, file: &Fetched) -> bool {
    let meant = named.trim().to_ascii_lowercase();
    let other = ["image", "audio", "video", "application/pdf"].iter().any(|kind| meant.starts_with(kind));
    other && file.media_type.as_deref() == Some("text/html") && sniffed(&file.bytes).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn file(bytes: &'static [u8], media_type: Option<&str>) -> Fetched {
        Fetched { bytes: Bytes::from_static(bytes), media_type: media_type.and_then(essence) }
    }

    #[test]
    fn the_sender_goes_before_the_bytes_before_the_server() {
        let png = file(b"\x89PNG\r\n\x1a\n\0", Some("text/plain"));
        for (named, expected) in [
            ("image/webp", "image/webp"),
            ("image/*", "image/png"),
            ("image", "image/png"),
            ("", "image/png"),
            ("*/*", "image/png"),
            ("application/octet-stream", "image/png"),
        ] {
            assert_eq!(of(named, &png).as_deref(), Some(expected), "{named}");
        }
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0"[..], "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"GIF87a", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"%PDF-1.7", "application/pdf"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"", "audio/wav"),
        ] {
            assert_eq!(of("*/*", &file(bytes, Some("Audio/WAV; rate=1"))).as_deref(), Some(expected));
        }
        assert_eq!(of("image/*", &file(b"?", Some("image/JPG"))).as_deref(), Some("image/jpeg"));
        assert_eq!(of("image/*", &file(b"?", Some("application/octet-stream"))), None);
        assert_eq!(of("image/*", &file(b"?", None)), None);
    }

    #[test]
    fn a_web_page_is_no_image() {
        let page = file(b"<!doctype html>", Some("text/html; charset=utf-8"));
        assert!(is_web_page("image/*", &page) && is_web_page("application/pdf", &page));
        assert!(!is_web_page("text/html", &page) && !is_web_page("*/*", &page));
        assert!(!is_web_page("image/*", &file(b"%PDF-1.7", Some("text/html"))));
    }
}
