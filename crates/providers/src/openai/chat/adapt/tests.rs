use serde_json::{Value, json};

use super::*;

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.to_owned(), model: model.to_owned(), ..Target::default() }
}

fn thinker(provider: &str, model: &str) -> Target {
    Target { reasoning: true, ..target(provider, model) }
}

fn text(body: &str, target: &Target, stream: bool) -> String {
    String::from_utf8(adapt(body.as_bytes(), target, stream).unwrap()).unwrap()
}

fn value(body: &Value, target: &Target, stream: bool) -> Value {
    serde_json::from_str(&text(&body.to_string(), target, stream)).unwrap()
}

/// Adapts a body with `members` and one user message; gives the result without model and messages.
fn members(provider: &str, model: &str, members: Value) -> Value {
    rest(&thinker(provider, model), members)
}

fn rest(target: &Target, members: Value) -> Value {
    let mut body = json!({"model": "a/b", "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut after = value(&body, target, false);
    let object = after.as_object_mut().unwrap();
    object.remove("model");
    object.remove("messages");
    after
}

/// Adapts messages; gives the result's.
fn messages(target: &Target, messages: Value) -> Value {
    value(&json!({"model": "a/b", "messages": messages}), target, false)["messages"].take()
}

#[test]
fn i17_what_is_not_owned_stays_byte_for_byte() {
    let body = "{ \"messages\" : [ {\"role\":\"user\", \"content\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"} ],\n \"model\":\"openai/gpt-4o\",\t\"temperature\": 1.0e-1 , \"x_new\":{ \"a\" : [1, 2.50 ,12345678901234567890123] }, \"seed\": 9007199254740993,\"logit_bias\":{\"50256\":-100} }";
    let plain = target("openai", "gpt-4o-2024-08-06");
    assert_eq!(
        text(body, &plain, false),
        "{\"messages\":[ {\"role\":\"user\", \"content\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"} ],\"model\":\"gpt-4o-2024-08-06\",\"temperature\":1.0e-1,\"x_new\":{ \"a\" : [1, 2.50 ,12345678901234567890123] },\"seed\":9007199254740993,\"logit_bias\":{\"50256\":-100}}"
    );
    assert!(
        text(body, &plain, true).ends_with("\"stream\":true,\"stream_options\":{\"include_usage\":true}}")
    );
}

#[test]
fn i17_only_the_message_that_must_change_changes() {
    let body = r#"{"model":"m","messages":[ {"role" : "user","content":"a  \"reasoning\" \"cache_control\""},{"role":"assistant" , "reasoning":"x", "content":"b" , "zz": 1.0 } , {"role":"user",  "content":[{ "type":"text", "text":"c","cache_control":{"type":"ephemeral"}} ]}]}"#;
    assert_eq!(
        text(body, &target("openai", "gpt-4o"), false),
        r#"{"model":"gpt-4o","messages":[{"role" : "user","content":"a  \"reasoning\" \"cache_control\""},{"role":"assistant","content":"b","zz":1.0},{"role":"user","content":[{"type":"text","text":"c"}]}]}"#
    );
}

#[test]
fn streams_ask_for_usage() {
    let at = target("together", "m");
    let after = |body: Value, stream| value(&body, &at, stream);
    let body = json!({"model": "x", "messages": [], "stream": false, "stream_options": {"include_usage": false, "x": 1}});
    let streamed = after(body.clone(), true);
    assert_eq!(
        (&streamed["stream"], &streamed["stream_options"]),
        (&json!(true), &json!({"include_usage": true, "x": 1}))
    );
    let whole = after(body, false);
    assert_eq!((whole.get("stream"), whole.get("stream_options")), (Some(&json!(false)), None));
    let mistral =
        value(&json!({"messages": [], "stream": true, "stream_options": {}}), &target("mistral", "m"), true);
    assert_eq!((mistral.get("stream_options"), &mistral["stream"]), (None, &json!(true)));
    let zai = value(&json!({"messages": [], "tools": [{}]}), &target("zai", "glm-4.6"), true);
    assert_eq!(zai["tool_stream"], true);
}

