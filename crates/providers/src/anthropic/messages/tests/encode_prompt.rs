//! Rules of a request's messages and tools.

use serde_json::{Value, json};
use tollgate_domain::conversation::{
    CacheAnchor, CacheMark, CacheTtl, Content, FORMAT_ANTHROPIC, FORMAT_OPENAI, File, FileData, FunctionTool,
    Message, Part, Reasoning, ReasoningKind, Role, Tool, ToolChoice, ToolOutput,
};
use tollgate_domain::input_error::InputErrorKind;

use super::super::{encode, headers};
use super::{body, call, conversation, encoded, message, opus, result, says, sonnet};
use crate::codec::Target;

const MARK: CacheMark = CacheMark { ttl: None };

fn marked(mut part: Part) -> Part {
    part.cache = Some(MARK);
    part
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|b| b["text"].as_str().unwrap()).collect()
}

fn roles(body: &Value) -> Vec<&str> {
    body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect()
}

#[test]
fn leading_instructions_are_system_and_later_ones_the_persons() {
    let body = body(
        &conversation(vec![
            says(Role::System, "one"),
            says(Role::Developer, "two"),
            says(Role::User, "hi"),
            says(Role::System, "later"),
            says(Role::Assistant, "yes"),
        ]),
        &sonnet(),
    );
    assert_eq!(texts(&body["system"]), ["one", "two"]);
    assert_eq!(roles(&body), ["user", "assistant"]);
    assert_eq!(texts(&body["messages"][0]["content"]), ["hi", "later"]);
}

#[test]
fn the_person_speaks_first_and_blank_text_is_dropped() {
    let first = body(&conversation(vec![says(Role::Assistant, "hello"), says(Role::User, "hi")]), &sonnet());
    assert_eq!(roles(&first), ["user", "assistant", "user"]);
    let alone = body(&conversation(vec![says(Role::System, "be")]), &sonnet());
    assert_eq!((roles(&alone), alone.get("system")), (vec!["user"], None));
    let blank = body(
        &conversation(vec![says(Role::User, "a"), says(Role::Assistant, " \n"), says(Role::User, "b")]),
        &sonnet(),
    );
    assert_eq!(texts(&blank["messages"][0]["content"]), ["a", "b"]);
    let error = encode(&conversation(vec![says(Role::User, "")]), &sonnet(), false).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages"));
}

#[test]
fn a_final_prefill_loses_trailing_white_space_only() {
    let body = body(
        &conversation(vec![
            says(Role::User, "a "),
            says(Role::Assistant, "keep \n"),
            says(Role::User, "b"),
            says(Role::Assistant, " {\n  "),
        ]),
        &sonnet(),
    );
    assert_eq!(body["messages"][1]["content"][0]["text"], "keep \n");
    assert_eq!(body["messages"][3]["content"][0]["text"], " {");
}

#[test]
fn i18_results_come_together_and_first_and_ids_are_rewritten_alike() {
    let body = body(
        &conversation(vec![
            says(Role::User, "go"),
            message(
                Role::Assistant,
                vec![Part::text("ok"), call("a:1", "f", "{\"x\": 1}"), call("b", "g", "")],
            ),
            message(Role::Tool, vec![result("a:1", ToolOutput::Text("one".into()))]),
            says(Role::User, "and"),
            message(Role::Tool, vec![result("b", ToolOutput::Json(json!({"n": 2})))]),
        ]),
        &sonnet(),
    );
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "text", "text": "ok"},
            {"type": "tool_use", "id": "a_1", "name": "f", "input": {"x": 1}},
            {"type": "tool_use", "id": "b", "name": "g", "input": {}}])
    );
    assert_eq!(
        body["messages"][2]["content"],
        json!([{"type": "tool_result", "tool_use_id": "a_1", "content": "one"},
            {"type": "tool_result", "tool_use_id": "b", "content": "{\"n\":2}"},
            {"type": "text", "text": "and"}])
    );
}

