//! Cohere's rerank, version 2 (providers §12): documents are texts, use is billed in search units.

use serde_json::{Value, json};
use tollgate_domain::task::{RerankReply, RerankRequest};
use tollgate_domain::{Failure, InputError, Usage};

use crate::rerank::{answer, document};
use crate::task_answer::count;
use crate::{Target, TaskCall, task_options};

/// Members that the codec writes itself.
const OWNED: [&str; 6] = ["model", "query", "documents", "top_n", "return_documents", "rank_fields"];

/// The call of a request; always one, since scores of several calls make no order.
///
/// # Errors
/// When the request cannot be written.
pub fn calls(request: &RerankRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    let mut body = task_options::members(&request.provider_options, &target.provider);
    body.retain(|name, _| !OWNED.contains(&name.as_str()));
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    body.insert("query".to_owned(), Value::from(request.query.as_str()));
    body.insert("documents".to_owned(), json!(document::texts(request)));
    if let Some(most) = request.top_n {
        // More than there are documents is refused.
        body.insert("top_n".to_owned(), Value::from(most.min(request.documents.len() as u64)));
    }
    if let Some(tokens) = request.max_tokens_per_document {
        body.insert("max_tokens_per_doc".to_owned(), Value::from(tokens));
    }
    let text = serde_json::to_vec(&body).map_err(|error| {
        InputError::invalid("documents", format!("The request cannot be written as JSON: {error}."))
    })?;
    Ok(vec![TaskCall::json("/rerank", text)])
}

/// Reads the body of the call; `part` is 0.
///
/// # Errors
/// A failure of the provider when the body is no such answer: `Server`, or what an error in it means.
pub fn read(
    request: &RerankRequest,
    target: &Target,
    _part: usize,
    body: &[u8],
) -> Result<RerankReply, Failure> {
    let answer = answer::parse(request, target, body)?;
    let units = answer.report.get("billed_units");
    let searches = units.and_then(|units| count(units, &["search_units"]));
    let usage = searches.map(|searches| Usage { searches, ..Usage::default() });
    Ok(RerankReply { ranking: answer.ranking, usage, info: answer.info, warnings: Vec::new() })
}

#[cfg(test)]
mod tests {
    use tollgate_domain::task::RerankDocument;

    use super::*;

    fn target() -> Target {
        Target { provider: "cohere".into(), model: "rerank-v3.5".into(), ..Target::default() }
    }

    #[test]
    fn a_call_has_texts_only() {
        let request = RerankRequest {
            query: "q".into(),
            documents: vec![
                RerankDocument::Text("a".into()),
                RerankDocument::Object(json!({"title": "t", "text": "x"})),
            ],
            top_n: Some(9),
            max_tokens_per_document: Some(100),
            rank_fields: vec!["text".into()],
            provider_options: vec![("cohere".into(), json!({"priority": 2, "topN": 1}))],
        };
        let calls = calls(&request, &target()).unwrap();
        assert_eq!((calls.len(), &calls[0].path[..]), (1, "/rerank"));
        assert_eq!(
            serde_json::from_slice::<Value>(&calls[0].body).unwrap(),
            json!({"priority": 2, "model": "rerank-v3.5", "query": "q", "documents": ["a", "x"], "top_n": 2, "max_tokens_per_doc": 100})
        );
    }

    #[test]
    fn an_answer_bills_search_units() {
        let documents = vec![RerankDocument::Text("a".into()); 2];
        let request = RerankRequest { documents, ..Default::default() };
        let body = br#"{"id":"r-1","results":[{"index":1,"relevance_score":0.75},{"index":0,"relevance_score":1}],"meta":{"billed_units":{"search_units":3.0}}}"#;
        let reply = read(&request, &target(), 0, body).unwrap();
        assert_eq!(reply.ranking.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 1], "best first");
        assert_eq!((reply.usage.unwrap().searches, reply.info.id.as_deref()), (3, Some("r-1")));
    }
}
