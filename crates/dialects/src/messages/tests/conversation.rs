//! Everything of a request must be in its neutral form.

use serde_json::{Value, json};
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, Content, FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FileData, Part, Reasoning,
    ReasoningKind, ResponseFormat, Role, Tool, ToolChoice, ToolOutput,
};

use super::conversation;
use crate::carried_state;

/// The parts of a message with this content.
fn parts(role: &str, content: Value) -> Vec<Part> {
    let found = conversation(json!({"messages": [{"role": role, "content": content}]}));
    found.messages.into_iter().next().unwrap().parts
}

fn part(role: &str, block: Value) -> Part {
    parts(role, json!([block])).into_iter().next().unwrap()
}

const SHORT: Option<CacheMark> = Some(CacheMark { ttl: None });
const HOUR: Option<CacheMark> = Some(CacheMark { ttl: Some(CacheTtl::OneHour) });

#[test]
fn texts_and_instructions() {
    let found = conversation(json!({
        "system": [
            {"type": "text", "text": "billing header"},
            {"type": "text", "text": "You are Claude.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": [{"type": "text", "text": "two", "citations": [{"type": "char_location", "start_char_index": 0}]}]},
            {"role": "system", "content": "three"},
        ],
    }));
    let roles: Vec<_> = found.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::System]);
    let system = &found.messages[0].parts;
    assert_eq!((system.len(), system[0].cache, system[1].cache), (2, None, HOUR));
    assert_eq!(found.messages[1].parts, [Part::text("one")]);
    let cited = &found.messages[2].parts[0];
    assert_eq!(cited.provider[0].0, "anthropic");
    assert_eq!(cited.provider[0].1["citations"][0]["type"], "char_location");
    assert_eq!(conversation(json!({"system": "short"})).messages[0].parts, [Part::text("short")]);
}

#[test]
fn citations_of_ours_are_left_out_again() {
    let cited = |index| json!({"type": "web_search_result_location", "url": "u", "encrypted_index": index});
    let text = |citations| part("assistant", json!({"type": "text", "text": "x", "citations": citations}));
    assert!(text(json!([cited("")])).provider.is_empty());
    assert_eq!(text(json!([cited(""), cited("E+=")])).provider[0].1, json!({"citations": [cited("E+=")]}));
}

#[test]
fn files_in_all_forms() {
    let file = |block| match part("user", block).content {
        Content::File(file) => file,
        other => panic!("{other:?}"),
    };
    let image = |source: Value| file(json!({"type": "image", "source": source}));
    let found = image(json!({"type": "base64", "media_type": "image/webp", "data": "UklGR=="}));
    assert_eq!((found.media_type.as_str(), found.data), ("image/webp", FileData::Base64("UklGR==".into())));
    let found = image(json!({"type": "url", "url": "https://example.com/a"}));
    assert_eq!(
        (found.media_type.as_str(), found.data),
        ("image/*", FileData::Url("https://example.com/a".into()))
    );
    let found = image(json!({"type": "url", "url": "data:image/gif;base64,R0lGOD"}));
    assert_eq!((found.media_type.as_str(), found.data), ("image/gif", FileData::Base64("R0lGOD".into())));
    let found = image(json!({"type": "file", "file_id": "file_1"}));
    assert_eq!(found.data, FileData::Reference("file_1".into()));

    let document = |source: Value| file(json!({"type": "document", "source": source, "title": "T"}));
    let found = document(json!({"type": "text", "media_type": "text/plain", "data": "words"}));
    assert_eq!((found.media_type.as_str(), found.data), ("text/plain", FileData::Text("words".into())));
    assert_eq!(found.filename.as_deref(), Some("T"));
    for source in [
        json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi"}),
        json!({"type": "url", "url": "https://example.com/a.pdf"}),
        json!({"type": "file", "file_id": "file_2"}),
    ] {
        assert_eq!(document(source).media_type, "application/pdf");
    }
    let described = part(
        "user",
        json!({"type": "document", "title": "T", "context": "C", "citations": {"enabled": true},
            "source": {"type": "text", "media_type": "text/plain", "data": "w"}, "cache_control": {"type": "ephemeral", "ttl": "5m"}}),
    );
    assert_eq!(
        described.provider,
        [("anthropic".to_owned(), json!({"title": "T", "context": "C", "citations": {"enabled": true}}))]
    );
    assert_eq!(described.cache, Some(CacheMark { ttl: Some(CacheTtl::FiveMinutes) }));
    // Text to cite from block by block is a form of its own.
    let blocks = json!({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}});
    assert_eq!(
        part("user", blocks.clone()).content,
        Content::Custom { namespace: "anthropic".into(), value: blocks }
    );
}

