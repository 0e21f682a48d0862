//! Embeddings (providers §10): `:embedContent` and `:batchEmbedContents` of the Gemini API, `:predict` of
//! Vertex AI.

use serde_json::{Map, Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::task::{EmbeddingInput, EmbeddingReply, EmbeddingRequest, Vector};
use tollgate_domain::{Failure, InputError, JsonText, Usage};
use tollgate_wire::json::{self, Object};

use super::{address, options};
use crate::classify;
use crate::codec::{Target, TaskCall};

/// The most texts of one `:batchEmbedContents`.
const MAX_BATCH: usize = 100;
/// The most texts of one `:predict`.
const MAX_PREDICT: usize = 250;

/// The method that an endpoint is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// One text.
    Embed,
    /// Several texts.
    Batch,
    /// Vertex AI's older method.
    Predict,
}

/// How a request is cut into calls: the method, and how many texts each call takes.
fn plan(request: &EmbeddingRequest, target: &Target) -> (Method, usize) {
    // The second generation makes one vector of all that a request holds.
    let second = target.model.contains("gemini-embedding-2");
    if target.provider == "vertex" && !second {
        let one = target.model.contains("gemini-embedding-001");
        return (Method::Predict, if one { 1 } else { MAX_PREDICT });
    }
    if second || request.inputs.len() == 1 { (Method::Embed, 1) } else { (Method::Batch, MAX_BATCH) }
}

/// The calls that a request takes, in order.
///
/// # Errors
/// An input that is no text; no input at all.
pub fn calls(request: &EmbeddingRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    if request.inputs.is_empty() {
        return Err(InputError::missing("input", "at least one text"));
    }
    let texts: Vec<&str> = request
        .inputs
        .iter()
        .enumerate()
        .map(|(at, input)| match input {
            EmbeddingInput::Text(text) => Ok(text.as_str()),
            EmbeddingInput::Tokens(_) => Err(InputError::unsupported(
                format!("input[{at}]"),
                "This model embeds texts, not tokens of another model's vocabulary; send the text itself.",
            )),
        })
        .collect::<Result<_, _>>()?;
    let (method, size) = plan(request, target);
    let settings = Settings::of(request, target);
    texts.chunks(size).map(|texts| settings.call(method, texts, target)).collect()
}

/// What holds for every text of a request.
struct Settings {
    task_type: Option<Value>,
    title: Option<Value>,
    dimensions: Option<Value>,
    auto_truncate: Option<Value>,
}

impl Settings {
    fn of(request: &EmbeddingRequest, target: &Target) -> Self {
        let mut own = options::merged(&request.provider_options, target);
        Self {
            task_type: own.shift_remove("taskType"),
            title: own.shift_remove("title"),
            dimensions: request
                .dimensions
                .map(Value::from)
                .or_else(|| own.shift_remove("outputDimensionality")),
            auto_truncate: own.shift_remove("autoTruncate"),
        }
    }

    fn call(&self, method: Method, texts: &[&str], target: &Target) -> Result<TaskCall, InputError> {
        let (name, body) = match method {
            Method::Embed => ("embedContent", self.content(texts.first().unwrap_or(&""), target)),
            Method::Batch => {
                let requests: Vec<Value> = texts.iter().map(|text| self.content(text, target)).collect();
                ("batchEmbedContents", json!({"requests": requests}))
            }
            Method::Predict => ("predict", self.instances(texts)),
        };
        let body = serde_json::to_vec(&body).map_err(|e| {
            InputError::invalid(
                "input",
                format!("The request cannot be written as JSON: {e}. Check its content."),
            )
        })?;
        Ok(TaskCall::json(address::method(target, name), body))
    }

