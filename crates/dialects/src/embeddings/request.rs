//! Reads a request for embeddings.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::Receipt;
use tollgate_domain::task::{EmbeddingInput, EmbeddingRequest, Product, Task};
use tollgate_wire::json::{self, Kind};

use super::answer;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, excerpt, string, unsigned, wrong};
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, task_body};

/// The most inputs of a request, as with OpenAI (providers §10).
pub const MAX_INPUTS: usize = 2048;

const INPUT: &str = "a string, an array of strings, an array of tokens, or an array of arrays of tokens";

/// The form in which the client wants its vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// An array of numbers.
    #[default]
    Float,
    /// Base64 of little-endian 32-bit floats.
    Base64,
}

/// A checked request for embeddings.
#[derive(Clone, Debug)]
pub struct Request {
    head: Head,
    task: Task,
    encoding: Encoding,
}

impl Request {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path of a member that is missing or has
    /// a wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'input'")?;
        let Some(fields) = Fields::of(checked.text()) else {
            return Err(InputError::missing("model", "a model id"));
        };
        let model = task_body::model(fields.get("model"))?;
        let inputs = match fields.get("input") {
            Some(raw) => inputs(raw)?,
            None => return Err(InputError::missing("input", INPUT)),
        };
        let request = EmbeddingRequest {
            inputs,
            dimensions: task_body::positive(&fields, "dimensions")?,
            user: task_body::text(&fields, "user")?,
            provider_options: task_body::namespaces(fields.get("providerOptions"))?,
        };
        let encoding = encoding(fields.get("encoding_format"))?;
        let head = task_body::head(model, task_body::options(&fields)?);
        Ok(Self { head, task: Task::Embedding(request), encoding })
    }

    /// The form in which the client wants its vectors.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

impl TaskRequest for Request {
    fn surface(&self) -> &'static str {
        "embeddings"
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn encode(&self, context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
        answer::write(self.encoding, context, product, receipt)
    }
}

fn encoding(raw: Option<&[u8]>) -> Result<Encoding, InputError> {
    let root = Path::Body;
    let path = root.member("encoding_format");
    let Some(raw) = raw else { return Ok(Encoding::Float) };
    match &*string(&path, raw)? {
        "float" => Ok(Encoding::Float),
        "base64" => Ok(Encoding::Base64),
        other => Err(InputError::invalid(
            "encoding_format",
            format!("'encoding_format' is \"{}\"; expected \"float\" or \"base64\".", excerpt(other)),
        )),
    }
}

fn inputs(raw: &[u8]) -> Result<Vec<EmbeddingInput>, InputError> {
    let root = Path::Body;
    let path = root.member("input");
    match json::kind(raw) {
        Kind::String => return Ok(vec![EmbeddingInput::Text(string(&path, raw)?.into_owned())]),
        Kind::Array => {}
        _ => return Err(wrong(&path, INPUT, raw)),
    }
    let items = elements(raw);
    let Some(first) = items.first() else {
        return Err(InputError::invalid("input", format!("'input' is an empty array; expected {INPUT}.")));
    };
    // An array of numbers is one input, whatever its length.
    if json::kind(first) == Kind::Number {
        return Ok(vec![EmbeddingInput::Tokens(tokens(&path, &items)?)]);
    }
    if items.len() > MAX_INPUTS {
        return Err(InputError::invalid(
            "input",
            format!(
                "'input' has {} elements; at most {MAX_INPUTS} are taken at once. Split the request.",
                items.len()
            ),
        ));
    }
    let of_tokens = json::kind(first) == Kind::Array;
    items
        .iter()
        .enumerate()
        .map(|(i, raw)| {
            let path = path.element(i);
            if !of_tokens {
                return Ok(EmbeddingInput::Text(string(&path, raw)?.into_owned()));
            }
            if json::kind(raw) != Kind::Array {
                return Err(wrong(&path, "an array of tokens as the first element is", raw));
            }
            let items = elements(raw);
            if items.is_empty() {
                return Err(InputError::invalid(
                    path.to_string(),
                    format!("'{path}' is an empty array; expected at least one token."),
                ));
            }
            Ok(EmbeddingInput::Tokens(tokens(&path, &items)?))
        })
        .collect()
}

