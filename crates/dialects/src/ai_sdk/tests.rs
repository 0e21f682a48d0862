//! Requests as the published clients write them, in every version; what is wrong is named by its path.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, Content, Conversation, FORMAT_GEMINI, File, FileData, Message, Reasoning,
    ReasoningKind, ResponseFormat, Role, Tool, ToolChoice, ToolOutput, ToolResult,
};
use tollgate_domain::reply::{Finish, FinishReason, ReplyEvent};
use tollgate_domain::{InputError, JsonText};

use super::stream::tests::{context, receipt};
use super::*;
use crate::surface::{ConversationRequest, TaskRequest};
use crate::{Dialect, SpliceError};

mod tasks;

const VERSIONS: [Version; 3] = [Version::V2, Version::V3, Version::V4];
const SEARCH: &str = "anthropic.web_search_20250305";

fn parse(version: Version, body: &Value) -> Result<LanguageRequest, InputError> {
    LanguageRequest::parse(version, "anthropic/claude-sonnet-4", false, &Bytes::from(body.to_string()))
}

fn read(version: Version, body: &Value) -> Conversation {
    parse(version, body).unwrap().conversation().unwrap()
}

/// The messages of a prompt with one message.
fn message(version: Version, role: &str, content: Value) -> Message {
    let body = json!({"prompt": [{"role": role, "content": content}]});
    read(version, &body).messages.remove(0)
}

/// File data as the versions write it.
fn data(version: Version, media: &str, base64: &str) -> Value {
    match version {
        Version::V4 => json!({"type": "data", "data": base64}),
        Version::V2 | Version::V3 => json!(format!("data:{media};base64,{base64}")),
    }
}

fn url(version: Version, url: &str) -> Value {
    if version == Version::V4 { json!({"type": "url", "url": url}) } else { json!(url) }
}

#[test]
fn settings_and_choices_in_every_version() {
    let body = json!({
        "prompt": [{"role": "system", "content": "be short"}, {"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "maxOutputTokens": 64, "temperature": 0.25, "topP": 0.5, "topK": 9, "presencePenalty": -1, "frequencyPenalty": 1.5,
        "stopSequences": ["END"], "seed": -3, "headers": {"x-trace": "1"}, "includeRawChunks": true, "reasoning": "high",
        "responseFormat": {"type": "json", "schema": {"type": "object"}, "name": "Answer", "description": "what to say"},
        "toolChoice": {"type": "tool", "toolName": "look"},
        "tools": [{"type": "function", "name": "look", "description": "looks", "inputSchema": {"type": "object"}, "strict": true,
            "inputExamples": [{"input": {}}], "providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral"}}}}],
        "providerOptions": {
            "gateway": {"order": ["bedrock"], "caching": "auto", "serviceTier": "fast", "safetyIdentifier": "u".repeat(70), "user": "ann", "new": 1},
            "anthropic": {"thinking": {"type": "enabled", "budgetTokens": 2000}},
        },
    });
    for version in VERSIONS {
        let request = parse(version, &body).unwrap();
        assert_eq!((request.dialect(), request.version), (Dialect::AiSdk, version));
        let head = request.head();
        assert_eq!(
            (head.model.as_str(), head.stream, head.max_tokens),
            ("anthropic/claude-sonnet-4", false, Some(64))
        );
        assert_eq!(
            (head.options.order.as_slice(), head.options.user.as_deref()),
            (&["bedrock".to_owned()][..], Some("ann"))
        );
        let needs = head.needs;
        assert!(
            needs.tools && needs.json_schema && needs.reasoning && !needs.images && !needs.files,
            "{needs:?}"
        );
        let conversation = request.conversation().unwrap();
        let settings = &conversation.settings;
        assert_eq!(
            (settings.max_output_tokens, settings.top_k, settings.seed),
            (Some(64), Some(9), Some(-3))
        );
        let written =
            [&settings.temperature, &settings.top_p, &settings.presence_penalty, &settings.frequency_penalty];
        assert_eq!(written.map(|n| n.as_ref().unwrap().to_string()), ["0.25", "0.5", "-1", "1.5"]);
        assert_eq!(settings.stop, ["END"]);
        assert_eq!(conversation.reasoning.unwrap().effort.as_deref(), Some("high"));
        assert_eq!(conversation.tool_choice, Some(ToolChoice::Function("look".into())));
        assert_eq!(
            (conversation.service_tier.as_deref(), conversation.cache),
            (Some("priority"), Some(CacheMark::default()))
        );
        assert_eq!(conversation.safety_identifier.unwrap().len(), 64);
        assert_eq!(
            conversation.provider_options,
            [("anthropic".to_owned(), body["providerOptions"]["anthropic"].clone())]
        );
        let Tool::Function(tool) = &conversation.tools[0] else { panic!("a function") };
        assert_eq!(
            (tool.name.as_str(), tool.strict, tool.cache),
            ("look", Some(true), Some(CacheMark::default()))
        );
        let Some(ResponseFormat::JsonSchema { name, description, .. }) = conversation.response_format else {
            panic!("a schema")
        };
        assert_eq!((name.as_deref(), description.as_deref()), (Some("Answer"), Some("what to say")));
        assert_eq!(conversation.messages[0].role, Role::System);
    }
}

