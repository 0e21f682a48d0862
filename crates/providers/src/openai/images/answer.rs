//! Reads the answer to a call.

use serde::Deserialize;
use serde_json::{Map, Value};
use tollgate_domain::conversation::FileData;
use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::task::{GeneratedImage, ImageReply, ImageRequest};
use tollgate_domain::{Failure, JsonText, Usage};

use super::calls;
use crate::Target;
use crate::task_answer::{broken, count, no_answer};

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
    #[serde(default)]
    created: Option<Value>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    background: Option<String>,
    #[serde(default)]
    output_format: Option<String>,
    #[serde(default)]
    quality: Option<String>,
    #[serde(default)]
    size: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    b64_json: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    revised_prompt: Option<String>,
    #[serde(default, alias = "media_type")]
    mime_type: Option<String>,
}

/// Reads the body of call number `part`.
///
/// # Errors
/// A failure of the provider when the body is no such answer: `Server`, or what an error in it means.
pub fn read(
    request: &ImageRequest,
    target: &Target,
    part: usize,
    body: &[u8],
) -> Result<ImageReply, Failure> {
    let provider = target.provider.as_str();
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Err(no_answer(provider, body, "member 'data' with images"));
    };
    let usage = answer.usage();
    let native = answer.native();
    let format = answer.output_format.as_deref().map(|format| format!("image/{format}"));
    let images: Vec<GeneratedImage> =
        answer.data.into_iter().filter_map(|item| image(item, format.as_deref())).collect();
    if images.is_empty() {
        return Err(broken(provider, "its answer has no image"));
    }
    let images_made = images.len() as u64;
    Ok(ImageReply {
        images,
        usage: Some(Usage { images: images_made, ..usage }),
        created: answer.created.and_then(|at| at.as_i64()),
        info: ResponseInfo { id: answer.id, model: answer.model, ..ResponseInfo::default() },
        native,
        // Said once, whatever the number of calls.
        warnings: if part == 0 { calls::warnings(request, target) } else { Vec::new() },
    })
}

fn image(item: Item, format: Option<&str>) -> Option<GeneratedImage> {
    let (stated, data) = match (item.b64_json, item.url) {
        (Some(text), _) if !text.is_empty() => data_of(text),
        (_, Some(url)) if url.starts_with("data:") => data_of(url),
        (_, Some(url)) if !url.is_empty() => (None, FileData::Url(url)),
        _ => return None,
    };
    let known = match &data {
        FileData::Base64(text) => sniffed(text).map(str::to_owned),
        _ => None,
    };
    let media_type = item.mime_type.or(stated).or(known).or_else(|| format.map(str::to_owned));
    let revised_prompt = item.revised_prompt.filter(|prompt| !prompt.is_empty());
    Some(GeneratedImage { data, media_type, revised_prompt })
}

/// Base64, out of a data URL where it is one.
fn data_of(text: String) -> (Option<String>, FileData) {
    if let Some((head, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        let media_type = head.split(';').next().filter(|m| !m.is_empty()).map(str::to_owned);
        return (media_type, FileData::Base64(data.to_owned()));
    }
    (None, FileData::Base64(text))
}

/// The media type that the first characters of base64 tell.
fn sniffed(text: &str) -> Option<&'static str> {
    [("iVBORw", "image/png"), ("/9j/", "image/jpeg"), ("UklGR", "image/webp"), ("R0lGOD", "image/gif")]
        .into_iter()
        .find_map(|(start, kind)| text.starts_with(start).then_some(kind))
}

impl Answer {
    /// Tokens, in disjoint buckets (I1). A model that counts none reports none.
    fn usage(&self) -> Usage {
        let report = &self.usage;
        let input = count(report, &["input_tokens", "prompt_tokens"]).unwrap_or(0);
        let output = count(report, &["output_tokens", "completion_tokens"]).unwrap_or(0);
        let detail = |of: &str, names: &[&str]| report.get(of).and_then(|details| count(details, names));
        let image = detail("input_tokens_details", &["image_tokens", "image"]).unwrap_or(0);
        let cached = detail("input_tokens_details", &["cached_tokens"]).unwrap_or(0);
        let cached_image = report
            .pointer("/input_tokens_details/cached_tokens_details")
            .and_then(|details| count(details, &["image_tokens"]))
            .unwrap_or(0);
        // Without details every generated token is one of an image.
        let made = detail("output_tokens_details", &["image_tokens", "image"]).unwrap_or(output);
        let cache_read = cached.min(input);
        let image_fresh = image.saturating_sub(cached_image).min(input - cache_read);
        let output_image = made.min(output);
        Usage {
            input_uncached: input - cache_read - image_fresh,
            input_cache_read: cache_read,
            input_image: image_fresh,
            output_image,
            output_text: output - output_image,
            anomaly: cached > input || image > input || made > output,
            ..Usage::default()
        }
    }

    /// What the answer says beside the images.
    fn native(&self) -> Option<JsonText> {
        let mut found = Map::new();
        let images: Vec<Value> = self
            .data
            .iter()
            .map(|item| {
                let revised = item.revised_prompt.as_deref().filter(|prompt| !prompt.is_empty());
                let members = revised.map(|prompt| ("revisedPrompt".to_owned(), Value::from(prompt)));
                Value::Object(members.into_iter().collect())
            })
            .collect();
        if images.iter().any(|image| image != &Value::Object(Map::new())) {
            found.insert("images".to_owned(), Value::Array(images));
        }
        for (name, said) in [
            ("background", &self.background),
            ("outputFormat", &self.output_format),
            ("quality", &self.quality),
            ("size", &self.size),
        ] {
            if let Some(said) = said {
                found.insert(name.to_owned(), Value::from(said.as_str()));
            }
        }
        (!found.is_empty()).then(|| JsonText::from(&Value::Object(found)))
    }
}
