//! OpenAI's images: generated and edited (providers §11).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Meta, png, text};
use crate::api_error::ApiError;
use crate::reply::Reply;

const MOST_IMAGES: u64 = 10;
const MOST_INPUTS: usize = 16;
const IMAGE_TOKENS: u64 = 272;
const INPUT_IMAGE_TOKENS: u64 = 194;

/// Answers `…/images/generations`, or `…/images/edits` when `edit`. Models named `dall-e…` speak the older
/// form: they take `response_format`, answer with addresses by default, and report no usage.
pub(crate) fn write(body: &Value, model: &str, edit: bool, meta: &Meta<'_>) -> Result<Reply, ApiError> {
    let older = model.starts_with("dall-e");
    let Some(prompt) = body["prompt"].as_str().filter(|p| !p.is_empty()) else {
        let error = ApiError::param("prompt", "Missing required parameter: 'prompt'.");
        return Err(ApiError { code: Some("missing_required_parameter"), ..error });
    };
    let format = body["response_format"].as_str();
    if format.is_some() && !older {
        let error = ApiError::param("response_format", "Unknown parameter: 'response_format'.");
        return Err(ApiError { code: Some("unknown_parameter"), ..error });
    }
    let inputs = if edit { inputs(body)? } else { 0 };
    let count = count(&body["n"])?;
    let data: Vec<Value> = (0..count)
        .map(|n| match (older, format) {
            (true, None | Some("url")) => {
                let name = text::hash(prompt.as_bytes()) ^ n;
                json!({"url": format!("https://images.example.com/{name:016x}.png"), "revised_prompt": prompt})
            }
            (true, _) => {
                json!({"b64_json": STANDARD.encode(png::drawn(prompt, n)), "revised_prompt": prompt})
            }
            (false, _) => json!({"b64_json": STANDARD.encode(png::drawn(prompt, n))}),
        })
        .collect();
    let mut answer = json!({"created": meta.created, "data": data});
    if !older {
        let text = text::tokens(prompt.len());
        let input = meta.usage.input_tokens.unwrap_or(text + inputs * INPUT_IMAGE_TOKENS);
        let output = meta.usage.output_tokens.unwrap_or(count * IMAGE_TOKENS);
        for (name, otherwise) in [("background", "opaque"), ("quality", "low"), ("size", "1024x1024")] {
            answer[name] = json!(body[name].as_str().filter(|v| *v != "auto").unwrap_or(otherwise));
        }
        answer["output_format"] = json!("png");
        answer["usage"] = json!({"input_tokens": input, "output_tokens": output,
            "total_tokens": input + output, "input_tokens_details": {
                "text_tokens": input.saturating_sub(inputs * INPUT_IMAGE_TOKENS),
                "image_tokens": inputs * INPUT_IMAGE_TOKENS}});
    }
    Ok(Reply::json(200, &answer))
}

/// How many images an edit is given: files of a form, or `images` of a JSON body.
fn inputs(body: &Value) -> Result<u64, ApiError> {
    let given = match (&body["image"], &body["images"]) {
        (Value::Array(list), _) | (_, Value::Array(list)) => list.len(),
        (Value::Object(_), _) => 1,
        _ => 0,
    };
    match given {
        0 => {
            let error = ApiError::param("image", "Missing required parameter: 'image'.");
            Err(ApiError { code: Some("missing_required_parameter"), ..error })
        }
        n if n > MOST_INPUTS => {
            let message = format!("Invalid 'image': array too long. Expected at most {MOST_INPUTS} images.");
            Err(ApiError { code: Some("array_above_max_length"), ..ApiError::param("image", message) })
        }
        n => Ok(n as u64),
    }
}

/// A form holds the number as text.
fn count(n: &Value) -> Result<u64, ApiError> {
    let count = match n {
        Value::Null => Some(1),
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    count.filter(|n| (1..=MOST_IMAGES).contains(n)).ok_or_else(|| {
        ApiError::param("n", format!("Invalid 'n': expected an integer from 1 to {MOST_IMAGES}, got {n}."))
    })
}