#[test]
fn i18_calls_and_results_survive() {
    let body = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{ \"n\" : 1.50, \"big\":123456789012345678901234567890 }}]}]}";
    let found = super::parse(body).unwrap().conversation().unwrap();
    let Content::ToolCall(call) = &found.messages[0].parts[0].content else { panic!() };
    assert_eq!(call.arguments, "{ \"n\" : 1.50, \"big\":123456789012345678901234567890 }");
    assert_eq!((call.id.as_str(), call.name.as_str()), ("toolu_1", "f"));

    let called = part(
        "assistant",
        json!({"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}}),
    );
    assert_eq!(called.provider[0].1["caller"]["tool_id"], "srvtoolu_1");

    let result = |content: Value| {
        let block = json!({"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": content, "cache_control": {"type": "ephemeral"}});
        let part = part("user", block);
        assert_eq!(part.cache, SHORT);
        match part.content {
            Content::ToolResult(result) => {
                assert!(result.is_error && result.call_id == "t");
                result.output
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(result(json!("out")), ToolOutput::Text("out".into()));
    assert_eq!(result(Value::Null), ToolOutput::Text(String::new()));
    let search = json!({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]});
    let ToolOutput::Parts(inner) = result(json!([
        {"type": "text", "text": "a"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo"}},
        search,
    ])) else {
        panic!()
    };
    assert_eq!(inner[0], Part::text("a"));
    assert!(matches!(&inner[1].content, Content::File(file) if file.media_type == "image/png"));
    assert_eq!(inner[2].content, Content::Custom { namespace: "anthropic".into(), value: search });
}

#[test]
fn i19_reasoning_of_every_family_comes_back() {
    let reasoning = |block| match part("assistant", block).content {
        Content::Reasoning(reasoning) => reasoning,
        other => panic!("{other:?}"),
    };
    let own = reasoning(json!({"type": "thinking", "thinking": "hm \n", "signature": "EqQB+/=="}));
    assert_eq!((own.text.as_str(), own.signature.as_deref()), ("hm \n", Some("EqQB+/==")));
    assert_eq!((own.kind, own.format.as_deref()), (ReasoningKind::Text, Some(FORMAT_ANTHROPIC)));
    let redacted = reasoning(json!({"type": "redacted_thinking", "data": "EvAF=="}));
    assert_eq!((redacted.kind, redacted.data.as_deref()), (ReasoningKind::Encrypted, Some("EvAF==")));
    assert_eq!(redacted.format.as_deref(), Some(FORMAT_ANTHROPIC));
    for signature in [json!(""), Value::Null] {
        let unsigned = reasoning(json!({"type": "thinking", "thinking": "x", "signature": signature}));
        assert_eq!(unsigned.signature, None);
    }
    let summary = Reasoning {
        kind: ReasoningKind::Summary,
        text: "told".into(),
        data: Some("gAAA".into()),
        id: Some("rs_1".into()),
        format: Some(FORMAT_OPENAI.into()),
        ..Reasoning::default()
    };
    let token = carried_state::wrap(&summary);
    assert_eq!(reasoning(json!({"type": "thinking", "thinking": "told", "signature": token})), summary);
    let state = Reasoning {
        kind: ReasoningKind::Encrypted,
        data: Some("CiQB".into()),
        id: Some("call_1".into()),
        format: Some(FORMAT_GEMINI.into()),
        ..Reasoning::default()
    };
    let token = carried_state::wrap(&state);
    assert_eq!(reasoning(json!({"type": "redacted_thinking", "data": token})), state);
}

#[test]
fn blocks_that_only_anthropic_knows_stay_whole() {
    for block in [
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "encrypted_content": "E+="}]}),
        json!({"type": "container_upload", "file_id": "file_1"}),
        json!({"type": "compaction", "content": "so far"}),
        json!({"type": "someday", "z": [1, null]}),
    ] {
        let marked = part("assistant", block.clone());
        assert_eq!(marked.content, Content::Custom { namespace: "anthropic".into(), value: block });
    }
    let block = json!({"type": "someday", "cache_control": {"type": "ephemeral", "ttl": "1h"}});
    assert_eq!(part("user", block).cache, HOUR);
}

#[test]
fn tools_of_the_client_and_of_the_provider() {
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3});
    let found = conversation(json!({
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true},
            {"type": "custom", "name": "g", "input_schema": {}, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "defer_loading": true},
            search,
            {"type": "vercel:exa_search"},
        ],
        "tool_choice": {"type": "tool", "name": "g", "disable_parallel_tool_use": true},
    }));
    let Tool::Function(f) = &found.tools[0] else { panic!() };
    assert_eq!(
        (f.name.as_str(), f.description.as_deref(), f.strict, f.cache),
        ("f", Some("d"), Some(true), None)
    );
    assert_eq!(f.parameters, json!({"type": "object"}));
    let Tool::Function(g) = &found.tools[1] else { panic!() };
    assert_eq!((g.name.as_str(), g.cache), ("g", HOUR));
    assert_eq!(
        found.tools[2],
        Tool::Provider { namespace: "anthropic".into(), kind: "web_search_20250305".into(), value: search }
    );
    assert!(matches!(&found.tools[3], Tool::Provider { namespace, .. } if namespace == "vercel"));
    assert_eq!(found.tool_choice, Some(ToolChoice::Function("g".into())));
    assert_eq!(found.parallel_tool_calls, Some(false));
    for (kind, choice) in [
        ("auto", Some(ToolChoice::Auto)),
        ("any", Some(ToolChoice::Required)),
        ("none", Some(ToolChoice::None)),
        ("someday", None),
    ] {
        let found = conversation(json!({"tool_choice": {"type": kind}}));
        assert_eq!((found.tool_choice, found.parallel_tool_calls), (choice, None), "{kind}");
    }
}