#[test]
fn gateway_members_are_taken_out() {
    let sent = json!({
        "providerOptions": {"gateway": {"order": ["x"]}, "openai": {"reasoningEffort": "low", "store": true, "model": "evil", "textVerbosity": "low"}, "groq": {"x": 1}},
        "provider": {"sort": "cost"}, "include_reasoning": true, "cache_control": {"type": "ephemeral"},
        "max_tokens": 0, "user": "u"
    });
    assert_eq!(
        members("openai", "gpt-4o", sent.clone()),
        json!({"user": "u", "reasoning_effort": "low", "store": true, "verbosity": "low"})
    );
    assert_eq!(members("vllm", "m", sent), json!({"user": "u"}));
}

#[test]
fn openai_reasoning_models() {
    let sent = json!({"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "logprobs": true, "top_logprobs": 2, "presence_penalty": 1, "frequency_penalty": 1, "logit_bias": {}, "stop": ["x"]});
    assert_eq!(
        members("openai", "gpt-5-mini", sent.clone()),
        json!({"max_completion_tokens": 9, "stop": ["x"]})
    );
    assert_eq!(members("openai", "o3", sent.clone()), json!({"max_completion_tokens": 9, "stop": ["x"]}));
    assert_eq!(members("openai", "gpt-5-chat-latest", sent.clone()), sent);
    assert_eq!(members("openai", "gpt-4o", sent.clone()), sent);
    let mut off = json!({"temperature": 0.5, "reasoning_effort": "none"});
    assert_eq!(members("openai", "gpt-5.1", off.clone()), off);
    off["temperature"] = json!(null);
    assert_eq!(members("openai", "gpt-5", off), json!({"reasoning_effort": "none"}));
    assert_eq!(
        members("openai", "gpt-4o-search-preview", json!({"temperature": 1, "top_p": 1})),
        json!({"top_p": 1})
    );
    let deployment = Target { canonical: "openai/gpt-5".to_owned(), ..thinker("azure", "my-deployment") };
    assert_eq!(
        rest(&deployment, json!({"max_tokens": 3, "temperature": 1})),
        json!({"max_completion_tokens": 3})
    );
    let roles = messages(
        &thinker("openai", "o1"),
        json!([{"role": "system", "content": "s"}, {"role": "user", "content": "system"}]),
    );
    assert_eq!(roles, json!([{"role": "developer", "content": "s"}, {"role": "user", "content": "system"}]));
}

#[test]
fn members_that_a_provider_does_not_take() {
    let table: &[(&str, &str, Value, Value)] = &[
        (
            "groq",
            "m",
            json!({"logprobs": true, "top_logprobs": 1, "logit_bias": {}, "n": 2, "seed": 1}),
            json!({"seed": 1}),
        ),
        (
            "groq",
            "m",
            json!({"n": 1, "max_completion_tokens": 5, "service_tier": "flex"}),
            json!({"n": 1, "max_completion_tokens": 5, "service_tier": "flex"}),
        ),
        (
            "deepseek",
            "deepseek-chat",
            json!({"top_k": 1, "seed": 1, "max_completion_tokens": 5, "stop": "a"}),
            json!({"max_tokens": 5, "stop": "a"}),
        ),
        (
            "xai",
            "grok-4",
            json!({"stop": "a", "presence_penalty": 1, "frequency_penalty": 1, "reasoning_effort": "low", "user": "u"}),
            json!({"user": "u"}),
        ),
        ("xai", "grok-3-mini", json!({"reasoning_effort": "low"}), json!({"reasoning_effort": "low"})),
        (
            "mistral",
            "mistral-large",
            json!({"seed": 4, "max_completion_tokens": 5, "user": "u", "store": true, "metadata": {}, "logit_bias": {}, "logprobs": true, "prompt_cache_key": "k"}),
            json!({"random_seed": 4, "max_tokens": 5, "prompt_cache_key": "k"}),
        ),
        ("together", "m", json!({"service_tier": "x", "store": true, "min_p": 0.1}), json!({"min_p": 0.1})),
        (
            "cerebras",
            "m",
            json!({"presence_penalty": 1, "frequency_penalty": 1, "logit_bias": {}, "max_tokens": 7}),
            json!({"max_completion_tokens": 7}),
        ),
        (
            "perplexity",
            "sonar",
            json!({"tools": [{}], "tool_choice": "auto", "stop": "x", "seed": 1, "n": 1, "logit_bias": {}, "search_mode": "web"}),
            json!({"search_mode": "web"}),
        ),
        (
            "moonshotai",
            "kimi-k2-0905-preview",
            json!({"top_k": 1, "seed": 1, "functions": [], "tool_choice": "required"}),
            json!({"tool_choice": "auto"}),
        ),
        ("moonshotai", "kimi-k2-thinking", json!({"temperature": 0.3}), json!({})),
        (
            "alibaba",
            "qwen3-max",
            json!({"frequency_penalty": 1, "presence_penalty": 1}),
            json!({"presence_penalty": 1}),
        ),
        (
            "zai",
            "glm-4.6",
            json!({"temperature": 1.7, "tool_choice": "required", "tools": [{"a": 1}]}),
            json!({"temperature": 1, "tools": [{"a": 1}]}),
        ),
        ("zai", "glm-4.6", json!({"tool_choice": "none", "tools": [{"a": 1}]}), json!({})),
        (
            "ollama",
            "m",
            json!({"logit_bias": {}, "n": 2, "user": "u", "tool_choice": "auto"}),
            json!({"tool_choice": "auto"}),
        ),
        (
            "openrouter",
            "m",
            json!({"cache_control": {"type": "ephemeral"}, "reasoning": {"effort": "low", "x": 1}, "transforms": []}),
            json!({"cache_control": {"type": "ephemeral"}, "reasoning": {"effort": "low", "x": 1}, "transforms": []}),
        ),
        (
            "somewhere",
            "m",
            json!({"store": true, "top_k": 4, "max_completion_tokens": 3}),
            json!({"store": true, "top_k": 4, "max_completion_tokens": 3}),
        ),
        ("deepseek", "m", json!({"max_tokens": 4, "max_completion_tokens": 5}), json!({"max_tokens": 4})),
    ];
    for (provider, model, sent, expected) in table {
        let plain = Target { reasoning: model.contains("thinking"), ..target(provider, model) };
        assert_eq!(rest(&plain, sent.clone()), *expected, "{provider} {model} {sent}");
    }
}

#[test]
fn reasoning_in_every_providers_words() {
    let table: &[(&str, &str, Value, Value)] = &[
        ("openai", "gpt-5", json!({"reasoning": {"effort": "high"}}), json!({"reasoning_effort": "high"})),
        ("openai", "gpt-5", json!({"reasoning": {"enabled": false}}), json!({"reasoning_effort": "minimal"})),
        ("openai", "gpt-5.1", json!({"reasoning": {"enabled": true}}), json!({"reasoning_effort": "medium"})),
        (
            "openai",
            "gpt-5.1",
            json!({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}),
            json!({"reasoning_effort": "low"}),
        ),
        ("openai", "gpt-5", json!({"reasoning": {"exclude": true}}), json!({})),
        ("openai", "o3", json!({"reasoning": {"max_tokens": 5000}}), json!({"reasoning_effort": "high"})),
        ("openai", "o3", json!({"reasoning_effort": "anything"}), json!({"reasoning_effort": "anything"})),
        (
            "groq",
            "qwen/qwen3-32b",
            json!({"reasoning": {"effort": "low"}}),
            json!({"reasoning_effort": "default", "reasoning_format": "parsed"}),
        ),
        (
            "groq",
            "qwen/qwen3-32b",
            json!({"reasoning": {"exclude": true}}),
            json!({"reasoning_format": "hidden"}),
        ),
        (
            "groq",
            "openai/gpt-oss-120b",
            json!({"reasoning": {"effort": "xhigh", "exclude": true}}),
            json!({"reasoning_effort": "high", "include_reasoning": false}),
        ),
        (
            "deepseek",
            "deepseek-chat",
            json!({"reasoning": {"enabled": true}}),
            json!({"thinking": {"type": "enabled"}}),
        ),
        (
            "deepseek",
            "deepseek-chat",
            json!({"reasoning_effort": "none"}),
            json!({"thinking": {"type": "disabled"}}),
        ),
        (
            "moonshotai",
            "kimi-k2.5",
            json!({"reasoning": {"effort": "none"}}),
            json!({"thinking": {"type": "disabled"}}),
        ),
        (
            "zai",
            "glm-4.6",
            json!({"reasoning": {"max_tokens": 2000}}),
            json!({"thinking": {"type": "enabled"}}),
        ),
        (
            "alibaba",
            "qwen3-max",
            json!({"reasoning": {"max_tokens": 3000}}),
            json!({"enable_thinking": true, "thinking_budget": 3000}),
        ),
        ("alibaba", "qwen3-max", json!({"reasoning_effort": "none"}), json!({"enable_thinking": false})),
        ("alibaba", "qwen3-32b", json!({"reasoning": {"enabled": true}}), json!({"enable_thinking": true})),
        ("together", "m", json!({"reasoning": {"enabled": false}}), json!({"reasoning": {"enabled": false}})),
        (
            "together",
            "m",
            json!({"reasoning": {"effort": "max"}}),
            json!({"reasoning": {"enabled": true}, "reasoning_effort": "high"}),
        ),
        (
            "mistral",
            "mistral-small-latest",
            json!({"reasoning": {"effort": "low"}}),
            json!({"reasoning_effort": "high"}),
        ),
        ("mistral", "magistral-medium", json!({"reasoning": {"effort": "low"}}), json!({})),
        (
            "vllm",
            "m",
            json!({"reasoning": {"enabled": false}, "chat_template_kwargs": {"x": 1}}),
            json!({"chat_template_kwargs": {"x": 1, "enable_thinking": false}}),
        ),
        ("cerebras", "zai-glm-4.6", json!({"reasoning_effort": "none"}), json!({"disable_reasoning": true})),
        (
            "cerebras",
            "gpt-oss-120b",
            json!({"reasoning": {"effort": "minimal"}}),
            json!({"reasoning_effort": "low"}),
        ),
        ("xai", "grok-4", json!({"reasoning": {"effort": "high"}}), json!({})),
        ("ollama", "m", json!({"reasoning": {"enabled": false}}), json!({"reasoning_effort": "none"})),
    ];
    for (provider, model, sent, expected) in table {
        assert_eq!(members(provider, model, sent.clone()), *expected, "{provider} {model} {sent}");
    }
    let efforts =
        Target { reasoning_efforts: vec!["low".into(), "high".into()], ..thinker("fireworks", "m") };
    assert_eq!(
        rest(&efforts, json!({"reasoning": {"effort": "xhigh"}})),
        json!({"reasoning_effort": "high"})
    );
    assert_eq!(rest(&efforts, json!({"reasoning": {"effort": "none"}})), json!({"reasoning_effort": "low"}));
    let budget = Target { max_output_tokens: Some(10_000), ..thinker("alibaba", "qwen3-max") };
    assert_eq!(
        rest(&budget, json!({"reasoning": {"effort": "high"}})),
        json!({"enable_thinking": true, "thinking_budget": 6000})
    );
    assert_eq!(
        rest(&target("openai", "gpt-4o"), json!({"reasoning": {"effort": "high"}})),
        json!({}),
        "does not reason"
    );
}

#[test]
fn i19_reasoning_goes_back_where_it_is_taken() {
    let call = json!([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let details = json!([{"type": "reasoning.text", "text": "th", "format": "unknown"}, {"type": "reasoning.text", "text": "ink"}]);
    let sent = json!([
        {"role": "assistant", "content": "a", "reasoning_details": details, "provider_metadata": {"x": 1}},
        {"role": "assistant", "content": null, "tool_calls": call, "reasoning": "seen", "reasoning_details": details},
        {"role": "assistant", "content": null, "tool_calls": call, "reasoning_details": details},
        {"role": "assistant", "content": null, "tool_calls": call, "reasoning_content": "own", "reasoning_details": details},
    ]);
    let turn = |extra: Option<(&str, &str)>| {
        let mut turn = json!({"role": "assistant", "content": null, "tool_calls": call});
        if let Some((key, text)) = extra {
            turn[key] = json!(text);
        }
        turn
    };
    let first = json!({"role": "assistant", "content": "a"});
    for (provider, key) in
        [("deepseek", "reasoning_content"), ("moonshotai", "reasoning_content"), ("ollama", "reasoning")]
    {
        let after = messages(&target(provider, "m"), sent.clone());
        let expected =
            json!([first, turn(Some((key, "seen"))), turn(Some((key, "think"))), turn(Some((key, "own")))]);
        assert_eq!(after, expected, "{provider}");
    }
    let dropped = messages(&target("openai", "gpt-4o"), sent.clone());
    assert_eq!(dropped, json!([first, turn(None), turn(None), turn(None)]));
    let kept = messages(&target("openrouter", "m"), sent.clone());
    assert_eq!(kept[2], sent[2]);
    let foreign = json!([{"role": "assistant", "content": "x", "reasoning_details": [
        {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "d", "format": "openai-responses-v1"}]}]);
    let creator = Target { canonical: "openai/gpt-5".to_owned(), ..target("openrouter", "openai/gpt-5") };
    assert_eq!(
        messages(&creator, foreign)[0]["reasoning_details"],
        json!([{"type": "reasoning.encrypted", "data": "d", "format": "openai-responses-v1"}])
    );
}

#[test]
fn i21_cache_marks_reach_the_providers_that_honour_them() {
    let mark = json!({"type": "ephemeral"});
    let sent = json!([
        {"role": "system", "content": "s", "cache_control": mark},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": mark}]},
        {"role": "user", "content": [{"type": "text", "text": "c"}], "providerOptions": {"anthropic": {"cacheControl": mark}}},
    ]);
    for provider in ["alibaba", "openrouter"] {
        let after = messages(&target(provider, "m"), sent.clone());
        assert_eq!(
            after[0],
            json!({"role": "system", "content": [{"type": "text", "text": "s", "cache_control": mark}]})
        );
        assert_eq!(after[1], sent[1]);
        assert_eq!(
            after[2],
            json!({"role": "user", "content": [{"type": "text", "text": "c", "cache_control": mark}]})
        );
    }
    let plain = messages(&target("groq", "m"), sent);
    assert!(!plain.to_string().contains("cache"), "{plain}");
    let tools = json!({"tools": [{"type": "function", "function": {"name": "f"}, "cache_control": mark}]});
    assert_eq!(members("alibaba", "m", tools.clone()), tools);
    assert_eq!(
        members("groq", "m", tools),
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]})
    );
    let whole = json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}], "cache_control": mark});
    let after = value(&whole, &target("alibaba", "m"), false);
    assert_eq!(
        (after["messages"][0]["content"][0]["cache_control"].clone(), after.get("cache_control")),
        (mark, None)
    );
}

