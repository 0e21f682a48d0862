//! Writes the call of a request and reads its answer.

use serde_json::{Value, json};
use tollgate_domain::task::{RerankDocument, RerankReply, RerankRequest};
use tollgate_domain::{Failure, InputError, Usage, Warning};

use super::{answer, document};
use crate::task_answer::count;
use crate::{Target, TaskCall, task_options};

/// Members that the codec writes itself.
const OWNED: [&str; 7] = ["model", "query", "documents", "top_n", "top_k", "return_documents", "rank_fields"];

/// What sets a provider apart.
struct Rules {
    /// The member for the most results.
    most: &'static str,
    /// Records are taken, with `rank_fields`.
    records: bool,
    /// `return_documents` is understood; they are never wanted, since the client's own are at hand.
    returns: bool,
    /// The most documents of a call.
    max_documents: usize,
}

impl Rules {
    fn of(provider: &str) -> Self {
        let common = Self { most: "top_n", records: false, returns: false, max_documents: usize::MAX };
        match provider {
            "voyage" => Self { most: "top_k", max_documents: 1000, ..common },
            "together" | "togetherai" => Self { records: true, returns: true, ..common },
            "jina" => Self { returns: true, ..common },
            _ => common,
        }
    }
}

/// The call of a request; always one, since scores of several calls make no order.
///
/// # Errors
/// `Unsupported` when there are more documents than the provider takes, so that another one may.
pub fn calls(request: &RerankRequest, target: &Target) -> Result<Vec<TaskCall>, InputError> {
    let rules = Rules::of(&target.provider);
    if request.documents.len() > rules.max_documents {
        return Err(InputError::unsupported(
            "documents",
            format!(
                "'documents' has {} elements; the provider '{}' takes at most {}. Send fewer.",
                request.documents.len(),
                target.provider,
                rules.max_documents
            ),
        ));
    }
    let mut body = task_options::members(&request.provider_options, &target.provider);
    body.retain(|name, _| !OWNED.contains(&name.as_str()));
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    body.insert("query".to_owned(), Value::from(request.query.as_str()));
    let records = rules.records
        && request.documents.iter().all(|document| matches!(document, RerankDocument::Object(_)));
    if records {
        let records = request.documents.iter().filter_map(|document| match document {
            RerankDocument::Object(record) => Some(record.clone()),
            RerankDocument::Text(_) => None,
        });
        body.insert("documents".to_owned(), records.collect());
        if !request.rank_fields.is_empty() {
            body.insert("rank_fields".to_owned(), json!(request.rank_fields));
        }
    } else {
        body.insert("documents".to_owned(), json!(document::texts(request)));
    }
    if let Some(most) = request.top_n {
        body.insert(rules.most.to_owned(), Value::from(most.min(request.documents.len() as u64)));
    }
    if rules.returns {
        body.insert("return_documents".to_owned(), Value::Bool(false));
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
    let report = &answer.report;
    let tokens = count(report, &["prompt_tokens", "total_tokens"])
        // Jina and its like follow Cohere in this too.
        .or_else(|| count(report.get("tokens")?, &["input_tokens"]));
    // Hosts of models that are billed by the search pass its unit on.
    let searches =
        count(report, &["search_units"]).or_else(|| count(report.get("billed_units")?, &["search_units"]));
    let reported = tokens.is_some() || searches.is_some();
    let usage = reported.then(|| Usage {
        input_uncached: tokens.unwrap_or(0),
        searches: searches.unwrap_or(0),
        ..Usage::default()
    });
    let mut warnings = Vec::new();
    if request.max_tokens_per_document.is_some() {
        warnings.push(Warning::unsupported(
            "max_tokens_per_doc",
            format!("The provider '{}' cuts long documents off where it sees fit.", target.provider),
        ));
    }
    Ok(RerankReply { ranking: answer.ranking, usage, info: answer.info, warnings })
}

#[cfg(test)]
mod tests {
    use tollgate_domain::failure::FailureClass;

    use super::*;

    fn target(provider: &str) -> Target {
        Target { provider: provider.into(), model: "m".into(), ..Target::default() }
    }

    fn request(documents: Vec<RerankDocument>) -> RerankRequest {
        RerankRequest { query: "q".into(), documents, top_n: Some(1), ..Default::default() }
    }

    fn body(request: &RerankRequest, provider: &str) -> Value {
        let calls = calls(request, &target(provider)).unwrap();
        assert_eq!((calls.len(), &calls[0].path[..]), (1, "/rerank"));
        serde_json::from_slice(&calls[0].body).unwrap()
    }

    #[test]
    fn each_provider_gets_its_own_members() {
        let record = RerankDocument::Object(json!({"t": "x", "n": 1}));
        let mut records = request(vec![record.clone()]);
        records.rank_fields = vec!["t".into()];
        records.provider_options = vec![("voyage".into(), json!({"truncation": false, "topK": 7}))];
        let base = |more: Value| {
            let mut base = json!({"model": "m", "query": "q"});
            for (name, value) in more.as_object().unwrap() {
                base[name] = value.clone();
            }
            base
        };
        assert_eq!(
            body(&records, "voyage"),
            base(json!({"documents": ["x"], "top_k": 1, "truncation": false}))
        );
        let together = json!({"documents": [{"t": "x", "n": 1}], "rank_fields": ["t"], "top_n": 1, "return_documents": false});
        assert_eq!(body(&records, "togetherai"), base(together));
        assert_eq!(body(&records, "vllm"), base(json!({"documents": ["x"], "top_n": 1})));
        let mixed = request(vec![record, RerankDocument::Text("a".into())]);
        assert_eq!(body(&mixed, "togetherai")["documents"], json!(["t: x\nn: 1", "a"]));
        let many = request(vec![RerankDocument::Text("a".into()); 1001]);
        assert_eq!(calls(&many, &target("voyage")).unwrap_err().param.as_deref(), Some("documents"));
        assert!(calls(&many, &target("vllm")).is_ok());
    }

    #[test]
    fn results_are_sorted_and_cut() {
        let mut asked = request(vec![RerankDocument::Text("a".into()); 3]);
        asked.top_n = Some(2);
        asked.max_tokens_per_document = Some(5);
        let body = br#"{"data":[{"index":0,"score":0.25},{"index":2,"relevance_score":0.6475887154399037},{"index":1,"score":-1}],"usage":{"total_tokens":7}}"#;
        let reply = read(&asked, &target("voyage"), 0, body).unwrap();
        let found: Vec<_> = reply.ranking.iter().map(|r| (r.index, r.score.to_string())).collect();
        assert_eq!(found, [(2, "0.6475887154399037".to_owned()), (0, "0.25".to_owned())]);
        assert_eq!((reply.usage.unwrap().input_uncached, reply.usage.unwrap().searches), (7, 0));
        assert_eq!(reply.warnings[0].feature, "max_tokens_per_doc");
    }

    #[test]
    fn use_is_reported_in_tokens_searches_or_not_at_all() {
        let asked = request(vec![RerankDocument::Text("a".into())]);
        for (report, want) in [
            (r#","usage":{"prompt_tokens":4,"total_tokens":5}"#, Some((4, 0))),
            (r#","usage":{"search_units":2}"#, Some((0, 2))),
            (r#","meta":{"billed_units":{"search_units":1}}"#, Some((0, 1))),
            (r#","meta":{"tokens":{"input_tokens":8}}"#, Some((8, 0))),
            ("", None),
        ] {
            let body = format!(r#"{{"results":[{{"index":0,"relevance_score":1}}]{report}}}"#);
            let reply = read(&asked, &target("vllm"), 0, body.as_bytes()).unwrap();
            assert_eq!(reply.usage.map(|u| (u.input_uncached, u.searches)), want, "{report}");
        }
    }

    #[test]
    fn answers_that_make_no_sense_are_the_providers_failure() {
        let asked = request(vec![RerankDocument::Text("a".into()); 2]);
        for (body, says) in [
            (r#"{"results":[{"index":2,"relevance_score":1}]}"#, "out of range"),
            (r#"{"results":[{"index":1,"relevance_score":1},{"index":1,"relevance_score":1}]}"#, "double"),
            (r#"{"results":[{"index":1,"relevance_score":"1"}]}"#, "no number"),
            (r#"{"results":[{"relevance_score":1}]}"#, "list of results"),
            ("{}", "list of results"),
            ("<html>", "no JSON"),
        ] {
            let failure = read(&asked, &target("vllm"), 0, body.as_bytes()).unwrap_err();
            assert!(
                failure.class == FailureClass::Server && failure.message.contains(says),
                "{body}: {}",
                failure.message
            );
        }
    }
}
