use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_OPENAI, File, FileData, Reasoning, ReasoningKind, ToolOutput, ToolResult,
};

use super::*;
use crate::openai::responses::Decoder;
use crate::{BodyForm, ReplyDecoder};

fn result(call_id: &str, output: ToolOutput) -> Message {
    let result = ToolResult { call_id: call_id.into(), name: None, output, is_error: false };
    message(Role::Tool, vec![Part::new(Content::ToolResult(result))])
}

fn text_result(call_id: &str, text: &str) -> Message {
    result(call_id, ToolOutput::Text(text.into()))
}

fn reasoning(kind: ReasoningKind, id: Option<&str>, text: &str, data: Option<&str>, format: &str) -> Part {
    Part::new(Content::Reasoning(Reasoning {
        kind,
        text: text.into(),
        signature: None,
        data: data.map(Into::into),
        id: id.map(Into::into),
        format: Some(format.into()),
    }))
}

fn sealed(id: &str, data: &str) -> Part {
    reasoning(ReasoningKind::Encrypted, Some(id), "", Some(data), FORMAT_OPENAI)
}

fn input(conversation: &Conversation) -> Value {
    body(conversation)["input"].clone()
}

fn file(media_type: &str, data: FileData) -> Part {
    Part::new(Content::File(File { media_type: media_type.into(), data, filename: None, detail: None }))
}