#[test]
fn arguments_are_an_object_in_any_case() {
    for (arguments, expected) in [
        ("", json!({})),
        ("null", json!({})),
        ("\"\"", json!({})),
        (" {\"a\":1} ", json!({"a": 1})),
        ("\"{\\\"a\\\":1}\"", json!({"a": 1})),
        ("[1]", json!({"arguments": [1]})),
        ("{\"a\":", json!({"arguments": "{\"a\":"})),
    ] {
        let messages =
            vec![says(Role::User, "go"), message(Role::Assistant, vec![call("t", "f", arguments)])];
        assert_eq!(
            body(&conversation(messages), &sonnet())["messages"][1]["content"][0]["input"],
            expected,
            "{arguments}"
        );
    }
}

#[test]
fn results_carry_errors_images_and_nothing() {
    let image = File {
        media_type: "image/*".into(),
        data: FileData::Base64("iVBORw0KGgoAAA".into()),
        filename: None,
        detail: None,
    };
    let parts = vec![Part::text("see"), marked(Part::new(Content::File(image)))];
    let mut failed = result("t", ToolOutput::Parts(parts));
    if let Content::ToolResult(result) = &mut failed.content {
        result.is_error = true;
    }
    let body = body(
        &conversation(vec![message(Role::Tool, vec![failed, result("u", ToolOutput::Text(String::new()))])]),
        &sonnet(),
    );
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [
            {"type": "text", "text": "see"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAA"},
                "cache_control": {"type": "ephemeral"}}]},
            {"type": "tool_result", "tool_use_id": "u"}])
    );
}

fn reasoning(text: &str, signature: Option<&str>, data: Option<&str>, format: Option<&str>) -> Part {
    Part::new(Content::Reasoning(Reasoning {
        kind: ReasoningKind::Text,
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        data: data.map(str::to_owned),
        id: None,
        format: format.map(str::to_owned),
    }))
}

#[test]
fn i19_reasoning_precedes_calls_and_what_is_not_anthropics_is_dropped() {
    let ours = Some(FORMAT_ANTHROPIC);
    let body = body(
        &conversation(vec![
            says(Role::User, "go"),
            message(
                Role::Assistant,
                vec![
                    reasoning("unsigned", None, None, Some("unknown")),
                    reasoning("theirs", Some("sig"), None, Some(FORMAT_OPENAI)),
                    reasoning("nobody's", Some("sig"), None, None),
                    Part::text("so"),
                    call("t", "f", "{}"),
                    reasoning("in ", Some(""), None, ours),
                    reasoning("pieces", None, None, ours),
                    reasoning("", Some("sig+/="), None, ours),
                    reasoning("", None, Some("opaque"), ours),
                    reasoning("left over", None, None, ours),
                    reasoning("whole", Some("sig2"), None, ours),
                ],
            ),
        ]),
        &sonnet(),
    );
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "text", "text": "so"},
            {"type": "thinking", "thinking": "in pieces", "signature": "sig+/="},
            {"type": "redacted_thinking", "data": "opaque"},
            {"type": "thinking", "thinking": "whole", "signature": "sig2"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}}])
    );
}

fn file(media_type: &str, data: FileData) -> Message {
    let file = File { media_type: media_type.into(), data, filename: Some("a.pdf".into()), detail: None };
    message(Role::User, vec![Part::text("see"), Part::new(Content::File(file))])
}

