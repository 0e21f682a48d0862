use serde_json::{Value, json};
use tollgate_domain::conversation::*;
use tollgate_domain::input_error::InputErrorKind;

use super::*;
use crate::chat_completions::Request;

fn bytes(body: &Value) -> Bytes {
    Bytes::from(body.to_string())
}

/// The rewritten body, which the dialect reads and which nothing more is done to.
fn normal(body: &Value) -> (Value, Conversation) {
    let made = normalise(&bytes(body)).unwrap();
    assert_eq!(normalise(&made).unwrap(), made, "rewriting twice gives the same");
    let request = Request::parse(&made).unwrap();
    (serde_json::from_slice(&made).unwrap(), request.conversation().unwrap())
}

fn input(items: Value) -> (Value, Conversation) {
    normal(&json!({"model": "openai/gpt-5", "input": items}))
}

fn messages(messages: Value) -> (Value, Conversation) {
    normal(&json!({"model": "openai/gpt-5", "messages": messages}))
}

/// With members beside a user's message.
fn with(extra: Value) -> (Value, Conversation) {
    let mut body = json!({"model": "openai/gpt-5", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    normal(&body)
}

fn error(body: Value) -> InputError {
    normalise(&bytes(&body)).unwrap_err()
}

fn contents(conversation: &Conversation) -> Vec<(Role, Vec<Content>)> {
    let each = conversation.messages.iter();
    each.map(|m| (m.role, m.parts.iter().map(|p| p.content.clone()).collect())).collect()
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn call(id: &str, name: &str, arguments: &str) -> Content {
    Content::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
}

fn result(id: &str, output: ToolOutput) -> Content {
    Content::ToolResult(ToolResult { call_id: id.into(), name: None, output, is_error: false })
}

#[test]
fn a_conforming_body_is_the_same_bytes() {
    let conforming = [
        r#"{ "model":"a/b", "messages" : [{"role":"user","content":"hi"}], "x": 1.0e2 }"#,
        r#"{"model":"a/b","messages":[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},
            {"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.test/a.png"}},{"type":"file","file":{"file_id":"f"}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]}],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"reasoning_details":[]},
            {"role":"tool","tool_call_id":"c","content":"ok"}],
            "tools":[{"type":"function","function":{"name":"f"}},{"type":"web_search"},{"type":"custom","custom":{"name":"c"}}],
            "tool_choice":{"type":"function","function":{"name":"f"}},"max_completion_tokens":5,"response_format":{"type":"json_object"},
            "verbosity":"low","reasoning":{"effort":"low"},"instructions":null,"text":null,"input":null}"#,
        r#"{"model":"a/b","messages":[{"role":"user","content":"hi"}],"tool_choice":"auto","input":"not read"}"#,
    ];
    for body in conforming {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let same = normalise(&body).unwrap();
        assert_eq!(same.as_ptr(), body.as_ptr(), "not copied");
        assert_eq!(same, body);
        Request::parse(&same).unwrap().conversation().unwrap();
    }
}

#[test]
fn what_the_reader_of_the_body_reports_is_left_to_it() {
    for body in [json!({"model": "a/b"}), json!({"messages": 5}), json!({"messages": []})] {
        let sent = bytes(&body);
        assert_eq!(normalise(&sent).unwrap(), sent);
        assert!(Request::parse(&sent).is_err());
    }
    let found = normalise(&Bytes::from_static(b"{\"input\": ")).unwrap_err();
    assert_eq!((found.kind, found.code), (InputErrorKind::Malformed, Some("invalid_json")));
}

#[test]
fn text_as_input_is_a_message_of_the_user() {
    let (body, conversation) = normal(
        &json!({"model": "a/b", "instructions": "Be brief.", "input": "hi \"there\"", "stream": true}),
    );
    assert_eq!(
        body,
        json!({"model": "a/b", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi \"there\""}], "stream": true})
    );
    assert_eq!(
        contents(&conversation),
        [(Role::System, vec![text("Be brief.")]), (Role::User, vec![text("hi \"there\"")])]
    );
}

