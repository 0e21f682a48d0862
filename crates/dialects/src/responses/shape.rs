//! The shape of input items and tools, checked in one walk over JSON that is already known to be valid. The
//! walk builds nothing, so that a large body costs little more than one look at each of its bytes.

use tollgate_domain::{InputError, Needs};
use tollgate_wire::json::{self, Checked, Kind, place};

use crate::checked::{Cursor, Fields, elements};
use crate::json_path::{Path, array, excerpt, object, string, wrong};

const ROLES: &str = "\"user\", \"assistant\", \"system\" or \"developer\"";
const CONTENT: &str = "a string or an array of content parts";

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What the content needs of a model.
    pub(super) needs: Needs,
    /// Items are named that only the provider's store holds.
    pub(super) item_references: bool,
    /// There is nothing in it.
    pub(super) empty: bool,
    /// Reasoning state of another family of providers, wrapped by this gateway.
    pub(super) foreign_state: bool,
}

/// What is seen of one item on the way through it.
#[derive(Default)]
struct Item<'a> {
    kind: Option<&'a [u8]>,
    role: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    arguments: Option<&'a [u8]>,
    input: Option<&'a [u8]>,
    encrypted: Option<&'a [u8]>,
    content: Parts,
    output: Parts,
}

/// A member that may hold content parts. What is wrong with it counts only in items whose form is known.
#[derive(Default)]
struct Parts {
    present: bool,
    needs: Needs,
    error: Option<InputError>,
}

/// Checks the member `input` of a body.
pub(super) fn check_input<T: AsRef<[u8]>>(raw: &[u8], body: &Checked<T>) -> Result<Found, InputError> {
    let root = Path::Body;
    let path = root.member("input");
    let mut found = Found::default();
    match json::kind(raw) {
        Kind::String => return Ok(found),
        Kind::Array => {}
        _ => return Err(wrong(&path, "a string or an array of items", raw)),
    }
    let mut cursor = match place(body.text(), raw) {
        Some(at) => Cursor::with_long_strings(raw, body.long_strings(), at.start),
        None => Cursor::new(raw),
    };
    let mut more = cursor.enter_array();
    found.empty = !more;
    let mut index = 0;
    while more {
        check_item(&path.element(index), &mut cursor, &mut found)?;
        more = cursor.next_element();
        index += 1;
    }
    Ok(found)
}

fn check_item(path: &Path<'_>, cursor: &mut Cursor<'_>, found: &mut Found) -> Result<(), InputError> {
    if cursor.kind() != Kind::Object {
        return Err(wrong(path, "an object", cursor.skip()));
    }
    let mut item = Item::default();
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        match &*name {
            "content" => item.content = check_parts(&path.member("content"), cursor),
            "output" => item.output = check_parts(&path.member("output"), cursor),
            other => {
                let value = Some(cursor.skip()).filter(|raw| !json::is_null(raw));
                match other {
                    "type" => item.kind = value,
                    "role" => item.role = value,
                    "id" => item.id = value,
                    "call_id" => item.call_id = value,
                    "name" => item.name = value,
                    "arguments" => item.arguments = value,
                    "input" => item.input = value,
                    "encrypted_content" => item.encrypted = value,
                    _ => {}
                }
            }
        }
        key = cursor.next_member();
    }
    judge(path, item, found)
}

