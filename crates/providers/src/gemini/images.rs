//! Images (providers §11): Imagen by `:predict`, and Gemini models that draw by `:generateContent`.

use serde_json::{Map, Value, json};
use tollgate_domain::conversation::FileData;
use tollgate_domain::failure::{FailureClass, Retry};
use tollgate_domain::reply::FinishReason;
use tollgate_domain::task::{GeneratedImage, ImageReply, ImageRequest};
use tollgate_domain::{Failure, InputError, ReplyEvent, Usage, Warning};

use super::{address, generate, options};
use crate::classify;
use crate::codec::{BodyForm, ReplyDecoder, Target, TaskCall};

/// The most images of one `:predict`.
const MAX_SAMPLES: u64 = 4;
/// The most images of one request (I26).
const MAX_IMAGES: u64 = 64;

fn is_imagen(target: &Target) -> bool {
    address::name(target).contains("imagen")
}

/// The calls that a request takes, in order. A Gemini model draws one image at a time.
///
/// # Errors
/// Images to change where the model only draws new ones; a mask; too many images.
pub fn calls(request: &ImageRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    let count = request.count.unwrap_or(1).max(1);
    if count > MAX_IMAGES {
        return Err(InputError::invalid(
            "n",
            format!("'n' is {count}; at most {MAX_IMAGES} images can be made at once."),
        ));
    }
    if request.mask.is_some() {
        return Err(InputError::unsupported(
            "mask",
            "This model takes no mask; leave it out and say in the prompt what shall change.",
        ));
    }
    if is_imagen(target) {
        if !request.images.is_empty() {
            return Err(InputError::unsupported(
                "image",
                "This model draws new images only; leave the image out, or choose a Gemini image model.",
            ));
        }
        let path = address::method(target, "predict");
        let samples =
            (0..count.div_ceil(MAX_SAMPLES)).map(|call| (count - call * MAX_SAMPLES).min(MAX_SAMPLES));
        return samples.map(|samples| written(&path, &prediction(request, target, samples))).collect();
    }
    let path = generate::path(target, false);
    (0..count).map(|number| written(&path, &drawing(request, target, number)?)).collect()
}

fn written(path: &str, body: &Value) -> Result<TaskCall, InputError> {
    let body = serde_json::to_vec(body).map_err(|e| {
        InputError::invalid(
            "prompt",
            format!("The request cannot be written as JSON: {e}. Check its content."),
        )
    })?;
    Ok(TaskCall::json(path, body))
}

/// The shape as a ratio: as given, or that of a size in pixels.
fn ratio(request: &ImageRequest) -> Option<String> {
    request.aspect_ratio.clone().or_else(|| {
        let (width, height) = pixels(request.size.as_deref()?)?;
        // The ratios that the models know, in thousandths.
        let known = [
            ("1:1", 1000),
            ("2:3", 667),
            ("3:2", 1500),
            ("3:4", 750),
            ("4:3", 1333),
            ("4:5", 800),
            ("5:4", 1250),
            ("9:16", 563),
            ("16:9", 1778),
            ("21:9", 2333),
        ];
        let asked = width.saturating_mul(1000) / height;
        known.iter().min_by_key(|(_, ratio)| asked.abs_diff(*ratio)).map(|(name, _)| (*name).to_owned())
    })
}

/// The size as the models name it (`1K`, `2K`, `4K`).
fn scale(request: &ImageRequest) -> Option<&'static str> {
    let size = request.size.as_deref()?;
    let longest = pixels(size).map(|(width, height)| width.max(height));
    match (size, longest) {
        ("1K" | "1k", _) => Some("1K"),
        ("2K" | "2k", _) => Some("2K"),
        ("4K" | "4k", _) => Some("4K"),
        (_, Some(longest)) if longest > 3000 => Some("4K"),
        (_, Some(longest)) if longest >= 1800 => Some("2K"),
        _ => None,
    }
}