#[test]
fn what_is_not_said_is_left_to_the_provider() {
    let body = json!({"prompt": [{"role": "user", "content": "plain"}], "maxOutputTokens": 0, "reasoning": "provider-default",
        "tools": [], "toolChoice": null, "responseFormat": {"type": "json"}, "providerOptions": {"google": {"responseModalities": ["TEXT", "IMAGE"]}}});
    let request = parse(Version::V4, &body).unwrap();
    assert_eq!(request.head().max_tokens, None);
    assert!(
        !request.head().needs.reasoning && !request.head().needs.tools && request.head().needs.image_output
    );
    let conversation = request.conversation().unwrap();
    assert_eq!((conversation.reasoning, conversation.tool_choice), (None, None));
    assert_eq!(conversation.response_format, Some(ResponseFormat::JsonObject));
    assert_eq!(
        (conversation.settings.max_output_tokens, conversation.modalities),
        (None, vec!["image".to_owned()])
    );
}

#[test]
fn files_in_the_forms_of_every_version() {
    let file =
        |media: &str, data: FileData| File { media_type: media.into(), data, filename: None, detail: None };
    for version in VERSIONS {
        let wildcard = if version == Version::V4 { "image" } else { "image/*" };
        let parts = json!([
            {"type": "file", "mediaType": "image/png", "data": data(version, "image/png", "QUJD"), "providerOptions": {"openai": {"imageDetail": "low"}}},
            {"type": "file", "mediaType": wildcard, "data": url(version, "https://x.test/p")},
            {"type": "file", "mediaType": "application/pdf", "filename": "r.pdf", "data": data(version, "application/pdf", "QUJD"),
                "providerOptions": {"anthropic": {"citations": {"enabled": true}}}},
        ]);
        let message = message(version, "user", parts);
        let found: Vec<_> = message.parts.iter().map(|part| &part.content).collect();
        let mut first = file("image/png", FileData::Base64("QUJD".into()));
        first.detail = Some("low".into());
        let mut last = file("application/pdf", FileData::Base64("QUJD".into()));
        last.filename = Some("r.pdf".into());
        let second = file("image/*", FileData::Url("https://x.test/p".into()));
        assert_eq!(
            found,
            [&Content::File(first), &Content::File(second), &Content::File(last)],
            "{version:?}"
        );
        assert_eq!(
            message.parts[2].provider[0],
            ("anthropic".to_owned(), json!({"citations": {"enabled": true}}))
        );
    }
    let parts = json!([
        {"type": "file", "mediaType": "text/plain", "data": {"type": "text", "text": "notes"}},
        {"type": "file", "mediaType": "application/pdf", "data": {"type": "reference", "reference": {"anthropic": "file_1"}}},
        {"type": "file", "mediaType": "image/*", "data": {"type": "url", "url": "data:image/webp;base64,QUJD"}},
        {"type": "file", "mediaType": "audio/wav", "data": "QUJD"},
    ]);
    let body = json!({"prompt": [{"role": "user", "content": parts}]});
    let request = parse(Version::V4, &body).unwrap();
    let needs = request.head().needs;
    assert_eq!((needs.images, needs.files, needs.audio), (true, true, true));
    let messages = request.conversation().unwrap().messages;
    let found: Vec<_> = messages[0].parts.iter().map(|part| part.content.clone()).collect();
    assert_eq!(
        found,
        [
            file("text/plain", FileData::Text("notes".into())),
            file("application/pdf", FileData::Reference("file_1".into())),
            file("image/webp", FileData::Base64("QUJD".into())),
            file("audio/wav", FileData::Base64("QUJD".into())),
        ]
        .map(Content::File)
    );
}