#[test]
fn one_leading_system_message_is_the_instructions() {
    let system = |text| said(Role::System, text);
    let user = || said(Role::User, "hi");
    let one = body(&talk(vec![system("be brief"), user()]));
    assert_eq!(one["instructions"], "be brief");
    assert_eq!(one["input"], json!([{"role": "user", "content": "hi"}]));
    let two = body(&talk(vec![system("a"), said(Role::Developer, "b"), user(), system("later")]));
    assert_eq!(two.get("instructions"), None);
    let roles: Vec<&str> =
        two["input"].as_array().unwrap().iter().map(|item| item["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["developer", "developer", "user", "developer"]);
    let conversation = talk(vec![system("a"), said(Role::Developer, "b"), user()]);
    let (plain, _) = body_for(&target("xai", "grok-4.3"), &conversation);
    assert_eq!(plain["input"][1], json!({"role": "system", "content": "b"}));
    // Instructions alone have to be said to the model.
    assert_eq!(input(&talk(vec![system("a")])), json!([{"role": "developer", "content": "a"}]));
}

#[test]
fn i18_calls_and_answers_are_items_of_their_own() {
    let turn = message(
        Role::Assistant,
        vec![
            Part::text("Let me see. "),
            Part::text("Now."),
            call("call_1", "look", r#"{"a":  "ü"}"#),
            call("call_2", "look", ""),
        ],
    );
    let image = file("image/png", FileData::Base64("aGk=".into()));
    let conversation = talk(vec![
        said(Role::User, "go"),
        turn,
        text_result("call_1", "fine"),
        result("call_2", ToolOutput::Parts(vec![Part::text("seen"), image])),
    ]);
    assert_eq!(
        input(&conversation),
        json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Let me see. "}, {"type": "output_text", "text": "Now."}]},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": r#"{"a":  "ü"}"#},
            {"type": "function_call", "call_id": "call_2", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "fine"},
            {"type": "function_call_output", "call_id": "call_2", "output": [
                {"type": "input_text", "text": "seen"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk="}]},
        ])
    );
}

#[test]
fn i18_the_protocols_own_tools_keep_their_items() {
    let own =
        |kind: &str, value: Value| Tool::Provider { namespace: "openai".into(), kind: kind.into(), value };
    let conversation = Conversation {
        tools: vec![
            own("custom", json!({"type": "custom", "name": "run_sql"})),
            own(
                "openai.local_shell",
                json!({"type": "provider", "id": "openai.local_shell", "name": "sh", "args": {}}),
            ),
            own("apply_patch", json!({"type": "apply_patch"})),
            own("shell", json!({"type": "shell"})),
            own("tool_search", json!({"type": "tool_search", "execution": "client"})),
            function("plain"),
        ],
        ..talk(vec![
            said(Role::User, "go"),
            message(
                Role::Assistant,
                vec![
                    call("c1", "run_sql", "SELECT 1"),
                    call("c2", "local_shell", r#"{"action":{"type":"exec","timeoutMs":5}}"#),
                    call(
                        "c3",
                        "apply_patch",
                        r#"{"callId":"c3","operation":{"type":"delete_file","path":"p"}}"#,
                    ),
                    call("c4", "shell", r#"{"action":{"commands":["ls"]}}"#),
                    call("c5", "tool_search", r#"{"arguments":{"goal":"g"},"call_id":"c5"}"#),
                    call("c6", "shell", "not of its form"),
                ],
            ),
            text_result("c1", "1"),
            result("c2", ToolOutput::Json(json!({"output": "files"}))),
            text_result("c3", r#"{"status":"failed","output":"no such file"}"#),
            text_result("c4", "out"),
            result("c5", ToolOutput::Json(json!({"tools": [{"type": "function", "name": "f"}]}))),
            text_result("c6", "x"),
        ])
    };
    let items = input(&conversation);
    assert_eq!(
        items.as_array().unwrap()[1..],
        [
            json!({"type": "custom_tool_call", "call_id": "c1", "name": "run_sql", "input": "SELECT 1"}),
            json!({"type": "local_shell_call", "call_id": "c2", "action": {"type": "exec", "timeout_ms": 5}, "status": "completed"}),
            json!({"type": "apply_patch_call", "call_id": "c3", "operation": {"type": "delete_file", "path": "p"}, "status": "completed"}),
            json!({"type": "shell_call", "call_id": "c4", "action": {"commands": ["ls"]}, "status": "completed"}),
            json!({"type": "tool_search_call", "call_id": "c5", "execution": "client", "arguments": {"goal": "g"}, "status": "completed"}),
            json!({"type": "function_call", "call_id": "c6", "name": "shell", "arguments": "not of its form"}),
            json!({"type": "custom_tool_call_output", "call_id": "c1", "output": "1"}),
            json!({"type": "local_shell_call_output", "call_id": "c2", "output": "files"}),
            json!({"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file"}),
            json!({"type": "shell_call_output", "call_id": "c4", "output": [{"stdout": "out", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}),
            json!({"type": "tool_search_output", "call_id": "c5", "execution": "client", "status": "completed", "tools": [{"type": "function", "name": "f"}]}),
            json!({"type": "function_call_output", "call_id": "c6", "output": "x"}),
        ]
    );
}

#[test]
fn i19_reasoning_stands_before_what_it_belongs_to() {
    let summary = |text| reasoning(ReasoningKind::Summary, Some("rs_1"), text, None, FORMAT_OPENAI);
    let turn = message(
        Role::Assistant,
        vec![
            summary("one"),
            summary("two"),
            sealed("rs_1", "s+/="),
            call("c1", "f", "{}"),
            sealed("rs_2", "t"),
            Part::text("done"),
            sealed("rs_3", "belongs to nothing"),
        ],
    );
    let conversation = talk(vec![said(Role::User, "go"), turn, text_result("c1", "ok")]);
    assert_eq!(
        input(&conversation).as_array().unwrap()[1..],
        [
            json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}], "encrypted_content": "s+/="}),
            json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}),
            json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "t"}),
            json!({"role": "assistant", "content": [{"type": "output_text", "text": "done"}]}),
            json!({"type": "function_call_output", "call_id": "c1", "output": "ok"}),
        ]
    );
}

#[test]
fn i19_state_of_other_families_is_dropped_here_only() {
    let turn = || {
        message(
            Role::Assistant,
            vec![
                reasoning(ReasoningKind::Text, None, "thoughts", None, FORMAT_OPENAI),
                reasoning(ReasoningKind::Encrypted, None, "", Some("claude"), FORMAT_ANTHROPIC),
                reasoning(ReasoningKind::Encrypted, None, "", Some("grok"), "xai-responses-v1"),
                reasoning(ReasoningKind::Summary, None, "s", Some("gpt"), FORMAT_OPENAI),
                Part::text("hi"),
            ],
        )
    };
    let conversation = talk(vec![said(Role::User, "go"), turn(), said(Role::User, "on")]);
    let states = |provider: &str| -> Vec<String> {
        let (body, _) = body_for(&target(provider, "m"), &conversation);
        let items = body["input"].as_array().unwrap().clone();
        items.iter().filter_map(|item| Some(item["encrypted_content"].as_str()?.to_owned())).collect()
    };
    assert_eq!(states("openai"), ["gpt"]);
    assert_eq!(states("azure"), ["gpt"]);
    assert_eq!(states("xai"), ["grok"]);
    assert_eq!(states("bedrock-mantle"), [""; 0]);
}

#[test]
fn i19_metadata_of_the_ai_sdk_holds_state_too() {
    let mut part = reasoning(ReasoningKind::Summary, None, "s", None, "unknown");
    part.provider = vec![("openai".into(), json!({"itemId": "rs_9", "reasoningEncryptedContent": "sealed"}))];
    let mut text = Part::text("hi");
    text.provider = vec![("openai".into(), json!({"phase": "final_answer"}))];
    let turn = message(Role::Assistant, vec![part, text]);
    let items = input(&talk(vec![said(Role::User, "go"), turn]));
    assert_eq!(
        items.as_array().unwrap()[1..],
        [
            json!({"type": "reasoning", "id": "rs_9", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "sealed"}),
            json!({"role": "assistant", "content": [{"type": "output_text", "text": "hi"}], "phase": "final_answer"}),
        ]
    );
}

#[test]
fn items_of_the_protocol_go_back_untouched_and_no_others() {
    let search = json!({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}});
    let custom = |namespace: &str, value: &Value| {
        Part::new(Content::Custom { namespace: namespace.into(), value: value.clone() })
    };
    let compaction = json!({"type": "compaction", "encrypted_content": "c"});
    let reference = json!({"type": "input_image", "file_id": "file_1"});
    let turn = message(
        Role::Assistant,
        vec![custom("openai", &search), custom("anthropic", &json!({"type": "x"})), Part::text("found")],
    );
    let conversation = talk(vec![
        message(
            Role::User,
            vec![custom("openai", &compaction), custom("openai", &reference), Part::text("go")],
        ),
        turn,
    ]);
    assert_eq!(
        input(&conversation),
        json!([
            compaction,
            {"role": "user", "content": [reference, {"type": "input_text", "text": "go"}]},
            search,
            {"role": "assistant", "content": [{"type": "output_text", "text": "found"}]},
        ])
    );
}

#[test]
fn files_have_their_own_parts() {
    let mut named = File {
        media_type: "application/pdf".into(),
        data: FileData::Base64("aGk=".into()),
        filename: Some("a.pdf".into()),
        detail: None,
    };
    let pdf = Part::new(Content::File(named.clone()));
    named.filename = None;
    named.data = FileData::Base64("eA==".into());
    let detailed = Part::new(Content::File(File {
        media_type: "image/*".into(),
        data: FileData::Url("https://example.com/a.png".into()),
        filename: None,
        detail: Some("low".into()),
    }));
    let parts = vec![
        pdf,
        Part::new(Content::File(named)),
        detailed,
        file("image/jpeg", FileData::Reference("file_1".into())),
        file("application/pdf", FileData::Url("https://example.com/a.pdf".into())),
        file("text/plain", FileData::Text("notes".into())),
    ];
    let items = input(&talk(vec![message(Role::User, parts)]));
    assert_eq!(
        items[0]["content"],
        json!([
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,eA=="},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
            {"type": "input_image", "file_id": "file_1"},
            {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            {"type": "input_text", "text": "notes"},
        ])
    );
    let audio = talk(vec![
        said(Role::User, "a"),
        message(Role::User, vec![file("audio/wav", FileData::Base64("eA==".into()))]),
    ]);
    let error = encode(&audio, &target("openai", "gpt-5"), false).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[1]"));
    assert!(error.message.contains("audio"), "{error}");
}

#[test]
fn images_the_model_made_are_shown_in_the_next_turn_of_the_user() {
    let image = || file("image/png", FileData::Base64("aGk=".into()));
    let part = json!({"type": "input_image", "image_url": "data:image/png;base64,aGk="});
    let made = || message(Role::Assistant, vec![Part::text("here"), image()]);
    let items = input(&talk(vec![said(Role::User, "draw"), made(), said(Role::User, "bigger")]));
    assert_eq!(
        items[2],
        json!({"role": "user", "content": [part, {"type": "input_text", "text": "bigger"}]})
    );
    let items = input(&talk(vec![said(Role::User, "draw"), made()]));
    assert_eq!(items[2], json!({"role": "user", "content": [part]}));
}

#[test]
fn deepseek_gets_the_calls_of_a_turn_together() {
    let conversation = talk(vec![
        said(Role::User, "go"),
        message(Role::Assistant, vec![Part::text("a"), call("c1", "f", "{}")]),
        message(Role::Assistant, vec![Part::text("b"), call("c2", "f", "{}")]),
        text_result("c1", "1"),
        text_result("c2", "2"),
    ]);
    let kinds = |provider: &str| -> Vec<String> {
        let (body, _) = body_for(&target(provider, "m"), &conversation);
        let items = body["input"].as_array().unwrap().clone();
        items.iter().map(|i| i["call_id"].as_str().or(i["role"].as_str()).unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("deepseek"), ["user", "assistant", "assistant", "c1", "c2", "c1", "c2"]);
    assert_eq!(kinds("openai"), ["user", "assistant", "c1", "assistant", "c2", "c1", "c2"]);
}

/// What a reply holds goes back with the same bytes.
#[test]
fn i19_a_reply_goes_round() {
    let output = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}], "encrypted_content": "gAAA+/=="},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"x\": [1, 2.50]}"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "héllo"}]},
    ]);
    let mut sent = output.clone();
    sent[4]["type"] = json!("message");
    let reply = json!({"id": "resp_1", "status": "completed", "output": sent});
    let mut decoder = Decoder::new(&target("openai", "gpt-5"), BodyForm::Whole);
    let mut events = Vec::new();
    decoder.push(reply.to_string().as_bytes(), &mut events);
    decoder.end(&mut events);
    let conversation = talk(vec![said(Role::User, "go"), message(Role::Assistant, parts(events))]);
    assert_eq!(input(&conversation).as_array().unwrap()[1..], output.as_array().unwrap()[..]);
}

