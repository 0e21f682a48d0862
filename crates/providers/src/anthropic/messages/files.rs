//! Files of a prompt as image and document blocks.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};

use super::Betas;
use super::block::Block;

/// Images that the protocol takes as bytes.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The beta that file ids need.
pub(super) const FILES_BETA: &str = "files-api-2025-04-14";

/// What a file becomes.
enum Form {
    Image,
    Pdf,
    Text,
}

/// The block of a file. `path` is the file's place in the request, for the error.
pub(super) fn block(file: &File, path: &str, betas: &mut Betas) -> Result<Block, InputError> {
    let media_type = media_type(file);
    let form = form(&media_type).ok_or_else(|| unsupported(path, &media_type))?;
    if matches!(file.data, FileData::Reference(_)) {
        betas.add(FILES_BETA);
    }
    let source = match (&form, &file.data) {
        (_, FileData::Reference(id)) => json!({"type": "file", "file_id": id}),
        (Form::Image, FileData::Base64(data)) => {
            if !IMAGES.contains(&media_type.as_str()) {
                return Err(unsupported(path, &media_type));
            }
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
        (Form::Pdf, FileData::Base64(data)) => {
            json!({"type": "base64", "media_type": "application/pdf", "data": data})
        }
        (Form::Text, FileData::Base64(data)) => plain_text(&decoded(data, path)?),
        (Form::Text, FileData::Text(text)) => plain_text(text),
        (Form::Image | Form::Pdf, FileData::Url(url)) => json!({"type": "url", "url": url}),
        (Form::Text, FileData::Url(_)) => {
            return Err(InputError::unsupported(
                path,
                format!(
                    "A document of type '{media_type}' cannot be given to this model by its address; send its text instead."
                ),
            ));
        }
        (Form::Image | Form::Pdf, FileData::Text(_)) => return Err(unsupported(path, &media_type)),
    };
    let block = match form {
        Form::Image => json!({"type": "image", "source": source}),
        Form::Pdf | Form::Text => {
            let mut document = json!({"type": "document", "source": source});
            if let Some(name) = file.filename.as_deref().filter(|n| !n.is_empty()) {
                document["title"] = Value::String(name.to_owned());
            }
            document
        }
    };
    Ok(Block::of(block))
}

fn plain_text(text: &str) -> Value {
    json!({"type": "text", "media_type": "text/plain", "data": text})
}

fn form(media_type: &str) -> Option<Form> {
    if media_type.starts_with("image/") {
        return Some(Form::Image);
    }
    if media_type == "application/pdf" {
        return Some(Form::Pdf);
    }
    let text = media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || ["json", "xml", "yaml", "x-yaml", "javascript", "toml"]
            .iter()
            .any(|kind| media_type.strip_prefix("application/") == Some(kind));
    text.then_some(Form::Text)
}

/// The media type without parameters. Where the client named none or a wildcard, the first bytes tell, or
/// the address's ending; an address or file id that tells nothing is taken for an image.
fn media_type(file: &File) -> String {
    let named = file.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = if named == "image/jpg" { "image/jpeg".to_owned() } else { named };
    let vague = named.is_empty() || named.ends_with("/*") || named == "application/octet-stream";
    if !vague {
        return named;
    }
    let found = match &file.data {
        FileData::Base64(data) => sniffed(data),
        FileData::Url(url) => {
            let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
            Some(if path.ends_with(".pdf") { "application/pdf" } else { "image/*" })
        }
        FileData::Reference(_) => Some("image/*"),
        FileData::Text(_) => Some("text/plain"),
    };
    found.map_or(named, str::to_owned)
}

fn sniffed(base64: &str) -> Option<&'static str> {
    let starts = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi", "application/pdf"),
    ];
    starts.iter().find(|(start, _)| base64.starts_with(start)).map(|(_, media_type)| *media_type)
}

fn decoded(data: &str, path: &str) -> Result<String, InputError> {
    let bytes = STANDARD.decode(data).or_else(|_| STANDARD_NO_PAD.decode(data)).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        InputError::invalid(
            path,
            "The text document is no base64 of UTF-8 text; send it so, or as plain text.",
        )
    })
}

fn unsupported(path: &str, media_type: &str) -> InputError {
    InputError::unsupported(
        path,
        format!(
            "This model takes no file of type '{media_type}'; it takes JPEG, PNG, GIF and WebP images, PDF and text documents. Convert the file or choose a model that takes it."
        ),
    )
}
