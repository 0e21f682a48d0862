//! `multipart/form-data` (RFC 7578) out of a body that is there as a whole. Parts are slices of the body:
//! nothing is copied but their short headers.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;
use tollgate_domain::InputError;

use crate::json_path::excerpt;

/// The most parts of a form (I26).
const MAX_PARTS: usize = 128;
/// The longest header block of a part, in bytes (I26).
const MAX_HEADER: usize = 8 << 10;
/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The field's name.
    pub(super) name: String,
    /// The file's name, where it is a file.
    pub(super) filename: Option<String>,
    /// Its media type, where the client said it.
    pub(super) content_type: Option<String>,
    /// Its bytes.
    pub(super) data: Bytes,
}

/// The boundary named in a `multipart/form-data` content type; `None` when it is another type.
///
/// # Errors
/// It is this type but names no usable boundary.
pub(super) fn boundary(content_type: &str) -> Result<Option<String>, InputError> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let found = parameter(parameters, "boundary").unwrap_or_default();
    if found.is_empty() || found.len() > MAX_BOUNDARY || found.bytes().any(|b| b.is_ascii_control()) {
        return Err(broken(&format!(
            "The content type multipart/form-data must name a boundary of 1 to {MAX_BOUNDARY} characters; let the HTTP library write this header."
        )));
    }
    Ok(Some(found))
}

/// Takes a form apart.
///
/// # Errors
/// The body does not follow the boundary, ends early, or passes a limit.
pub(super) fn parse(boundary: &str, body: &Bytes) -> Result<Vec<Part>, InputError> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    // The first delimiter may stand at the very start, without its line break.
    let mut at = if body.starts_with(&delimiter.as_bytes()[2..]) {
        delimiter.len() - 2
    } else {
        match finder.find(body) {
            Some(found) => found + delimiter.len(),
            None => {
                return Err(broken(
                    "The form's body does not hold the boundary that its content type names.",
                ));
            }
        }
    };
    let mut parts = Vec::new();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        // Blanks may follow a boundary (RFC 2046 §5.1.1).
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if !rest[blanks..].starts_with(b"\r\n") {
            return Err(broken("A boundary of the form is not followed by a line break."));
        }
        // The line break stays, since a part without headers begins with the empty line.
        let start = at + blanks;
        let Some(length) = finder.find(&body[start + 2..]) else {
            return Err(broken("The form ends without its closing boundary; the body is cut off."));
        };
        if parts.len() == MAX_PARTS {
            return Err(broken(&format!("The form has more than {MAX_PARTS} parts.")));
        }
        let end = start + 2 + length;
        parts.push(part(body, start, end)?);
        at = end + delimiter.len();
    }
}

/// The part between `start`, which is the line break after its boundary, and `end`.
fn part(body: &Bytes, start: usize, end: usize) -> Result<Part, InputError> {
    let whole = &body[start..end];
    let Some(blank) = memmem::find(&whole[..whole.len().min(MAX_HEADER)], b"\r\n\r\n") else {
        return Err(broken(&format!(
            "A part of the form has no empty line after its headers, or headers of more than {MAX_HEADER} bytes."
        )));
    };
    let headers = String::from_utf8_lossy(&whole[..blank]);
    let (mut name, mut filename, mut content_type) = (None, None, None);
    for line in headers.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else { continue };
        let (header, value) = (header.trim(), value.trim());
        if header.eq_ignore_ascii_case("content-disposition") {
            let (_, parameters) = value.split_once(';').unwrap_or((value, ""));
            name = parameter(parameters, "name");
            filename = parameter(parameters, "filename");
        } else if header.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.to_owned()).filter(|v| !v.is_empty());
        } else if header.eq_ignore_ascii_case("content-transfer-encoding")
            && !["binary", "8bit", "7bit"].iter().any(|plain| value.eq_ignore_ascii_case(plain))
        {
            return Err(broken(&format!(
                "A part of the form has the transfer encoding \"{}\"; send its bytes as they are.",
                excerpt(value)
            )));
        }
    }
    let Some(name) = name else {
        return Err(broken("A part of the form has no 'name' in its Content-Disposition header."));
    };
    Ok(Part { name, filename, content_type, data: body.slice(start + blank + 4..end) })
}

/// A parameter of a header: a token, or a quoted string.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (key, value) = rest.split_once('=')?;
        let (text, behind) = value_of(value.trim_start());
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.into_owned());
        }
        rest = behind;
    }
}

/// The value at the start, and what follows it.
fn value_of(value: &str) -> (Cow<'_, str>, &str) {
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find(';').unwrap_or(value.len());
        return (value[..end].trim().into(), &value[end..]);
    };
    let mut text = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (text.into(), &quoted[at + 1..]),
            // A backslash quotes only these two: browsers leave those of a Windows path alone.
            '\\' if characters.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                text.extend(characters.next().map(|(_, next)| next));
            }
            other => text.push(other),
        }
    }
    (text.into(), "")
}

