use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn target() -> Target {
    Target { provider: "anthropic".to_owned(), model: "claude-sonnet-4-5".to_owned(), ..Target::default() }
}

fn text(body: &str, stream: bool) -> String {
    String::from_utf8(adapt(body.as_bytes(), &target(), stream).unwrap()).unwrap()
}

fn value(body: &Value) -> Value {
    serde_json::from_str(&text(&body.to_string(), false)).unwrap()
}

/// Adapts a body with `members` and one user message; gives the result without model and messages.
fn members(extra: Value) -> Value {
    let mut body = json!({"model": "a/b", "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let mut after = value(&body);
    let object = after.as_object_mut().unwrap();
    object.shift_remove("model");
    object.shift_remove("messages");
    after
}

/// Adapts messages; gives the result's.
fn messages(messages: Value) -> Value {
    value(&json!({"model": "a/b", "messages": messages}))["messages"].take()
}

/// A token of the form in which another family's state is carried.
const CARRIED: &str = "tgs1.eyJmIjoib3BlbmFpLXJlc3BvbnNlcy12MSIsImsiOiJzIn0";

#[test]
fn i17_what_is_not_owned_stays_byte_for_byte() {
    let body = "{ \"messages\" : [ {\"role\":\"user\", \"content\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"} ],\n \"model\":\"anthropic/claude-sonnet-4.5[1m]\",\t\"temperature\": 1.0e-1 , \"x_new\":{ \"a\" : [1, 2.50 ,12345678901234567890123] }, \"max_tokens\": 64,\"system\":[ {\"type\":\"text\",\"text\":\"s\",\"cache_control\":{ \"type\":\"ephemeral\" }} ],\"betas\":[\"x\"],\"context_management\":{\"edits\":[ ]} }";
    let expected = "{\"messages\":[ {\"role\":\"user\", \"content\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"} ],\"model\":\"claude-sonnet-4-5\",\"temperature\":1.0e-1,\"x_new\":{ \"a\" : [1, 2.50 ,12345678901234567890123] },\"max_tokens\":64,\"system\":[ {\"type\":\"text\",\"text\":\"s\",\"cache_control\":{ \"type\":\"ephemeral\" }} ],\"betas\":[\"x\"],\"context_management\":{\"edits\":[ ]}";
    assert_eq!(text(body, false), format!("{expected}}}"));
    assert_eq!(text(body, true), format!("{expected},\"stream\":true}}"));
    let checked = Checked::new(body.as_bytes()).unwrap();
    assert_eq!(adapt_checked(&checked, &target(), true).unwrap(), text(body, true).into_bytes());
}

