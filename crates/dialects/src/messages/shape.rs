//! The shape of messages, system blocks and tools, checked in one walk over JSON that is already known to be
//! valid. The walk builds nothing, so that a large body costs little more than one look at each of its bytes.

use std::borrow::Cow;

use tollgate_domain::{InputError, Needs};
use tollgate_wire::json::{self, Checked, Kind, place};

use crate::checked::{Cursor, Fields, elements};
use crate::json_path::{Path, array, excerpt, string, wrong};

const ROLES: &str = "\"user\" or \"assistant\"";
const CONTENT: &str = "a string or an array of content blocks";

/// How deep results of tools are looked into for what they need of a model.
const RESULT_DEPTH: u8 = 2;

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
    let mut role: Option<Cow<'_, str>> = None;
    let mut has_content = false;
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        match &*name {
            "role" => role = Some(string(&path.member("role"), cursor.skip())?),
            "content" => {
                has_content = true;
                check_content(&path.member("content"), cursor, needs, 0)?;
            }
            _ => {
                cursor.skip();
            }
        }
        key = cursor.next_member();
    }
    let role_path = path.member("role");
    match role.as_deref() {
        None => return Err(InputError::missing(role_path.to_string(), ROLES)),
        // Instructions within the conversation are taken by the newest models (providers §4).
        Some("user" | "assistant" | "system") => {}
        Some(other) => {
            return Err(InputError::invalid(
                role_path.to_string(),
                format!("'{role_path}' is \"{}\"; expected {ROLES}.", excerpt(other)),
            ));
        }
    }
    if has_content {
        return Ok(());
    }
    Err(InputError::missing(path.member("content").to_string(), CONTENT))
}

fn check_content(
    path: &Path<'_>,
    cursor: &mut Cursor<'_>,
    needs: &mut Needs,
    depth: u8,
) -> Result<(), InputError> {
    match cursor.kind() {
        Kind::String => {
            cursor.skip();
            return Ok(());
        }
        Kind::Array => {}
        _ => return Err(wrong(path, CONTENT, cursor.skip())),
    }
    let mut more = cursor.enter_array();
    let mut index = 0;
    while more {
        check_block(&path.element(index), cursor, needs, depth)?;
        more = cursor.next_element();
        index += 1;
    }
    Ok(())
}

fn check_block(
    path: &Path<'_>,
    cursor: &mut Cursor<'_>,
    needs: &mut Needs,
    depth: u8,
) -> Result<(), InputError> {
    if cursor.kind() != Kind::Object {
        return Err(wrong(path, "an object", cursor.skip()));
    }
    let (mut kind, mut content) = (None, None);
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        let value = cursor.skip();
        match &*name {
            "type" => kind = Some(string(&path.member("type"), value)?),
            "content" => content = Some(value),
            _ => {}
        }
        key = cursor.next_member();
    }
    match kind.as_deref() {
        None => {
            return Err(InputError::missing(
                path.member("type").to_string(),
                "the block's type, such as \"text\" or \"tool_result\"",
            ));
        }
        Some("image") => needs.images = true,
        Some("document") => needs.files = true,
        Some("tool_result") => {
            let content = content.filter(|raw| json::kind(raw) == Kind::Array && depth < RESULT_DEPTH);
            if let Some(raw) = content {
                check_content(&path.member("content"), &mut Cursor::new(raw), needs, depth + 1)?;
            }
        }
        Some(_) => {}
    }
    Ok(())
}

/// Checks the instructions: a string, or an array of blocks.
pub(super) fn check_system(path: &Path<'_>, raw: &[u8], needs: &mut Needs) -> Result<(), InputError> {
    match json::kind(raw) {
        Kind::String | Kind::Array => check_content(path, &mut Cursor::new(raw), needs, 0),
        _ => Err(wrong(path, "a string or an array of text blocks", raw)),
    }
}

/// Checks a list of tools; gives whether there are any. A tool without a type of its own, or a custom one,
/// is the client's, and must have a name and a schema; of any other only the provider knows more.
pub(super) fn check_tools(path: &Path<'_>, raw: &[u8]) -> Result<bool, InputError> {
    array(path, raw)?;
    let tools = elements(raw);
    for (index, raw) in tools.iter().enumerate() {
        let path = path.element(index);
        let Some(tool) = Fields::of(raw) else { return Err(wrong(&path, "an object", raw)) };
        let kind = tool.get("type").map(|raw| string(&path.member("type"), raw)).transpose()?;
        if !matches!(kind.as_deref(), None | Some("custom")) {
            continue;
        }
        match tool.get("name") {
            None => return Err(InputError::missing(path.member("name").to_string(), "the tool's name")),
            Some(raw) => string(&path.member("name"), raw)?,
        };
        match tool.get("input_schema") {
            None => {
                let expected = "the JSON schema of the tool's input";
                return Err(InputError::missing(path.member("input_schema").to_string(), expected));
            }
            Some(raw) => crate::json_path::object(&path.member("input_schema"), raw)?,
        }
    }
    Ok(!tools.is_empty())
}
