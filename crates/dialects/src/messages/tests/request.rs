//! The head, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::Needs;
use tollgate_domain::input_error::InputErrorKind;

use super::{error, parse, request, with};
use crate::{ConversationRequest, Dialect};

#[test]
fn the_head_of_a_plain_request() {
    let found = request(json!({"stream": true, "max_tokens": 77}));
    assert_eq!(found.dialect(), Dialect::Messages);
    assert_eq!((found.head.stream, found.head.max_tokens), (true, Some(77)));
    assert_eq!(
        (found.head.model.as_str(), found.head.needs),
        ("anthropic/claude-sonnet-4.5", Needs::default())
    );
    assert!(!found.head.exclude_reasoning);
}

#[test]
fn marks_of_claude_code_are_not_routed_but_remembered() {
    for (sent, routed) in [
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("anthropic/claude-sonnet-4.5[1m]", "anthropic/claude-sonnet-4.5"),
        ("claude-opus-4-6[1M]", "claude-opus-4-6"),
        ("claude-code/anthropic/claude-opus-5[1m]", "anthropic/claude-opus-5"),
        ("ünï[1m]", "ünï"),
        ("m]", "m]"),
        ("äää", "äää"),
    ] {
        let found = request(json!({"model": sent}));
        assert_eq!((found.head.model.as_str(), found.model_as_sent.as_str()), (routed, sent));
    }
    let nothing = error(&with(json!({"model": "[1m]"})));
    assert_eq!(nothing.param.as_deref(), Some("model"));
}

#[test]
fn malformed_bodies_say_where() {
    let found = error("{\"model\": \"a/b\",\n  \"messages\": [}");
    assert_eq!((found.kind, found.code), (InputErrorKind::Malformed, Some("invalid_json")));
    assert!(found.message.contains("line 2, column 16"), "{found}");
    assert_eq!(error("").kind, InputErrorKind::Malformed);
    assert_eq!(error("[]").kind, InputErrorKind::Invalid);
}

#[test]
fn what_is_missing_or_wrong_names_its_path() {
    for (extra, path) in [
        (json!({"model": null}), "model"),
        (json!({"model": 7}), "model"),
        (json!({"model": "  "}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": "9"}), "max_tokens"),
        (json!({"max_tokens": -1}), "max_tokens"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": {}}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": ["hi"]}), "messages[0]"),
        (json!({"messages": [{"content": "hi"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "tool", "content": "hi"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (json!({"messages": [{"role": "user", "content": null}]}), "messages[0].content"),
        (json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}), "messages[0].content[0].type"),
        (json!({"messages": [{"role": "user", "content": ["x"]}]}), "messages[0].content[0]"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image"}]}]}),
            "messages[0].content[0].source",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}]}),
            "messages[0].content[0].source.data",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": 1}]}]}]}),
            "messages[0].content[0].content[0].type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}),
            "messages[0].content[0].tool_use_id",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": "{}"}]}]}),
            "messages[0].content[0].input",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "thinking", "signature": "s"}]}]}),
            "messages[0].content[0].thinking",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": 1}]}]}),
            "messages[0].content[0].cache_control",
        ),
        (json!({"system": 1}), "system"),
        (json!({"system": [{"text": "x"}]}), "system[0].type"),
        (json!({"stream": "yes"}), "stream"),
        (json!({"temperature": "warm"}), "temperature"),
        (json!({"top_k": 1.5}), "top_k"),
        (json!({"stop_sequences": "x"}), "stop_sequences"),
        (json!({"stop_sequences": ["x", 1]}), "stop_sequences[1]"),
        (json!({"tools": {}}), "tools"),
        (json!({"tools": [{"input_schema": {}}]}), "tools[0].name"),
        (json!({"tools": [{"type": "custom", "name": "f"}]}), "tools[0].input_schema"),
        (json!({"tools": [{"name": "f", "input_schema": []}]}), "tools[0].input_schema"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"tool_choice": {}}), "tool_choice.type"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"thinking": "on"}), "thinking"),
        (json!({"thinking": {}}), "thinking.type"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": "1"}}), "thinking.budget_tokens"),
        (json!({"output_config": []}), "output_config"),
        (json!({"output_config": {"effort": 1}}), "output_config.effort"),
        (json!({"output_config": {"format": "json"}}), "output_config.format"),
        (json!({"output_config": {"format": {"type": "json_schema"}}}), "output_config.format.schema"),
        (json!({"providerOptions": {"gateway": {"order": 1}}}), "providerOptions.gateway.order"),
    ] {
        let found = error(&with(extra.clone()));
        assert_eq!((found.param.as_deref(), found.status()), (Some(path), 400), "{extra}: {found}");
    }
}

