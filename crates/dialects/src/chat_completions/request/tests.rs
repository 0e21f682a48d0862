use serde_json::{Value, json};
use tollgate_domain::conversation::*;

use super::*;
use tollgate_domain::Needs;
use tollgate_domain::input_error::InputErrorKind;

fn parse(text: &str) -> Result<Request, InputError> {
    Request::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

/// A valid body with some members replaced or added.
fn with(extra: Value) -> String {
    let mut body = json!({"model": "openai/gpt-5", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string()
}

fn conversation(extra: Value) -> Conversation {
    parse(&with(extra)).unwrap().conversation().unwrap()
}

/// The error of parsing, or of the conversation.
fn error(text: &str) -> InputError {
    match parse(text) {
        Err(error) => error,
        Ok(request) => request.conversation().unwrap_err(),
    }
}

#[test]
fn malformed_json_says_where() {
    let found = error("{\"model\": \"a/b\",\n  \"messages\": [}");
    assert_eq!(
        (found.kind, found.status(), found.code),
        (InputErrorKind::Malformed, 400, Some("invalid_json"))
    );
    assert!(found.message.contains("line 2, column 16 (byte 32)"), "{found}");
    assert!(error("  \n").message.contains("empty"));
    for (text, word) in [("[1]", "an array"), ("\"x\"", "a string"), ("null", "null")] {
        let found = error(text);
        assert!(found.kind == InputErrorKind::Invalid && found.message.contains(word), "{text}: {found}");
    }
    assert_eq!(parse("{\"model\":\"\u{fffd}\"").unwrap_err().kind, InputErrorKind::Malformed);
}

#[test]
fn structural_errors_name_the_path_and_what_was_found() {
    let cases = [
        (json!({"model": 5}), "model", "a number (5)"),
        (json!({"model": " "}), "model", "empty"),
        (json!({"model": null}), "model", "missing"),
        (json!({"messages": {}}), "messages", "an object"),
        (json!({"messages": []}), "messages", "empty array"),
        (json!({"messages": null}), "messages", "missing"),
        (json!({"messages": ["hi"]}), "messages[0]", "a string"),
        (json!({"messages": [{"content": "x"}]}), "messages[0].role", "missing"),
        (json!({"messages": [{"role": "robot", "content": "x"}]}), "messages[0].role", "\"robot\""),
        (json!({"messages": [{"role": 1, "content": "x"}]}), "messages[0].role", "a number (1)"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content", "missing"),
        (json!({"messages": [{"role": "user", "content": 7}]}), "messages[0].content", "a number (7)"),
        (json!({"messages": [{"role": "user", "content": ["x"]}]}), "messages[0].content[0]", "a string"),
        (
            json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}),
            "messages[0].content[0].type",
            "missing",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": []}]}]}),
            "messages[0].content[0].type",
            "an array",
        ),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id", "missing"),
        (
            json!({"messages": [{"role": "tool", "content": "x", "tool_call_id": 3}]}),
            "messages[0].tool_call_id",
            "a number (3)",
        ),
        (json!({"tools": {}}), "tools", "an object"),
        (json!({"tools": ["x"]}), "tools[0]", "a string"),
        (json!({"stream": "yes"}), "stream", "a string"),
        (json!({"max_tokens": -1}), "max_tokens", "a number (-1)"),
        (json!({"max_completion_tokens": 1.5}), "max_completion_tokens", "a number (1.5)"),
        (json!({"temperature": "0"}), "temperature", "a string"),
        (json!({"top_p": true}), "top_p", "a boolean (true)"),
        (json!({"stop": 1}), "stop", "a number (1)"),
        (json!({"stop": ["a", 1]}), "stop[1]", "a number (1)"),
        (json!({"response_format": "json"}), "response_format", "a string"),
        (json!({"response_format": {}}), "response_format.type", "missing"),
        (json!({"response_format": {"type": "xml"}}), "response_format.type", "\"xml\""),
        (json!({"tool_choice": 1}), "tool_choice", "a number (1)"),
        (json!({"tool_choice": "maybe"}), "tool_choice", "\"maybe\""),
        (json!({"tool_choice": {"type": "function"}}), "tool_choice.function.name", "missing"),
        (json!({"stream_options": true}), "stream_options", "a boolean (true)"),
        (json!({"stream_options": {"include_usage": 1}}), "stream_options.include_usage", "a number (1)"),
        (json!({"providerOptions": []}), "providerOptions", "an array"),
        (json!({"providerOptions": {"openai": 1}}), "providerOptions.openai", "a number (1)"),
        (json!({"reasoning": "high"}), "reasoning", "a string"),
        (json!({"reasoning": {"max_tokens": "x"}}), "reasoning.max_tokens", "a string"),
        (json!({"user": 4}), "user", "a number (4)"),
        // What only the neutral form looks at.
        (json!({"tools": [{"type": "function"}]}), "tools[0].function", "missing"),
        (json!({"tools": [{"type": "function", "function": {}}]}), "tools[0].function.name", "missing"),
        (
            json!({"tools": [{"function": {"name": "f", "parameters": []}}]}),
            "tools[0].function.parameters",
            "an array",
        ),
        (json!({"seed": 0.5}), "seed", "a number (0.5)"),
        (json!({"cache_control": "yes"}), "cache_control", "a string"),
        (json!({"response_format": {"type": "json_schema"}}), "response_format.json_schema", "missing"),
        (
            json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]}]}),
            "messages[1].content[1].image_url.url",
            "missing",
        ),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"arguments": "{}"}}]}]}),
            "messages[0].tool_calls[0].function.name",
            "missing",
        ),
    ];
    for (extra, path, found) in cases {
        let error = error(&with(extra.clone()));
        assert_eq!(error.param.as_deref(), Some(path), "{extra}: {error}");
        assert!(error.message.contains(found) && error.message.contains(path), "{extra}: {error}");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn the_head_is_read() {
    let request = parse(&with(json!({
        "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 0, "max_completion_tokens": 77,
        "user": "u1", "include_reasoning": false, "never_heard_of": [1],
        "providerOptions": {"gateway": {"order": ["azure"], "user": "u2"}},
    })))
    .unwrap();
    assert_eq!(
        (request.head.model.as_str(), request.head.stream, request.include_usage),
        ("openai/gpt-5", true, true)
    );
    assert_eq!((request.head.max_tokens, request.head.exclude_reasoning), (Some(77), true));
    assert_eq!(
        (request.head.options.user.as_deref(), &request.head.options.order[..]),
        (Some("u2"), &["azure".to_owned()][..])
    );
    assert_eq!(parse(&with(json!({"max_tokens": 0}))).unwrap().head.max_tokens, None, "0 counts as absent");
    assert_eq!(
        parse(&with(json!({"max_tokens": 9, "max_completion_tokens": 0}))).unwrap().head.max_tokens,
        Some(9)
    );
    assert_eq!(request.head.needs, Needs::default());
}

#[test]
fn needs_follow_the_parts() {
    let needs = |parts: Value| {
        parse(&with(json!({"messages": [{"role": "user", "content": parts}]}))).unwrap().head.needs
    };
    assert!(needs(json!([{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}])).images);
    assert!(needs(json!([{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}])).audio);
    let pdf = needs(json!([{"type": "file", "file": {"data": "AA", "media_type": "application/pdf"}}]));
    assert!(pdf.files && !pdf.images);
    assert!(needs(json!([{"type": "file", "file": {"file_data": "data:image/png;base64,AA"}}])).images);
    assert_eq!(needs(json!([{"type": "text", "text": "\"type\":\"image_url\""}])), Needs::default());
    let all = parse(&with(json!({
        "tools": [{"type": "function", "function": {"name": "f"}}], "reasoning": {"max_tokens": 10},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    })));
    assert!(matches!(all.unwrap().head.needs, Needs { tools: true, reasoning: true, json_schema: true, .. }));
    let off = parse(&with(json!({"tools": [], "reasoning": {"enabled": false}, "reasoning_effort": "none"})))
        .unwrap();
    assert_eq!(off.head.needs, Needs::default());
}

#[test]
fn cache_marks_come_from_every_place() {
    let mark = json!({"type": "ephemeral"});
    let body = conversation(json!({
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "messages": [
            {"role": "system", "content": "s", "cache_control": mark},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": mark}]},
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "cache_control": mark}]},
            {"role": "tool", "tool_call_id": "c", "content": "r", "providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral", "ttl": "5m"}}}},
            {"role": "user", "content": [{"type": "text", "text": "z", "providerOptions": {"anthropic": {"cacheControl": mark}}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": mark}],
    }));
    assert_eq!(body.cache, Some(CacheMark { ttl: Some(CacheTtl::OneHour) }));
    assert_eq!(body.messages[0].cache, Some(CacheMark::default()));
    assert_eq!(
        (body.messages[1].parts[0].cache, body.messages[1].parts[1].cache),
        (None, Some(CacheMark::default()))
    );
    assert_eq!(body.messages[2].parts[0].cache, Some(CacheMark::default()));
    assert_eq!(body.messages[3].cache, Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) }));
    assert_eq!(body.messages[3].parts[0].provider[0].0, "anthropic");
    assert_eq!(body.messages[4].parts[0].cache, Some(CacheMark::default()));
    assert!(matches!(&body.tools[0], Tool::Function(f) if f.cache.is_some()));
    assert!(conversation(json!({"providerOptions": {"gateway": {"caching": "auto"}}})).cache.is_some());
}

