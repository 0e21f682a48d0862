//! What each dialect's clients ask of reasoning, in the neutral form (gateway-api §7.1, §7.2, §8.1, §17.4).

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_dialects::{ConversationRequest, ai_sdk, chat_completions, messages, responses};
use tollgate_domain::conversation::ReasoningRequest;

fn read(dialect: &str, members: &Value) -> Option<ReasoningRequest> {
    let turns = json!([{"role": "user", "content": "x"}]);
    let mut body = match dialect {
        "chat" | "messages" => json!({"model": "a/b", "max_tokens": 9000, "messages": turns}),
        "responses" => json!({"model": "a/b", "input": "x"}),
        _ => json!({"prompt": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
    };
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let bytes = Bytes::from(body.to_string());
    let request: Box<dyn ConversationRequest> = match dialect {
        "chat" => Box::new(chat_completions::Request::parse(&bytes).unwrap()),
        "messages" => Box::new(messages::Request::parse(&bytes).unwrap()),
        "responses" => Box::new(responses::Request::parse(&bytes).unwrap()),
        _ => Box::new(ai_sdk::LanguageRequest::parse(ai_sdk::Version::V4, "a/b", false, &bytes).unwrap()),
    };
    request.conversation().unwrap().reasoning
}

/// Whether reasoning is wanted, how hard, and with how many tokens.
type Asked = (bool, Option<&'static str>, Option<u64>);

#[test]
fn efforts_and_budgets_are_read_from_every_dialect() {
    let rows: [(&str, Value, Asked); 14] = [
        ("chat", json!({"reasoning_effort": "high"}), (true, Some("high"), None)),
        ("chat", json!({"reasoning": {"effort": "minimal"}}), (true, Some("minimal"), None)),
        ("chat", json!({"reasoning": {"max_tokens": 3000}}), (true, None, Some(3000))),
        ("chat", json!({"reasoning": {"enabled": true}}), (true, None, None)),
        ("chat", json!({"reasoning": {"enabled": false}}), (false, None, None)),
        ("chat", json!({"reasoning_effort": "none"}), (false, Some("none"), None)),
        (
            "messages",
            json!({"thinking": {"type": "enabled", "budget_tokens": 3000}}),
            (true, None, Some(3000)),
        ),
        ("messages", json!({"thinking": {"type": "adaptive"}}), (true, None, None)),
        (
            "messages",
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
            (true, Some("max"), None),
        ),
        ("messages", json!({"thinking": {"type": "disabled"}}), (false, None, None)),
        ("responses", json!({"reasoning": {"effort": "xhigh"}}), (true, Some("xhigh"), None)),
        ("responses", json!({"reasoning": {"effort": "none"}}), (false, Some("none"), None)),
        ("language", json!({"reasoning": "low"}), (true, Some("low"), None)),
        ("language", json!({"reasoning": "none"}), (false, Some("none"), None)),
    ];
    for (dialect, members, expected) in rows {
        let found =
            read(dialect, &members).unwrap_or_else(|| panic!("{dialect} {members}: nothing was read"));
        assert_eq!(
            (found.wanted(), found.effort.as_deref(), found.max_tokens),
            expected,
            "{dialect} {members}"
        );
    }
    for dialect in ["chat", "messages", "responses", "language"] {
        assert!(read(dialect, &json!({})).is_none_or(|r| r == ReasoningRequest::default()), "{dialect}");
    }
}
