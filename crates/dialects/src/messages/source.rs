//! Images and documents of a prompt: their `source` as a neutral file (providers §4).

use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_wire::json;

use crate::checked::Fields;
use crate::json_path::{Path, string, wrong};

/// What a block with a source is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Image,
    Document,
}

impl Holder {
    /// The media type where the source names none.
    fn media_type(self) -> &'static str {
        match self {
            Self::Image => "image/*",
            // The protocol reads addresses and file ids of documents as PDF.
            Self::Document => "application/pdf",
        }
    }
}

/// Reads the file of a block; `None` when its source is of a kind that only this protocol knows (blocks of
/// text to cite from, or one that is not known yet).
pub(super) fn read(path: &Path<'_>, block: &Fields<'_>, holder: Holder) -> Result<Option<File>, InputError> {
    let path = path.member("source");
    let expected = "an object such as {\"type\":\"base64\",\"media_type\":…,\"data\":…}";
    let Some(raw) = block.get("source") else { return Err(InputError::missing(path.to_string(), expected)) };
    let Some(source) = Fields::of(raw) else { return Err(wrong(&path, expected, raw)) };
    let text = |key: &str, expected: &str| match source.get(key) {
        Some(raw) => string(&path.member(key), raw).map(std::borrow::Cow::into_owned),
        None => Err(InputError::missing(path.member(key).to_string(), expected)),
    };
    let kind = text("type", "\"base64\", \"url\", \"file\" or \"text\"")?;
    let stated = source.get("media_type").and_then(json::string).map(std::borrow::Cow::into_owned);
    let (media_type, data) = match kind.as_str() {
        "base64" => (stated, FileData::Base64(text("data", "the file's bytes in base64")?)),
        "url" => from_url(text("url", "the file's address")?, stated),
        "file" => (stated, FileData::Reference(text("file_id", "the file's id")?)),
        "text" if holder == Holder::Document => (
            Some(stated.unwrap_or_else(|| "text/plain".to_owned())),
            FileData::Text(text("data", "the document's text")?),
        ),
        _ => return Ok(None),
    };
    let title = block.get("title").filter(|_| holder == Holder::Document).and_then(json::string);
    Ok(Some(File {
        media_type: media_type.unwrap_or_else(|| holder.media_type().to_owned()),
        data,
        filename: title.map(std::borrow::Cow::into_owned),
        detail: None,
    }))
}

/// An address; one that holds the bytes itself is taken apart.
fn from_url(url: String, stated: Option<String>) -> (Option<String>, FileData) {
    let bytes = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match bytes {
        Some((media_type, data)) => (
            Some(media_type.to_owned()).filter(|m| !m.is_empty()).or(stated),
            FileData::Base64(data.to_owned()),
        ),
        None => (stated, FileData::Url(url)),
    }
}