fn broken(message: &str) -> InputError {
    InputError {
        kind: tollgate_domain::input_error::InputErrorKind::Malformed,
        message: message.to_owned(),
        param: None,
        code: Some("invalid_form"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(boundary: &str, body: &[u8]) -> Result<Vec<Part>, InputError> {
        parse(boundary, &Bytes::copy_from_slice(body))
    }

    fn written(boundary: &str, parts: &[Part]) -> Vec<u8> {
        let mut out = Vec::new();
        for part in parts {
            out.extend_from_slice(
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", part.name).as_bytes(),
            );
            if let Some(name) = &part.filename {
                let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
                out.extend_from_slice(format!("; filename=\"{quoted}\"").as_bytes());
            }
            if let Some(media) = &part.content_type {
                out.extend_from_slice(format!("\r\ncontent-type: {media}").as_bytes());
            }
            out.extend_from_slice(b"\r\n\r\n");
            out.extend_from_slice(&part.data);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }

    #[test]
    fn boundaries_come_bare_and_quoted() {
        let of = |text: &str| boundary(text).unwrap();
        assert_eq!(of("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
        assert_eq!(of("Multipart/Form-Data;charset=utf-8; Boundary=\"a b;c\" ").as_deref(), Some("a b;c"));
        assert_eq!(of("application/json; boundary=abc"), None);
        assert!(boundary("multipart/form-data").is_err());
        assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))).is_err());
    }

    #[test]
    fn a_form_of_a_browser() {
        let body = b"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na \xc3\xa4\r\nb\r\n--XX  \r\nContent-Type: image/png\r\nContent-Disposition: form-data; filename=\"C:\\dir\\a \\\"1\\\".png\"; name=image[]\r\n\r\n\x00\r\n--X\xff\r\n--XX--\r\nepilogue";
        let parts = read("XX", body).unwrap();
        assert_eq!((&parts[0].name[..], &parts[0].data[..]), ("prompt", "a \u{e4}\r\nb".as_bytes()));
        assert_eq!((&parts[1].name[..], &parts[1].data[..]), ("image[]", &b"\x00\r\n--X\xff"[..]));
        assert_eq!(parts[1].filename.as_deref(), Some("C:\\dir\\a \"1\".png"));
        assert_eq!((parts[1].content_type.as_deref(), parts.len()), (Some("image/png"), 2));
    }

    #[test]
    fn empty_parts_and_empty_forms() {
        assert_eq!(read("X", b"--X--").unwrap(), []);
        let parts = read("X", b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--X--").unwrap();
        assert_eq!((&parts[0].name[..], parts[0].data.len()), ("a", 0));
    }

    #[test]
    fn broken_forms_are_refused() {
        let head = "--X\r\nContent-Disposition: form-data; name=\"a\"";
        let many = format!("{head}\r\n\r\n\r\n").repeat(MAX_PARTS + 1) + "--X--";
        for (body, says) in [
            ("", "boundary"),
            ("{\"a\":1}", "boundary"),
            ("--X", "line break"),
            ("--Xy\r\n", "line break"),
            (&format!("{head}\r\n\r\nvalue")[..], "cut off"),
            (&format!("{head}\r\n--X--"), "empty line"),
            ("--X\r\n\r\nvalue\r\n--X--", "no 'name'"),
            (
                &format!("{head}\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--X--"),
                "transfer encoding",
            ),
            (&format!("{head}; pad={}\r\n\r\n\r\n--X--", "p".repeat(MAX_HEADER)), "headers of more than"),
            (&many, "more than 128 parts"),
        ] {
            let error = read("X", body.as_bytes()).unwrap_err();
            assert!(error.message.contains(says) && error.status() == 400, "{body:.60}: {error}");
        }
    }

    fn any_part() -> impl Strategy<Value = Part> {
        // Data with much of what boundaries are made of.
        let data = proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()],
            0..40,
        );
        let file = proptest::option::of("[a-z\\\\\" ;=.]{1,12}");
        ("[a-z\\[\\]]{1,8}", file, proptest::option::of("image/[a-z]{1,5}"), data).prop_map(
            |(name, filename, content_type, data)| Part { name, filename, content_type, data: data.into() },
        )
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(parts in proptest::collection::vec(any_part(), 0..6)) {
            let parts: Vec<_> = parts.into_iter().filter(|p| memmem::find(&p.data, b"--XbX").is_none()).collect();
            prop_assert_eq!(read("XbX", &written("XbX", &parts)).unwrap(), parts);
        }

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), Just(b':'), Just(b'"'), any::<u8>()], 0..120)) {
            let _ = read("X", &body);
            let _ = boundary(&String::from_utf8_lossy(&body));
            let _ = parameter(&String::from_utf8_lossy(&body), "name");
        }

        #[test]
        fn a_form_cut_anywhere_is_refused(parts in proptest::collection::vec(any_part(), 1..3), cut in 0.0..1.0f64) {
            let parts: Vec<_> = parts.into_iter().filter(|p| memmem::find(&p.data, b"--XbX").is_none()).collect();
            let whole = written("XbX", &parts);
            // Up to the two dashes that close the form.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let at = ((whole.len() - 3) as f64 * cut) as usize;
            prop_assert!(read("XbX", &whole[..at]).is_err());
        }
    }
}
