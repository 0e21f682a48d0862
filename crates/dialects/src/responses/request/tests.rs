use serde_json::{Value, json};
use tollgate_domain::conversation::{
    CacheAnchor, CacheMark, CacheTtl, Content, FORMAT_OPENAI, FORMAT_UNKNOWN, FileData, Message, Part,
    Reasoning, ReasoningKind, ResponseFormat, Role, Tool, ToolChoice, ToolOutput,
};

use super::*;

fn parse(body: &str) -> Result<Request, InputError> {
    Request::parse(&Bytes::copy_from_slice(body.as_bytes()))
}

fn read(body: Value) -> Conversation {
    parse(&body.to_string()).unwrap().conversation().unwrap()
}

fn roles(conversation: &Conversation) -> Vec<Role> {
    conversation.messages.iter().map(|m| m.role).collect()
}

/// A body as Codex sends it: no `instructions`, developer messages, items with ids, tools of several types.
fn codex() -> Value {
    json!({
        "model": "anthropic/claude-sonnet-4.5",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are a coding agent."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List the files."}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "I look."}], "content": null, "encrypted_content": "gAAA=="},
            {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
            {"type": "function_call", "id": "fc_1", "name": "shell", "arguments": "{\"command\": [\"ls\"]}", "call_id": "call_1"},
            {"type": "custom_tool_call", "id": "ctc_1", "name": "apply_patch", "input": "*** Begin Patch", "call_id": "call_2", "status": "completed"},
            {"type": "function_call_output", "call_id": "call_1", "output": "a.rs\n"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "done"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}]},
            {"role": "user", "content": "Go on."}
        ],
        "tools": [
            {"type": "function", "name": "shell", "description": "Runs", "strict": false, "parameters": {"type": "object", "properties": {}}},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
            {"type": "web_search", "external_web_access": false},
            {"type": "namespace", "name": "mcp__docs", "tools": [{"type": "function", "name": "find", "parameters": {}}]}
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": {"summary": "auto"},
        "store": false,
        "stream": true,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199-abc",
        "text": {"verbosity": "low"},
        "client_metadata": {"x-codex-installation-id": "i"}
    })
}