#[test]
fn messages_as_items_keep_role_and_parts() {
    let (body, conversation) = input(json!([
        {"role": "developer", "content": "d"},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
        {"role": "user", "content": [
            {"type": "input_text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
            {"type": "input_image", "file_id": "file-1", "detail": "auto"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
            {"type": "input_file", "file_url": "https://x.test/d.pdf"},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}
        ]},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [
            {"type": "output_text", "text": "seen", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "no"}
        ]}
    ]));
    assert_eq!(
        body["messages"][3],
        json!({"role": "assistant", "content": [{"type": "text", "text": "seen"}, {"type": "refusal", "refusal": "no"}]})
    );
    let found = contents(&conversation);
    assert_eq!(found[0], (Role::Developer, vec![text("d")]));
    assert_eq!(found[1], (Role::System, vec![text("s")]));
    assert_eq!(found[3], (Role::Assistant, vec![text("seen"), Content::Refusal("no".into())]));
    let (role, parts) = &found[2];
    assert_eq!((*role, parts.len(), &parts[0]), (Role::User, 6, &text("look")));
    assert_eq!(conversation.messages[2].parts[0].cache, Some(CacheMark { ttl: Some(CacheTtl::OneHour) }));
    let files: Vec<_> = parts[1..]
        .iter()
        .map(|part| match part {
            Content::File(file) => (file.data.clone(), file.detail.as_deref(), file.filename.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(files[0], (FileData::Url("https://x.test/a.png".into()), Some("low"), None));
    assert_eq!(files[1], (FileData::Reference("file-1".into()), None, None));
    assert_eq!(files[2], (FileData::Base64("QUJD".into()), None, Some("a.pdf")));
    assert_eq!(files[3], (FileData::Url("https://x.test/d.pdf".into()), None, None));
    assert_eq!(files[4], (FileData::Base64("QUJD".into()), None, None));
}

#[test]
fn i18_calls_of_one_turn_are_one_message_and_keep_their_bytes() {
    let arguments = "{\"path\": \"a\\u0041\\\\b\",  \"n\": 1.50}";
    let (body, conversation) = input(json!([
        {"role": "user", "content": "go"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two calls"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": arguments, "status": "completed"},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "list", "arguments": {"a": [1]}},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "function_call_output", "call_id": "call_1", "output": "one"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "two"}]},
        {"type": "function_call", "call_id": "call_3", "name": "stop"},
        {"type": "function_call_output", "call_id": "call_3", "output": {"ok": true}}
    ]));
    assert_eq!(body["messages"].as_array().unwrap().len(), 6);
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], "call_1");
    assert!(body["messages"][4]["content"].is_null());
    assert_eq!(
        contents(&conversation),
        [
            (Role::User, vec![text("go")]),
            (
                Role::Assistant,
                vec![
                    text("two calls"),
                    call("call_1", "read", arguments),
                    call("call_2", "list", "{\"a\":[1]}")
                ]
            ),
            (Role::Tool, vec![result("call_1", ToolOutput::Text("one".into()))]),
            (Role::Tool, vec![result("call_2", ToolOutput::Parts(vec![Part::text("two")]))]),
            (Role::Assistant, vec![call("call_3", "stop", "{}")]),
            (Role::Tool, vec![result("call_3", ToolOutput::Text("{\"ok\":true}".into()))]),
        ]
    );
}

#[test]
fn calls_with_free_text_stay_such() {
    let (body, _) = input(json!([
        {"role": "user", "content": "go"},
        {"type": "custom_tool_call", "call_id": "c1", "name": "ApplyPatch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}
    ]));
    assert_eq!(
        body["messages"][1]["tool_calls"],
        json!([{"id": "c1", "type": "custom", "custom": {"name": "ApplyPatch", "input": "*** Begin"}}])
    );
    assert_eq!(body["messages"][2], json!({"role": "tool", "tool_call_id": "c1", "content": "done"}));
}

#[test]
fn i19_reasoning_items_stay_whole_in_the_turn_they_belong_to() {
    let state = "gAAAA+/=\\u00e9\u{e9}";
    let (_, conversation) = input(json!([
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A"}, {"type": "summary_text", "text": "B"}], "encrypted_content": state},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "x"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "C"}]},
        {"type": "message", "role": "assistant", "content": "done"},
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "next"},
        {"type": "message", "role": "assistant", "content": "more"}
    ]));
    let entry = |kind, text: &str, data: Option<&str>, id: &str| {
        Content::Reasoning(Reasoning {
            kind,
            text: text.into(),
            signature: None,
            data: data.map(str::to_owned),
            id: Some(id.into()),
            format: Some(FORMAT_OPENAI.into()),
        })
    };
    assert_eq!(
        contents(&conversation)[1..],
        [
            (
                Role::Assistant,
                vec![
                    entry(ReasoningKind::Summary, "A", None, "rs_1"),
                    entry(ReasoningKind::Summary, "B", None, "rs_1"),
                    entry(ReasoningKind::Encrypted, "", Some(state), "rs_1"),
                    call("c1", "f", "{}"),
                ]
            ),
            (Role::Tool, vec![result("c1", ToolOutput::Text("x".into()))]),
            (Role::Assistant, vec![entry(ReasoningKind::Text, "C", None, "rs_2"), text("done")]),
            (Role::Assistant, vec![entry(ReasoningKind::Encrypted, "", Some("next"), "rs_3"), text("more")]),
        ]
    );
}

