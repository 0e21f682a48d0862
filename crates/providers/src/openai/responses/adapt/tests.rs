use serde_json::json;

use super::*;

fn target(provider: &str) -> Target {
    Target { provider: provider.into(), model: "up-model".into(), ..Target::default() }
}

fn adapted(provider: &str, body: &str, stream: bool) -> String {
    String::from_utf8(adapt(body.as_bytes(), &target(provider), stream, None).unwrap()).unwrap()
}

#[test]
fn i17_only_owned_members_change() {
    let body = r#"{ "model" : "openai/gpt-5" ,"input":[ {"role":"user", "content":"h\u00e9"} ],"x":1.50e+2,"tools":[{"type":"custom","name":"apply_patch","format":{"type":"grammar","syntax":"lark","definition":"start: x"}}],"store":false,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k","stream":true}"#;
    let wanted = body.replace(r#"{ "model" : "openai/gpt-5" ,"#, r#"{"model":"up-model","#);
    assert_eq!(adapted("openai", body, true), wanted);
    assert_eq!(adapted("azure", body, true), wanted);
    assert_eq!(adapted("openai", body, false), wanted.replace("\"stream\":true", "\"stream\":false"));
}

#[test]
fn the_stream_is_asked_for_only_where_it_must_be() {
    assert_eq!(
        adapted("openai", r#"{"model":"m","input":"x"}"#, false),
        r#"{"model":"up-model","input":"x"}"#
    );
    assert_eq!(
        adapted("openai", r#"{"model":"m","input":"x"}"#, true),
        r#"{"model":"up-model","input":"x","stream":true}"#
    );
    assert_eq!(
        adapted(
            "openai",
            r#"{"stream":true,"stream_options":{"include_obfuscation":false},"model":"m"}"#,
            false
        ),
        r#"{"stream":false,"model":"up-model"}"#
    );
}

#[test]
fn members_of_the_gateway_are_taken_out_and_options_taken_in() {
    let body = json!({
        "model": "m", "input": "x", "caching": "auto", "cache_anchor_items": 2, "cache_ttl": "1h",
        "reasoning": {"effort": "low", "summary": "concise"}, "include": ["a"], "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
        "providerOptions": {
            "gateway": {"order": ["openai"]},
            "anthropic": {"thinking": 1},
            "openai": {"reasoningEffort": "high", "textVerbosity": "low", "strictJsonSchema": true, "include": ["a", "b"],
                "maxToolCalls": 3, "promptCacheKey": "k", "store": true, "model": "sneaky", "some_new_thing": {"aB": 1}},
        },
    });
    let found: Value = serde_json::from_str(&adapted("openai", &body.to_string(), false)).unwrap();
    let wanted = json!({
        "model": "up-model", "input": "x",
        "reasoning": {"effort": "high", "summary": "concise"}, "include": ["a", "b"],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": true}, "verbosity": "low"},
        "max_tool_calls": 3, "prompt_cache_key": "k", "store": true, "some_new_thing": {"aB": 1},
    });
    assert_eq!(found, wanted);
}

#[test]
fn i19_state_of_another_family_is_taken_out_and_no_other() {
    let own = r#"{"type":"reasoning","id":"rs_1","summary":[ ],"encrypted_content":"gAAAA+/="}"#;
    let foreign = r#"{"type":"reasoning","summary":[],"encrypted_content":"tgs1.eyJmIjoieCJ9"}"#;
    let said = r#"{"role":"user","content":"what is tgs1. ?"}"#;
    let body = |items: &[&str]| format!(r#"{{"model":"m","input":[{}]}}"#, items.join(","));
    let wanted = |items: &[&str]| body(items).replace("\"m\"", "\"up-model\"");
    assert_eq!(adapted("openai", &body(&[said, own, foreign]), false), wanted(&[said, own]));
    assert_eq!(adapted("openai", &body(&[foreign]), false), wanted(&[]));
    assert_eq!(adapted("openai", &body(&[said, own]), false), wanted(&[said, own]));
    let compacted = adapt_compact(body(&[foreign, own]).as_bytes(), &target("openai")).unwrap();
    assert_eq!(String::from_utf8(compacted).unwrap(), wanted(&[own]));
}

/// Reasoning that no provider of this protocol has ever seen: the gateway named it, and it has no state.
#[test]
fn i19_reasoning_without_state_goes_when_the_gateway_named_it() {
    let item = |id: &str, rest: &str| {
        format!(
            r#"{{"id":"{id}","type":"reasoning","summary":[ ],"content":[{{"type":"reasoning_text","text":"t"}}]{rest}}}"#
        )
    };
    let ours = "rs_01M82JD6SQSPQPWWZ3EBH372PA_0";
    let body = |items: &[&str]| format!(r#"{{"model":"m","input":[{}]}}"#, items.join(","));
    let wanted = |items: &[&str]| body(items).replace("\"m\"", "\"up-model\"");
    let said = format!(r#"{{"role":"user","content":"what is {ours} ?"}}"#);
    assert_eq!(adapted("openai", &body(&[&said, &item(ours, "")]), false), wanted(&[&said]));
    for id in ["rs_0a1b2c3d4e5f", "rs_01M82JD6SQSPQPWWZ3EBH372PA", "rs_01M82JD6SQSPQPWWZ3EBH372PA_x", "rs_"] {
        assert_eq!(adapted("openai", &body(&[&item(id, "")]), false), wanted(&[&item(id, "")]), "{id}");
    }
    let own_state = item(ours, r#","encrypted_content":"gAAAAA""#);
    assert_eq!(adapted("openai", &body(&[&own_state]), false), wanted(&[&own_state]));
}

#[test]
fn i21_cache_marks_stay_where_they_are_honoured() {
    let marked = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"a","cache_control":{"type":"ephemeral"},"providerOptions":{}}]}]}"#;
    let kept = r#"{"type":"input_text","text":"a","cache_control":{"type":"ephemeral"}}"#;
    assert!(adapted("openrouter", marked, false).contains(kept));
    assert!(adapted("openai", marked, false).contains(r#"[{"type":"input_text","text":"a"}]"#));
}

#[test]
fn a_previous_response_is_the_clients_unless_another_is_given() {
    let body = r#"{"model":"m","previous_response_id":"resp_client","input":[]}"#;
    assert!(adapted("openai", body, false).contains("resp_client"));
    let other = adapt(body.as_bytes(), &target("openai"), false, Some("resp_up")).unwrap();
    assert_eq!(
        String::from_utf8(other).unwrap(),
        r#"{"model":"up-model","previous_response_id":"resp_up","input":[]}"#
    );
}

#[test]
fn other_providers_are_not_sent_what_they_refuse() {
    let body = r#"{"model":"m","metadata":{"a":"b"},"safety_identifier":"u","temperature":1}"#;
    assert_eq!(adapted("xai", body, false), r#"{"model":"up-model","temperature":1}"#);
    assert!(adapted("azure", body, false).contains("metadata"));
}

#[test]
fn what_is_no_object_is_refused_with_its_place() {
    for body in ["[]", "{\"a\":1,}", ""] {
        let error = adapt(body.as_bytes(), &target("openai"), false, None).unwrap_err();
        assert_eq!((error.kind, error.code), (InputErrorKind::Malformed, Some("invalid_json")), "{body}");
        assert!(error.message.contains("line 1, column") && error.message.ends_with("as JSON."), "{error}");
        assert!(adapt_compact(body.as_bytes(), &target("openai")).is_err());
    }
}

proptest::proptest! {
    /// Members that nobody owns stay byte for byte and in order, whatever they hold.
    #[test]
    fn i17_members_nobody_owns_stay(
        members in proptest::collection::vec(("[a-z]{3,6}", 0usize..6, " {0,2}"), 0..8),
    ) {
        let values = ["1.50e+2", "\"h\\u00e9 tgs1.\"", "[ 1 ,2]", "{ \"a\" : null }", "-0", "\"cache_control\""];
        let member = |name: &str, value: usize, space: &str| format!("\"x{name}\":{space}{}", values[value]);
        let mut rest = String::new();
        let mut kept = String::new();
        for (at, (name, value, space)) in members.iter().enumerate() {
            let name = format!("{name}{at}");
            rest += &format!(",{space}{}", member(&name, *value, space));
            kept += &format!(",{}", member(&name, *value, ""));
        }
        let body = format!(r#"{{"model":"m","input":[{{"role":"user","content":"a"}}]{rest}}}"#);
        let wanted = format!(r#"{{"model":"up-model","input":[{{"role":"user","content":"a"}}]{kept}}}"#);
        proptest::prop_assert_eq!(adapted("openai", &body, false), wanted);
    }
}

#[test]
fn wishes_for_the_provider_become_members_that_the_clients_own_win_over() {
    let gateway =
        |own: &str, wish: &str| format!(r#"{{"model":"m"{own},"providerOptions":{{"gateway":{wish}}}}}"#);
    let of = |provider: &str, own: &str, wish: &str| -> serde_json::Value {
        let target = Target { provider: provider.into(), model: "gpt-5".into(), ..Target::default() };
        serde_json::from_slice(&adapt(gateway(own, wish).as_bytes(), &target, false, None).unwrap()).unwrap()
    };
    let wish = format!(r#"{{"serviceTier":"fast","safetyIdentifier":"{}"}}"#, "s".repeat(70));
    let cut = "s".repeat(64);
    assert_eq!(
        of("openai", "", &wish),
        json!({"model": "gpt-5", "service_tier": "priority", "safety_identifier": cut})
    );
    assert_eq!(of("xai", "", &wish), json!({"model": "gpt-5", "user": cut}));
    assert_eq!(
        of("openai", r#","service_tier":"default","user":"u""#, &wish),
        json!({"model": "gpt-5", "service_tier": "default", "user": "u"})
    );
    assert_eq!(of("lmstudio", "", &wish), json!({"model": "gpt-5"}));
}