fn pixels(size: &str) -> Option<(u64, u64)> {
    let (width, height) = size.split_once('x')?;
    let number = |text: &str| text.parse::<u64>().ok().filter(|n| *n > 0);
    Some((number(width)?, number(height)?))
}

/// Only Vertex AI lets a seed be given to Imagen.
fn takes_seed(target: &Target) -> bool {
    target.provider == "vertex" || !is_imagen(target)
}

fn prediction(request: &ImageRequest, target: &Target, samples: u64) -> Value {
    let mut parameters = Map::new();
    parameters.insert("sampleCount".to_owned(), samples.into());
    parameters.extend(ratio(request).map(|ratio| ("aspectRatio".to_owned(), ratio.into())));
    parameters.extend(scale(request).map(|scale| ("sampleImageSize".to_owned(), scale.into())));
    if let Some(seed) = request.seed.filter(|_| takes_seed(target)) {
        parameters.insert("seed".to_owned(), seed.into());
        // Watermarked images cannot be made again from a seed; the provider refuses both together.
        parameters.insert("addWatermark".to_owned(), false.into());
    }
    parameters.extend(options::merged(&request.provider_options, target));
    json!({"instances": [{"prompt": request.prompt}], "parameters": parameters})
}

fn drawing(request: &ImageRequest, target: &Target, number: u64) -> Result<Value, InputError> {
    let mut parts = vec![json!({"text": request.prompt})];
    for (at, image) in request.images.iter().enumerate() {
        parts.push(Value::Object(generate::file_part(image, &format!("image[{at}]"), target)?));
    }
    let mut config = json!({"responseModalities": ["TEXT", "IMAGE"]});
    let mut image = Map::new();
    image.extend(ratio(request).map(|ratio| ("aspectRatio".to_owned(), ratio.into())));
    image.extend(scale(request).map(|scale| ("imageSize".to_owned(), scale.into())));
    let mut body = Map::new();
    body.insert("contents".to_owned(), json!([{"role": "user", "parts": parts}]));
    // One seed for several images would draw the same image again.
    let seed =
        request.seed.and_then(|seed| i32::try_from(seed).ok()?.checked_add(i32::try_from(number).ok()?));
    if let Some(seed) = seed {
        config["seed"] = seed.into();
    }
    let mut members = Map::new();
    for (key, value) in options::merged(&request.provider_options, target) {
        match (key.as_str(), value) {
            ("imageConfig", Value::Object(own)) => image.extend(own),
            ("responseModalities" | "mediaResolution" | "thinkingConfig", value) => config[key] = value,
            ("generationConfig", Value::Object(own)) => {
                for (key, value) in own {
                    config[key] = value;
                }
            }
            ("contents" | "model", _) => {}
            (_, value) => {
                members.insert(key, value);
            }
        }
    }
    if !image.is_empty() {
        config["imageConfig"] = Value::Object(image);
    }
    body.insert("generationConfig".to_owned(), config);
    body.extend(members);
    Ok(Value::Object(body))
}

/// Reads the answer of one call; `part` is its place among [`calls`].
///
/// # Errors
/// An error under status 200, an answer that cannot be read, or one without any image.
pub fn read(
    request: &ImageRequest,
    target: &Target,
    part: usize,
    body: &[u8],
) -> Result<ImageReply, Failure> {
    let mut reply = if is_imagen(target) { predicted(target, body)? } else { drawn(target, body)? };
    // Told once, however many calls there were.
    if part == 0 {
        if request.seed.is_some() && !takes_seed(target) {
            reply.warnings.push(Warning::unsupported("seed", "The Gemini API takes no seed for this model."));
        }
        for (key, _) in &request.extra {
            reply
                .warnings
                .push(Warning::unsupported(key.as_str(), "Gemini has no such setting; it was left out."));
        }
    }
    Ok(reply)
}