#[test]
fn files_become_images_and_documents() {
    let base64 = |text: &str| FileData::Base64(text.into());
    let url = |text: &str| FileData::Url(text.into());
    let document = |source: Value| json!({"type": "document", "source": source, "title": "a.pdf"});
    for (media_type, data, expected) in [
        (
            "image/jpg",
            base64("QUJD"),
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "QUJD"}}),
        ),
        (
            "image/*",
            url("https://x/a"),
            json!({"type": "image", "source": {"type": "url", "url": "https://x/a"}}),
        ),
        (
            "image/png",
            FileData::Reference("file_1".into()),
            json!({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
        ),
        (
            "application/pdf",
            base64("JVBERi0"),
            document(json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0"})),
        ),
        ("", url("https://x/a.PDF?y"), document(json!({"type": "url", "url": "https://x/a.PDF?y"}))),
        (
            "text/csv; charset=utf-8",
            base64("YSxi"),
            document(json!({"type": "text", "media_type": "text/plain", "data": "a,b"})),
        ),
        (
            "text/plain",
            FileData::Text("hi".into()),
            document(json!({"type": "text", "media_type": "text/plain", "data": "hi"})),
        ),
    ] {
        let (body, encoded) = encoded(&conversation(vec![file(media_type, data.clone())]), &sonnet());
        assert_eq!(body["messages"][0]["content"][1], expected, "{media_type}");
        let needs_beta = matches!(data, FileData::Reference(_));
        assert_eq!(encoded.betas == ["files-api-2025-04-14"], needs_beta);
    }
    for (media_type, data) in [
        ("audio/wav", base64("QUJD")),
        ("image/svg+xml", base64("QUJD")),
        ("video/mp4", url("https://x/a.mp4")),
        ("text/plain", url("https://x/a.txt")),
    ] {
        let error = encode(&conversation(vec![file(media_type, data)]), &sonnet(), false).unwrap_err();
        assert_eq!(
            (error.kind, error.param.as_deref()),
            (InputErrorKind::Unsupported, Some("messages[0].content[1]"))
        );
    }
    let mut described = file("application/pdf", base64("JVBERi0"));
    described.parts[1].provider =
        vec![("anthropic".into(), json!({"context": "c", "citations": {"enabled": true}}))];
    let body = body(&conversation(vec![described]), &sonnet());
    assert_eq!(body["messages"][0]["content"][1]["citations"], json!({"enabled": true}));
    assert_eq!(body["messages"][0]["content"][1]["context"], "c");
}

#[test]
fn i21_marks_of_all_places_become_breakpoints() {
    let mut user = says(Role::User, "hi");
    user.cache = Some(MARK);
    let mut system = says(Role::System, "be");
    system.parts[0].cache = Some(CacheMark { ttl: Some(CacheTtl::OneHour) });
    let mut request = conversation(vec![
        system,
        user,
        message(Role::Assistant, vec![Part::text("ok"), marked(call("t", "f", "{}"))]),
        message(Role::Tool, vec![result("t", ToolOutput::Text("r".into()))]),
    ]);
    let mut whole = request.clone();
    whole.cache = Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) });
    let body_of = |request: &tollgate_domain::Conversation| body(request, &sonnet());
    let body = body_of(&whole);
    assert_eq!(body["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    assert_eq!(body["messages"][0]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["messages"][1]["content"][1]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["messages"][2]["content"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "5m"}));
    // Four of the client's own leave no room for one at the end.
    whole.tools = vec![Tool::Function(function("f", Some(MARK)))];
    let body = body_of(&whole);
    assert_eq!(body["tools"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    assert_eq!(body["messages"][2]["content"][0].get("cache_control"), None);
    // A fifth of its own: the first one in the order of the prompt, the tool's, gives way.
    whole.messages[3].cache = Some(MARK);
    let body = body_of(&whole);
    assert_eq!(body["tools"][0].get("cache_control"), None);
    assert!(body["system"][0].get("cache_control").is_some());
    // A mark in provider options, and one on a part that is dropped.
    request.provider_options = vec![("anthropic".into(), json!({"cacheControl": {"type": "ephemeral"}}))];
    request.messages.push(message(Role::User, vec![Part::text("more"), marked(Part::text(""))]));
    let body = body_of(&request);
    assert_eq!(body["messages"][2]["content"][1]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body.get("cache_control"), None);
    // A message of which nothing is left.
    let mut gone = message(Role::Assistant, vec![reasoning("unsigned", None, None, None)]);
    gone.cache = Some(MARK);
    let body = body_of(&conversation(vec![says(Role::System, "be"), says(Role::User, "hi"), gone]));
    assert_eq!(body["messages"][0]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
}

#[test]
fn i21_breakpoints_are_placed_where_the_client_set_none() {
    let turns = || {
        conversation(vec![
            says(Role::System, "be"),
            says(Role::User, "hi"),
            says(Role::Assistant, "ho"),
            says(Role::User, "on"),
        ])
    };
    let places = |request: &tollgate_domain::Conversation| {
        let body = body(request, &sonnet());
        let mut found = vec![("system".to_owned(), body["system"][0]["cache_control"].clone())];
        for (at, turn) in body["messages"].as_array().unwrap().iter().enumerate() {
            found.push((at.to_string(), turn["content"][0]["cache_control"].clone()));
        }
        found.retain(|(_, mark)| !mark.is_null());
        found
    };
    let mark = json!({"type": "ephemeral"});
    let mut request = turns();
    request.cache = Some(MARK);
    assert_eq!(places(&request), [("1".to_owned(), mark.clone()), ("2".to_owned(), mark.clone())]);
    request.cache_anchor = Some(CacheAnchor { message: 1, mark: CacheMark { ttl: Some(CacheTtl::OneHour) } });
    let hour = json!({"type": "ephemeral", "ttl": "1h"});
    assert_eq!(
        places(&request),
        [("0".to_owned(), hour), ("1".to_owned(), mark.clone()), ("2".to_owned(), mark.clone())]
    );
    let mut first = conversation(vec![says(Role::System, "be"), says(Role::User, "hi")]);
    first.cache = Some(MARK);
    assert_eq!(places(&first), [("system".to_owned(), mark.clone()), ("0".to_owned(), mark.clone())]);
    // The person's own mark stands, and the instructions get none beside it.
    first.messages[1].cache = Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) });
    assert_eq!(places(&first), [("0".to_owned(), json!({"type": "ephemeral", "ttl": "5m"}))]);
}

#[test]
fn a_longer_lifetime_never_follows_a_shorter_one() {
    let mut request =
        conversation(vec![says(Role::System, "be"), says(Role::User, "hi"), says(Role::User, "ho")]);
    request.messages[0].cache = Some(MARK);
    request.messages[1].cache = Some(CacheMark { ttl: Some(CacheTtl::OneHour) });
    request.messages[2].cache = Some(MARK);
    let body = body(&request, &sonnet());
    assert_eq!(body["system"][0]["cache_control"]["ttl"], "1h");
    assert_eq!(body["messages"][0]["content"][0]["cache_control"]["ttl"], "1h");
    assert_eq!(body["messages"][0]["content"][1]["cache_control"], json!({"type": "ephemeral"}));
}

#[test]
fn reasoning_takes_no_mark() {
    let mut turn = message(
        Role::Assistant,
        vec![Part::text("a"), reasoning("t", Some("s"), None, Some(FORMAT_ANTHROPIC))],
    );
    turn.cache = Some(MARK);
    let body = body(&conversation(vec![says(Role::User, "go"), turn]), &sonnet());
    assert_eq!(body["messages"][1]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["messages"][1]["content"][1].get("cache_control"), None);
}

#[test]
fn blocks_of_this_protocol_pass_and_others_are_dropped() {
    let block = json!({"type": "search_result", "source": "s", "content": [], "new_field": {"x": 1.5}});
    let custom = |namespace: &str, value: &Value| {
        Part::new(Content::Custom { namespace: namespace.into(), value: value.clone() })
    };
    let compaction = json!({"type": "compaction", "content": "s"});
    let (body, encoded) = encoded(
        &conversation(vec![
            message(
                Role::User,
                vec![custom("anthropic", &block), custom("openai", &json!({"type": "x"})), Part::text("go")],
            ),
            message(Role::Assistant, vec![custom("anthropic", &compaction), Part::text("x")]),
        ]),
        &sonnet(),
    );
    assert_eq!(body["messages"][0]["content"], json!([block, {"type": "text", "text": "go"}]));
    assert_eq!(body["messages"][1]["content"][0], compaction);
    assert_eq!(encoded.betas, ["compact-2026-01-12"]);
}

fn function(name: &str, cache: Option<CacheMark>) -> FunctionTool {
    FunctionTool {
        name: name.into(),
        description: Some("Does.".into()),
        parameters: json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}),
        strict: None,
        cache,
    }
}

