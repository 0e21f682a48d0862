//! Reads a request for a rerank.

use bytes::Bytes;
use tollgate_domain::task::{Product, RerankDocument, RerankRequest, Task};
use tollgate_domain::{InputError, Receipt};
use tollgate_wire::json::{self, Kind};

use super::answer;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, boolean, string, wrong};
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, task_body};

/// The version of Cohere's interface that a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `/v1/rerank`: documents may be objects, and can be sent back.
    V1,
    /// `/v2/rerank`: documents are strings.
    V2,
}

impl Version {
    /// The number in `meta.api_version.version`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }
}

/// A checked request for a rerank.
#[derive(Clone, Debug)]
pub struct Request {
    head: Head,
    task: Task,
    version: Version,
    return_documents: bool,
}

impl Request {
    /// Reads and checks a body. `rank_fields` and `return_documents` are version 1's; in version 2 they are
    /// members like any unknown one.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path of a member that is missing or has
    /// a wrong type or value.
    pub fn parse(version: Version, body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model', 'query' and 'documents'")?;
        let Some(fields) = Fields::of(checked.text()) else {
            return Err(InputError::missing("model", "a model id"));
        };
        let model = task_body::model(fields.get("model"))?;
        let Some(query) = task_body::text(&fields, "query")? else {
            return Err(InputError::missing("query", "the text that is looked for"));
        };
        let documents = match fields.get("documents") {
            Some(raw) => documents(version, raw)?,
            None => return Err(InputError::missing("documents", "a non-empty array of documents")),
        };
        let (mut rank_fields, mut return_documents) = (Vec::new(), false);
        if version == Version::V1 {
            if let Some(raw) = fields.get("rank_fields") {
                rank_fields = strings("rank_fields", raw)?;
            }
            if let Some(raw) = fields.get("return_documents") {
                return_documents = boolean(&Path::Body.member("return_documents"), raw)?;
            }
        }
        let request = RerankRequest {
            query,
            documents,
            top_n: task_body::positive(&fields, "top_n")?,
            max_tokens_per_document: task_body::positive(&fields, "max_tokens_per_doc")?,
            rank_fields,
            provider_options: task_body::namespaces(fields.get("providerOptions"))?,
        };
        let head = task_body::head(model, task_body::options(&fields)?);
        Ok(Self { head, task: Task::Rerank(request), version, return_documents })
    }
}

impl TaskRequest for Request {
    fn surface(&self) -> &'static str {
        "rerank"
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn encode(&self, context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
        let documents = match &self.task {
            Task::Rerank(request) if self.return_documents => &request.documents[..],
            _ => &[],
        };
        answer::write(self.version, context, product, documents, receipt)
    }
}

fn documents(version: Version, raw: &[u8]) -> Result<Vec<RerankDocument>, InputError> {
    let root = Path::Body;
    let path = root.member("documents");
    array(&path, raw)?;
    let items = elements(raw);
    if items.is_empty() {
        return Err(InputError::invalid(
            "documents",
            "'documents' is an empty array; expected at least one document.",
        ));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(i, raw)| {
            let path = path.element(i);
            match (json::kind(raw), version) {
                (Kind::String, _) => Ok(RerankDocument::Text(string(&path, raw)?.into_owned())),
                (Kind::Object, Version::V1) => {
                    serde_json::from_slice(raw).map(RerankDocument::Object).map_err(|error| {
                        InputError::invalid(
                            path.to_string(),
                            format!("'{path}' cannot be read: {error}. Mend its JSON."),
                        )
                    })
                }
                (Kind::Object, Version::V2) => Err(InputError::invalid(
                    path.to_string(),
                    format!(
                        "'{path}' must be a string, but it is an object. Write the record as one text, or use /v1/rerank, which takes objects."
                    ),
                )),
                (_, Version::V1) => Err(wrong(&path, "a string or an object", raw)),
                (_, Version::V2) => Err(wrong(&path, "a string", raw)),
            }
        })
        .collect()
}

fn strings(name: &str, raw: &[u8]) -> Result<Vec<String>, InputError> {
    let root = Path::Body;
    let path = root.member(name);
    array(&path, raw)?;
    let item = |(i, raw)| Ok(string(&path.element(i), raw)?.into_owned());
    elements(raw).into_iter().enumerate().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(version: Version, body: &str) -> Result<Request, InputError> {
        Request::parse(version, &Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn both_versions_are_read() {
        let body = r#"{"model":"cohere/rerank-v3.5","query":"q","documents":["a",{"title":"t","n":1}],"top_n":1,"max_tokens_per_doc":512,"max_chunks_per_doc":10,"rank_fields":["title"],"return_documents":true,"providerOptions":{"gateway":{"user":"u"},"cohere":{"priority":1}}}"#;
        let request = parse(Version::V1, body).unwrap();
        assert_eq!((request.surface(), request.head().model.as_str()), ("rerank", "cohere/rerank-v3.5"));
        assert_eq!(request.head().options.user.as_deref(), Some("u"));
        let Task::Rerank(task) = request.task() else { panic!("{request:?}") };
        assert_eq!((task.top_n, task.max_tokens_per_document), (Some(1), Some(512)));
        assert_eq!((task.documents.len(), &task.rank_fields[0][..]), (2, "title"));
        assert!(request.return_documents && task.provider_options.len() == 1);
        let second =
            r#"{"model":"m/r","query":"q","documents":["a"],"rank_fields":7,"return_documents":"x"}"#;
        assert!(!parse(Version::V2, second).unwrap().return_documents);
    }

    #[test]
    fn errors_name_the_member() {
        for (version, members, path) in [
            (Version::V2, r#""query":"q","documents":["a"]"#, "model"),
            (Version::V2, r#""model":"m","documents":["a"]"#, "query"),
            (Version::V2, r#""model":"m","query":"q""#, "documents"),
            (Version::V2, r#""model":"m","query":"q","documents":[]"#, "documents"),
            (Version::V2, r#""model":"m","query":"q","documents":"a""#, "documents"),
            (Version::V2, r#""model":"m","query":"q","documents":["a",{"text":"b"}]"#, "documents[1]"),
            (Version::V1, r#""model":"m","query":"q","documents":["a",5]"#, "documents[1]"),
            (Version::V1, r#""model":"m","query":"q","documents":["a"],"rank_fields":[1]"#, "rank_fields[0]"),
            (
                Version::V1,
                r#""model":"m","query":"q","documents":["a"],"return_documents":1"#,
                "return_documents",
            ),
            (Version::V2, r#""model":"m","query":"q","documents":["a"],"top_n":0"#, "top_n"),
            (
                Version::V2,
                r#""model":"m","query":"q","documents":["a"],"max_tokens_per_doc":-1"#,
                "max_tokens_per_doc",
            ),
        ] {
            let error = parse(version, &format!("{{{members}}}")).unwrap_err();
            assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{members}: {error}");
        }
    }
}
