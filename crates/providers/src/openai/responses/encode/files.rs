//! Files as parts of the input (providers §3).

use serde_json::{Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};

/// A file as a part of the input; `path` is where it stands in the request.
pub(super) fn part(file: &File, path: &str) -> Result<Value, InputError> {
    let kind = file.media_type.as_str();
    if let FileData::Text(text) = &file.data {
        let text = match &file.filename {
            Some(name) => format!("{name}:\n{text}"),
            None => text.clone(),
        };
        return Ok(json!({"type": "input_text", "text": text}));
    }
    for (family, word) in [("audio/", "audio"), ("video/", "video")] {
        if kind.starts_with(family) {
            return Err(InputError::unsupported(
                path,
                format!(
                    "'{path}' holds {word}, which this model's provider does not take in the Responses protocol. Send text, images or documents, or choose another model."
                ),
            ));
        }
    }
    Ok(if kind.starts_with("image/") { image(file) } else { document(file) })
}

fn image(file: &File) -> Value {
    let mut part = json!({"type": "input_image"});
    match &file.data {
        FileData::Reference(id) => part["file_id"] = Value::from(id.as_str()),
        FileData::Url(url) => part["image_url"] = Value::from(url.as_str()),
        FileData::Base64(data) | FileData::Text(data) => {
            let known = if file.media_type.ends_with("/*") { "image/png" } else { &file.media_type };
            part["image_url"] = Value::from(format!("data:{known};base64,{data}"));
        }
    }
    if let Some(detail) = &file.detail {
        part["detail"] = Value::from(detail.as_str());
    }
    part
}

fn document(file: &File) -> Value {
    let mut part = json!({"type": "input_file"});
    match &file.data {
        FileData::Reference(id) => part["file_id"] = Value::from(id.as_str()),
        FileData::Url(url) => part["file_url"] = Value::from(url.as_str()),
        FileData::Base64(data) | FileData::Text(data) => {
            // Bytes are refused without a name.
            let name = file.filename.clone().unwrap_or_else(|| default_name(&file.media_type));
            part["filename"] = Value::from(name);
            part["file_data"] = Value::from(format!("data:{};base64,{data}", file.media_type));
        }
    }
    part
}

fn default_name(media_type: &str) -> String {
    let subtype = media_type.rsplit('/').next().unwrap_or_default();
    match subtype {
        "plain" => "file.txt".to_owned(),
        "" | "*" | "octet-stream" => "file".to_owned(),
        other => format!("file.{}", other.split(['+', ';', '.']).next().unwrap_or(other)),
    }
}