#[test]
fn stream_is_set_only_where_it_differs() {
    assert_eq!(text(r#"{"stream":true}"#, true), r#"{"stream":true,"model":"claude-sonnet-4-5"}"#);
    assert_eq!(text(r#"{"stream":true}"#, false), r#"{"stream":false,"model":"claude-sonnet-4-5"}"#);
    assert_eq!(text(r#"{"stream":false}"#, false), r#"{"stream":false,"model":"claude-sonnet-4-5"}"#);
    assert_eq!(text(r#"{"model":"m"}"#, false), r#"{"model":"claude-sonnet-4-5"}"#);
}

#[test]
fn what_is_no_object_is_refused() {
    let error = adapt(b"{\"model\":", &target(), true).unwrap_err();
    assert_eq!((error.status(), error.code), (400, Some("invalid_json")));
    assert!(error.message.contains("line 1, column 10"), "{error}");
    assert!(adapt(b"[]", &target(), true).is_err());
}

#[test]
fn options_for_this_provider_become_members() {
    let after = members(json!({
        "max_tokens": 64,
        "tools": [{"name": "f", "input_schema": {}}],
        "output_config": {"format": {"type": "json_schema", "schema": {}}},
        "metadata": {"user_id": "u"},
        "caching": "auto",
        "providerOptions": {
            "gateway": {"order": ["anthropic"], "serviceTier": "priority", "safetyIdentifier": "s"},
            "openai": {"x": 1},
            "anthropic": {
                "thinking": {"type": "enabled", "budgetTokens": 2048},
                "effort": "low",
                "disableParallelToolUse": true,
                "contextManagement": {"edits": []},
                "inferenceGeo": "us",
                "metadata": {"z": 1},
                "model": "other",
                "messages": [],
                "stream": true,
                "sendReasoning": true,
            },
        },
    }));
    assert_eq!(
        after,
        json!({
            "max_tokens": 64,
            "tools": [{"name": "f", "input_schema": {}}],
            "output_config": {"format": {"type": "json_schema", "schema": {}}, "effort": "low"},
            "metadata": {"user_id": "u", "z": 1},
            "service_tier": "auto",
            "thinking": {"type": "enabled", "budget_tokens": 2048},
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
            "context_management": {"edits": []},
            "inference_geo": "us",
        })
    );
}

#[test]
fn the_bodys_own_wins_over_the_gateways_options() {
    let gateway = json!({"gateway": {"serviceTier": "fast", "safetyIdentifier": "x".repeat(70)}});
    let own = members(
        json!({"service_tier": "standard_only", "metadata": {"user_id": "u"}, "providerOptions": gateway}),
    );
    assert_eq!(own, json!({"service_tier": "standard_only", "metadata": {"user_id": "u"}}));
    let none = members(json!({"providerOptions": gateway}));
    assert_eq!(none, json!({"service_tier": "auto", "metadata": {"user_id": "x".repeat(64)}}));
    let flex = json!({"providerOptions": {"gateway": {"serviceTier": "flex"}, "anthropic": 7}});
    assert_eq!(members(flex), json!({}));
}

#[test]
fn calls_one_by_one_only_where_there_are_any() {
    let asked = |extra: Value| {
        let mut body = json!({"providerOptions": {"anthropic": {"disableParallelToolUse": true}}});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        members(body).get("tool_choice").cloned()
    };
    let tools = json!([{"name": "f", "input_schema": {}}]);
    assert_eq!(asked(json!({})), None);
    assert_eq!(
        asked(json!({"tools": tools, "tool_choice": {"type": "none"}})),
        Some(json!({"type": "none"}))
    );
    assert_eq!(
        asked(json!({"tools": tools, "tool_choice": {"type": "tool", "name": "f"}})),
        Some(json!({"type": "tool", "name": "f", "disable_parallel_tool_use": true}))
    );
}

#[test]
fn betas_of_options_are_told() {
    let betas = |body: Value| option_betas(&Checked::new(body.to_string().as_bytes()).unwrap(), &target());
    assert_eq!(betas(json!({"model": "m"})), Vec::<String>::new());
    assert_eq!(
        betas(
            json!({"providerOptions": {"anthropic": {"betas": ["b-1"], "contextManagement": {"edits": []}, "speed": "fast"}}})
        ),
        ["b-1", "context-management-2025-06-27", "fast-mode-2026-02-01"]
    );
}

#[test]
fn i19_state_of_other_families_is_dropped_and_only_that() {
    let before = format!(
        r#"{{"model":"m","messages":[ {{"role" : "user","content":"a \"tgs1."}} ,{{"role":"assistant","content":[ {{"type":"thinking","thinking":"x","signature":"{CARRIED}"}},{{"type":"redacted_thinking","data":"{CARRIED}"}}, {{"type":"thinking", "thinking":"own","signature":"EqQB"}},{{"type":"redacted_thinking", "data":"EvAF"}},{{"type":"text","text":"\"tgs1."}} ],"z": 1 }}, {{"role":"user", "content":"b"}} ]}}"#
    );
    assert_eq!(
        text(&before, false),
        r#"{"model":"claude-sonnet-4-5","messages":[{"role" : "user","content":"a \"tgs1."},{"role":"assistant","content":[{"type":"thinking", "thinking":"own","signature":"EqQB"},{"type":"redacted_thinking", "data":"EvAF"},{"type":"text","text":"\"tgs1."}],"z":1},{"role":"user", "content":"b"}]}"#
    );
    // A turn of which nothing is left goes altogether.
    let after = messages(json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "redacted_thinking", "data": CARRIED}]},
        {"role": "user", "content": "b"},
    ]));
    assert_eq!(after, json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]));
}

#[test]
fn citations_of_ours_are_dropped_and_only_those() {
    let own = json!({"type": "web_search_result_location", "url": "u", "encrypted_index": "E+="});
    let ours = json!({"type": "web_search_result_location", "url": "u", "encrypted_index": ""});
    let turn = |citations: Value| json!([{"role": "assistant", "content": [{"type": "text", "text": "x", "citations": citations}]}]);
    assert_eq!(messages(turn(json!([ours, own]))), turn(json!([own])));
    assert_eq!(messages(turn(json!([own]))), turn(json!([own])));
    assert_eq!(messages(turn(json!([ours])))[0]["content"], json!([{"type": "text", "text": "x"}]));
}

#[test]
fn a_budget_is_taken_back_when_the_calls_being_answered_lost_their_reasoning() {
    let body = |signature: &str, kind: &str, last: &str| {
        value(&json!({
            "thinking": {"type": kind, "budget_tokens": 2048},
            "context_management": {"edits": [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]},
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "t", "signature": signature},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
                ]},
                {"role": "user", "content": [{"type": last, "tool_use_id": "t1", "text": "x"}]},
            ],
        }))
    };
    let without = body(CARRIED, "enabled", "tool_result");
    assert_eq!(without.get("thinking"), None);
    assert_eq!(without["context_management"], json!({"edits": [{"type": "clear_tool_uses_20250919"}]}));
    for kept in [
        body("EqQB", "enabled", "tool_result"),
        body(CARRIED, "adaptive", "tool_result"),
        body(CARRIED, "enabled", "text"),
    ] {
        assert!(kept["thinking"].is_object(), "{kept}");
        assert_eq!(kept["context_management"]["edits"].as_array().map(Vec::len), Some(2));
    }
}