#[test]
fn mistral_ids_are_nine_letters_in_calls_and_results_alike() {
    let sent = json!([
        {"role": "user", "content": "x", "name": "bob"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call_abc123", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1.0}"}},
            {"id": "abcDEF123", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_abc123", "content": "1"},
        {"role": "tool", "tool_call_id": "abcDEF123", "content": "2"},
        {"role": "assistant", "content": "go on"},
    ]);
    let after = messages(&target("mistral", "m"), sent);
    let id = after[1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
    assert_eq!(after[2]["tool_call_id"], id);
    assert_eq!(
        (&after[1]["tool_calls"][1]["id"], &after[3]["tool_call_id"]),
        (&json!("abcDEF123"), &json!("abcDEF123"))
    );
    assert_eq!(after[0], json!({"role": "user", "content": "x"}));
    assert_eq!(after[4], json!({"role": "assistant", "content": "go on", "prefix": true}));
    assert_eq!(members("mistral", "m", json!({"tool_choice": "required"})), json!({"tool_choice": "any"}));
}

#[test]
fn files_in_the_gateways_form() {
    let file = |file: Value| json!([{"role": "user", "content": [{"type": "file", "file": file}]}]);
    let part =
        |provider: &str, value: Value| messages(&target(provider, "m"), file(value))[0]["content"][0].clone();
    let pdf = json!({"data": "JVBERi0=", "media_type": "application/pdf", "filename": "a.pdf"});
    let address = "data:application/pdf;base64,JVBERi0=";
    assert_eq!(
        part("openai", pdf.clone()),
        json!({"type": "file", "file": {"file_data": address, "filename": "a.pdf"}})
    );
    assert_eq!(
        part("mistral", pdf),
        json!({"type": "document_url", "document_url": address, "document_name": "a.pdf"})
    );
    assert_eq!(
        part("openai", json!({"data": address, "media_type": "application/pdf"})),
        json!({"type": "file", "file": {"file_data": address, "filename": "document.pdf"}})
    );
    assert_eq!(
        part("openai", json!({"data": "AA==", "media_type": "image/png"})),
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}})
    );
    assert_eq!(
        part("openai", json!({"data": "AA==", "media_type": "audio/mpeg"})),
        json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}})
    );
    let own = json!({"file_data": address, "filename": "b.pdf"});
    assert_eq!(part("openai", own.clone()), json!({"type": "file", "file": own}));
    let remote = json!({"data": "https://example.com/a.pdf", "media_type": "application/pdf"});
    assert_eq!(part("openrouter", remote.clone())["file"]["file_data"], "https://example.com/a.pdf");
    let body = json!({"messages": file(remote)}).to_string();
    let refused = adapt(body.as_bytes(), &target("openai", "gpt-4o"), false).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("messages[0].content[0].file.data"));
}