#[test]
fn i19_reasoning_of_earlier_turns_keeps_its_state() {
    let turn = |message: Value| {
        let body = conversation(json!({"messages": [message]}));
        body.messages[0]
            .parts
            .iter()
            .filter_map(|p| match &p.content {
                Content::Reasoning(r) => Some(r.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let details = json!([
        {"type": "reasoning.text", "text": "a", "signature": "", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.text", "text": "b", "signature": "", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.text", "text": "", "signature": "SIG==", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.text", "text": "c", "signature": "S2", "format": "anthropic-claude-v1", "index": 1},
        {"type": "reasoning.encrypted", "data": "ENC", "id": "rs_1", "format": "openai-responses-v1", "index": 2},
        {"type": "reasoning.other", "x": 1},
    ]);
    let found = turn(
        json!({"role": "assistant", "content": "t", "reasoning": "loser", "reasoning_details": details}),
    );
    assert_eq!(found.len(), 3, "streamed pieces of one block are joined, two blocks stay two");
    assert_eq!((found[0].text.as_str(), found[0].signature.as_deref()), ("ab", Some("SIG==")));
    assert_eq!((found[1].text.as_str(), found[1].signature.as_deref()), ("c", Some("S2")));
    assert_eq!(
        (found[2].kind, found[2].data.as_deref(), found[2].id.as_deref()),
        (ReasoningKind::Encrypted, Some("ENC"), Some("rs_1"))
    );
    let plain = turn(
        json!({"role": "assistant", "content": null, "reasoning_content": "rc", "reasoning": "r", "reasoning_details": []}),
    );
    assert_eq!((plain.len(), plain[0].text.as_str()), (1, "rc"));
    assert_eq!(turn(json!({"role": "assistant", "content": "", "reasoning": "r"}))[0].text, "r");
}

#[test]
fn i18_tool_calls_and_answers_keep_their_bytes() {
    let arguments = "{ \"a\":\t1.0, \"u\": \"\\u00e4\" }";
    let body = conversation(json!({"messages": [
        {"role": "assistant", "content": "ok", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": {"k": 1}}},
            {"id": "c3", "type": "custom", "custom": {"name": "x", "input": "y"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "plain"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "p"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
        {"role": "assistant", "content": null, "function_call": {"name": "old", "arguments": "{}"}},
        {"role": "function", "name": "old", "content": "answer"},
    ]}));
    let parts = &body.messages[0].parts;
    assert_eq!(parts[0].content, Content::Text("ok".into()));
    assert_eq!(
        parts[1].content,
        Content::ToolCall(ToolCall { id: "c1".into(), name: "f".into(), arguments: arguments.into() })
    );
    assert!(matches!(&parts[2].content, Content::ToolCall(c) if c.arguments == "{\"k\":1}"));
    assert!(matches!(&parts[3].content, Content::Custom { namespace, .. } if namespace == "openai"));
    let answer = |i: usize| match &body.messages[i].parts[0].content {
        Content::ToolResult(r) => r.clone(),
        other => panic!("no tool result: {other:?}"),
    };
    assert_eq!((answer(1).call_id.as_str(), answer(1).output), ("c1", ToolOutput::Text("plain".into())));
    assert!(matches!(answer(2).output, ToolOutput::Parts(p) if p.len() == 2));
    assert_eq!((answer(4).call_id.as_str(), answer(4).name.as_deref()), ("old", Some("old")));
}

#[test]
fn settings_tools_and_formats_are_read() {
    let body = conversation(json!({
        "temperature": 0.7, "top_p": 1, "top_k": 40, "stop": "END", "seed": -3, "max_tokens": 5,
        "presence_penalty": null, "frequency_penalty": 0.5, "parallel_tool_calls": false, "verbosity": "low",
        "modalities": ["text", "image"], "reasoning_effort": "low", "reasoning": {"effort": "high"},
        "safety_identifier": "x".repeat(70), "tool_choice": {"type": "function", "function": {"name": "f"}},
        "tools": [{"type": "function", "function": {"name": "f", "strict": true, "description": "d"}}, {"type": "vercel:exa_search", "config": {"n": 1}}],
        "functions": [{"name": "old", "parameters": {"type": "object"}}],
        "response_format": {"type": "json", "schema": {"type": "object"}, "name": "n"},
        "providerOptions": {"anthropic": {"thinking": {"type": "enabled"}}, "gateway": {"serviceTier": "fast"}},
    }));
    let settings = &body.settings;
    assert_eq!(settings.temperature.as_ref().map(ToString::to_string).as_deref(), Some("0.7"));
    assert_eq!((settings.top_k, settings.seed, settings.max_output_tokens), (Some(40), Some(-3), Some(5)));
    assert_eq!(
        (settings.stop.as_slice(), settings.presence_penalty.is_none()),
        (&["END".to_owned()][..], true)
    );
    assert_eq!(body.tool_choice, Some(ToolChoice::Function("f".into())));
    assert_eq!(
        (body.tools.len(), body.parallel_tool_calls, body.modalities.as_slice()),
        (3, Some(false), &["image".to_owned()][..])
    );
    assert!(
        matches!(&body.tools[1], Tool::Provider { kind, value, .. } if kind == "vercel:exa_search" && value["config"]["n"] == 1)
    );
    assert_eq!(body.reasoning.unwrap().effort.as_deref(), Some("high"), "the nested form wins");
    assert_eq!(body.safety_identifier.map(|s| s.len()), Some(64));
    assert_eq!(body.service_tier.as_deref(), Some("priority"));
    assert!(
        matches!(body.response_format, Some(ResponseFormat::JsonSchema { name: Some(n), .. }) if n == "n")
    );
    assert_eq!(
        body.provider_options,
        vec![("anthropic".to_owned(), json!({"thinking": {"type": "enabled"}}))]
    );
}

#[test]
fn parts_that_are_not_known_are_kept() {
    let body = conversation(json!({"messages": [{"role": "user", "content": [
        {"type": "cube", "side": 3}, {"type": "document_url", "document_url": "https://x.test/a.pdf"}]}]}));
    assert!(
        matches!(&body.messages[0].parts[0].content, Content::Custom { value, .. } if value["side"] == 3)
    );
    assert!(
        matches!(&body.messages[0].parts[1].content, Content::File(f) if f.media_type == "application/pdf")
    );
}

#[test]
fn a_lone_surrogate_in_a_prompt_does_no_harm() {
    let body = parse(r#"{"model":"a/b","messages":[{"role":"user","content":"x\ud83dy"}]}"#).unwrap();
    assert!(
        matches!(&body.conversation().unwrap().messages[0].parts[0].content, Content::Text(t) if t.starts_with('x') && t.ends_with('y'))
    );
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop_oneof!["text", "user", "tool", "assistant", "image_url", "function", "\\PC{0,6}"]
            .prop_map(Value::from),
    ];
    let key = prop_oneof![
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "reasoning_details",
        "cache_control",
        "image_url",
        "file",
        "url",
        "tool_call_id"
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn any_message_is_read_or_refused_with_a_path(messages in proptest::collection::vec(any_json(), 1..4), tools in any_json()) {
        let body = with(json!({"messages": messages, "tools": [tools]}));
        let result = parse(&body).and_then(|r| r.conversation());
        if let Err(error) = result {
            proptest::prop_assert!(error.param.is_some() && error.kind == InputErrorKind::Invalid, "{error:?}");
        }
    }
}
