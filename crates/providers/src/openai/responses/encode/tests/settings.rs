use serde_json::Number;
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, ReasoningRequest, ResponseFormat, Settings, ToolChoice,
};

use super::*;

fn plain() -> Conversation {
    talk(vec![said(Role::User, "hi")])
}

fn number(value: f64) -> Option<Number> {
    Number::from_f64(value)
}

#[test]
fn requests_are_stateless_unless_the_client_wants_them_stored() {
    let found = body(&plain());
    assert_eq!(
        found,
        json!({"model": "gpt-5", "input": [{"role": "user", "content": "hi"}], "store": false, "include": ["reasoning.encrypted_content"]})
    );
    let stored = Conversation {
        provider_options: vec![("openai".into(), json!({"store": true, "previousResponseId": "resp_1"}))],
        ..plain()
    };
    let found = body(&stored);
    assert_eq!((found["store"] == true, found.get("include")), (true, None));
    assert_eq!(found["previous_response_id"], "resp_1");
    let (other, _) = body_for(&target("lmstudio", "m"), &plain());
    assert_eq!((other["store"] == false, other.get("include")), (true, None));
    // A model that does not reason has no state to seal.
    assert_eq!(body_for(&target("openai", "gpt-4.1"), &plain()).0.get("include"), None);
    let streamed = encode(&plain(), &target("openai", "gpt-5"), true).unwrap();
    assert!(String::from_utf8(streamed.body).unwrap().ends_with(r#","stream":true}"#));
}

#[test]
fn functions_say_that_they_are_not_strict() {
    let conversation = Conversation {
        tools: vec![
            function("f"),
            Tool::Function(FunctionTool {
                name: "g".into(),
                description: Some("does".into()),
                parameters: Value::Null,
                strict: Some(true),
                cache: None,
            }),
        ],
        tool_choice: Some(ToolChoice::Function("f".into())),
        parallel_tool_calls: Some(false),
        ..plain()
    };
    let found = body(&conversation);
    assert_eq!(
        found["tools"],
        json!([
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}, "strict": false},
            {"type": "function", "name": "g", "description": "does", "parameters": {"type": "object", "properties": {}}, "strict": true},
        ])
    );
    assert_eq!(found["tool_choice"], json!({"type": "function", "name": "f"}));
    assert_eq!(found["parallel_tool_calls"], false);
}

#[test]
fn tools_of_the_provider_come_in_every_form_and_others_are_named() {
    let tool = |namespace: &str, kind: &str, value: Value| Tool::Provider {
        namespace: namespace.into(),
        kind: kind.into(),
        value,
    };
    let conversation = Conversation {
        tools: vec![
            tool("openai", "web_search", json!({"type": "web_search", "search_context_size": "low"})),
            tool(
                "",
                "custom",
                json!({"type": "custom", "custom": {"name": "sql", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "d"}}}}),
            ),
            tool(
                "openai",
                "openai.file_search",
                json!({"id": "openai.file_search", "name": "fs", "args": {"vectorStoreIds": ["v"], "ranking": {"scoreThreshold": 0.5}}}),
            ),
            tool(
                "openai",
                "openai.code_interpreter",
                json!({"id": "openai.code_interpreter", "name": "ci", "args": {"container": {"fileIds": ["f"]}}}),
            ),
            tool(
                "openai",
                "openai.mcp",
                json!({"id": "openai.mcp", "name": "m", "args": {"serverLabel": "l", "headers": {"X-Key": "v"}}}),
            ),
            tool("anthropic", "web_search_20250305", json!({"type": "web_search_20250305"})),
            tool("google", "google.google_search", json!({"args": {}})),
        ],
        tool_choice: Some(ToolChoice::Function("fs".into())),
        ..plain()
    };
    let (found, warnings) = body_for(&target("openai", "gpt-5"), &conversation);
    assert_eq!(
        found["tools"],
        json!([
            {"type": "web_search", "search_context_size": "low"},
            {"type": "custom", "name": "sql", "format": {"type": "grammar", "syntax": "lark", "definition": "d"}},
            {"type": "file_search", "vector_store_ids": ["v"], "ranking_options": {"score_threshold": 0.5}},
            {"type": "code_interpreter", "container": {"file_ids": ["f"], "type": "auto"}},
            {"type": "mcp", "server_label": "l", "headers": {"X-Key": "v"}},
        ])
    );
    assert_eq!(found["tool_choice"], json!({"type": "file_search"}));
    assert_eq!(features(&warnings), ["tool web_search_20250305", "tool google.google_search"]);
}

