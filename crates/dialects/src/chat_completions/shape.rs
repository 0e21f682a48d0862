//! The shape of messages and tools, checked in one walk over JSON that is already known to be valid. The
//! walk builds nothing, so that a large body costs little more than one look at each of its bytes.

use std::borrow::Cow;

use tollgate_domain::{InputError, Needs};
use tollgate_wire::json::{Checked, Kind, place};

use crate::checked::{Cursor, Fields, elements};
use crate::json_path::{Path, array, excerpt, object, string, wrong};

const ROLES: &str = "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"";

/// What is seen of one message on the way through it.
#[derive(Default)]
struct Seen<'a> {
    role: Option<Cow<'a, str>>,
    has_content: bool,
    tool_call_id: Option<&'a [u8]>,
}

/// Checks all messages of a body; gives what their content needs of a model.
pub(super) fn check_messages<T: AsRef<[u8]>>(raw: &[u8], body: &Checked<T>) -> Result<Needs, InputError> {
    let root = Path::Body;
    let path = root.member("messages");
    array(&path, raw)?;
    let mut needs = Needs::default();
    let mut cursor = match place(body.text(), raw) {
        Some(at) => Cursor::with_long_strings(raw, body.long_strings(), at.start),
        None => Cursor::new(raw),
    };
    let mut more = cursor.enter_array();
    if !more {
        return Err(InputError::invalid(
            "messages",
            "'messages' is an empty array; expected at least one message.",
        ));
    }
    let mut index = 0;
    while more {
        check_message(&path.element(index), &mut cursor, &mut needs)?;
        more = cursor.next_element();
        index += 1;
    }
    Ok(needs)
}

fn check_message(path: &Path<'_>, cursor: &mut Cursor<'_>, needs: &mut Needs) -> Result<(), InputError> {
    if cursor.kind() != Kind::Object {
        return Err(wrong(path, "an object", cursor.skip()));
    }
    let mut seen = Seen::default();
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        match &*name {
            "role" => seen.role = Some(string(&path.member("role"), cursor.skip())?),
            "content" => {
                seen.has_content = true;
                check_content(&path.member("content"), cursor, needs)?;
            }
            "tool_call_id" => seen.tool_call_id = Some(cursor.skip()),
            _ => {
                cursor.skip();
            }
        }
        key = cursor.next_member();
    }
    check_role(path, &seen)
}

fn check_role(path: &Path<'_>, seen: &Seen<'_>) -> Result<(), InputError> {
    let role_path = path.member("role");
    let Some(role) = &seen.role else { return Err(InputError::missing(role_path.to_string(), ROLES)) };
    match &**role {
        "system" | "developer" | "user" | "assistant" | "function" => {}
        "tool" => {
            let id_path = path.member("tool_call_id");
            let Some(raw) = seen.tool_call_id else {
                return Err(InputError::missing(
                    id_path.to_string(),
                    "the id of the tool call that this message answers",
                ));
            };
            string(&id_path, raw)?;
        }
        other => {
            return Err(InputError::invalid(
                role_path.to_string(),
                format!("'{role_path}' is \"{}\"; expected {ROLES}.", excerpt(other)),
            ));
        }
    }
    if seen.has_content || role == "assistant" {
        return Ok(());
    }
    Err(InputError::missing(path.member("content").to_string(), "a string or an array of content parts"))
}

fn check_content(path: &Path<'_>, cursor: &mut Cursor<'_>, needs: &mut Needs) -> Result<(), InputError> {
    match cursor.kind() {
        Kind::String | Kind::Null => {
            cursor.skip();
            return Ok(());
        }
        Kind::Array => {}
        _ => return Err(wrong(path, "a string, an array of content parts or null", cursor.skip())),
    }
    let mut more = cursor.enter_array();
    let mut index = 0;
    while more {
        check_part(&path.element(index), cursor, needs)?;
        more = cursor.next_element();
        index += 1;
    }
    Ok(())
}

fn check_part(path: &Path<'_>, cursor: &mut Cursor<'_>, needs: &mut Needs) -> Result<(), InputError> {
    if cursor.kind() != Kind::Object {
        return Err(wrong(path, "an object", cursor.skip()));
    }
    let (mut kind, mut file) = (None, None);
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        let value = cursor.skip();
        match &*name {
            "type" => kind = Some(string(&path.member("type"), value)?),
            "file" => file = Some(value),
            _ => {}
        }
        key = cursor.next_member();
    }
    match kind.as_deref() {
        None => {
            return Err(InputError::missing(
                path.member("type").to_string(),
                "the part's type, such as \"text\" or \"image_url\"",
            ));
        }
        Some("image_url") => needs.images = true,
        Some("file") => match file.and_then(Fields::of).and_then(|f| super::file::stated_media_type(&f)) {
            Some(media) if media.starts_with("image/") => needs.images = true,
            Some(media) if media.starts_with("audio/") => needs.audio = true,
            _ => needs.files = true,
        },
        Some("input_audio" | "audio_url") => needs.audio = true,
        Some("file_url" | "document_url" | "video_url") => needs.files = true,
        Some(_) => {}
    }
    Ok(())
}

/// Checks a list of tools; gives whether there are any.
pub(super) fn check_tools(path: &Path<'_>, raw: &[u8]) -> Result<bool, InputError> {
    array(path, raw)?;
    let mut cursor = Cursor::new(raw);
    let mut more = cursor.enter_array();
    let any = more;
    let mut index = 0;
    while more {
        object(&path.element(index), cursor.skip())?;
        more = cursor.next_element();
        index += 1;
    }
    Ok(any)
}

/// Checks stop sequences: one string, or an array of them.
pub(super) fn check_stop(path: &Path<'_>, raw: &[u8]) -> Result<(), InputError> {
    if tollgate_wire::json::kind(raw) == Kind::String {
        return Ok(());
    }
    array(path, raw).map_err(|_| wrong(path, "a string or an array of strings", raw))?;
    for (i, element) in elements(raw).into_iter().enumerate() {
        string(&path.element(i), element)?;
    }
    Ok(())
}
