//! What tools answered (gateway-api §17.4 `output`), in the forms of all versions.

use tollgate_domain::InputError;
use tollgate_domain::conversation::{CacheMark, Content, File, FileData, Part, ToolOutput};

use super::file;
use super::members::{fields, required, required_text, text, value};
use super::part::Marks;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, excerpt};

/// What a model is told of a call that its user forbade.
const DENIED: &str = "The user did not allow this tool to run.";
const KINDS: &str = "\"text\", \"json\", \"error-text\", \"error-json\", \"execution-denied\" or \"content\"";

/// A tool's output.
pub(super) struct Output {
    /// The body.
    pub(super) body: ToolOutput,
    /// The tool failed, or was not run.
    pub(super) is_error: bool,
    /// A cache mark that stands on the output rather than on its part.
    pub(super) cache: Option<CacheMark>,
}

/// Reads the member `output` of a tool result.
pub(super) fn read(path: &Path<'_>, raw: &[u8]) -> Result<Output, InputError> {
    let output = fields(path, raw)?;
    let kind = required_text(path, &output, "type", KINDS)?;
    let cache = Marks::read(path, &output)?.cache;
    let text_value = || required_text(path, &output, "value", "the output's text").map(ToolOutput::Text);
    let json_value = || {
        // `null` is an answer too, so its absence is not told from its presence.
        let raw = output.get("value").unwrap_or(b"null");
        value(&path.member("value"), raw).map(ToolOutput::Json)
    };
    let body = match kind.as_str() {
        "text" | "error-text" => text_value()?,
        "json" | "error-json" => json_value()?,
        "execution-denied" => {
            let reason = text(path, &output, "reason")?.filter(|r| !r.is_empty());
            ToolOutput::Text(reason.unwrap_or_else(|| DENIED.to_owned()))
        }
        "content" => {
            let path = path.member("value");
            let raw = output.get("value").unwrap_or(b"[]");
            array(&path, raw)?;
            let items = elements(raw).into_iter().enumerate();
            let parts = items.map(|(i, raw)| item(&path.element(i), raw)).collect::<Result<Vec<_>, _>>()?;
            ToolOutput::Parts(parts.into_iter().flatten().collect())
        }
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {KINDS}.", excerpt(other));
            return Err(InputError::invalid(path.member("type").to_string(), message));
        }
    };
    let is_error = matches!(kind.as_str(), "error-text" | "error-json" | "execution-denied");
    Ok(Output { body, is_error, cache })
}

/// One item of a `content` output; `None` for what only one provider knows.
fn item(path: &Path<'_>, raw: &[u8]) -> Result<Option<Part>, InputError> {
    let part = fields(path, raw)?;
    let kind = required_text(path, &part, "type", "the item's type, such as \"text\"")?;
    let content = match kind.as_str() {
        "text" => Content::Text(required_text(path, &part, "text", "a string")?),
        "media" | "file" | "file-data" | "image-data" => Content::File(file::read(path, &part)?),
        "image-url" => Content::File(file::at_url(path, &part, "image/*")?),
        "file-url" => Content::File(file::at_url(path, &part, "")?),
        "image-file-id" => Content::File(file::by_id(path, &part, "image/*")?),
        "file-id" => Content::File(file::by_id(path, &part, "")?),
        "file-reference" | "image-file-reference" => Content::File(by_reference(path, &part)?),
        _ => return Ok(None),
    };
    Ok(Some(Marks::read(path, &part)?.on(content)))
}

/// `{providerReference:{<provider>: id}}`.
fn by_reference(path: &Path<'_>, part: &Fields<'_>) -> Result<File, InputError> {
    let expected = "an object with one id a provider";
    let raw = required(path, part, "providerReference", expected)?;
    let ids = value(&path.member("providerReference"), raw)?;
    let id = ids.as_object().and_then(|ids| ids.values().find_map(|id| id.as_str()));
    let Some(id) = id else {
        return Err(InputError::missing(path.member("providerReference").to_string(), expected));
    };
    let media_type = file::media_type("");
    Ok(File { media_type, data: FileData::Reference(id.to_owned()), filename: None, detail: None })
}
