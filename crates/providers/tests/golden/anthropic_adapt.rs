//! Recorded requests to Anthropic, passed through as if a client had sent them.

use serde_json::json;
use tollgate_providers::Target;
use tollgate_providers::anthropic::messages::{adapt, adapt_count, read_count};

use crate::fixture::recorded;

fn target() -> Target {
    Target {
        provider: "anthropic".to_owned(),
        model: "model-of-the-endpoint".to_owned(),
        ..Target::default()
    }
}

#[test]
fn i17_recorded_requests_pass_byte_for_byte() {
    let recorded = recorded("anthropic-messages", "chat");
    let mut seen = 0;
    for fixture in &recorded {
        let Some(mut body) = fixture.request.clone().filter(|body| body["model"].is_string()) else {
            continue;
        };
        let stream = body["stream"] == true;
        let adapted = adapt(body.to_string().as_bytes(), &target(), stream).unwrap();
        body["model"] = json!("model-of-the-endpoint");
        if body["stream"].is_boolean() || stream {
            body["stream"] = json!(stream);
        }
        assert_eq!(String::from_utf8(adapted).unwrap(), body.to_string(), "{}", fixture.name);
        seen += 1;
    }
    eprintln!("{seen} requests passed");
    assert!(recorded.is_empty() || seen > 90, "only {seen} requests were found");
}

#[test]
fn recorded_counts_are_asked_for_and_read() {
    let recorded = recorded("anthropic-messages", "count_tokens");
    let mut seen = 0;
    for fixture in &recorded {
        let counted = read_count(&fixture.body);
        assert_eq!(counted.is_some(), fixture.status == 200, "{}", fixture.name);
        let Some(mut body) = fixture.request.clone() else { continue };
        let adapted = adapt_count(body.to_string().as_bytes(), &target()).unwrap();
        body["model"] = json!("model-of-the-endpoint");
        assert_eq!(String::from_utf8(adapted).unwrap(), body.to_string(), "{}", fixture.name);
        seen += 1;
    }
    assert!(recorded.is_empty() || seen >= 3, "only {seen} counts were found");
}
