//! Documents as texts, for providers that take nothing else.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tollgate_domain::task::{RerankDocument, RerankRequest};

/// All documents as texts. A record becomes lines of `name: value`, of its `rank_fields` only where some are
/// named and it has any of them; a field of a text is that text.
pub(crate) fn texts(request: &RerankRequest) -> Vec<Cow<'_, str>> {
    request
        .documents
        .iter()
        .map(|document| match document {
            RerankDocument::Text(text) => Cow::Borrowed(text.as_str()),
            RerankDocument::Object(Value::Object(record)) => {
                Cow::Owned(text_of(record, &request.rank_fields))
            }
            RerankDocument::Object(other) => Cow::Owned(other.to_string()),
        })
        .collect()
}

fn text_of(record: &Map<String, Value>, rank_fields: &[String]) -> String {
    let ranked: Vec<(&String, &Value)> =
        rank_fields.iter().filter_map(|name| Some((name, record.get(name)?))).collect();
    let fields = if ranked.is_empty() { record.iter().collect() } else { ranked };
    // One text needs no name: `{text}` is the common record.
    if let [(_, Value::String(text))] = fields[..] {
        return text.clone();
    }
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    };
    fields.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_become_lines() {
        let of = |record: Value, fields: &[&str]| {
            let request = RerankRequest {
                documents: vec![RerankDocument::Object(record)],
                rank_fields: fields.iter().map(|f| (*f).to_owned()).collect(),
                ..Default::default()
            };
            texts(&request)[0].clone().into_owned()
        };
        let record = json!({"title": "T", "year": 1999, "text": "body"});
        assert_eq!(of(json!({"text": "only"}), &[]), "only");
        assert_eq!(of(record.clone(), &[]), "title: T\nyear: 1999\ntext: body");
        assert_eq!(of(record.clone(), &["text", "title", "none"]), "text: body\ntitle: T");
        assert_eq!(of(record.clone(), &["text"]), "body");
        assert_eq!(of(record, &["none"]), "title: T\nyear: 1999\ntext: body");
    }
}