#[test]
fn instructions_come_first_in_messages_too() {
    let (body, conversation) = with(json!({"instructions": "Be brief."}));
    assert!(body.get("instructions").is_none());
    assert_eq!(
        contents(&conversation),
        [(Role::System, vec![text("Be brief.")]), (Role::User, vec![text("hi")])]
    );
    assert_eq!(with(json!({"instructions": ""})).1.messages.len(), 1);
}

#[test]
fn tools_are_nested() {
    let schema = json!({"type": "object", "properties": {"p": {"type": "string"}}});
    let (body, conversation) = with(json!({"tools": [
        {"type": "function", "name": "flat", "description": "d", "parameters": schema, "strict": true},
        {"name": "anthropic", "description": "d", "input_schema": schema, "cache_control": {"type": "ephemeral"}},
        {"type": "custom", "name": "typed", "input_schema": schema},
        {"type": "function", "name": "bare", "strict": null},
        {"type": "function", "function": {"name": "nested", "parameters": schema}, "x": 1},
        {"type": "custom", "name": "patch", "description": "p", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
        {"type": "web_search"}
    ]}));
    assert_eq!(
        body["tools"][4],
        json!({"type": "function", "function": {"name": "nested", "parameters": schema}, "x": 1})
    );
    assert_eq!(
        body["tools"][5],
        json!({"type": "custom", "custom": {"name": "patch", "description": "p", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}}})
    );
    assert_eq!(body["tools"][6], json!({"type": "web_search"}));
    let functions: Vec<_> = conversation
        .tools
        .iter()
        .filter_map(|tool| match tool {
            Tool::Function(f) => {
                Some((f.name.as_str(), f.description.as_deref(), f.strict, f.cache.is_some()))
            }
            Tool::Provider { .. } => None,
        })
        .collect();
    assert_eq!(
        functions,
        [
            ("flat", Some("d"), Some(true), false),
            ("anthropic", Some("d"), None, true),
            ("typed", None, None, false),
            ("bare", None, None, false),
            ("nested", None, None, false)
        ]
    );
    for tool in &conversation.tools[..3] {
        assert!(matches!(tool, Tool::Function(f) if f.parameters == schema));
    }
}

#[test]
fn the_choice_among_tools_is_nested() {
    let tools = json!([{"type": "function", "name": "f"}]);
    for (sent, expected, read) in [
        (
            json!({"type": "function", "name": "f"}),
            json!({"type": "function", "function": {"name": "f"}}),
            Some(ToolChoice::Function("f".into())),
        ),
        (
            json!({"type": "tool", "name": "f"}),
            json!({"type": "function", "function": {"name": "f"}}),
            Some(ToolChoice::Function("f".into())),
        ),
        (json!({"type": "auto"}), json!("auto"), Some(ToolChoice::Auto)),
        (json!({"type": "any"}), json!("required"), Some(ToolChoice::Required)),
        (json!({"type": "none"}), json!("none"), Some(ToolChoice::None)),
        (json!("any"), json!("required"), Some(ToolChoice::Required)),
        (json!({"type": "custom", "name": "f"}), json!({"type": "custom", "custom": {"name": "f"}}), None),
    ] {
        let (body, conversation) = with(json!({"tools": tools, "tool_choice": sent}));
        assert_eq!((&body["tool_choice"], conversation.tool_choice), (&expected, read), "{sent}");
    }
    let (body, conversation) =
        with(json!({"tools": tools, "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}));
    assert_eq!((&body["tool_choice"], conversation.parallel_tool_calls), (&json!("auto"), Some(false)));
}

#[test]
fn limits_and_the_form_of_the_answer_get_their_names() {
    let schema = json!({"type": "object", "properties": {}});
    let (body, conversation) = with(json!({
        "max_output_tokens": 77,
        "text": {"format": {"type": "json_schema", "name": "out", "schema": schema, "strict": true, "description": null}, "verbosity": "low"},
        "reasoning": {"effort": "high", "summary": "auto"},
        "store": false
    }));
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "out", "schema": schema, "strict": true}})
    );
    assert!(body.get("text").is_none() && body.get("max_output_tokens").is_none());
    assert_eq!((&body["max_completion_tokens"], &body["store"]), (&json!(77), &json!(false)));
    assert_eq!(body["reasoning"], json!({"effort": "high", "summary": "auto"}));
    assert_eq!(conversation.settings.max_output_tokens, Some(77));
    assert_eq!(conversation.verbosity.as_deref(), Some("low"));
    assert_eq!(conversation.reasoning.and_then(|r| r.effort).as_deref(), Some("high"));
    assert_eq!(
        conversation.response_format,
        Some(ResponseFormat::JsonSchema {
            name: Some("out".into()),
            schema,
            strict: Some(true),
            description: None
        })
    );
    for kind in ["text", "json_object"] {
        let (body, _) = with(json!({"text": {"format": {"type": kind}}}));
        assert_eq!(body["response_format"], json!({"type": kind}));
    }
}

