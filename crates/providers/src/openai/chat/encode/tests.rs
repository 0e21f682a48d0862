use tollgate_domain::conversation::{
    Content, FORMAT_ANTHROPIC, FORMAT_GEMINI, File, FileData, Message, Part, Reasoning, ReasoningKind, Role,
    Settings, ToolCall, ToolOutput, ToolResult,
};

use super::*;

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.to_owned(), model: model.to_owned(), reasoning: true, ..Target::default() }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, cache: None }
}

fn user(contents: Vec<Content>) -> Message {
    message(Role::User, contents.into_iter().map(Part::new).collect())
}

fn body(conversation: &Conversation, target: &Target) -> Value {
    serde_json::from_slice(&encode(conversation, target, false).unwrap()).unwrap()
}

fn messages(list: Vec<Message>, target: &Target) -> Value {
    body(&Conversation { messages: list, ..Conversation::default() }, target)["messages"].take()
}

fn file(media_type: &str, data: FileData) -> Content {
    Content::File(File { media_type: media_type.to_owned(), data, filename: None, detail: None })
}

fn tool_call(id: &str) -> Content {
    Content::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: "{\"a\": 1.0}".to_owned(),
    })
}

fn result(id: &str, output: ToolOutput) -> Message {
    let result = ToolResult { call_id: id.to_owned(), name: None, output, is_error: false };
    message(Role::Tool, vec![Part::new(Content::ToolResult(result))])
}

#[test]
fn texts_are_strings_and_several_parts_an_array() {
    let list = vec![
        message(Role::System, vec![Part::text("s")]),
        message(Role::Developer, vec![Part::text("d")]),
        Message {
            name: Some("bob".to_owned()),
            ..user(vec![Content::Text("a".into()), Content::Text("b".into())])
        },
    ];
    assert_eq!(
        messages(list, &target("openai", "gpt-4o")),
        json!([
            {"role": "system", "content": "s"},
            {"role": "developer", "content": "d"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "bob"},
        ])
    );
}

#[test]
fn files_of_every_kind() {
    let image = File {
        media_type: "image/jpeg".into(),
        data: FileData::Base64("AA==".into()),
        filename: None,
        detail: Some("low".into()),
    };
    let list = vec![user(vec![
        Content::File(image),
        file("image/*", FileData::Url("https://example.com/a.png".into())),
        file("audio/wav", FileData::Base64("BB==".into())),
        file("application/pdf", FileData::Base64("CC==".into())),
        file("application/pdf", FileData::Reference("file-1".into())),
        file("text/plain", FileData::Text("plain".into())),
        file("video/mp4", FileData::Url("https://example.com/v.mp4".into())),
    ])];
    assert_eq!(
        messages(list, &target("openai", "gpt-4o"))[0]["content"],
        json!([
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AA==", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "input_audio", "input_audio": {"data": "BB==", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,CC==", "filename": "document.pdf"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "text", "text": "plain"},
            {"type": "video_url", "video_url": {"url": "https://example.com/v.mp4"}},
        ])
    );
    let remote = Conversation {
        messages: vec![user(vec![file("audio/wav", FileData::Url("https://example.com/a.wav".into()))])],
        ..Conversation::default()
    };
    assert_eq!(
        encode(&remote, &target("openai", "m"), false).unwrap_err().param.as_deref(),
        Some("messages[0]")
    );
}

