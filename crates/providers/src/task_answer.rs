//! What the readers of embeddings, images and rerank have in common.

use serde_json::value::RawValue;
use serde_json::{Number, Value};
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;

use crate::classify;

/// The failure of a body that is not the answer it should be. Some providers send an error under 200.
pub(crate) fn no_answer(provider: &str, body: &[u8], expected: &str) -> Failure {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return broken(provider, &format!("its answer is no JSON ({error})")),
    };
    let says_error =
        ["error", "detail", "message"].iter().any(|key| value.get(*key).is_some_and(|said| !said.is_null()));
    if says_error {
        return classify::error_value(provider, 200, &value);
    }
    broken(provider, &format!("its answer has no {expected}"))
}

/// The failure of an answer that makes no sense.
pub(crate) fn broken(provider: &str, problem: &str) -> Failure {
    Failure::provider(
        FailureClass::Server,
        format!("The provider '{provider}' answered with success, but {problem}."),
    )
}

/// A number as it was written. By way of `str`, since `serde_json` may round the last digit of a fraction.
pub(crate) fn number(raw: &RawValue) -> Option<Number> {
    let text = raw.get().trim();
    text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(text.parse().ok()?))
}

/// A count in a report, under the first of these names that has one.
pub(crate) fn count(report: &Value, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| {
        let value = report.get(*name)?;
        // Some write whole counts as floats.
        value.as_u64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0)?.to_string().parse().ok())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_answer_says_why() {
        let html = no_answer("p", b"<html>", "member 'data'");
        assert_eq!(html.class, FailureClass::Server);
        assert!(
            html.message.starts_with("The provider 'p' answered with success, but its answer is no JSON")
        );
        assert!(no_answer("p", b"{}", "member 'data'").message.contains("no member 'data'"));
        let error =
            no_answer("p", br#"{"error":{"message":"too many requests, slow down","code":429}}"#, "x");
        assert_eq!(
            (error.class, &error.message[..]),
            (FailureClass::RateLimit, "too many requests, slow down")
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["0.6475887154399037", "1", "-3", "1e-9", "0.0"] {
            let raw = RawValue::from_string(text.to_owned()).unwrap();
            assert_eq!(number(&raw).unwrap().to_string(), text);
        }
        assert_eq!(number(&RawValue::from_string("\"1\"".to_owned()).unwrap()), None);
    }

    #[test]
    fn counts_come_as_whole_numbers_of_either_kind() {
        let report = json!({"a": null, "b": 7, "c": 9.0, "d": -1, "e": 1.5});
        assert_eq!(count(&report, &["a", "b"]), Some(7));
        assert_eq!(count(&report, &["c"]), Some(9));
        assert_eq!((count(&report, &["d"]), count(&report, &["e", "z"])), (None, None));
    }
}