#[test]
fn what_chat_completions_says_itself_wins() {
    let (body, _) = with(json!({
        "max_output_tokens": 1, "max_completion_tokens": 2,
        "text": {"format": {"type": "text"}, "verbosity": "low", "own": 1},
        "response_format": {"type": "json_object"}, "verbosity": "high"
    }));
    assert_eq!((&body["max_completion_tokens"], &body["max_output_tokens"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&body["response_format"], &body["verbosity"]),
        (&json!({"type": "json_object"}), &json!("high"))
    );
    assert_eq!(body["text"], json!({"own": 1}), "what is not known stays");
}

#[test]
fn anthropic_parts_in_messages_become_calls_and_answers() {
    let (body, conversation) = messages(json!([
        {"role": "user", "content": "go", "name": null},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln+/="},
            {"type": "redacted_thinking", "data": "b3BhcXVl"},
            {"type": "text", "text": "calling"},
            {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"p": "a"}, "cache_control": {"type": "ephemeral"}},
            {"type": "tool_use", "id": "toolu_2", "name": "list", "input": {}}
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                {"type": "text", "text": "one"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
            ]},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "two", "is_error": false},
            {"type": "text", "text": "and now?"}
        ]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_3", "name": "end", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_3"}]}
    ]));
    assert_eq!(body["messages"][0], json!({"role": "user", "content": "go", "name": null}), "as it came");
    let signed = |kind, text: &str, signature: Option<&str>, data: Option<&str>| {
        Content::Reasoning(Reasoning {
            kind,
            text: text.into(),
            signature: signature.map(str::to_owned),
            data: data.map(str::to_owned),
            id: None,
            format: Some(FORMAT_ANTHROPIC.into()),
        })
    };
    let image = File {
        media_type: "image/png".into(),
        data: FileData::Base64("QUJD".into()),
        filename: None,
        detail: None,
    };
    assert_eq!(
        contents(&conversation),
        [
            (Role::User, vec![text("go")]),
            (
                Role::Assistant,
                vec![
                    signed(ReasoningKind::Text, "hm", Some("c2ln+/="), None),
                    signed(ReasoningKind::Encrypted, "", None, Some("b3BhcXVl")),
                    text("calling"),
                    call("toolu_1", "read", "{\"p\":\"a\"}"),
                    call("toolu_2", "list", "{}"),
                ]
            ),
            (
                Role::Tool,
                vec![result(
                    "toolu_1",
                    ToolOutput::Parts(vec![Part::text("one"), Part::new(Content::File(image))])
                )]
            ),
            (Role::Tool, vec![result("toolu_2", ToolOutput::Text("two".into()))]),
            (Role::User, vec![text("and now?")]),
            (Role::Assistant, vec![call("toolu_3", "end", "{}")]),
            (Role::Tool, vec![result("toolu_3", ToolOutput::Text(String::new()))]),
        ]
    );
    assert!(conversation.messages[1].parts[3].cache.is_some());
}