#[test]
fn what_the_protocol_lacks_is_left_out_and_named() {
    let conversation = Conversation {
        settings: Settings {
            max_output_tokens: Some(4),
            temperature: number(0.5),
            top_p: number(0.9),
            top_k: Some(3),
            presence_penalty: number(1.0),
            frequency_penalty: number(1.0),
            stop: vec!["x".into()],
            seed: Some(1),
        },
        modalities: vec!["text".into(), "image".into()],
        cache: Some(CacheMark { ttl: Some(CacheTtl::OneHour) }),
        ..plain()
    };
    let (found, warnings) = body_for(&target("openai", "gpt-5"), &conversation);
    let members: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(members, ["model", "input", "max_output_tokens", "store", "include"]);
    assert_eq!(found["max_output_tokens"], 16);
    let mut named = features(&warnings);
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "cache_ttl",
            "frequency_penalty",
            "max_tokens",
            "modalities",
            "presence_penalty",
            "seed",
            "stop",
            "temperature",
            "top_k",
            "top_p"
        ]
    );
    let (found, warnings) = body_for(&target("openai", "gpt-4.1"), &conversation);
    assert_eq!((&found["temperature"], &found["top_p"]), (&json!(0.5), &json!(0.9)));
    assert!(!features(&warnings).contains(&"temperature"));
}

#[test]
fn sampling_is_taken_where_reasoning_is_off() {
    let with = |model: &str, effort: &str| {
        let conversation = Conversation {
            settings: Settings { temperature: number(0.5), ..Settings::default() },
            reasoning: Some(ReasoningRequest { effort: Some(effort.into()), ..ReasoningRequest::default() }),
            ..plain()
        };
        body_for(&target("openai", model), &conversation).0
    };
    assert_eq!(with("gpt-5.1", "none")["temperature"], 0.5);
    assert_eq!(with("gpt-5.1", "low").get("temperature"), None);
    assert_eq!(with("gpt-5", "none").get("temperature"), None);
    assert_eq!(with("gpt-5.1", "low")["reasoning"], json!({"effort": "low", "summary": "auto"}));
}

