//! Reads results, under `results` or `data`.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_domain::Failure;
use tollgate_domain::reply::ResponseInfo;
use tollgate_domain::task::{Ranked, RerankRequest};

use crate::Target;
use crate::task_answer::{broken, no_answer, number};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, alias = "data")]
    results: Vec<Item<'a>>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    meta: Value,
}

#[derive(Deserialize)]
struct Item<'a> {
    index: usize,
    #[serde(borrow, alias = "score")]
    relevance_score: &'a RawValue,
}

/// An answer, its order checked.
pub(crate) struct Answer {
    /// The results, best first, as many as were asked for.
    pub(crate) ranking: Vec<Ranked>,
    /// `usage`, or Cohere's `meta`.
    pub(crate) report: Value,
    /// Id and model.
    pub(crate) info: ResponseInfo,
}

/// Reads an answer.
///
/// # Errors
/// `Server` when it has no results, or one for a document that was not sent or was ranked already; what an
/// error in it means.
pub(crate) fn parse(request: &RerankRequest, target: &Target, body: &[u8]) -> Result<Answer, Failure> {
    let provider = target.provider.as_str();
    let Ok(body) = serde_json::from_slice::<Body<'_>>(body) else {
        return Err(no_answer(provider, body, "list of results with 'index' and 'relevance_score'"));
    };
    let mut seen = vec![false; request.documents.len()];
    let mut ranking = Vec::with_capacity(body.results.len());
    for item in &body.results {
        match seen.get_mut(item.index) {
            Some(seen) if !*seen => *seen = true,
            _ => {
                return Err(broken(
                    provider,
                    &format!("its result for document {} is double or out of range", item.index),
                ));
            }
        }
        let Some(score) = number(item.relevance_score) else {
            return Err(broken(provider, &format!("document {} has a score that is no number", item.index)));
        };
        ranking.push(Ranked { index: item.index, score });
    }
    // Not all servers sort; where scores are equal their order stays.
    let value = |ranked: &Ranked| ranked.score.as_f64().unwrap_or(f64::NEG_INFINITY);
    ranking.sort_by(|a, b| value(b).total_cmp(&value(a)));
    if let Some(most) = request.top_n {
        ranking.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    let report = if body.usage.is_null() { body.meta } else { body.usage };
    let info = ResponseInfo { id: body.id, model: body.model, ..ResponseInfo::default() };
    Ok(Answer { ranking, report, info })
}