#[test]
fn i18_calls_and_results_keep_ids_and_argument_bytes() {
    let parts = ToolOutput::Parts(vec![
        Part::text("t"),
        Part::new(file("image/png", FileData::Base64("AA==".into()))),
    ]);
    let list = vec![
        message(
            Role::Assistant,
            vec![Part::text("let me"), Part::new(tool_call("c1")), Part::new(tool_call("c2"))],
        ),
        result("c1", ToolOutput::Json(json!({"x": 1}))),
        result("c2", parts),
        user(vec![Content::Text("and?".into())]),
    ];
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1.0}"}});
    assert_eq!(
        messages(list, &target("openai", "gpt-4o")),
        json!([
            {"role": "assistant", "content": "let me", "tool_calls": [call("c1"), call("c2")]},
            {"role": "tool", "tool_call_id": "c1", "content": "{\"x\":1}"},
            {"role": "tool", "tool_call_id": "c2", "content": "t"},
            {"role": "user", "content": [
                {"type": "text", "text": "Files that the tool call c2 returned:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "text", "text": "and?"}]},
        ])
    );
}

#[test]
fn i19_reasoning_goes_back_in_the_providers_form() {
    let signed = Reasoning {
        text: "think".into(),
        signature: Some("c2ln".into()),
        format: Some(FORMAT_ANTHROPIC.into()),
        ..Reasoning::default()
    };
    let secret = Reasoning {
        kind: ReasoningKind::Encrypted,
        data: Some("ZGF0YQ==".into()),
        id: Some("c1".into()),
        format: Some(FORMAT_GEMINI.into()),
        ..Reasoning::default()
    };
    let list = || {
        vec![message(
            Role::Assistant,
            vec![
                Part::new(Content::Reasoning(signed.clone())),
                Part::new(Content::Reasoning(secret.clone())),
                Part::new(tool_call("c1")),
            ],
        )]
    };
    let openrouter = messages(list(), &target("openrouter", "m"));
    assert_eq!(
        openrouter[0]["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "think", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "ZGF0YQ==", "id": "c1", "format": "google-gemini-v1", "index": 1},
        ])
    );
    assert_eq!(messages(list(), &target("deepseek", "m"))[0]["reasoning_content"], "think");
    assert_eq!(messages(list(), &target("openai", "gpt-4o"))[0].as_object().unwrap().len(), 3);
    let google = messages(list(), &target("google", "gemini-3-pro"));
    assert_eq!(
        google[0]["tool_calls"][0]["extra_content"],
        json!({"google": {"thought_signature": "ZGF0YQ=="}})
    );
}

#[test]
fn refusals_images_and_foreign_blocks_of_the_assistant() {
    let parts = || {
        vec![
            Part::new(Content::Refusal("no".into())),
            Part::new(file("image/png", FileData::Base64("AA==".into()))),
            Part::new(Content::Custom {
                namespace: "anthropic".into(),
                value: json!({"type": "server_tool_use"}),
            }),
        ]
    };
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let list = || vec![message(Role::Assistant, parts()), user(vec![Content::Text("x".into())])];
    assert_eq!(
        messages(list(), &target("openai", "gpt-4o")),
        json!([
            {"role": "assistant", "content": null, "refusal": "no"},
            {"role": "user", "content": [image, {"type": "text", "text": "x"}]},
        ])
    );
    let openrouter = messages(list(), &target("openrouter", "m"));
    assert_eq!(
        openrouter[0],
        json!({"role": "assistant", "content": null, "refusal": "no", "images": [image]})
    );
    assert_eq!(messages(list(), &target("groq", "m"))[0], json!({"role": "assistant", "content": "no"}));
}

#[test]
fn settings_tools_and_formats() {
    let number = |text: &str| serde_json::from_str(text).unwrap();
    let function = FunctionTool {
        name: "f".into(),
        description: Some("d".into()),
        parameters: Value::Null,
        strict: Some(true),
        cache: Some(CacheMark { ttl: Some(CacheTtl::OneHour) }),
    };
    let conversation = Conversation {
        messages: vec![user(vec![Content::Text("x".into())])],
        settings: Settings {
            max_output_tokens: Some(9),
            temperature: Some(number("0.5")),
            top_k: Some(4),
            stop: vec!["a".into()],
            seed: Some(7),
            ..Settings::default()
        },
        tools: vec![
            Tool::Function(function),
            Tool::Provider { namespace: String::new(), kind: "web_search_20250305".into(), value: json!({}) },
            Tool::Provider {
                namespace: String::new(),
                kind: "groq.browser_search".into(),
                value: json!({"args": {"x": 1}}),
            },
        ],
        tool_choice: Some(ToolChoice::Function("f".into())),
        parallel_tool_calls: Some(false),
        response_format: Some(ResponseFormat::JsonSchema {
            name: None,
            schema: json!({"type": "object"}),
            strict: Some(true),
            description: None,
        }),
        reasoning: Some(ReasoningRequest { effort: Some("low".into()), ..ReasoningRequest::default() }),
        safety_identifier: Some("u".into()),
        verbosity: Some("low".into()),
        service_tier: Some("flex".into()),
        provider_options: vec![("openai".into(), json!({"store": false})), ("groq".into(), json!({"x": 2}))],
        ..Conversation::default()
    };
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}, "strict": true}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "response", "schema": {"type": "object"}, "strict": true}});
    let choice = json!({"type": "function", "function": {"name": "f"}});
    assert_eq!(
        body(&conversation, &target("openai", "gpt-5.1")),
        json!({
            "model": "gpt-5.1", "messages": [{"role": "user", "content": "x"}], "max_completion_tokens": 9, "stop": ["a"],
            "seed": 7, "tools": [tool], "tool_choice": choice, "parallel_tool_calls": false, "response_format": format,
            "service_tier": "flex", "verbosity": "low", "safety_identifier": "u", "reasoning_effort": "low", "store": false
        })
    );
    let groq = body(&conversation, &target("groq", "openai/gpt-oss-20b"));
    assert_eq!(groq["tools"], json!([tool, {"type": "browser_search", "x": 1}]));
    assert_eq!(
        (&groq["user"], &groq["x"], &groq["temperature"], groq.get("top_k")),
        (&json!("u"), &json!(2), &json!(0.5), None)
    );
    let mistral = body(&conversation, &target("mistral", "mistral-small-latest"));
    assert_eq!(
        (&mistral["random_seed"], &mistral["max_tokens"], mistral.get("user")),
        (&json!(7), &json!(9), None)
    );
    let alibaba = body(&conversation, &target("alibaba", "qwen3-max"));
    assert_eq!(alibaba["tools"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
}

#[test]
fn streams_are_asked_for_with_usage() {
    let conversation =
        Conversation { messages: vec![user(vec![Content::Text("x".into())])], ..Conversation::default() };
    let streamed: Value =
        serde_json::from_slice(&encode(&conversation, &target("groq", "m"), true).unwrap()).unwrap();
    assert_eq!(
        (&streamed["stream"], &streamed["stream_options"]),
        (&json!(true), &json!({"include_usage": true}))
    );
    assert_eq!(body(&conversation, &target("groq", "m")).get("stream"), None);
}