#[test]
fn settings_and_the_form_of_the_answer() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let found = conversation(json!({
        "temperature": 0.70, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END", ""],
        "service_tier": "standard_only",
        "metadata": {"user_id": "u".repeat(90), "x": 1},
        "output_config": {"format": {"type": "json_schema", "schema": schema}, "task_budget": {"total": 5}},
    }));
    assert_eq!(found.settings.max_output_tokens, Some(1024));
    assert_eq!(found.settings.temperature.as_ref().map(ToString::to_string).as_deref(), Some("0.7"));
    assert_eq!((found.settings.top_k, found.settings.stop.len()), (Some(40), 2));
    assert_eq!(found.service_tier.as_deref(), Some("default"));
    assert_eq!(found.safety_identifier.as_deref().map(str::len), Some(64));
    assert!(
        matches!(&found.response_format, Some(ResponseFormat::JsonSchema { schema: s, .. }) if *s == schema)
    );
    let own = &found.provider_options[0];
    assert_eq!(own.0, "anthropic");
    assert_eq!(own.1["output_config"], json!({"task_budget": {"total": 5}}));
    assert_eq!(own.1["metadata"]["user_id"].as_str().map(str::len), Some(90), "Anthropic gets all of it");
    assert_eq!(own.1.get("max_tokens"), None);
}

#[test]
fn reasoning_in_all_forms() {
    let asked = |extra| conversation(extra).reasoning;
    assert_eq!(asked(json!({})), None);
    let budget = asked(json!({"thinking": {"type": "enabled", "budget_tokens": 2048}})).unwrap();
    assert_eq!((budget.enabled, budget.max_tokens, budget.effort), (Some(true), Some(2048), None));
    let adaptive = asked(
        json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max"}}),
    )
    .unwrap();
    assert_eq!((adaptive.enabled, adaptive.effort.as_deref()), (Some(true), Some("max")));
    assert_eq!((adaptive.summary.as_deref(), adaptive.exclude), (Some("summarized"), false));
    assert!(asked(json!({"thinking": {"type": "adaptive", "display": "omitted"}})).unwrap().exclude);
    let off = conversation(json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}));
    assert!(!off.reasoning.as_ref().unwrap().wanted());
    assert_eq!(off.provider_options[0].1, json!({"output_config": {"effort": "low"}}));
    let limited =
        conversation(json!({"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 4096}));
    assert_eq!(limited.provider_options[0].1, json!({"max_tokens": 4096}), "reasoning included");
}

#[test]
fn marks_on_the_whole_request() {
    assert_eq!(conversation(json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}})).cache, HOUR);
    assert_eq!(conversation(json!({"providerOptions": {"gateway": {"caching": "auto"}}})).cache, SHORT);
    assert_eq!(conversation(json!({"caching": "auto"})).cache, SHORT);
    assert_eq!(conversation(json!({"providerOptions": {"gateway": {"caching": "no"}}})).cache, None);
}

#[test]
fn what_has_no_neutral_form_goes_on_to_anthropic() {
    let managed = json!({"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]});
    let found = conversation(json!({
        "context_management": managed,
        "speed": "fast",
        "x_new": null,
        "y_new": 1,
        "providerOptions": {
            "anthropic": {"speed": "standard"},
            "bedrock": {"z": 1},
            "gateway": {"serviceTier": "fast", "safetyIdentifier": "s-1"},
        },
    }));
    assert_eq!(
        found.provider_options,
        [
            ("anthropic".to_owned(), json!({"context_management": managed, "speed": "fast", "y_new": 1})),
            ("anthropic".to_owned(), json!({"speed": "standard"})),
            ("bedrock".to_owned(), json!({"z": 1})),
        ]
    );
    assert_eq!(found.service_tier.as_deref(), Some("priority"));
    assert_eq!(found.safety_identifier.as_deref(), Some("s-1"));
}