#[test]
fn codex_is_understood() {
    let request = parse(&codex().to_string()).unwrap();
    assert!(request.head.stream && request.head.needs.tools && request.head.needs.images);
    assert_eq!(
        (request.store, request.needs_provider_state(), request.has_foreign_state),
        (Some(false), false, false)
    );
    assert_eq!(request.foreign_tools, ["custom", "web_search", "namespace"]);
    assert!(!request.head.needs.reasoning, "a summary alone asks for no reasoning");

    let conversation = request.conversation().unwrap();
    assert_eq!(
        roles(&conversation),
        [Role::Developer, Role::User, Role::Assistant, Role::Tool, Role::Tool, Role::User]
    );
    let turn = &conversation.messages[2].parts;
    let own = |kind, text: &str, data: Option<&str>| {
        Content::Reasoning(Reasoning {
            kind,
            text: text.into(),
            signature: None,
            data: data.map(str::to_owned),
            id: Some("rs_1".into()),
            format: Some(FORMAT_OPENAI.into()),
        })
    };
    assert_eq!(turn[0].content, own(ReasoningKind::Summary, "I look.", None));
    assert_eq!(turn[1].content, own(ReasoningKind::Encrypted, "", Some("gAAA==")));
    assert_eq!(turn[2].content, Content::Text("Looking.".into()));
    let Content::ToolCall(call) = &turn[3].content else { panic!("{turn:?}") };
    assert_eq!(
        (call.id.as_str(), call.arguments.as_str()),
        ("call_1", "{\"command\": [\"ls\"]}"),
        "byte for byte"
    );
    let Content::ToolCall(call) = &turn[4].content else { panic!("{turn:?}") };
    assert_eq!(
        (call.name.as_str(), call.arguments.as_str()),
        ("apply_patch", r#"{"input":"*** Begin Patch"}"#)
    );
    let Content::ToolResult(result) = &conversation.messages[4].parts[0].content else { panic!() };
    let ToolOutput::Parts(parts) = &result.output else { panic!("{result:?}") };
    let Content::File(image) = &parts[1].content else { panic!("{parts:?}") };
    assert_eq!((image.media_type.as_str(), image.detail.as_deref()), ("image/png", Some("high")));

    assert!(
        matches!(&conversation.tools[0], Tool::Function(f) if f.name == "shell" && f.strict == Some(false))
    );
    let kinds: Vec<_> = conversation.tools[1..]
        .iter()
        .map(|t| {
            if let Tool::Provider { namespace, kind, .. } = t {
                (namespace.as_str(), kind.as_str())
            } else {
                panic!()
            }
        })
        .collect();
    assert_eq!(kinds, [("openai", "custom"), ("openai", "web_search"), ("openai", "namespace")]);
    assert_eq!(
        (conversation.tool_choice, conversation.parallel_tool_calls),
        (Some(ToolChoice::Auto), Some(true))
    );
    assert_eq!(conversation.reasoning.unwrap().summary.as_deref(), Some("auto"));
    assert_eq!(
        (conversation.verbosity.as_deref(), conversation.prompt_cache_key.as_deref()),
        (Some("low"), Some("0199-abc"))
    );
}

#[test]
fn a_text_and_instructions_are_two_messages() {
    let conversation = read(json!({"model": "m", "instructions": "Be short.", "input": "Hi"}));
    let said: Vec<_> = conversation.messages.iter().map(|m| (m.role, m.parts.clone())).collect();
    assert_eq!(said, [(Role::System, vec![Part::text("Be short.")]), (Role::User, vec![Part::text("Hi")])]);
}

#[test]
fn settings_find_their_places() {
    let conversation = read(json!({
        "model": "m", "input": "x", "max_output_tokens": 0, "temperature": 0.5, "top_p": 1, "service_tier": "flex",
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}, "verbosity": "high"},
        "reasoning": {"effort": "high", "summary": "detailed"}, "metadata": {"k": "v"}, "safety_identifier": "s".repeat(70),
        "user": "u", "providerOptions": {"gateway": {"order": ["a"]}, "anthropic": {"thinking": {"type": "enabled"}}}
    }));
    assert_eq!(conversation.settings.max_output_tokens, None, "0 is no limit");
    assert_eq!(conversation.settings.temperature.unwrap().to_string(), "0.5");
    assert_eq!(
        conversation.response_format,
        Some(ResponseFormat::JsonSchema {
            name: Some("n".into()),
            schema: json!({"type": "object"}),
            strict: Some(true),
            description: None
        })
    );
    let reasoning = conversation.reasoning.unwrap();
    assert_eq!((reasoning.effort.as_deref(), reasoning.summary.as_deref()), (Some("high"), Some("detailed")));
    assert_eq!(conversation.metadata, [("k".to_owned(), "v".to_owned())]);
    assert_eq!(conversation.safety_identifier.unwrap().len(), 64);
    assert_eq!(
        (conversation.service_tier.as_deref(), conversation.verbosity.as_deref()),
        (Some("flex"), Some("high"))
    );
    assert_eq!(conversation.provider_options.len(), 1);
}

#[test]
fn the_head_has_what_routing_needs() {
    let request = parse(
        &json!({
            "model": "openai/gpt-5", "max_output_tokens": 99, "reasoning": {"effort": "low"}, "user": "someone",
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
            "input": [{"role": "user", "content": [
                {"type": "input_file", "filename": "a.PDF", "file_data": "data:application/pdf;base64,AA"},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}
            ]}]
        })
        .to_string(),
    )
    .unwrap();
    let needs = request.head.needs;
    assert_eq!((needs.files, needs.audio, needs.images, needs.tools), (true, true, false, false));
    assert!(needs.json_schema && needs.reasoning);
    assert_eq!((request.head.max_tokens, request.head.options.user.as_deref()), (Some(99), Some("someone")));
    let png = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_file","filename":"x.PNG","file_data":"AA"}]}]}"#;
    let needs = parse(png).unwrap().head.needs;
    assert!(needs.images && !needs.files);
}

