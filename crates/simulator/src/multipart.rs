//! Forms: the parts of a `multipart/form-data` body as one JSON object, so that scripts, directives and
//! checks read it like any other body.

use serde_json::{Map, Value, json};

/// The form of a request, or `None` when it is none or broken. A field is a text; a file is an object of
/// `file_name`, `media_type` and `bytes` (its length). What comes several times, or under a name that ends
/// in `[]`, is a list.
pub(crate) fn as_json(content_type: &str, body: &[u8]) -> Option<Value> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let mut form = Map::new();
    for part in parts(body, boundary.as_bytes())? {
        let (head, content) = split(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(head).ok()?;
        let (name, value) = field(head, content)?;
        match name.strip_suffix("[]") {
            Some(list) => add(form.entry(list).or_insert_with(|| json!([])), value),
            None => match form.get_mut(&name) {
                Some(there) => add(there, value),
                None => {
                    form.insert(name, value);
                }
            },
        }
    }
    Some(Value::Object(form))
}

fn add(there: &mut Value, value: Value) {
    match there {
        Value::Array(list) => list.push(value),
        one => *one = json!([one.take(), value]),
    }
}

fn field(head: &str, content: &[u8]) -> Option<(String, Value)> {
    let mut named = None;
    let mut media_type = "application/octet-stream";
    for line in head.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else { continue };
        if header.eq_ignore_ascii_case("content-disposition") {
            named = Some((parameter(value, "name")?, parameter(value, "filename")));
        } else if header.eq_ignore_ascii_case("content-type") {
            media_type = value.trim();
        }
    }
    let (name, file_name) = named?;
    let value = match file_name {
        Some(file_name) => {
            json!({"file_name": file_name, "media_type": media_type, "bytes": content.len()})
        }
        None => json!(std::str::from_utf8(content).ok()?),
    };
    Some((name, value))
}

fn parameter(text: &str, name: &str) -> Option<String> {
    text.split(';').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// What stands between the boundaries; `None` when the last one is missing.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Option<Vec<&'a [u8]>> {
    let mark = [b"--", boundary].concat();
    let inner = [b"\r\n", mark.as_slice()].concat();
    let mut rest = body.strip_prefix(mark.as_slice())?;
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let (part, after) = split(rest.strip_prefix(b"\r\n")?, &inner)?;
        found.push(part);
        rest = after;
    }
    Some(found)
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|w| w == at)?;
    Some((&bytes[..place], &bytes[place + at.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_become_members() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm-1\r\n--B\r\n\
            content-disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\n\
            \x89PNG\r\n\r\n--\r\n--B--\r\n";
        let form = as_json("multipart/form-data; boundary=\"B\"", body).unwrap();
        assert_eq!(
            form,
            json!({"model": "m-1", "image": [{"file_name": "a.png", "media_type": "image/png", "bytes": 10}]})
        );
    }

    #[test]
    fn a_broken_form_is_none() {
        assert_eq!(as_json("multipart/form-data; boundary=B", b"--B\r\nno end"), None);
        assert_eq!(as_json("application/json", b"{}"), None);
        assert_eq!(as_json("multipart/form-data", b"--B--"), None);
    }
}