#[test]
fn anthropic_documents_and_images_become_files() {
    let (_, conversation) = messages(json!([{"role": "user", "content": [
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {"type": "document", "title": "d.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_9"}}
    ]}]));
    let [(_, parts)] = &contents(&conversation)[..] else { panic!() };
    let data = |part: &Content| match part {
        Content::File(file) => (file.media_type.clone(), file.data.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(data(&parts[0]), ("image/*".into(), FileData::Url("https://x.test/a.png".into())));
    assert_eq!(data(&parts[1]), ("application/pdf".into(), FileData::Base64("QUJD".into())));
    assert_eq!(parts[2], text("plain"));
    assert_eq!(data(&parts[3]).1, FileData::Reference("file_9".into()));
}

#[test]
fn responses_parts_and_items_in_messages_are_rewritten() {
    let (body, conversation) = messages(json!([
        {"role": "system", "content": [{"type": "input_text", "text": "s"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "u"}], "own": {"x": 1.0}},
        {"role": "assistant", "content": "first", "reasoning_details": [{"type": "reasoning.text", "text": "t", "format": "unknown"}],
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"type": "function_call_output", "call_id": "c2", "output": "2"}
    ]));
    assert_eq!(body["messages"][1]["own"], json!({"x": 1.0}));
    let found = contents(&conversation);
    assert_eq!(found[0], (Role::System, vec![text("s")]));
    assert_eq!(found[1], (Role::User, vec![text("u")]));
    assert!(matches!(&found[2].1[0], Content::Reasoning(r) if r.text == "t"));
    assert_eq!(found[2].1[1..], [text("first"), call("c1", "f", "{}"), call("c2", "g", "{}")]);
    assert_eq!(found[3], (Role::Tool, vec![result("c1", ToolOutput::Text("1".into()))]));
    assert_eq!(found[4], (Role::Tool, vec![result("c2", ToolOutput::Text("2".into()))]));
}

#[test]
fn numbers_and_members_that_are_not_known_keep_their_bytes() {
    let body = Bytes::from_static(
        br#"{"seed":12345678901234567890123,"input":[{"role":"user","content":"hi","x":1.50}],"model":"a/b","metadata":{"k":"\u0041"}}"#,
    );
    let made = normalise(&body).unwrap();
    assert_eq!(
        made,
        &br#"{"seed":12345678901234567890123,"messages":[{"role":"user","content":"hi","x":1.50}],"model":"a/b","metadata":{"k":"\u0041"}}"#[..]
    );
}

#[test]
fn errors_name_the_path_in_what_was_sent() {
    let user = json!({"role": "user", "content": "hi"});
    for (body, path, word) in [
        (json!({"input": 5}), "input", "a number (5)"),
        (json!({"input": [user, 7]}), "input[1]", "a number (7)"),
        (json!({"input": "x", "instructions": 1}), "instructions", "a number (1)"),
        (json!({"input": [{"content": "x"}]}), "input[0].role", "missing"),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id", "missing"),
        (json!({"input": [{"type": "function_call", "call_id": "c"}]}), "input[0].name", "missing"),
        (
            json!({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": 1}]}),
            "input[0].arguments",
            "a number (1)",
        ),
        (json!({"input": [{"type": "function_call_output", "output": "x"}]}), "input[0].call_id", "missing"),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), "input[0]", "send the item itself"),
        (
            json!({"input": [{"type": "reasoning", "summary": [{"text": 1}]}]}),
            "input[0].summary[0].text",
            "a number (1)",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
            "missing",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
            "missing",
        ),
        (
            json!({"messages": [user, {"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}),
            "messages[1].content[0].tool_use_id",
            "missing",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "ftp"}}]}]}),
            "messages[0].content[0].source.type",
            "\"ftp\"",
        ),
        (
            json!({"messages": [user], "tools": [{"type": "function", "parameters": {}}]}),
            "tools[0].name",
            "missing",
        ),
        (json!({"messages": [user], "tool_choice": {"type": "tool"}}), "tool_choice.name", "missing"),
        (json!({"messages": [user], "text": "x"}), "text", "a string"),
        (json!({"messages": [user], "text": {"format": 1}}), "text.format", "a number (1)"),
    ] {
        let found = error(body.clone());
        assert_eq!(found.param.as_deref(), Some(path), "{body}: {found}");
        assert!(found.message.contains(word), "{body}: {found}");
        assert_eq!(found.status(), 400);
    }
}

/// JSON made of the words that mean something here, in places where they may not belong.
fn odd() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let words = proptest::sample::select(vec![
        "role",
        "content",
        "type",
        "text",
        "input_text",
        "tool_use",
        "tool_result",
        "function_call",
        "name",
        "call_id",
        "reasoning",
        "summary",
        "user",
        "assistant",
        "source",
        "thinking",
        "signature",
        "id",
    ]);
    let leaf = prop_oneof![
        words.clone().prop_map(|w| json!(w)),
        any::<i8>().prop_map(|n| json!(n)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((words.clone(), inner), 0..5).prop_map(|members| Value::Object(
                members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn any_json_gives_json_or_an_error(items in odd(), tools in odd(), choice in odd(), form in odd()) {
        for name in ["input", "messages"] {
            let body = json!({"model": "a/b", name: items, "tools": tools, "tool_choice": choice, "text": form});
            if let Ok(made) = normalise(&bytes(&body)) {
                proptest::prop_assert!(serde_json::from_slice::<Value>(&made).is_ok());
                if let Ok(again) = normalise(&made) {
                    proptest::prop_assert!(serde_json::from_slice::<Value>(&again).is_ok());
                }
            }
        }
    }
}