#[test]
fn cache_marks_stand_on_messages_parts_and_results() {
    let mark = |ttl: Value| json!({"anthropic": {"cacheControl": {"type": "ephemeral", "ttl": ttl}}});
    let body = json!({"prompt": [
        {"role": "system", "content": "rules", "providerOptions": mark(json!("1h"))},
        {"role": "user", "content": [{"type": "text", "text": "a", "providerOptions": mark(json!("5m"))}, {"type": "text", "text": "b"}],
            "providerOptions": {"bedrock": {"cachePoint": {"type": "default"}}}},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c", "toolName": "f",
            "output": {"type": "text", "value": "ok", "providerOptions": mark(Value::Null)}}]},
    ]});
    let messages = read(Version::V3, &body).messages;
    assert_eq!(messages[0].cache, Some(CacheMark { ttl: Some(CacheTtl::OneHour) }));
    assert_eq!(messages[1].parts[0].cache, Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) }));
    assert_eq!((messages[1].parts[1].cache, messages[1].cache), (None, Some(CacheMark::default())));
    assert_eq!(messages[2].parts[0].cache, Some(CacheMark::default()));
}

#[test]
fn i19_reasoning_of_earlier_turns() {
    let token = crate::carried_state::wrap(&Reasoning {
        kind: ReasoningKind::Encrypted,
        data: Some("z==".into()),
        format: Some("other".into()),
        ..Reasoning::default()
    });
    let parts = json!([
        {"type": "reasoning", "text": "why", "providerOptions": {"anthropic": {"signature": "s=="}}},
        {"type": "reasoning", "text": "", "providerOptions": {"bedrock": {"redactedData": "r=="}}},
        {"type": "reasoning", "text": "sum", "providerOptions": {"openai": {"itemId": "rs_1", "reasoningEncryptedContent": null}}},
        {"type": "reasoning", "text": "", "providerOptions": {"gateway": {"reasoning": token, "generationId": "gen_1"}}},
        {"type": "reasoning", "text": "bare"},
        {"type": "tool-call", "toolCallId": "c1", "toolName": "f", "input": {"a": 1.50}, "providerOptions": {"google": {"thoughtSignature": "g==", "x": 1}}},
    ]);
    for version in VERSIONS {
        let parts = message(version, "assistant", parts.clone()).parts;
        let reasoning: Vec<_> = parts
            .iter()
            .filter_map(|part| if let Content::Reasoning(r) = &part.content { Some(r) } else { None })
            .map(|r| {
                (
                    r.kind,
                    r.text.as_str(),
                    r.signature.as_deref(),
                    r.data.as_deref(),
                    r.id.as_deref(),
                    r.format.as_deref().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            reasoning,
            [
                (ReasoningKind::Text, "why", Some("s=="), None, None, "anthropic-claude-v1"),
                (ReasoningKind::Encrypted, "", None, Some("r=="), None, "anthropic-claude-v1"),
                (ReasoningKind::Summary, "sum", None, None, Some("rs_1"), "openai-responses-v1"),
                (ReasoningKind::Encrypted, "", None, Some("z=="), None, "other"),
                (ReasoningKind::Text, "bare", None, None, None, "unknown"),
                (ReasoningKind::Encrypted, "", None, Some("g=="), Some("c1"), FORMAT_GEMINI),
            ]
        );
        let last = parts.last().unwrap();
        let Content::ToolCall(call) = &last.content else { panic!("the call stands behind its signature") };
        assert_eq!((call.id.as_str(), call.arguments.as_str()), ("c1", "{\"a\":1.5}"));
        assert_eq!(last.provider, [("google".to_owned(), json!({"x": 1}))], "the rest of the options stays");
    }
}

#[test]
fn i18_arguments_keep_their_bytes() {
    let body = br#"{"prompt":[{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c","toolName":"f","input":{ "n" : 1.500, "k":"\u00e9"}},{"type":"tool-call","toolCallId":"d","toolName":"f","input":"{\"a\": 2}"},{"type":"tool-call","toolCallId":"e","toolName":"f"}]}]}"#;
    let request = LanguageRequest::parse(Version::V4, "a/b", true, &Bytes::from_static(body)).unwrap();
    let parts = request.conversation().unwrap().messages.remove(0).parts;
    let arguments: Vec<_> = parts
        .iter()
        .map(|part| if let Content::ToolCall(call) = &part.content { call.arguments.as_str() } else { "" })
        .collect();
    assert_eq!(arguments, [r#"{ "n" : 1.500, "k":"\u00e9"}"#, r#"{"a": 2}"#, "{}"]);
    assert!(request.head().stream);
}

fn result(version: Version, output: Value) -> ToolResult {
    let part = json!({"type": "tool-result", "toolCallId": "c", "toolName": "f", "output": output});
    match message(version, "tool", json!([part])).parts.remove(0).content {
        Content::ToolResult(result) => result,
        other => panic!("a result, not {other:?}"),
    }
}

#[test]
fn outputs_of_tools() {
    for (output, body, failed) in [
        (json!({"type": "text", "value": "a"}), ToolOutput::Text("a".into()), false),
        (json!({"type": "json", "value": null}), ToolOutput::Json(Value::Null), false),
        (json!({"type": "error-text", "value": "bad"}), ToolOutput::Text("bad".into()), true),
        (json!({"type": "error-json", "value": {"e": 1}}), ToolOutput::Json(json!({"e": 1})), true),
        (json!({"type": "execution-denied", "reason": "not now"}), ToolOutput::Text("not now".into()), true),
    ] {
        let result = result(Version::V4, output);
        assert_eq!((result.output, result.is_error, result.name.as_deref()), (body, failed, Some("f")));
    }
    let ToolOutput::Text(text) = result(Version::V3, json!({"type": "execution-denied"})).output else {
        panic!("text")
    };
    assert!(text.contains("not allow"), "{text}");
    let items = [
        (
            Version::V2,
            json!({"type": "media", "data": "QUJD", "mediaType": "image/png"}),
            "image/png",
            FileData::Base64("QUJD".into()),
        ),
        (
            Version::V3,
            json!({"type": "image-data", "data": "QUJD", "mediaType": "image/png"}),
            "image/png",
            FileData::Base64("QUJD".into()),
        ),
        (
            Version::V3,
            json!({"type": "file-data", "data": "QUJD", "mediaType": "text/csv"}),
            "text/csv",
            FileData::Base64("QUJD".into()),
        ),
        (
            Version::V3,
            json!({"type": "image-url", "url": "https://x.test/i"}),
            "image/*",
            FileData::Url("https://x.test/i".into()),
        ),
        (
            Version::V3,
            json!({"type": "file-url", "url": "https://x.test/f.pdf"}),
            "application/pdf",
            FileData::Url("https://x.test/f.pdf".into()),
        ),
        (
            Version::V3,
            json!({"type": "image-file-id", "fileId": {"openai": "file-1"}}),
            "image/*",
            FileData::Reference("file-1".into()),
        ),
        (
            Version::V4,
            json!({"type": "file", "mediaType": "image/png", "data": {"type": "data", "data": "QUJD"}}),
            "image/png",
            FileData::Base64("QUJD".into()),
        ),
        (
            Version::V4,
            json!({"type": "file-reference", "providerReference": {"openai": "file-2"}}),
            "application/octet-stream",
            FileData::Reference("file-2".into()),
        ),
    ];
    for (version, item, media, data) in items {
        let value = json!([{"type": "text", "text": "see"}, item, {"type": "custom"}]);
        let ToolOutput::Parts(parts) = result(version, json!({"type": "content", "value": value})).output
        else {
            panic!("parts")
        };
        assert_eq!(parts.len(), 2, "what only one provider knows is left out");
        let Content::File(file) = &parts[1].content else { panic!("a file") };
        assert_eq!((file.media_type.as_str(), &file.data), (media, &data));
    }
}

#[test]
fn tools_of_providers_are_known_by_the_clients_names() {
    for version in VERSIONS {
        let kind = if version == Version::V2 { "provider-defined" } else { "provider" };
        let tool = json!({"type": kind, "id": SEARCH, "name": "find", "args": {"maxUses": 2}});
        let body = json!({"tools": [tool], "toolChoice": {"type": "tool", "toolName": "find"}, "prompt": [{"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "srvtoolu_1", "toolName": "find", "input": {"query": "q"}, "providerExecuted": true},
            {"type": "tool-result", "toolCallId": "srvtoolu_1", "toolName": "find", "output": {"type": "json", "value": [{"type": "web_search_result", "encryptedContent": "e"}]}},
            {"type": "tool-call", "toolCallId": "ws_1", "toolName": "other", "input": {}, "providerExecuted": true},
            {"type": "tool-result", "toolCallId": "ws_1", "toolName": "other", "output": {"type": "json", "value": {}}},
            {"type": "reasoning-file", "mediaType": "image/png", "data": "QUJD"},
            {"type": "text", "text": "found"},
        ]}]});
        let request = parse(version, &body).unwrap();
        let conversation = request.conversation().unwrap();
        assert_eq!(
            conversation.tools,
            [Tool::Provider { namespace: "anthropic".into(), kind: SEARCH.into(), value: tool }]
        );
        assert_eq!(conversation.tool_choice, Some(ToolChoice::Function("web_search".into())));
        let parts = &conversation.messages[0].parts;
        assert_eq!(parts.len(), 3, "calls that nobody here can tell back are left out");
        let Content::Custom { namespace, value } = &parts[0].content else { panic!("a block") };
        assert_eq!(
            (namespace.as_str(), &value["type"], &value["name"]),
            ("anthropic", &json!("server_tool_use"), &json!("web_search"))
        );
        let Content::Custom { value, .. } = &parts[1].content else { panic!("a block") };
        assert_eq!(value["content"][0]["encrypted_content"], "e");
        let mut out = Vec::new();
        request
            .stream_encoder(context())
            .event(&ReplyEvent::ToolStart { block: 0, id: "c".into(), name: "web_search".into() }, &mut out);
        assert!(String::from_utf8(out).unwrap().contains("\"toolName\":\"find\""));
    }
}

#[test]
fn i18_a_block_that_only_its_provider_knows_goes_round() {
    let block = json!({"type": "web_search_call", "id": "ws_1", "status": "completed"});
    let event = ReplyEvent::Custom { namespace: "openai", value: block.clone() };
    let finish = Finish { reason: FinishReason::Stop, raw: None, stop_sequence: None, native: None };
    for version in VERSIONS {
        let request = parse(version, &json!({"prompt": [{"role": "user", "content": "x"}]})).unwrap();
        let whole = request.encode_whole(&context(), &[event.clone(), event.clone()], &finish, &receipt());
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let mut content = whole["content"].clone();
        assert_eq!(content[0]["type"], if version == Version::V4 { "custom" } else { "reasoning" });
        // A client sends the metadata of a part back as its options.
        for part in content.as_array_mut().unwrap() {
            let part = part.as_object_mut().unwrap();
            let metadata = part.shift_remove("providerMetadata").unwrap();
            part.insert("providerOptions".to_owned(), metadata);
        }
        let parts = message(version, "assistant", content).parts;
        let expected = Content::Custom { namespace: "openai".into(), value: block.clone() };
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.content == expected), "{parts:?}");
    }
}

#[test]
fn errors_name_the_place() {
    let user = |part: Value| json!({"prompt": [{"role": "user", "content": [part]}]});
    for (body, path) in [
        (json!({}), "prompt"),
        (json!({"prompt": []}), "prompt"),
        (json!({"prompt": "hi"}), "prompt"),
        (json!({"prompt": [7]}), "prompt[0]"),
        (json!({"prompt": [{"content": []}]}), "prompt[0].role"),
        (json!({"prompt": [{"role": "robot", "content": []}]}), "prompt[0].role"),
        (json!({"prompt": [{"role": "user"}]}), "prompt[0].content"),
        (json!({"prompt": [{"role": "tool", "content": "x"}]}), "prompt[0].content"),
        (user(json!({"text": "x"})), "prompt[0].content[0].type"),
        (user(json!({"type": "text"})), "prompt[0].content[0].text"),
        (user(json!({"type": "file", "mediaType": "image/png"})), "prompt[0].content[0].data"),
        (
            user(json!({"type": "file", "mediaType": "image/png", "data": {"type": "odd"}})),
            "prompt[0].content[0].data.type",
        ),
        (
            user(json!({"type": "file", "mediaType": "image/png", "data": "ftp://x"})),
            "prompt[0].content[0].data",
        ),
        (
            user(json!({"type": "text", "text": "x", "providerOptions": {"anthropic": 1}})),
            "prompt[0].content[0].providerOptions.anthropic",
        ),
        (
            json!({"prompt": [{"role": "assistant", "content": [{"type": "tool-call", "toolName": "f"}]}]}),
            "prompt[0].content[0].toolCallId",
        ),
        (
            json!({"prompt": [{"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c"}]}]}),
            "prompt[0].content[0].output",
        ),
        (
            json!({"prompt": [{"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c", "output": {"type": "odd"}}]}]}),
            "prompt[0].content[0].output.type",
        ),
        (json!({"prompt": [{"role": "user", "content": []}], "maxOutputTokens": -1}), "maxOutputTokens"),
        (json!({"prompt": [{"role": "user", "content": []}], "temperature": "hot"}), "temperature"),
        (json!({"prompt": [{"role": "user", "content": []}], "stopSequences": ["a", 1]}), "stopSequences[1]"),
        (json!({"prompt": [{"role": "user", "content": []}], "seed": 1.5}), "seed"),
        (
            json!({"prompt": [{"role": "user", "content": []}], "tools": [{"type": "function"}]}),
            "tools[0].name",
        ),
        (json!({"prompt": [{"role": "user", "content": []}], "tools": [{"type": "odd"}]}), "tools[0].type"),
        (
            json!({"prompt": [{"role": "user", "content": []}], "tools": [{"type": "provider"}]}),
            "tools[0].id",
        ),
        (
            json!({"prompt": [{"role": "user", "content": []}], "toolChoice": {"type": "tool"}}),
            "toolChoice.toolName",
        ),
        (
            json!({"prompt": [{"role": "user", "content": []}], "toolChoice": {"type": "odd"}}),
            "toolChoice.type",
        ),
        (
            json!({"prompt": [{"role": "user", "content": []}], "responseFormat": {"type": "xml"}}),
            "responseFormat.type",
        ),
        (
            json!({"prompt": [{"role": "user", "content": []}], "providerOptions": {"gateway": {"order": "x"}}}),
            "providerOptions.gateway.order",
        ),
        (
            json!({"prompt": [{"role": "user", "content": []}], "providerOptions": {"openai": []}}),
            "providerOptions.openai",
        ),
    ] {
        let error = parse(Version::V4, &body).and_then(|request| request.conversation()).unwrap_err();
        assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{body}: {error}");
    }
    let missing =
        LanguageRequest::parse(Version::V4, " ", false, &Bytes::from_static(b"{\"prompt\":[]}")).unwrap_err();
    assert_eq!(missing.param.as_deref(), Some(LANGUAGE_MODEL_HEADER));
    let malformed =
        LanguageRequest::parse(Version::V4, "a/b", false, &Bytes::from_static(b"{\"prompt\":")).unwrap_err();
    assert_eq!(malformed.code, Some("invalid_json"));
}

