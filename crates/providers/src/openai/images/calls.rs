//! Writes the calls of a request.

use serde_json::{Map, Value};
use tollgate_domain::task::ImageRequest;
use tollgate_domain::{InputError, Warning};

use super::edit;
use super::rules::{Format, Rules, Shape};
use crate::{Target, TaskCall, task_options};

/// The most images of a request, over all its calls (I26).
const MAX_IMAGES: u64 = 64;

/// Members that the codec writes itself, and those that would change the form of the answer.
const OWNED: [&str; 9] =
    ["model", "prompt", "n", "image", "images", "mask", "response_format", "stream", "partial_images"];

/// The calls of a request, several when it asks for more images than the provider makes at once.
///
/// # Errors
/// `Unsupported` when the endpoint cannot do what is asked, so that another one may; `Invalid` when an image
/// cannot be read or far too many are asked for.
pub fn calls(request: &ImageRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    let rules = Rules::for_target(target);
    let asked = request.count.unwrap_or(1);
    if asked > MAX_IMAGES {
        return Err(InputError::invalid(
            "n",
            format!("'n' is {asked}; at most {MAX_IMAGES} images are made at once. Send several requests."),
        ));
    }
    let mut found = Vec::new();
    let mut left = asked.max(1);
    while left > 0 {
        let count = left.min(rules.max_images);
        left -= count;
        // Without a wish `n` is left out: some models refuse even 1.
        let count = request.count.map(|_| count);
        let body = members(request, target, &rules, count, found.len());
        found.push(edit::call(request, target, &rules, body)?);
    }
    Ok(found)
}

/// The members of a call but its images.
fn members(
    request: &ImageRequest,
    target: &Target,
    rules: &Rules,
    count: Option<u64>,
    part: usize,
) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    body.insert("prompt".to_owned(), Value::from(request.prompt.as_str()));
    if let Some(count) = count {
        body.insert("n".to_owned(), Value::from(count));
    }
    for (name, value) in shape(request, rules) {
        body.insert(name.to_owned(), value);
    }
    if let (Some(seed), Some(name)) = (request.seed, rules.seed) {
        // With one seed for all calls, all would give the same image.
        let seed = seed.wrapping_add(i64::try_from(part).unwrap_or(0));
        body.insert(name.to_owned(), Value::from(seed));
    }
    for (name, value) in &request.extra {
        if rules.extra.is_none_or(|known| known.contains(&name.as_str())) {
            body.insert(name.clone(), value.clone());
        }
    }
    if let Some(user) = request.user.as_deref().filter(|_| rules.user) {
        body.insert("user".to_owned(), Value::from(user));
    }
    for (name, value) in task_options::members(&request.provider_options, &target.provider) {
        if !OWNED.contains(&name.as_str()) {
            body.insert(name, value);
        }
    }
    let format = match rules.format {
        Format::Unasked => None,
        Format::B64Json => Some("b64_json"),
        Format::Base64 => Some("base64"),
    };
    if let Some(format) = format {
        body.insert("response_format".to_owned(), Value::from(format));
    }
    body
}

/// Size and aspect ratio in the endpoint's words, as far as it has any.
fn shape(request: &ImageRequest, rules: &Rules) -> Vec<(&'static str, Value)> {
    match rules.shape {
        Shape::Size => request.size.iter().map(|size| ("size", Value::from(size.as_str()))).collect(),
        Shape::AspectRatio => {
            request.aspect_ratio.iter().map(|ratio| ("aspect_ratio", Value::from(ratio.as_str()))).collect()
        }
        Shape::WidthHeight => match request.size.as_deref().and_then(width_and_height) {
            Some((width, height)) => vec![("width", Value::from(width)), ("height", Value::from(height))],
            None => Vec::new(),
        },
    }
}

fn width_and_height(size: &str) -> Option<(u64, u64)> {
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// What [`calls`] left out of a request.
pub(super) fn warnings(request: &ImageRequest, target: &Target) -> Vec<Warning> {
    let rules = Rules::for_target(target);
    let written: Vec<&str> = shape(request, &rules).into_iter().map(|(name, _)| name).collect();
    let mut found = Vec::new();
    let mut left_out = |feature: &str, said: bool| {
        if said {
            found.push(Warning::unsupported(
                feature,
                format!("The provider '{}' does not know it for '{}'.", target.provider, target.model),
            ));
        }
    };
    left_out("size", request.size.is_some() && !written.iter().any(|name| matches!(*name, "size" | "width")));
    left_out("aspect_ratio", request.aspect_ratio.is_some() && !written.contains(&"aspect_ratio"));
    left_out("seed", request.seed.is_some() && rules.seed.is_none());
    for (name, _) in &request.extra {
        left_out(name, rules.extra.is_some_and(|known| !known.contains(&name.as_str())));
    }
    found
}