fn predicted(target: &Target, body: &[u8]) -> Result<ImageReply, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|e| {
        Failure::provider(FailureClass::Server, format!("The provider's images cannot be read: {e}."))
    })?;
    if value.get("error").is_some() {
        return Err(classify::error_value(&target.provider, 200, &value));
    }
    let mut reply = ImageReply::default();
    let mut refused: Option<String> = None;
    for prediction in value.get("predictions").and_then(Value::as_array).into_iter().flatten() {
        let word = |key: &str| {
            prediction.get(key).and_then(Value::as_str).filter(|w| !w.trim().is_empty()).map(str::to_owned)
        };
        if let Some(data) = word("bytesBase64Encoded") {
            reply.images.push(GeneratedImage {
                data: FileData::Base64(data),
                media_type: word("mimeType"),
                revised_prompt: word("prompt"),
            });
        } else {
            refused = refused.or_else(|| word("raiFilteredReason"));
        }
    }
    if reply.images.is_empty() {
        return Err(match refused {
            Some(reason) => Failure::provider(FailureClass::ContentFilter, reason),
            // Filtered images are simply missing (providers §11).
            None => Failure::provider(
                FailureClass::ContentFilter,
                "The provider gave no image: its safety filter held all of them back. Change the prompt.",
            ),
        });
    }
    if let Some(reason) = refused {
        reply.warnings.push(Warning::unsupported("n", format!("Some images were held back: {reason}")));
    }
    let images = u64::try_from(reply.images.len()).unwrap_or(u64::MAX);
    reply.usage = Some(Usage { images, ..Usage::default() });
    Ok(reply)
}

/// What a Gemini model answered: its images, by the decoder of every answer (I2).
fn drawn(target: &Target, body: &[u8]) -> Result<ImageReply, Failure> {
    let mut decoder = generate::Decoder::new(target, BodyForm::Whole);
    let mut events = Vec::new();
    decoder.push(body, &mut events);
    decoder.end(&mut events);
    let mut reply = ImageReply::default();
    let mut said = String::new();
    let mut finish = None;
    for event in events {
        match event {
            ReplyEvent::File(file) if file.media_type.starts_with("image/") => {
                reply.images.push(GeneratedImage {
                    data: file.data,
                    media_type: Some(file.media_type),
                    revised_prompt: None,
                })
            }
            ReplyEvent::TextDelta { text, .. } => said.push_str(&text),
            ReplyEvent::Usage(usage) => reply.usage = Some(usage),
            ReplyEvent::Info(info) => reply.info = info,
            ReplyEvent::Finish(end) => {
                reply.native = end.native;
                finish = Some((end.reason, end.raw));
            }
            ReplyEvent::Failure(failure) => return Err(failure),
            _ => {}
        }
    }
    if reply.images.is_empty() {
        return Err(without_image(finish, &said));
    }
    let images = u64::try_from(reply.images.len()).unwrap_or(u64::MAX);
    reply.usage.get_or_insert_default().images = images;
    Ok(reply)
}

fn without_image(finish: Option<(FinishReason, Option<String>)>, said: &str) -> Failure {
    let (reason, raw) = finish.unwrap_or((FinishReason::Other, None));
    let raw = raw.unwrap_or_default();
    let class = if reason == FinishReason::ContentFilter {
        FailureClass::ContentFilter
    } else {
        FailureClass::Server
    };
    let message = if said.is_empty() {
        format!("The model made no image ('{raw}'). Change the prompt, or try again.")
    } else {
        let said: String = said.chars().take(500).collect();
        format!("The model made no image ('{raw}') but answered: {said}")
    };
    // The model would most likely answer the same again, and be paid for it again.
    let code = Some(raw).filter(|raw| !raw.is_empty());
    let retry = if class == FailureClass::Server { Retry::OtherTarget } else { class.default_retry() };
    Failure { code, retry, ..Failure::provider(class, message) }
}
