//! Reads the answer to a call.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::task::{EmbeddingReply, EmbeddingRequest, Vector};
use tollgate_domain::{Failure, JsonText, Usage};
use tollgate_wire::json::{self, Kind};

use super::calls;
use super::rules::{Asked, Rules};
use crate::Target;
use crate::task_answer::{broken, count, no_answer};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(default)]
    index: Option<usize>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

/// Reads the body of call number `part`.
///
/// # Errors
/// A failure of the provider when the body is no such answer: `Server`, or what an error in it means.
pub fn read(
    request: &EmbeddingRequest,
    target: &Target,
    part: usize,
    body: &[u8],
) -> Result<EmbeddingReply, Failure> {
    let provider = target.provider.as_str();
    let rules = Rules::for_target(target);
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(body) else {
        return Err(no_answer(provider, body, "member 'data' with embeddings"));
    };
    let due = calls::parts(request, &rules).get(part).map_or(0, ExactSizeIterator::len);
    if answer.data.len() != due {
        return Err(broken(
            provider,
            &format!("it has {} embeddings where {due} were asked for", answer.data.len()),
        ));
    }
    let mut vectors: Vec<Option<Vector>> = vec![None; due];
    for (place, item) in answer.data.iter().enumerate() {
        let index = item.index.unwrap_or(place);
        match vectors.get_mut(index) {
            Some(slot @ None) => *slot = Some(vector(provider, rules.asked, item.embedding)?),
            _ => return Err(broken(provider, &format!("its embedding {index} is double or out of range"))),
        }
    }
    Ok(EmbeddingReply {
        vectors: vectors.into_iter().flatten().collect(),
        usage: usage(&answer.usage),
        info: ResponseInfo { id: answer.id, model: answer.model, ..ResponseInfo::default() },
    })
}

/// Voyage reports a total only.
fn usage(report: &Value) -> Option<Usage> {
    let input = count(report, &["prompt_tokens", "total_tokens"])?;
    Some(Usage { input_uncached: input, ..Usage::default() })
}

/// A vector, checked so that it can be turned into either form.
fn vector(provider: &str, asked: Asked, raw: &RawValue) -> Result<Vector, Failure> {
    let text = raw.get();
    match json::kind(text.as_bytes()) {
        Kind::Array if is_numbers(text) => Ok(Vector::Json(JsonText::new(text.to_owned()))),
        Kind::Array => Err(broken(provider, "an embedding holds something else than numbers")),
        Kind::String => base64_vector(provider, asked, &json::string(text.as_bytes()).unwrap_or_default()),
        _ => Err(broken(provider, "an embedding is neither numbers nor base64")),
    }
}

/// Whether an array, which is known to be JSON, holds numbers only: nothing else is written with these.
pub(crate) fn is_numbers(array: &str) -> bool {
    array.bytes().all(|b| {
        matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' | b',' | b' ' | b'\n' | b'\r' | b'\t')
            || b == b'['
            || b == b']'
    }) && array.bytes().filter(|b| *b == b'[').count() == 1
}

fn base64_vector(provider: &str, asked: Asked, text: &str) -> Result<Vector, Failure> {
    let Ok(bytes) = LENIENT.decode(text) else {
        return Err(broken(provider, "the base64 of an embedding cannot be read"));
    };
    if asked == Asked::Int8 {
        let numbers: Vec<i8> = bytes.iter().map(|byte| byte.cast_signed()).collect();
        return Ok(Vector::Json(JsonText::from(&Value::from(numbers))));
    }
    if bytes.len() % 4 != 0 {
        return Err(broken(provider, "the base64 of an embedding is not made of 32-bit floats"));
    }
    Ok(Vector::Base64(text.to_owned()))
}
