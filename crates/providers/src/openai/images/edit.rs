//! Adds the images that are to be changed, in the form that the endpoint takes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::task::ImageRequest;

use super::form::Form;
use super::rules::{Edits, Rules};
use crate::{Target, TaskCall};

const GENERATIONS: &str = "/images/generations";
const EDITS: &str = "/images/edits";

/// The call of these members and the request's images.
pub(super) fn call(
    request: &ImageRequest,
    target: &Target,
    rules: &Rules,
    mut body: Map<String, Value>,
) -> Result<TaskCall, InputError> {
    if request.images.is_empty() {
        if request.mask.is_some() {
            return Err(InputError::invalid(
                "mask",
                "'mask' says where an image may be changed, but there is no image. Send one, or leave the mask out.",
            ));
        }
        return json_call(GENERATIONS, &body);
    }
    let has_url = request.images.iter().chain(&request.mask).any(|f| matches!(f.data, FileData::Url(_)));
    match rules.edits {
        Edits::FormOrJson if has_url => {
            let images: Result<Vec<_>, _> =
                request.images.iter().map(|f| Ok(json!({"image_url": url(f)?}))).collect();
            body.insert("images".to_owned(), Value::Array(images?));
            if let Some(mask) = &request.mask {
                body.insert("mask".to_owned(), json!({"image_url": url(mask)?}));
            }
            json_call(EDITS, &body)
        }
        Edits::FormOrJson => form_call(request, &body, "image[]"),
        Edits::Form if request.images.len() > 1 => {
            Err(cannot(target, "images", "change more than one image at once"))
        }
        Edits::Form if has_url => Err(cannot(target, "images", "fetch images; send their bytes")),
        Edits::Form => form_call(request, &body, "image"),
        _ if request.mask.is_some() => Err(cannot(target, "mask", "use a mask")),
        Edits::TypedUrls => {
            let images: Result<Vec<_>, _> =
                request.images.iter().map(|f| Ok(json!({"type": "image_url", "url": url(f)?}))).collect();
            let mut images = images?;
            if images.len() == 1 {
                body.insert("image".to_owned(), images.remove(0));
            } else {
                body.insert("images".to_owned(), Value::Array(images));
            }
            json_call(EDITS, &body)
        }
        Edits::BesidePrompt => {
            let [image] = &request.images[..] else {
                return Err(cannot(target, "images", "change more than one image at once"));
            };
            body.insert("image_url".to_owned(), Value::from(url(image)?));
            json_call(GENERATIONS, &body)
        }
        Edits::None => Err(cannot(target, "images", "change images")),
    }
}

fn cannot(target: &Target, path: &str, what: &str) -> InputError {
    InputError::unsupported(
        path,
        format!(
            "'{}' at the provider '{}' cannot {what}. Choose another model.",
            target.model, target.provider
        ),
    )
}

fn json_call(path: &str, body: &Map<String, Value>) -> Result<TaskCall, InputError> {
    let text = serde_json::to_vec(body).map_err(|error| {
        InputError::invalid("prompt", format!("The request cannot be written as JSON: {error}."))
    })?;
    Ok(TaskCall::json(path, text))
}

fn form_call(request: &ImageRequest, body: &Map<String, Value>, field: &str) -> Result<TaskCall, InputError> {
    let mut form = Form::default();
    for (name, value) in body {
        match value {
            Value::Null => {}
            Value::String(text) => form.text(name, text),
            other => form.text(name, &other.to_string()),
        }
    }
    for (i, file) in request.images.iter().enumerate() {
        let extension = extension(&file.media_type);
        let name = file.filename.clone().unwrap_or_else(|| format!("image-{i}.{extension}"));
        form.file(field, &name, &file.media_type, bytes(file, "images")?);
    }
    if let Some(mask) = &request.mask {
        let name = mask.filename.clone().unwrap_or_else(|| format!("mask.{}", extension(&mask.media_type)));
        form.file("mask", &name, &mask.media_type, bytes(mask, "mask")?);
    }
    let (content_type, body) = form.finish();
    Ok(TaskCall { path: EDITS.to_owned(), body, content_type })
}

/// A file's address, or itself as a data URL.
fn url(file: &File) -> Result<String, InputError> {
    match &file.data {
        FileData::Url(url) => Ok(url.clone()),
        FileData::Base64(data) => Ok(format!("data:{};base64,{data}", media_type(&file.media_type))),
        FileData::Reference(_) | FileData::Text(_) => Err(no_image()),
    }
}

fn bytes(file: &File, path: &str) -> Result<Vec<u8>, InputError> {
    let FileData::Base64(data) = &file.data else { return Err(no_image()) };
    STANDARD.decode(data).map_err(|_| {
        InputError::invalid(path, format!("'{path}' holds base64 that cannot be read; send valid base64."))
    })
}

fn no_image() -> InputError {
    InputError::unsupported(
        "images",
        "'images' may hold bytes or addresses only; files of a provider's store cannot be used.",
    )
}

/// Servers go by the type, so one that is not known is taken for the commonest.
fn media_type(stated: &str) -> &str {
    if stated.starts_with("image/") && !stated.contains('*') { stated } else { "image/png" }
}

fn extension(stated: &str) -> &'static str {
    match media_type(stated) {
        "image/jpeg" | "image/jpg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        _ => "png",
    }
}
