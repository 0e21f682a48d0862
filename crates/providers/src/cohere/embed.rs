//! Cohere's embeddings (providers §10): at most 96 texts a call, each call with an `input_type`.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::task::{EmbeddingInput, EmbeddingReply, EmbeddingRequest, Vector};
use tollgate_domain::{Failure, InputError, JsonText, Usage};

use crate::openai::embeddings::is_numbers;
use crate::task_answer::{broken, count, no_answer};
use crate::{Target, TaskCall, batches, task_options};

/// The most texts of a call.
const MAX_TEXTS: usize = 96;
/// What texts are for unless `providerOptions.cohere.inputType` says otherwise.
const INPUT_TYPE: &str = "search_document";
/// Members that the codec writes itself.
const OWNED: [&str; 4] = ["model", "texts", "inputs", "embedding_types"];

/// The calls of a request, in the order of its inputs.
///
/// # Errors
/// `Unsupported` when an input is tokens.
pub fn calls(request: &EmbeddingRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    parts(request).into_iter().map(|part| call(request, target, part)).collect()
}

fn parts(request: &EmbeddingRequest) -> Vec<Range<usize>> {
    batches::cut(request.inputs.iter().map(|_| 1), MAX_TEXTS, usize::MAX)
}

fn call(request: &EmbeddingRequest, target: &Target, part: Range<usize>) -> Result<TaskCall, InputError> {
    let mut texts = Vec::with_capacity(part.len());
    for input in request.inputs.get(part).unwrap_or_default() {
        match input {
            EmbeddingInput::Text(text) => texts.push(text.as_str()),
            EmbeddingInput::Tokens(_) => {
                return Err(InputError::unsupported(
                    "input",
                    format!(
                        "The provider '{}' takes text only, no tokens; send the text itself.",
                        target.provider
                    ),
                ));
            }
        }
    }
    let mut body = task_options::members(&request.provider_options, &target.provider);
    body.retain(|name, _| !OWNED.contains(&name.as_str()));
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    body.entry("input_type").or_insert_with(|| Value::from(INPUT_TYPE));
    body.insert("embedding_types".to_owned(), json!(["float"]));
    if let Some(length) = request.dimensions {
        body.insert("output_dimension".to_owned(), Value::from(length));
    }
    body.insert("texts".to_owned(), json!(texts));
    let text = serde_json::to_vec(&body).map_err(|error| {
        InputError::invalid("input", format!("The request cannot be written as JSON: {error}."))
    })?;
    Ok(TaskCall::json("/embed", text))
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow)]
    embeddings: &'a RawValue,
    #[serde(default)]
    meta: Value,
}

#[derive(Deserialize)]
struct ByType<'a> {
    #[serde(borrow)]
    float: Vec<&'a RawValue>,
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
    let expected = "member 'embeddings.float'";
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(body) else {
        return Err(no_answer(provider, body, expected));
    };
    // Without types, as some hosts of the models answer, the vectors stand there themselves.
    let text = answer.embeddings.get();
    let found = if text.starts_with('{') {
        serde_json::from_str::<ByType<'_>>(text).map(|typed| typed.float)
    } else {
        serde_json::from_str::<Vec<&RawValue>>(text)
    };
    let Ok(found) = found else { return Err(no_answer(provider, body, expected)) };
    let due = parts(request).get(part).map_or(0, ExactSizeIterator::len);
    if found.len() != due {
        return Err(broken(
            provider,
            &format!("it has {} embeddings where {due} were asked for", found.len()),
        ));
    }
    let mut vectors = Vec::with_capacity(due);
    for raw in found {
        let text = raw.get();
        if !text.starts_with('[') || !is_numbers(text) {
            return Err(broken(provider, "an embedding is no array of numbers"));
        }
        vectors.push(Vector::Json(JsonText::new(text.to_owned())));
    }
    let usage = answer.meta.get("billed_units").and_then(usage);
    let info = ResponseInfo { id: answer.id, ..ResponseInfo::default() };
    Ok(EmbeddingReply { vectors, usage, info })
}

fn usage(units: &Value) -> Option<Usage> {
    let (text, image) = (count(units, &["input_tokens"]), count(units, &["image_tokens"]));
    if text.is_none() && image.is_none() {
        return None;
    }
    Some(Usage { input_uncached: text.unwrap_or(0), input_image: image.unwrap_or(0), ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use tollgate_domain::failure::FailureClass;

    use super::*;

    fn target() -> Target {
        Target { provider: "cohere".into(), model: "embed-v4.0".into(), ..Target::default() }
    }

    fn request(count: usize) -> EmbeddingRequest {
        let inputs = (0..count).map(|n| EmbeddingInput::Text(n.to_string())).collect();
        EmbeddingRequest { inputs, ..Default::default() }
    }

    #[test]
    fn a_call_says_what_its_texts_are_for() {
        let mut asked = EmbeddingRequest { dimensions: Some(256), user: Some("u".into()), ..request(1) };
        let body = |r: &EmbeddingRequest| {
            serde_json::from_slice::<Value>(&calls(r, &target()).unwrap()[0].body).unwrap()
        };
        let mut want = json!({"model": "embed-v4.0", "input_type": "search_document", "embedding_types": ["float"], "output_dimension": 256, "texts": ["0"]});
        assert_eq!(body(&asked), want);
        asked.provider_options = vec![
            (
                "cohere".into(),
                json!({"inputType": "search_query", "truncate": "END", "embeddingTypes": ["int8"]}),
            ),
            ("voyage".into(), json!({"inputType": "document"})),
        ];
        want["input_type"] = json!("search_query");
        want["truncate"] = json!("END");
        assert_eq!(body(&asked), want);
        asked.inputs.push(EmbeddingInput::Tokens(vec![1]));
        assert_eq!(calls(&asked, &target()).unwrap_err().param.as_deref(), Some("input"));
    }

    #[test]
    fn splitting_keeps_the_order() {
        let request = request(200);
        let calls = calls(&request, &target()).unwrap();
        let mut next = 0;
        for (part, call) in calls.iter().enumerate() {
            assert_eq!(call.path, "/embed");
            let sent: Value = serde_json::from_slice(&call.body).unwrap();
            let vectors: Vec<Value> = sent["texts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| json!([t.as_str().unwrap().parse::<u32>().unwrap()]))
                .collect();
            let body =
                json!({"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 3}}})
                    .to_string();
            let reply = read(&request, &target(), part, body.as_bytes()).unwrap();
            assert_eq!(reply.usage.unwrap().input_total(), 3);
            for vector in reply.vectors {
                assert_eq!(vector, Vector::Json(JsonText::new(format!("[{next}]"))));
                next += 1;
            }
        }
        assert_eq!((calls.len(), next), (3, 200));
    }

    #[test]
    fn both_shapes_of_an_answer_and_none() {
        let read = |body: Value| read(&request(1), &target(), 0, body.to_string().as_bytes());
        let plain = read(json!({"embeddings": [[0.5, 1]], "meta": {}})).unwrap();
        assert_eq!((plain.vectors.len(), plain.usage), (1, None));
        for (body, says) in [
            (json!({"embeddings": {"int8": [[1]]}}), "no member 'embeddings.float'"),
            (json!({"embeddings": {"float": []}}), "0 embeddings where 1"),
            (json!({"embeddings": [["a"]]}), "no array of numbers"),
            (json!({"id": "x"}), "no member 'embeddings.float'"),
        ] {
            let failure = read(body).unwrap_err();
            assert!(
                failure.class == FailureClass::Server && failure.message.contains(says),
                "{}",
                failure.message
            );
        }
    }
}
