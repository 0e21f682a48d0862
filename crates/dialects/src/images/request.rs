//! Reads a request for images.

use bytes::Bytes;
use serde_json::Value;
use tollgate_domain::conversation::File;
use tollgate_domain::task::{ImageRequest, Product, Task};
use tollgate_domain::{InputError, Receipt};
use tollgate_wire::json;

use super::{answer, form, multipart, reference};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, boolean, excerpt, string, unsigned, wrong};
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, task_body};

/// The most images that a request may ask for, as with OpenAI.
pub const MAX_IMAGES: u64 = 10;
/// The most images that a request may have changed (gateway-api §10).
pub const MAX_EDITED_IMAGES: usize = 16;

/// Members of OpenAI's shape that only providers of that shape understand; they must be strings or numbers.
const EXTRA: [&str; 7] =
    ["quality", "background", "output_format", "output_compression", "moderation", "style", "input_fidelity"];

/// A checked request for images.
#[derive(Clone, Debug)]
pub struct Request {
    head: Head,
    task: Task,
}

impl Request {
    /// Reads and checks the body of `/images/generations`.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` or `Unsupported` with the JSON path of a member that
    /// is missing, has a wrong type or value, or asks for what the gateway does not do.
    pub fn generations(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'prompt'")?;
        Self::read(checked.text(), Vec::new(), None)
    }

    /// Reads and checks the body of `/images/edits`: JSON with `images`, or a form with files.
    ///
    /// # Errors
    /// As with `generations`; `Malformed` too when the form is broken, and `Invalid` when the content type is
    /// neither.
    pub fn edits(content_type: &str, body: &Bytes) -> Result<Self, InputError> {
        if let Some(boundary) = multipart::boundary(content_type)? {
            let form = form::read(&boundary, body)?;
            check_count("image", form.images.len())?;
            return Self::read(&form.members, form.images, form.mask);
        }
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let is_json =
            kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json");
        if !is_json {
            return Err(InputError::invalid(
                "content-type",
                format!(
                    "The content type is \"{}\"; expected multipart/form-data with files, or application/json with 'images'.",
                    excerpt(kind)
                ),
            ));
        }
        let checked = body::check(body, "'model', 'prompt' and 'images'")?;
        let fields = Fields::of(checked.text());
        let (images, mask) = match &fields {
            Some(fields) => (images(fields)?, mask(fields)?),
            None => (Vec::new(), None),
        };
        Self::read(checked.text(), images, mask)
    }

    fn read(members: &[u8], images: Vec<File>, mask: Option<File>) -> Result<Self, InputError> {
        let Some(fields) = Fields::of(members) else {
            return Err(InputError::missing("model", "a model id"));
        };
        let model = task_body::model(fields.get("model"))?;
        let Some(prompt) = task_body::text(&fields, "prompt")? else {
            return Err(InputError::missing("prompt", "what the image shall show"));
        };
        refuse_what_is_not_done(&fields)?;
        let request = ImageRequest {
            prompt,
            count: count(&fields)?,
            size: task_body::text(&fields, "size")?,
            aspect_ratio: task_body::text(&fields, "aspect_ratio")?,
            seed: seed(&fields)?,
            images,
            mask,
            extra: extra(&fields)?,
            user: task_body::text(&fields, "user")?,
            provider_options: task_body::namespaces(fields.get("providerOptions"))?,
        };
        let mut head = task_body::head(model, task_body::options(&fields)?);
        head.needs.image_output = true;
        head.needs.images = !request.images.is_empty();
        Ok(Self { head, task: Task::Image(request) })
    }
}

impl TaskRequest for Request {
    fn surface(&self) -> &'static str {
        "images"
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn encode(&self, context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
        answer::write(context, product, receipt)
    }
}

fn check_count(path: &str, count: usize) -> Result<(), InputError> {
    match count {
        0 => Err(InputError::missing(path, "at least one image to change")),
        n if n > MAX_EDITED_IMAGES => Err(InputError::invalid(
            path,
            format!("The request has {n} images; at most {MAX_EDITED_IMAGES} can be changed at once."),
        )),
        _ => Ok(()),
    }
}

fn images(fields: &Fields<'_>) -> Result<Vec<File>, InputError> {
    let root = Path::Body;
    let path = root.member("images");
    let Some(raw) = fields.get("images") else {
        return Err(InputError::missing("images", "an array of objects with 'image_url'"));
    };
    array(&path, raw)?;
    let items = elements(raw);
    check_count("images", items.len())?;
    items.into_iter().enumerate().map(|(i, raw)| reference::read(&path.element(i), raw)).collect()
}

fn mask(fields: &Fields<'_>) -> Result<Option<File>, InputError> {
    let root = Path::Body;
    fields.get("mask").map(|raw| reference::read(&root.member("mask"), raw)).transpose()
}

fn count(fields: &Fields<'_>) -> Result<Option<u64>, InputError> {
    let count = task_body::positive(fields, "n")?;
    if let Some(n) = count.filter(|n| *n > MAX_IMAGES) {
        return Err(InputError::invalid(
            "n",
            format!("'n' is {n}; at most {MAX_IMAGES} images are made at once. Send several requests."),
        ));
    }
    Ok(count)
}

fn seed(fields: &Fields<'_>) -> Result<Option<i64>, InputError> {
    let root = Path::Body;
    let Some(raw) = fields.get("seed") else { return Ok(None) };
    let number = std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| wrong(&root.member("seed"), "a whole number", raw))
}

fn extra(fields: &Fields<'_>) -> Result<Vec<(String, Value)>, InputError> {
    let root = Path::Body;
    let mut found = Vec::new();
    for name in EXTRA {
        let Some(raw) = fields.get(name) else { continue };
        let path = root.member(name);
        let value = if name == "output_compression" {
            Value::from(unsigned(&path, raw)?)
        } else {
            Value::from(&*string(&path, raw)?)
        };
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

/// What would change the form of the answer (gateway-api §10).
fn refuse_what_is_not_done(fields: &Fields<'_>) -> Result<(), InputError> {
    let root = Path::Body;
    if let Some(raw) = fields.get("stream")
        && boolean(&root.member("stream"), raw)?
    {
        return Err(InputError::unsupported(
            "stream",
            "'stream' is not supported for images: the answer comes whole. Leave it out or send false.",
        ));
    }
    if let Some(raw) = fields.get("partial_images")
        && unsigned(&root.member("partial_images"), raw)? > 0
    {
        return Err(InputError::unsupported(
            "partial_images",
            "'partial_images' is not supported: the answer comes whole. Leave it out or send 0.",
        ));
    }
    let Some(raw) = fields.get("response_format").filter(|raw| !json::is_null(raw)) else { return Ok(()) };
    match &*string(&root.member("response_format"), raw)? {
        "b64_json" => Ok(()),
        other => Err(InputError::unsupported(
            "response_format",
            format!(
                "'response_format' is \"{}\"; images are given as base64 only. Send \"b64_json\" or leave it out.",
                excerpt(other)
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