#[test]
fn schemas_in_the_form_that_is_taken() {
    let schema = json!({"type": "object"});
    let long = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}});
    let format = |provider: &str, format: &Value| {
        members(provider, "m", json!({"response_format": format}))["response_format"].clone()
    };
    assert_eq!(format("openai", &long), long);
    let short = json!({"type": "json", "schema": schema, "name": "n", "description": "d"});
    assert_eq!(
        format("openai", &short),
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "description": "d"}})
    );
    assert_eq!(format("openai", &json!({"type": "json"})), json!({"type": "json_object"}));
    assert_eq!(
        format("fireworks", &long),
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
    );
    let body = json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], "response_format": long});
    for provider in ["deepseek", "zai"] {
        let after = value(&body, &target(provider, "m"), false);
        assert_eq!(after["response_format"], json!({"type": "json_object"}));
        assert_eq!(
            (after["messages"].as_array().unwrap().len(), &after["messages"][1]["role"]),
            (3, &json!("system"))
        );
        assert!(after["messages"][1]["content"].as_str().unwrap().ends_with("{\"type\":\"object\"}"));
    }
    let mixed = json!({"response_format": long, "tools": [{"type": "function", "function": {"name": "f", "strict": true}}, {"type": "function", "function": {"name": "g"}}]});
    let after = members("cerebras", "m", mixed);
    assert_eq!(after["response_format"]["json_schema"]["strict"], false);
    assert_eq!(after["tools"][0], json!({"type": "function", "function": {"name": "f"}}));
    let strict = json!({"tools": [{"type": "function", "function": {"name": "f", "strict": true}}]});
    for provider in ["xai", "fireworks"] {
        assert_eq!(
            members(provider, "m", strict.clone())["tools"][0],
            json!({"type": "function", "function": {"name": "f"}})
        );
    }
    assert_eq!(members("openai", "m", strict.clone()), strict);
}