#[test]
fn no_provider_speaks_this_protocol() {
    let request = parse(Version::V4, &json!({"prompt": [{"role": "user", "content": "x"}]})).unwrap();
    assert!(request.stream_splice(context()).is_none());
    assert_eq!(request.splice_whole(&context(), b"{}", &receipt()), Err(SpliceError::NotSpoken));
    assert!(matches!(request.splice_whole(&context(), b"[", &receipt()), Err(SpliceError::NotJson(_))));
}

#[test]
fn errors_are_nested() {
    let error = OpenAiError::new(400, "no_providers_available", "No providers left for model: a/b.");
    let body: Value = serde_json::from_slice(&error_body(&error, Some(context().generation), None)).unwrap();
    assert_eq!(body["error"]["message"], "No providers left for model: a/b.");
    assert_eq!(
        (&body["error"]["type"], &body["generationId"]),
        (&json!("no_providers_available"), &json!(context().generation.to_string()))
    );
}

proptest::proptest! {
    /// What a client sends is refused or read, never a panic, and an unknown member changes nothing.
    #[test]
    fn any_prompt_is_read_or_refused(kind in "[a-z-]{0,11}", word in "\\PC{0,12}", version in 0..3usize) {
        let version = VERSIONS[version];
        for role in ["system", "user", "assistant", "tool"] {
            let part = json!({"type": kind, "text": word, "data": word, "kind": word, "toolCallId": word, "toolName": word, "output": {"type": kind, "value": word}});
            let body = json!({"prompt": [{"role": role, "content": [part]}]});
            let mut more = body.clone();
            more["unknown"] = json!({"a": word});
            let found = parse(version, &body).and_then(|r| r.conversation());
            proptest::prop_assert_eq!(found, parse(version, &more).and_then(|r| r.conversation()));
        }
    }
}
