//! Images (gateway-api §17.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::task::{self, GeneratedImage, ImageReply, Product, Task};
use tollgate_domain::{InputError, JsonText, Needs, Receipt};
use tollgate_wire::json::write_string;

use super::options::ProviderOptions;
use super::reply::task_warnings;
use super::{MODEL_HEADER, Version, file, members};
use crate::checked::elements;
use crate::json_path::{Path, array, excerpt};
use crate::metadata::{self, write_integer};
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, gateway_options};

/// A request for images.
#[derive(Clone, Debug)]
pub struct ImageRequest {
    /// The version of the answer.
    pub version: Version,
    head: Head,
    task: Task,
}

impl ImageRequest {
    /// Reads a body. A prompt may be absent where there are images to work on.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path when something is missing or of a
    /// wrong type.
    pub fn parse(version: Version, model: &str, body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'prompt'")?;
        let model = members::model(MODEL_HEADER, model)?;
        let root = Path::Body;
        let fields = members::fields(&root, checked.text())?;
        let images = match fields.get("files") {
            None => Vec::new(),
            Some(raw) => {
                let path = root.member("files");
                array(&path, raw)?;
                let each = elements(raw).into_iter().enumerate();
                each.map(|(i, raw)| image(&path.element(i), raw)).collect::<Result<_, _>>()?
            }
        };
        let prompt = match members::text(&root, &fields, "prompt")? {
            Some(prompt) => prompt,
            None if !images.is_empty() => String::new(),
            None => return Err(InputError::missing("prompt", "what the image shall show")),
        };
        let needs = Needs { images: !images.is_empty(), image_output: true, ..Needs::default() };
        let options = ProviderOptions::read(&fields)?;
        let task = Task::Image(task::ImageRequest {
            prompt,
            count: members::unsigned(&root, &fields, "n")?.filter(|n| *n > 0),
            size: members::text(&root, &fields, "size")?,
            aspect_ratio: members::text(&root, &fields, "aspectRatio")?,
            seed: members::signed(&root, &fields, "seed")?,
            images,
            mask: fields.get("mask").map(|raw| image(&root.member("mask"), raw)).transpose()?,
            extra: Vec::new(),
            user: options.safety_identifier(),
            provider_options: options.others()?,
        });
        let options = gateway_options::parse(fields.get("providerOptions"), None, None)?;
        Ok(Self { version, head: Head { model, options, needs, ..Head::default() }, task })
    }
}

/// `{type:'file', mediaType, data}` or `{type:'url', url}`.
fn image(path: &Path<'_>, raw: &[u8]) -> Result<File, InputError> {
    const KINDS: &str = "\"file\" or \"url\"";
    let part = members::fields(path, raw)?;
    match members::required_text(path, &part, "type", KINDS)?.as_str() {
        "file" => file::read(path, &part),
        "url" => file::at_url(path, &part, "image/*"),
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {KINDS}.", excerpt(other));
            Err(InputError::invalid(path.member("type").to_string(), message))
        }
    }
}

impl TaskRequest for ImageRequest {
    fn surface(&self) -> &'static str {
        "ai_sdk"
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn encode(&self, _context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
        let empty = ImageReply::default();
        let reply = match product {
            Product::Image(reply) => reply,
            Product::Embedding(_) | Product::Rerank(_) => &empty,
        };
        let mut out = b"{\"images\":[".to_vec();
        for (i, image) in reply.images.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match &image.data {
                FileData::Base64(data) => write_string(&mut out, data),
                FileData::Text(text) => write_string(&mut out, &STANDARD.encode(text)),
                // The gateway fetches what stands at an address before it comes here.
                FileData::Url(text) | FileData::Reference(text) => write_string(&mut out, text),
            }
        }
        out.extend_from_slice(b"],\"warnings\":");
        let warnings = task_warnings(self.version, &reply.warnings, &receipt.warnings);
        out.extend_from_slice(warnings.to_string().as_bytes());
        out.extend_from_slice(b",\"providerMetadata\":");
        let own = native(reply, receipt);
        out.extend_from_slice(&metadata::provider_metadata(receipt, Some((own.0, &own.1))));
        let (input, output) = (receipt.usage.input_total(), receipt.usage.output_total());
        if input > 0 || output > 0 {
            out.extend_from_slice(b",\"usage\":{\"inputTokens\":");
            write_integer(&mut out, input);
            out.extend_from_slice(b",\"outputTokens\":");
            write_integer(&mut out, output);
            out.extend_from_slice(b",\"totalTokens\":");
            write_integer(&mut out, input.saturating_add(output));
            out.push(b'}');
        }
        out.push(b'}');
        out
    }
}

/// The provider's own metadata. A client adds up the lists `images` of all answers, and breaks where a
/// provider has none, so that it is always there: an entry an image.
fn native<'a>(reply: &ImageReply, receipt: &'a Receipt) -> (&'a str, JsonText) {
    let (namespace, told) = match (&receipt.native, &reply.native) {
        (Some((namespace, told)), _) => (namespace.as_str(), Some(told)),
        (None, told) => (receipt.routing.final_provider.as_str(), told.as_ref()),
    };
    let mut members = match told.map(JsonText::to_value) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    if !members.get("images").is_some_and(Value::is_array) {
        let images: Vec<Value> = reply.images.iter().map(about).collect();
        members.insert("images".to_owned(), images.into());
    }
    (namespace, JsonText::from(&Value::Object(members)))
}

fn about(image: &GeneratedImage) -> Value {
    match &image.revised_prompt {
        Some(prompt) => json!({"revisedPrompt": prompt}),
        None => json!({}),
    }
}