#[test]
fn what_only_a_providers_store_holds_is_known() {
    for (body, state) in [
        (r#"{"model":"m","input":"x"}"#, false),
        (r#"{"model":"m","input":"x","store":true}"#, false),
        (r#"{"model":"m","previous_response_id":"resp_1"}"#, true),
        (r#"{"model":"m","input":[],"instructions":"x"}"#, false),
        (r#"{"model":"m","previous_response_id":null,"input":"x"}"#, false),
        (r#"{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}"#, true),
        (r#"{"model":"m","input":[{"id":"msg_1"}]}"#, true),
        (r#"{"model":"m","input":"x","background":true}"#, true),
        (r#"{"model":"m","prompt":{"id":"pmpt_1"}}"#, true),
        (r#"{"model":"m","conversation":"conv_1","input":"x"}"#, true),
    ] {
        assert_eq!(parse(body).unwrap().needs_provider_state(), state, "{body}");
    }
    let referring = parse(r#"{"model":"m","input":["x",{"type":"item_reference","id":"msg_1"}]}"#.replace("\"x\",", "{\"role\":\"user\",\"content\":\"x\"},").as_str());
    let error = referring.unwrap().conversation().unwrap_err();
    assert_eq!((error.param.as_deref(), error.status()), (Some("input[1]"), 400), "{error}");
}

#[test]
fn i19_wrapped_state_is_found_and_unwrapped() {
    let foreign = Reasoning {
        text: "Hm.".into(),
        signature: Some("EqQB".into()),
        format: Some("anthropic-claude-v1".into()),
        ..Reasoning::default()
    };
    let token = crate::carried_state::wrap(&foreign);
    let item = |state: Value| json!({"model": "m", "input": [{"type": "reasoning", "id": "rs_9", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}], "encrypted_content": state}]});
    assert!(parse(&item(json!(token)).to_string()).unwrap().has_foreign_state);
    assert_eq!(read(item(json!(token))).messages[0].parts, [Part::new(Content::Reasoning(foreign))]);
    assert_eq!(
        read(item(Value::Null)).messages[0].parts,
        [Part::new(Content::Reasoning(Reasoning {
            text: "Hm.".into(),
            format: Some(FORMAT_UNKNOWN.into()),
            ..Reasoning::default()
        }))],
        "without state only the text counts"
    );
}

#[test]
fn items_of_one_turn_are_one_message() {
    let conversation = read(json!({"model": "m", "input": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"role": "assistant", "content": "A"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"type": "image_generation_call", "id": "ig_1", "result": "AAAA", "output_format": "webp"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a" : 1}},
        {"type": "function_call_output", "call_id": "c", "output": ""},
        {"type": "local_shell_call_output", "id": "l", "output": "text"},
        {"type": "from_the_future", "content": 7}
    ]}));
    assert_eq!(roles(&conversation), [Role::Assistant, Role::Tool, Role::Tool, Role::Assistant]);
    let parts: Vec<&Content> = conversation.messages[0].parts.iter().map(|p| &p.content).collect();
    assert!(
        matches!(parts[0], Content::Custom { namespace, value } if namespace == "openai" && value["id"] == "ws_1")
    );
    assert_eq!((parts[1], parts[2]), (&Content::Text("A".into()), &Content::Refusal("No.".into())));
    assert!(
        matches!(parts[3], Content::File(f) if f.media_type == "image/webp" && f.data == FileData::Base64("AAAA".into()))
    );
    assert!(matches!(parts[4], Content::ToolCall(c) if c.arguments == r#"{"a":1}"#));
}

#[test]
fn files_come_in_every_form() {
    let conversation = read(json!({"model": "m", "input": [{"role": "user", "content": [
        {"type": "input_image", "file_id": "file-1", "detail": "low"},
        {"type": "input_image", "image_url": {"url": "https://x.test/a"}},
        {"type": "input_file", "file_url": "https://x.test/a.pdf", "filename": "b.pdf"},
        {"type": "input_file", "file_data": "data:text/plain;base64,QQ==", "filename": "a.txt"},
        {"type": "input_file", "file_id": "file-2"},
        {"type": "input_audio", "data": "AA", "format": "wav"},
        {"type": "something_else", "x": 1}
    ]}]}));
    let found: Vec<_> = conversation.messages[0]
        .parts
        .iter()
        .map(|p| match &p.content {
            Content::File(f) => (f.media_type.clone(), Some(f.data.clone())),
            other => (format!("{other:?}").chars().take(6).collect(), None),
        })
        .collect();
    let file = |media: &str, data| (media.to_owned(), Some(data));
    assert_eq!(
        found,
        [
            file("image/*", FileData::Reference("file-1".into())),
            file("image/*", FileData::Url("https://x.test/a".into())),
            file("application/pdf", FileData::Url("https://x.test/a.pdf".into())),
            file("text/plain", FileData::Base64("QQ==".into())),
            file("application/octet-stream", FileData::Reference("file-2".into())),
            file("audio/wav", FileData::Base64("AA".into())),
            ("Custom".to_owned(), None),
        ]
    );
}

#[test]
fn tool_choices() {
    let tools =
        json!([{"type": "function", "name": "f"}, {"type": "function", "name": "g"}, {"type": "web_search"}]);
    for (choice, expected, left) in [
        (json!("required"), Some(ToolChoice::Required), 3),
        (json!("none"), Some(ToolChoice::None), 3),
        (json!({"type": "function", "name": "f"}), Some(ToolChoice::Function("f".into())), 3),
        (json!({"type": "custom", "name": "p"}), Some(ToolChoice::Function("p".into())), 3),
        (json!({"type": "web_search"}), None, 3),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "g"}]}),
            Some(ToolChoice::Required),
            2,
        ),
    ] {
        let conversation = read(json!({"model": "m", "input": "x", "tools": tools, "tool_choice": choice}));
        assert_eq!((conversation.tool_choice, conversation.tools.len()), (expected, left), "{choice}");
    }
    let conversation = read(json!({"model": "m", "input": "x", "tools": tools, "allowed_tools": ["f"]}));
    assert!(
        matches!(&conversation.tools[0], Tool::Function(f) if f.name == "f" && f.parameters["type"] == "object")
    );
    assert_eq!(conversation.tools.len(), 2);
}

#[test]
fn i21_cache_wishes_become_marks() {
    let hour = CacheMark { ttl: Some(CacheTtl::OneHour) };
    let turn = |text: &str| json!({"role": "user", "content": text});
    let input = json!([turn("a"), turn("b"), {"role": "user", "content": [{"type": "input_text", "text": "c", "cache_control": {"type": "ephemeral"}}]}]);
    let conversation = read(
        json!({"model": "m", "input": input, "caching": "auto", "cache_ttl": "1h", "cache_anchor_items": 2}),
    );
    assert_eq!(conversation.cache, Some(hour));
    let marks = |c: &Conversation| c.messages.iter().map(|m: &Message| m.parts[0].cache).collect::<Vec<_>>();
    assert_eq!(marks(&conversation), [None, None, Some(CacheMark::default())]);
    assert_eq!(conversation.cache_anchor, Some(CacheAnchor { message: 1, mark: hour }));
    let far = read(json!({"model": "m", "input": input, "cache_anchor_items": 9}));
    assert_eq!(far.cache_anchor, None, "behind the end there is nothing to anchor");
    let plain = read(json!({"model": "m", "input": input, "cache_ttl": "5m", "cache_anchor_items": 0}));
    assert_eq!((plain.cache, plain.cache_anchor), (None, None));
    let nested =
        read(json!({"model": "m", "input": "x", "providerOptions": {"gateway": {"caching": "auto"}}}));
    assert_eq!(nested.cache, Some(CacheMark::default()));
}

#[test]
fn invalid_bodies_name_what_is_wrong() {
    let input = |item: &str| format!(r#"{{"model":"m","input":[{{"role":"user","content":"x"}},{item}]}}"#);
    let with = |member: &str| format!(r#"{{"model":"m","input":"x",{member}}}"#);
    let pairs: Vec<_> = (0..17).map(|i| format!("\"k{i}\":\"v\"")).collect();
    for (body, param) in [
        (r#"{"input":"x"}"#.to_owned(), "model"),
        (r#"{"model":"","input":"x"}"#.to_owned(), "model"),
        (r#"{"model":"m"}"#.to_owned(), "input"),
        (r#"{"model":"m","input":null}"#.to_owned(), "input"),
        (r#"{"model":"m","input":7}"#.to_owned(), "input"),
        (r#"{"model":"m","input":[]}"#.to_owned(), "input"),
        (input("7"), "input[1]"),
        (input("{}"), "input[1].type"),
        (input(r#"{"type":7}"#), "input[1].type"),
        (input(r#"{"type":"message","content":"x"}"#), "input[1].role"),
        (input(r#"{"role":"robot","content":"x"}"#), "input[1].role"),
        (input(r#"{"role":"user"}"#), "input[1].content"),
        (input(r#"{"role":"user","content":{}}"#), "input[1].content"),
        (input(r#"{"role":"user","content":[{"type":"input_text","text":"a"},7]}"#), "input[1].content[1]"),
        (input(r#"{"content":[{"text":"a"}],"role":"user"}"#), "input[1].content[0].type"),
        (input(r#"{"type":"function_call","name":"f","arguments":"{}"}"#), "input[1].call_id"),
        (input(r#"{"type":"function_call","call_id":"c","arguments":"{}"}"#), "input[1].name"),
        (input(r#"{"type":"function_call","call_id":"c","name":"f","arguments":7}"#), "input[1].arguments"),
        (input(r#"{"type":"custom_tool_call","call_id":"c","name":"f"}"#), "input[1].input"),
        (input(r#"{"type":"function_call_output","output":"x"}"#), "input[1].call_id"),
        (input(r#"{"type":"function_call_output","call_id":"c"}"#), "input[1].output"),
        (input(r#"{"type":"reasoning","encrypted_content":7}"#), "input[1].encrypted_content"),
        (with("\"stream\":\"yes\""), "stream"),
        (with("\"store\":1"), "store"),
        (with("\"max_output_tokens\":-1"), "max_output_tokens"),
        (with("\"temperature\":\"hot\""), "temperature"),
        (with("\"instructions\":[]"), "instructions"),
        (with("\"tools\":{}"), "tools"),
        (with("\"tools\":[{\"type\":\"function\",\"name\":\"f\"},1]"), "tools[1]"),
        (with("\"tool_choice\":7"), "tool_choice"),
        (with("\"parallel_tool_calls\":\"no\""), "parallel_tool_calls"),
        (with("\"include\":\"all\""), "include"),
        (with("\"reasoning\":\"high\""), "reasoning"),
        (with("\"reasoning\":{\"effort\":3}"), "reasoning.effort"),
        (with("\"text\":[]"), "text"),
        (with("\"text\":{\"format\":{}}"), "text.format.type"),
        (with("\"text\":{\"format\":{\"type\":\"xml\"}}"), "text.format.type"),
        (with("\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\"}}"), "text.format.schema"),
        (with("\"caching\":\"always\""), "caching"),
        (with("\"cache_ttl\":\"2h\""), "cache_ttl"),
        (with("\"cache_anchor_items\":1.5"), "cache_anchor_items"),
        (with(&format!("\"prompt_cache_key\":\"{}\"", "k".repeat(65))), "prompt_cache_key"),
        (with("\"metadata\":[]"), "metadata"),
        (with("\"metadata\":{\"k\":1}"), "metadata.k"),
        (with(&format!("\"metadata\":{{\"k\":\"{}\"}}", "v".repeat(513))), "metadata.k"),
        (with(&format!("\"metadata\":{{\"{}\":\"v\"}}", "k".repeat(65))), "metadata"),
        (with(&format!("\"metadata\":{{{}}}", pairs.join(","))), "metadata"),
        (with("\"previous_response_id\":7"), "previous_response_id"),
        (with("\"providerOptions\":{\"gateway\":[]}"), "providerOptions.gateway"),
    ] {
        let error = parse(&body).expect_err(&body);
        assert_eq!((error.param.as_deref(), error.status()), (Some(param), 400), "{body}: {error}");
    }
    assert_eq!(parse("").unwrap_err().code, Some("invalid_json"));
    assert!(parse("[]").unwrap_err().message.contains("'model' and 'input'"));
}

#[test]
fn errors_deep_in_a_body_name_their_path() {
    for (body, param) in [
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
        ),
        (
            json!({"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": 1}]}]}),
            "input[0].output[0].text",
        ),
        (json!({"input": [{"type": "reasoning", "summary": "x"}]}), "input[0].summary"),
        (json!({"input": "x", "tools": [{"type": "function"}]}), "tools[0].name"),
        (json!({"input": "x", "tool_choice": "maybe"}), "tool_choice"),
        (json!({"input": "x", "tool_choice": {"type": "function"}}), "tool_choice.name"),
    ] {
        let mut body = body;
        body["model"] = json!("m");
        let error = parse(&body.to_string()).unwrap().conversation().unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{body}");
    }
}

proptest::proptest! {
    #[test]
    fn no_body_makes_a_panic(text in "\\{\"model\":\"m\",\"input\":[\\[\\]{}:,\"0-9a typeroconu]{0,40}\\}?") {
        if let Ok(request) = parse(&text) { let _ = request.conversation(); }
    }
}