#[test]
fn what_is_not_known_is_accepted() {
    let found = request(json!({
        "betas": ["not-yet-2099-01-01"],
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "x_new": {"a": [1, 2]},
        "thinking": {"type": "someday"},
        "tool_choice": {"type": "someday"},
        "output_config": {"format": {"type": "someday"}},
        "tools": [{"type": "someday_20990101", "name": "s"}],
        "messages": [
            {"role": "system", "content": "now"},
            {"role": "user", "content": [{"type": "someday", "z": 1}], "zz": true},
        ],
    }));
    assert!(found.head.needs.tools && found.head.needs.reasoning && !found.head.needs.json_schema);
    found.conversation().unwrap();
}

#[test]
fn needs_are_seen_wherever_they_stand() {
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}});
    let document =
        json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}});
    let asks = |content| request(json!({"messages": [{"role": "user", "content": content}]})).head.needs;
    assert!(asks(json!([image])).images);
    assert!(asks(json!([document])).files);
    let result = |content| json!([{"type": "tool_result", "tool_use_id": "t", "content": content}]);
    assert!(asks(result(json!([image]))).images && asks(result(json!([document]))).files);
    assert_eq!(asks(result(json!("text"))), Needs::default());
    for (extra, wanted) in [
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}), true),
        (json!({"thinking": {"type": "adaptive"}}), true),
        (json!({"thinking": {"type": "disabled"}}), false),
        (json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}), false),
        (json!({"output_config": {"effort": "high"}}), true),
    ] {
        assert_eq!(request(extra.clone()).head.needs.reasoning, wanted, "{extra}");
    }
    let schema = json!({"type": "json_schema", "schema": {"type": "object"}});
    assert!(request(json!({"output_config": {"format": schema}})).head.needs.json_schema);
    assert!(
        request(json!({"output_config": {"effort": "low"}, "output_format": schema})).head.needs.json_schema
    );
    assert!(!request(json!({"tools": []})).head.needs.tools);
}

#[test]
fn the_end_user_attributes_only_within_the_limits() {
    let options = |extra| request(extra).head.options;
    assert_eq!(options(json!({"metadata": {"user_id": "u-1"}})).user.as_deref(), Some("u-1"));
    assert_eq!(options(json!({"metadata": {"user_id": "u".repeat(300)}})).user, None);
    assert_eq!(options(json!({"metadata": {"user_id": null}})).user, None);
    assert_eq!(options(json!({"metadata": 7})).user, None);
    let both = json!({"metadata": {"user_id": "u"}, "providerOptions": {"gateway": {"user": "g", "only": ["anthropic"], "tags": ["t"]}}});
    let both = options(both);
    assert_eq!((both.user.as_deref(), both.only.len(), both.tags.len()), (Some("g"), 1, 1));
}

#[test]
fn a_limit_of_nothing_counts_as_absent() {
    assert_eq!(parse(&with(json!({"max_tokens": 0}))).unwrap().head.max_tokens, None);
}

/// Values as careless clients send them, with the words that readers look for.
fn any_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "base64",
        "url",
        "user",
        "assistant",
        "ephemeral",
        "custom",
        "auto",
        "tool",
        "enabled",
        "json_schema",
        "tgs1.e30",
        "",
    ]);
    let name = prop::sample::select(vec![
        "type",
        "text",
        "content",
        "source",
        "role",
        "id",
        "name",
        "input",
        "tool_use_id",
        "thinking",
        "signature",
        "data",
        "cache_control",
        "citations",
        "input_schema",
        "budget_tokens",
        "format",
        "schema",
        "effort",
        "gateway",
        "anthropic",
        "user_id",
        "media_type",
        "title",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    /// Whatever a member holds, it is read, or refused with its path.
    #[test]
    fn any_member_is_read_or_refused_with_its_path(
        member in prop::sample::select(vec![
            "messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata",
            "providerOptions", "cache_control", "stop_sequences", "max_tokens", "stream", "x_new",
        ]),
        value in any_value(),
        inside in any::<bool>(),
    ) {
        let value = match member {
            "messages" if inside => json!([{"role": "assistant", "content": [value]}]),
            "system" | "tools" if inside => json!([value]),
            _ => value,
        };
        let body = with(json!({member: value}));
        let read = parse(&body).and_then(|request| request.conversation());
        if let Err(refusal) = read {
            let path = refusal.param.clone().unwrap_or_default();
            prop_assert!(path.starts_with(member) && refusal.status() == 400, "{body}: {refusal:?}");
            prop_assert!(refusal.message.contains(&path), "{refusal}");
        }
    }
}