fn tokens(path: &Path<'_>, items: &[&[u8]]) -> Result<Vec<u64>, InputError> {
    items.iter().enumerate().map(|(i, raw)| unsigned(&path.element(i), raw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Request, InputError> {
        Request::parse(&Bytes::copy_from_slice(body.as_bytes()))
    }

    fn embedding(body: &str) -> EmbeddingRequest {
        match parse(body).unwrap().task {
            Task::Embedding(request) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inputs_come_in_four_forms() {
        let text = |t: &str| EmbeddingInput::Text(t.to_owned());
        for (input, want) in [
            (r#""a""#, vec![text("a")]),
            (r#"["a","b\n"]"#, vec![text("a"), text("b\n")]),
            ("[1,2]", vec![EmbeddingInput::Tokens(vec![1, 2])]),
            ("[[1],[2,3]]", vec![EmbeddingInput::Tokens(vec![1]), EmbeddingInput::Tokens(vec![2, 3])]),
        ] {
            assert_eq!(embedding(&format!(r#"{{"model":"m/e","input":{input}}}"#)).inputs, want);
        }
        let many = vec!["\"t\""; MAX_INPUTS].join(",");
        assert_eq!(embedding(&format!(r#"{{"model":"m/e","input":[{many}]}}"#)).inputs.len(), MAX_INPUTS);
        let long = vec!["7"; MAX_INPUTS + 1].join(",");
        assert_eq!(embedding(&format!(r#"{{"model":"m/e","input":[{long}]}}"#)).inputs.len(), 1);
    }

    #[test]
    fn everything_else_of_a_request_is_read() {
        let body = r#" {"model":"openai/text-embedding-3-large","input":"a","dimensions":256,"encoding_format":"base64","user":"u-1","new":{},"providerOptions":{"gateway":{"only":["openai"],"tags":["t"]},"voyage":{"inputType":"query"}}}"#;
        let request = parse(body).unwrap();
        assert_eq!((request.surface(), request.encoding()), ("embeddings", Encoding::Base64));
        let head = request.head();
        assert_eq!((head.model.as_str(), head.stream), ("openai/text-embedding-3-large", false));
        assert_eq!((&head.options.only[0][..], head.options.user.as_deref()), ("openai", Some("u-1")));
        let embedding = embedding(body);
        assert_eq!((embedding.dimensions, embedding.user.as_deref()), (Some(256), Some("u-1")));
        assert_eq!(embedding.provider_options.len(), 1);
        assert_eq!(
            parse(r#"{"model":"m/e","input":"a","encoding_format":null}"#).unwrap().encoding(),
            Encoding::Float
        );
    }

    #[test]
    fn errors_name_the_member() {
        let many = format!("[{}]", vec!["\"t\""; MAX_INPUTS + 1].join(","));
        for (members, path) in [
            (r#""model":"m""#, "input"),
            (r#""input":"a""#, "model"),
            (r#""model":"m","input":null"#, "input"),
            (r#""model":"m","input":{}"#, "input"),
            (r#""model":"m","input":[]"#, "input"),
            (r#""model":"m","input":["a",2]"#, "input[1]"),
            (r#""model":"m","input":[1,"a"]"#, "input[1]"),
            (r#""model":"m","input":[1,-2]"#, "input[1]"),
            (r#""model":"m","input":[[1],"a"]"#, "input[1]"),
            (r#""model":"m","input":[[1],[]]"#, "input[1]"),
            (r#""model":"m","input":[[1],[1.5]]"#, "input[1][0]"),
            (&format!(r#""model":"m","input":{many}"#), "input"),
            (r#""model":"m","input":"a","dimensions":0"#, "dimensions"),
            (r#""model":"m","input":"a","dimensions":"9""#, "dimensions"),
            (r#""model":"m","input":"a","encoding_format":"int8""#, "encoding_format"),
            (r#""model":"m","input":"a","user":5"#, "user"),
            (r#""model":"m","input":"a","providerOptions":{"voyage":[]}"#, "providerOptions.voyage"),
        ] {
            let error = parse(&format!("{{{members}}}")).unwrap_err();
            assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{members:.60}: {error}");
        }
        assert_eq!(parse("[1]").unwrap_err().status(), 400);
        assert_eq!(parse("{").unwrap_err().code, Some("invalid_json"));
    }
}