fn auto(messages: Value, system: Value) -> Value {
    let mut body = json!({"messages": messages, "providerOptions": {"gateway": {"caching": "auto"}}});
    if !system.is_null() {
        body["system"] = system;
    }
    value(&body)
}

#[test]
fn i21_marks_are_placed_when_the_client_leaves_them_to_the_gateway() {
    let mark = json!({"type": "ephemeral"});
    let marked = |text: &str| json!([{"type": "text", "text": text, "cache_control": mark}]);
    let plain = |role: &str, text: &str| json!({"role": role, "content": text});
    let first = auto(json!([plain("user", "a")]), json!("rules"));
    assert_eq!(first["system"], marked("rules"));
    assert_eq!(first["messages"], json!([{"role": "user", "content": marked("a")}]));
    let turns = json!([plain("user", "a"), plain("assistant", "b"), plain("user", "c")]);
    let later = auto(turns.clone(), json!("rules"));
    assert_eq!(later["system"], "rules");
    assert_eq!(
        later["messages"],
        json!([plain("user", "a"), {"role": "assistant", "content": marked("b")}, {"role": "user", "content": marked("c")}])
    );
    // The person spoke last but one; the model's turn at the end is to be continued.
    let prefilled = auto(
        json!([plain("user", "a"), plain("assistant", "b"), plain("user", "c"), plain("assistant", "{")]),
        Value::Null,
    );
    assert_eq!(prefilled["messages"][1]["content"], marked("b"));
    assert_eq!(prefilled["messages"][3]["content"], marked("{"));
    // Reasoning takes no mark, and a turn of nothing else leaves it to the instructions.
    let thinking = json!({"type": "thinking", "thinking": "t", "signature": "EqQB"});
    let call = json!({"type": "tool_use", "id": "t", "name": "f", "input": {}});
    let loops = |content: Value| {
        auto(
            json!([plain("user", "a"), {"role": "assistant", "content": content}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}, {"type": "text", "text": " "}]}]),
            json!([{"type": "text", "text": "rules"}, {"type": "text", "text": ""}]),
        )
    };
    let called = loops(json!([call, thinking]));
    assert_eq!(called["messages"][1]["content"][0]["cache_control"], mark);
    assert_eq!(called["messages"][2]["content"][0]["cache_control"], mark);
    assert_eq!(called["system"][0].get("cache_control"), None);
    let silent = loops(json!([thinking]));
    assert_eq!(silent["messages"][1]["content"], json!([thinking]));
    assert_eq!(silent["system"][0]["cache_control"], mark);
    let short = value(&json!({"messages": turns, "caching": "auto"}));
    assert_eq!((short.get("caching"), &short["messages"][2]["content"]), (None, &marked("c")));
}

#[test]
fn i21_marks_of_the_clients_own_are_neither_moved_nor_joined_by_others() {
    let options =
        json!({"gateway": {"caching": "auto"}, "anthropic": {"cacheControl": {"type": "ephemeral"}}});
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    for own in [
        json!({"cache_control": mark}),
        json!({"system": [{"type": "text", "text": "s", "cache_control": mark}]}),
        json!({"tools": [{"name": "f", "input_schema": {}, "cache_control": mark}]}),
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": mark}]}]}),
    ] {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
        body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let mut expected = body.clone();
        expected["model"] = json!("claude-sonnet-4-5");
        body["providerOptions"] = options.clone();
        assert_eq!(value(&body), expected);
    }
}