/// Checks what the item's type asks for. Types that are not known are accepted (clients §0.15).
fn judge(path: &Path<'_>, item: Item<'_>, found: &mut Found) -> Result<(), InputError> {
    let kind = match item.kind {
        Some(raw) => string(&path.member("type"), raw)?,
        None if item.role.is_some() => "message".into(),
        None if item.id.is_some() => "item_reference".into(),
        None => {
            return Err(InputError::missing(
                path.member("type").to_string(),
                "the item's type, such as \"message\", or a 'role'",
            ));
        }
    };
    let text = |name: &str, value: Option<&[u8]>, expected: &str| match value {
        Some(raw) => string(&path.member(name), raw).map(|_| ()),
        None => Err(InputError::missing(path.member(name).to_string(), expected)),
    };
    let call_id = |expected: &str| text("call_id", item.call_id, expected);
    match &*kind {
        "message" => {
            let assistant = check_role(path, item.role)?;
            take(path, "content", item.content, !assistant, CONTENT, found)?;
        }
        "function_call" => {
            call_id("the id that the model gave the call")?;
            text("name", item.name, "the function's name")?;
            if let Some(raw) = item.arguments.filter(|raw| json::kind(raw) != Kind::Object) {
                string(&path.member("arguments"), raw)?;
            }
        }
        "custom_tool_call" => {
            call_id("the id that the model gave the call")?;
            text("name", item.name, "the tool's name")?;
            text("input", item.input, "the text that the model gave the tool")?;
        }
        "function_call_output" | "custom_tool_call_output" => {
            call_id("the id of the call that this item answers")?;
            take(path, "output", item.output, true, CONTENT, found)?;
        }
        "item_reference" => found.item_references = true,
        "reasoning" => {
            if let Some(raw) = item.encrypted {
                string(&path.member("encrypted_content"), raw)?;
                found.foreign_state |= raw.starts_with(b"\"tgs1.");
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether the speaker is the model.
fn check_role(path: &Path<'_>, role: Option<&[u8]>) -> Result<bool, InputError> {
    let path = path.member("role");
    let Some(raw) = role else { return Err(InputError::missing(path.to_string(), ROLES)) };
    match &*string(&path, raw)? {
        "assistant" => Ok(true),
        "user" | "system" | "developer" => Ok(false),
        other => Err(InputError::invalid(
            path.to_string(),
            format!("'{path}' is \"{}\"; expected {ROLES}.", excerpt(other)),
        )),
    }
}

fn take(
    path: &Path<'_>,
    name: &str,
    parts: Parts,
    required: bool,
    expected: &str,
    found: &mut Found,
) -> Result<(), InputError> {
    if let Some(error) = parts.error {
        return Err(error);
    }
    if required && !parts.present {
        return Err(InputError::missing(path.member(name).to_string(), expected));
    }
    found.needs.images |= parts.needs.images;
    found.needs.files |= parts.needs.files;
    found.needs.audio |= parts.needs.audio;
    Ok(())
}

/// Passes a member that may hold content parts.
fn check_parts(path: &Path<'_>, cursor: &mut Cursor<'_>) -> Parts {
    let mut parts = Parts { present: true, ..Parts::default() };
    match cursor.kind() {
        Kind::String => {
            cursor.skip();
            return parts;
        }
        Kind::Null => {
            cursor.skip();
            return Parts::default();
        }
        Kind::Array => {}
        _ => {
            parts.error = Some(wrong(path, CONTENT, cursor.skip()));
            return parts;
        }
    }
    let mut more = cursor.enter_array();
    let mut index = 0;
    while more {
        if let Err(error) = check_part(&path.element(index), cursor, &mut parts.needs) {
            parts.error.get_or_insert(error);
        }
        more = cursor.next_element();
        index += 1;
    }
    parts
}

fn check_part(path: &Path<'_>, cursor: &mut Cursor<'_>, needs: &mut Needs) -> Result<(), InputError> {
    let raw = if cursor.kind() == Kind::Object { None } else { Some(cursor.skip()) };
    if let Some(raw) = raw {
        return Err(wrong(path, "an object", raw));
    }
    let (mut kind, mut file) = (None, FileWords::default());
    let mut key = cursor.enter_object();
    while let Some(name) = key {
        let value = cursor.skip();
        match &*name {
            "type" => kind = Some(value),
            "media_type" => file.media_type = Some(value),
            "file_data" => file.data = Some(value),
            "filename" => file.name = Some(value),
            _ => {}
        }
        key = cursor.next_member();
    }
    let kind_path = path.member("type");
    let Some(kind) = kind else {
        return Err(InputError::missing(
            kind_path.to_string(),
            "the part's type, such as \"input_text\" or \"input_image\"",
        ));
    };
    match &*string(&kind_path, kind)? {
        "input_image" => needs.images = true,
        "input_file" if file.tells("image/", &["png", "jpg", "jpeg", "gif", "webp"]) => needs.images = true,
        "input_file" if file.tells("audio/", &["mp3", "wav"]) => needs.audio = true,
        "input_file" => needs.files = true,
        "input_audio" => needs.audio = true,
        "input_video" => needs.files = true,
        _ => {}
    }
    Ok(())
}

/// What a file part says of its file.
#[derive(Default)]
struct FileWords<'a> {
    media_type: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
}

impl FileWords<'_> {
    /// Whether it is of a media type that begins so, or else its name ends in one of these extensions.
    fn tells(&self, media: &str, extensions: &[&str]) -> bool {
        if let Some(stated) = self.media_type.and_then(json::string) {
            return stated.starts_with(media);
        }
        // Only the start is looked at: the rest may be megabytes of base64.
        if let Some(data) = self.data.and_then(|raw| raw.strip_prefix(b"\"data:")) {
            return data.starts_with(media.as_bytes());
        }
        let name = self.name.and_then(json::string).unwrap_or_default();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        extensions.iter().any(|e| e.eq_ignore_ascii_case(extension))
    }
}

/// What the tools of a request are.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// The client runs some of them.
    pub(super) callable: bool,
    /// The types of those that are no functions, each once.
    pub(super) foreign: Vec<String>,
}

/// Checks the member `tools`.
pub(super) fn check_tools(raw: &[u8]) -> Result<Tools, InputError> {
    let root = Path::Body;
    let path = root.member("tools");
    array(&path, raw)?;
    let mut tools = Tools::default();
    for (index, raw) in elements(raw).into_iter().enumerate() {
        let path = path.element(index);
        object(&path, raw)?;
        let kind = Fields::of(raw).and_then(|f| f.get("type"));
        let kind = kind.map(|raw| string(&path.member("type"), raw)).transpose()?;
        match kind.as_deref() {
            None | Some("function") => tools.callable = true,
            Some(kind) => {
                tools.callable |= matches!(kind, "custom" | "namespace");
                if !tools.foreign.iter().any(|k| k == kind) {
                    tools.foreign.push(kind.to_owned());
                }
            }
        }
    }
    Ok(tools)
}