/// A reply's events as the parts of the turn that a client would send back.
fn parts(events: Vec<ReplyEvent>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for event in events {
        match event {
            ReplyEvent::TextStart { .. } => parts.push(Part::text("")),
            ReplyEvent::ReasoningStart { kind, id, format, .. } => {
                parts.push(reasoning(kind, id.as_deref(), "", None, format));
            }
            ReplyEvent::ToolStart { id, name, .. } => parts.push(call(&id, &name, "")),
            ReplyEvent::Custom { namespace, value } => {
                parts.push(Part::new(Content::Custom { namespace: namespace.into(), value }));
            }
            other => match (parts.last_mut().map(|part| &mut part.content), other) {
                (Some(Content::Text(all)), ReplyEvent::TextDelta { text, .. }) => all.push_str(&text),
                (Some(Content::Reasoning(all)), ReplyEvent::ReasoningDelta { text, .. }) => {
                    all.text.push_str(&text);
                }
                (Some(Content::Reasoning(all)), ReplyEvent::ReasoningEnd { data, .. }) => all.data = data,
                (Some(Content::ToolCall(all)), ReplyEvent::ToolDelta { arguments, .. }) => {
                    all.arguments.push_str(&arguments);
                }
                _ => {}
            },
        }
    }
    parts
}
