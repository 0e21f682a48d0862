//! Writes the calls of a request.

use std::ops::Range;

use serde_json::{Value, json};
use tollgate_domain::InputError;
use tollgate_domain::task::{EmbeddingInput, EmbeddingRequest};

use super::rules::{Asked, Rules};
use crate::{Target, TaskCall, batches, task_options};

/// A text has at most about one token for each two bytes, whatever its language.
const BYTES_PER_TOKEN: usize = 2;

/// Members that the codec writes itself.
const OWNED: [&str; 4] = ["model", "input", "encoding_format", "stream"];

/// The calls of a request, in the order of its inputs.
///
/// # Errors
/// `Unsupported` when the endpoint cannot do what is asked, so that another one may.
pub fn calls(request: &EmbeddingRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    let rules = Rules::for_target(target);
    if request.dimensions.is_some() && rules.dimensions.is_none() {
        return Err(InputError::unsupported(
            "dimensions",
            format!(
                "'dimensions' cannot be chosen for '{}' at the provider '{}'; leave it out.",
                target.model, target.provider
            ),
        ));
    }
    if !rules.tokens && request.inputs.iter().any(|input| matches!(input, EmbeddingInput::Tokens(_))) {
        return Err(InputError::unsupported(
            "input",
            format!("The provider '{}' takes text only, no tokens; send the text itself.", target.provider),
        ));
    }
    parts(request, &rules).into_iter().map(|part| call(request, target, &rules, part)).collect()
}

/// Which inputs go into which call.
pub(super) fn parts(request: &EmbeddingRequest, rules: &Rules) -> Vec<Range<usize>> {
    let weights = request.inputs.iter().map(|input| match input {
        EmbeddingInput::Text(text) => text.len().div_ceil(BYTES_PER_TOKEN),
        EmbeddingInput::Tokens(tokens) => tokens.len(),
    });
    batches::cut(weights, rules.max_inputs, rules.max_tokens)
}

fn call(
    request: &EmbeddingRequest,
    target: &Target,
    rules: &Rules,
    part: Range<usize>,
) -> Result<TaskCall, InputError> {
    let inputs = request.inputs.get(part).unwrap_or_default();
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|input| match input {
            EmbeddingInput::Text(text) => json!(text),
            EmbeddingInput::Tokens(tokens) => json!(tokens),
        })
        .collect();
    let mut body = task_options::members(&request.provider_options, &target.provider);
    body.retain(|name, _| !OWNED.contains(&name.as_str()));
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    body.insert("input".to_owned(), Value::Array(inputs));
    let format = match rules.asked {
        Asked::Base64 => "base64",
        Asked::Float => "float",
        Asked::Int8 => "base64_int8",
    };
    body.insert("encoding_format".to_owned(), Value::from(format));
    if let (Some(length), Some(name)) = (request.dimensions, rules.dimensions) {
        body.insert(name.to_owned(), Value::from(length));
    }
    if let Some(user) = request.user.as_deref().filter(|_| rules.user) {
        body.insert("user".to_owned(), Value::from(user));
    }
    let text = serde_json::to_vec(&body).map_err(|error| {
        InputError::invalid("input", format!("The request cannot be written as JSON: {error}."))
    })?;
    Ok(TaskCall::json("/embeddings", text))
}