    fn content(&self, text: &str, target: &Target) -> Value {
        let mut members = Map::new();
        members.insert("model".to_owned(), address::name(target).into());
        members.insert("content".to_owned(), json!({"parts": [{"text": text}]}));
        put(&mut members, "taskType", self.task_type.as_ref());
        put(&mut members, "title", self.title.as_ref());
        put(&mut members, "outputDimensionality", self.dimensions.as_ref());
        Value::Object(members)
    }

    fn instances(&self, texts: &[&str]) -> Value {
        let instances: Vec<Value> = texts
            .iter()
            .map(|text| {
                let mut members = Map::new();
                members.insert("content".to_owned(), (*text).into());
                put(&mut members, "task_type", self.task_type.as_ref());
                put(&mut members, "title", self.title.as_ref());
                Value::Object(members)
            })
            .collect();
        let mut parameters = Map::new();
        put(&mut parameters, "outputDimensionality", self.dimensions.as_ref());
        put(&mut parameters, "autoTruncate", self.auto_truncate.as_ref());
        let mut body = json!({"instances": instances});
        if !parameters.is_empty() {
            body["parameters"] = Value::Object(parameters);
        }
        body
    }
}

fn put(members: &mut Map<String, Value>, key: &str, value: Option<&Value>) {
    if let Some(value) = value {
        members.insert(key.to_owned(), value.clone());
    }
}

/// Reads the answer of one call; `part` is its place among [`calls`].
///
/// # Errors
/// An error under status 200, an answer that cannot be read, or another number of vectors than texts.
pub fn read(
    request: &EmbeddingRequest,
    target: &Target,
    part: usize,
    body: &[u8],
) -> Result<EmbeddingReply, Failure> {
    let answer =
        Object::parse(body.trim_ascii()).map_err(|e| broken(&format!("it is no JSON object ({e})")))?;
    if answer.has("error") {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        return Err(classify::error_value(&target.provider, 200, &value));
    }
    let (_, size) = plan(request, target);
    let expected = request.inputs.len().saturating_sub(part.saturating_mul(size)).min(size);
    let mut tokens = 0_u64;
    let mut counted = false;
    let mut vectors = Vec::with_capacity(expected);
    for raw in held(&answer) {
        let Ok(embedding) = Object::parse_checked(raw) else { continue };
        let inner = embedding.get("embeddings").and_then(|raw| Object::parse_checked(raw).ok());
        let embedding = inner.as_ref().unwrap_or(&embedding);
        if let Some(count) = embedding.get("statistics").and_then(|raw| count(raw, "token_count")) {
            tokens = tokens.saturating_add(count);
            counted = true;
        }
        let values = embedding.get("values").filter(|raw| raw.first() == Some(&b'['));
        let values = values.ok_or_else(|| broken("a vector has no 'values'"))?;
        vectors.push(Vector::Json(JsonText::new(String::from_utf8_lossy(values).into_owned())));
    }
    if vectors.len() != expected {
        return Err(broken(&format!("it holds {} vectors for {expected} texts", vectors.len())));
    }
    if let Some(count) = answer.get("usageMetadata").and_then(|raw| count(raw, "promptTokenCount")) {
        (tokens, counted) = (count, true);
    }
    let usage = counted.then(|| Usage { input_uncached: tokens, ..Usage::default() });
    Ok(EmbeddingReply { vectors, usage, info: ResponseInfo::default() })
}

/// The vectors of an answer of any method.
fn held<'a>(answer: &'a Object<'_>) -> Vec<&'a [u8]> {
    if let Some(one) = answer.get("embedding") {
        return vec![one];
    }
    let list = answer.get("embeddings").or_else(|| answer.get("predictions"));
    list.and_then(|raw| json::elements(raw).ok()).unwrap_or_default()
}

fn count(raw: &[u8], name: &str) -> Option<u64> {
    Object::parse_checked(raw).ok()?.get(name).and_then(json::unsigned)
}

fn broken(what: &str) -> Failure {
    Failure::provider(FailureClass::Server, format!("The provider's embeddings cannot be read: {what}."))
}