#[test]
fn a_mark_among_the_options_stands_behind_the_prompt() {
    let after = value(&json!({
        "system": "s",
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
        "providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral", "ttl": "1h"}}},
    }));
    assert_eq!((&after["system"], &after["messages"][1]["content"]), (&json!("s"), &json!("b")));
    assert_eq!(
        after["messages"][2]["content"],
        json!([{"type": "text", "text": "c", "cache_control": {"type": "ephemeral", "ttl": "1h"}}])
    );
    assert_eq!(after.get("cache_control"), None);
}

#[test]
fn counting_asks_for_the_prompt_alone() {
    let body = json!({
        "model": "a/b", "max_tokens": 9, "stream": true, "temperature": 0.5, "metadata": {"user_id": "u"},
        "system": "s", "messages": [{"role": "user", "content": "a"}],
        "tools": [{"name": "f", "input_schema": {}}], "thinking": {"type": "adaptive"},
        "providerOptions": {"gateway": {"only": ["anthropic"]}},
    });
    let after: Value =
        serde_json::from_slice(&adapt_count(body.to_string().as_bytes(), &target()).unwrap()).unwrap();
    assert_eq!(
        after,
        json!({
            "model": "claude-sonnet-4-5", "system": "s", "messages": [{"role": "user", "content": "a"}],
            "tools": [{"name": "f", "input_schema": {}}], "thinking": {"type": "adaptive"},
        })
    );
    assert!(adapt_count(b"nonsense", &target()).is_err());
    assert_eq!(read_count(br#"{"input_tokens": 2095, "x": 1}"#), Some(2095));
    for none in [&br#"{"type":"error"}"#[..], br#"{"input_tokens":"9"}"#, b"<html>", b""] {
        assert_eq!(read_count(none), None);
    }
}

/// Content as it may come, with the words that adapting looks for.
fn any_content() -> impl Strategy<Value = Value> {
    let kind =
        prop::sample::select(vec!["text", "thinking", "redacted_thinking", "tool_use", "tool_result", "x"]);
    let text = prop::sample::select(vec!["", " ", "words", CARRIED, "EqQB", "\"tgs1."]);
    let citation = prop_oneof![
        Just(json!({"encrypted_index": ""})),
        Just(json!({"encrypted_index": "E"})),
        Just(json!(1)),
    ];
    let block = (kind, text.clone(), text.clone(), prop::collection::vec(citation, 0..3), any::<bool>())
        .prop_map(|(kind, text, state, citations, odd)| {
            if odd {
                return json!([kind, state]);
            }
            json!({"type": kind, "text": text, "signature": state, "data": state, "citations": citations})
        });
    prop_oneof![text.prop_map(Value::from), prop::collection::vec(block, 0..4).prop_map(Value::from)]
}

proptest! {
    /// Whatever the history: what comes out is JSON, holds no carried state in its place, and of the rest
    /// nothing is lost.
    #[test]
    fn i19_any_history_is_passed_without_foreign_state(
        turns in prop::collection::vec((prop::sample::select(vec!["user", "assistant"]), any_content()), 0..5),
        system in any_content(),
        auto in any::<bool>(),
    ) {
        let turns: Vec<Value> =
            turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
        let caching = if auto { "auto" } else { "no" };
        let body = json!({"messages": turns, "system": system, "thinking": {"type": "enabled"}, "caching": caching});
        let after = value(&body);
        let blocks = |body: &Value| -> Vec<Value> {
            let turns = body["messages"].as_array().unwrap().iter();
            let plain = |mut block: Value| {
                if let Some(members) = block.as_object_mut() {
                    members.shift_remove("cache_control");
                    members.shift_remove("citations");
                }
                block
            };
            let content = turns.flat_map(|turn| match &turn["content"] {
                Value::Array(blocks) => blocks.clone(),
                text => vec![json!({"type": "text", "text": text})],
            });
            content.map(plain).collect()
        };
        let foreign = |block: &Value| {
            let carries = |key: &str| block[key].as_str().is_some_and(|t| t.starts_with("tgs1."));
            (block["type"] == "thinking" && carries("signature"))
                || (block["type"] == "redacted_thinking" && carries("data"))
        };
        let mut expected = blocks(&body);
        expected.retain(|block| !foreign(block));
        prop_assert_eq!(blocks(&after), expected);
        let marks = after.to_string().matches("cache_control").count();
        let most = if auto { 2 } else { 0 };
        prop_assert!(marks <= most, "{}", after);
    }
}