#[test]
fn histories_in_the_form_that_is_taken() {
    let parts =
        json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]);
    assert_eq!(
        messages(&target("moonshotai", "m"), parts.clone()),
        json!([{"role": "user", "content": "a\nb"}])
    );
    assert_eq!(messages(&target("openai", "m"), parts.clone()), parts);
    let developer = json!([{"role": "developer", "content": "d"}]);
    assert_eq!(messages(&target("deepseek", "m"), developer), json!([{"role": "system", "content": "d"}]));
    let named = json!([{"role": "user", "name": "bob", "content": "x"}]);
    assert_eq!(messages(&target("groq", "m"), named.clone()), json!([{"role": "user", "content": "x"}]));
    assert_eq!(messages(&target("openai", "m"), named.clone()), named);
    let turns = json!([
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]},
        {"role": "user", "content": "c"},
    ]);
    assert_eq!(
        messages(&target("perplexity", "sonar"), turns),
        json!([
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a\n\nr"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}, {"type": "text", "text": "c"}]},
        ])
    );
}

#[test]
fn what_is_no_json_object_is_refused_with_its_place() {
    let refused = adapt(b"{\"a\":1,\n oops}", &target("openai", "m"), false).unwrap_err();
    assert_eq!((refused.kind, refused.status()), (InputErrorKind::Malformed, 400));
    assert!(refused.message.contains("line 2"), "{}", refused.message);
    assert!(adapt(b"[]", &target("openai", "m"), false).is_err());
}