#[test]
fn the_form_of_the_answer_is_flat() {
    let conversation = Conversation {
        response_format: Some(ResponseFormat::JsonSchema {
            name: None,
            schema: json!({"type": "object"}),
            strict: Some(true),
            description: Some("d".into()),
        }),
        verbosity: Some("low".into()),
        ..plain()
    };
    assert_eq!(
        body(&conversation)["text"],
        json!({"format": {"type": "json_schema", "name": "response", "description": "d", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"})
    );
    let json_mode = Conversation { response_format: Some(ResponseFormat::JsonObject), ..plain() };
    assert_eq!(body(&json_mode)["text"], json!({"format": {"type": "json_object"}}));
    let (found, warnings) = body_for(&target("xai", "grok-4.3"), &conversation);
    assert_eq!(found["text"].get("verbosity"), None);
    assert_eq!(features(&warnings), ["verbosity"]);
}

#[test]
fn particulars_go_to_those_who_keep_them() {
    let conversation = Conversation {
        service_tier: Some("fast".into()),
        safety_identifier: Some("u".into()),
        prompt_cache_key: Some("k".into()),
        metadata: vec![("a".into(), "b".into())],
        ..plain()
    };
    let found = body(&conversation);
    assert_eq!(
        [&found["service_tier"], &found["safety_identifier"], &found["prompt_cache_key"], &found["metadata"]],
        [&json!("priority"), &json!("u"), &json!("k"), &json!({"a": "b"})]
    );
    let (found, warnings) = body_for(&target("xai", "grok-4.3"), &conversation);
    assert_eq!((&found["user"], &found["prompt_cache_key"]), (&json!("u"), &json!("k")));
    assert!(found.get("metadata").is_none() && found.get("service_tier").is_none());
    assert_eq!(features(&warnings), ["service_tier"]);
}

#[test]
fn options_of_the_ai_sdk_go_where_they_belong() {
    let conversation = Conversation {
        provider_options: vec![
            (
                "openai".into(),
                json!({
                    "reasoningEffort": "high", "reasoningSummary": "detailed", "textVerbosity": "medium",
                    "parallelToolCalls": false, "maxToolCalls": 2, "truncation": "auto", "user": "u", "serviceTier": "flex",
                    "promptCacheKey": "k", "metadata": {"a": "b"}, "include": ["file_search_call.results"], "logprobs": 5,
                    "contextManagement": [{"type": "compaction", "compactThreshold": 9}],
                    "allowedTools": {"toolNames": ["f"]}, "strictJsonSchema": true, "model": "sneaky", "input": [], "newThing": null,
                }),
            ),
            ("xai".into(), json!({"reasoningEffort": "low"})),
        ],
        ..plain()
    };
    let found = body(&conversation);
    let wanted = json!({
        "model": "gpt-5", "input": [{"role": "user", "content": "hi"}], "store": false,
        "include": ["reasoning.encrypted_content", "file_search_call.results", "message.output_text.logprobs"],
        "reasoning": {"effort": "high", "summary": "detailed"}, "text": {"verbosity": "medium"},
        "parallel_tool_calls": false, "max_tool_calls": 2, "truncation": "auto", "user": "u", "service_tier": "flex",
        "prompt_cache_key": "k", "metadata": {"a": "b"}, "top_logprobs": 5,
        "context_management": [{"type": "compaction", "compact_threshold": 9}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    });
    assert_eq!(found, wanted);
    // Azure's own options win over those for the protocol's maker.
    let both = Conversation {
        provider_options: vec![
            ("azure".into(), json!({"user": "azure"})),
            ("openai".into(), json!({"user": "openai"})),
        ],
        ..plain()
    };
    assert_eq!(body_for(&target("azure", "d"), &both).0["user"], "azure");
    assert_eq!(body(&both)["user"], "openai");
}

#[test]
fn a_summary_can_be_switched_off_by_option() {
    let conversation = Conversation {
        provider_options: vec![(
            "openai".into(),
            json!({"reasoningEffort": "low", "reasoningSummary": null}),
        )],
        ..plain()
    };
    assert_eq!(body(&conversation)["reasoning"], json!({"effort": "low"}));
}

#[test]
fn reasoning_that_cannot_be_asked_for_is_named() {
    let wish = ReasoningRequest { effort: Some("high".into()), ..ReasoningRequest::default() };
    let conversation = Conversation { reasoning: Some(wish), ..plain() };
    let (found, warnings) = body_for(&target("openai", "gpt-4.1"), &conversation);
    assert_eq!((found.get("reasoning"), features(&warnings)), (None, vec!["reasoning"]));
}

#[test]
fn i21_breakpoints_are_placed_where_marks_are_honoured() {
    let mut talk = talk(vec![
        said(Role::System, "be"),
        said(Role::User, "hi"),
        said(Role::User, "ho"),
        said(Role::User, "on"),
    ]);
    talk.cache = Some(CacheMark::default());
    let marked = |provider: &str, talk: &Conversation| {
        let body = body_for(&target(provider, "m"), talk).0;
        let items = body["input"].as_array().unwrap().iter();
        items.map(|item| item["content"][0].get("cache_control").is_some()).collect::<Vec<_>>()
    };
    assert_eq!(marked("openrouter", &talk), [false, true, true]);
    assert_eq!(marked("openai", &talk), [false, false, false]);
    talk.messages[1].cache = Some(CacheMark::default());
    assert_eq!(marked("openrouter", &talk), [true, false, true], "the client's own, and the end");
}

#[test]
fn tiers_go_only_to_models_that_are_served_at_them() {
    let mut talk = talk(vec![said(Role::User, "hi")]);
    for (provider, model, tier, expected) in [
        ("openai", "gpt-5", "flex", json!("flex")),
        ("openai", "gpt-4.1", "flex", Value::Null),
        ("openai", "gpt-4.1", "fast", json!("priority")),
        ("openai", "gpt-4.1", "default", json!("default")),
        ("xai", "grok-4", "priority", Value::Null),
    ] {
        talk.service_tier = Some(tier.into());
        let (body, warnings) = body_for(&target(provider, model), &talk);
        assert_eq!(body["service_tier"], expected, "{provider} {model} {tier}");
        assert_eq!(
            features(&warnings).contains(&"service_tier"),
            expected.is_null(),
            "{provider} {model} {tier}"
        );
    }
}