fn with_tools(tools: Vec<Tool>) -> tollgate_domain::Conversation {
    let mut request = conversation(vec![says(Role::User, "go")]);
    request.tools = tools;
    request
}

#[test]
fn functions_are_defined_with_schema_strictness_and_mark() {
    let mut strict = function("g", None);
    strict.strict = Some(true);
    let bare = FunctionTool { description: None, parameters: Value::Null, ..function("h", None) };
    let tools = vec![function("f", Some(MARK)), strict, bare].into_iter().map(Tool::Function).collect();
    let request = with_tools(tools);
    let written = body(&request, &sonnet());
    assert_eq!(
        written["tools"],
        json!([
            {"name": "f", "description": "Does.",
                "input_schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}},
                "cache_control": {"type": "ephemeral"}},
            {"name": "g", "description": "Does.", "strict": true,
                "input_schema": {"type": "object", "additionalProperties": false,
                    "properties": {"n": {"type": "integer", "description": "(minimum: 1)"}}}},
            {"name": "h", "input_schema": {"type": "object", "properties": {}}}
        ])
    );
    let plain = Target { structured_output: false, ..sonnet() };
    assert_eq!(body(&request, &plain)["tools"][1].get("strict"), None);
}

#[test]
fn choices_are_mapped() {
    use ToolChoice::{Auto, Function, None as Nothing, Required};
    for (choice, parallel, expected) in [
        (None, None, Value::Null),
        (None, Some(true), Value::Null),
        (None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (Some(Auto), None, json!({"type": "auto"})),
        (Some(Nothing), Some(false), json!({"type": "none"})),
        (Some(Required), Some(false), json!({"type": "any", "disable_parallel_tool_use": true})),
        (Some(Function("f".into())), Some(true), json!({"type": "tool", "name": "f"})),
    ] {
        let mut request = with_tools(vec![Tool::Function(function("f", None))]);
        request.tool_choice = choice;
        request.parallel_tool_calls = parallel;
        assert_eq!(body(&request, &sonnet())["tool_choice"], expected);
    }
    let mut without = conversation(vec![says(Role::User, "go")]);
    without.tool_choice = Some(Required);
    assert_eq!(body(&without, &sonnet()).get("tool_choice"), None);
}

#[test]
fn the_providers_own_tools_pass_with_their_betas() {
    let tool =
        |kind: &str, value: Value| Tool::Provider { namespace: String::new(), kind: kind.into(), value };
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "cache_control": {"type": "ephemeral"}});
    let (body, encoded) = encoded(
        &with_tools(vec![
            tool("web_search_20250305", search.clone()),
            tool("web_search", json!({"type": "web_search"})),
            tool("web_search_preview_2025_03_11", json!({"type": "web_search_preview_2025_03_11"})),
            tool("vercel:exa_search", json!({"type": "vercel:exa_search"})),
            tool(
                "anthropic.computer_20250124",
                json!({"type": "provider", "id": "anthropic.computer_20250124", "name": "computer",
                    "args": {"displayWidthPx": 10, "userLocation": {"regionName": "x"}}}),
            ),
            tool(
                "code_execution_20250825",
                json!({"type": "code_execution_20250825", "name": "code_execution"}),
            ),
            tool(
                "tool_search_tool_bm25_20251119",
                json!({"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}),
            ),
        ]),
        &opus(),
    );
    let tools = body["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 4, "{tools:?}");
    assert_eq!(tools[0], search);
    assert_eq!(
        tools[1],
        json!({"type": "computer_20250124", "name": "computer", "display_width_px": 10, "user_location": {"region_name": "x"}})
    );
    assert_eq!(
        encoded.betas,
        ["computer-use-2025-01-24", "code-execution-2025-08-25", "advanced-tool-use-2025-11-20"]
    );
}

#[test]
fn betas_are_merged_in_one_header() {
    assert_eq!(headers([]), [("anthropic-version", "2023-06-01".to_owned())]);
    assert_eq!(headers(["a, b", "", "b", "c,a"])[1], ("anthropic-beta", "a,b,c".to_owned()));
}
