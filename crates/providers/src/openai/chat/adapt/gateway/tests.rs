use serde_json::{Value, json};

use super::super::super::encode;
use super::super::adapt;
use crate::Target;
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{
    CacheAnchor, CacheMark, CacheTtl, Content, Message, Part, Role, ToolCall,
};

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.into(), model: model.into(), ..Target::default() }
}

fn adapted(target: &Target, body: &Value) -> Value {
    serde_json::from_slice(&adapt(body.to_string().as_bytes(), target, false).unwrap()).unwrap()
}

/// Adapts a body with `members`, one message and options for the gateway; gives the rest of the result.
fn wishes(provider: &str, model: &str, members: Value, gateway: Value) -> Value {
    let mut body = json!({"model": "a/b", "messages": [{"role": "user", "content": "x"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body["providerOptions"]["gateway"] = gateway;
    let mut after = adapted(&target(provider, model), &body);
    let object = after.as_object_mut().unwrap();
    object.remove("model");
    object.remove("messages");
    after
}

#[test]
fn tiers_go_only_where_they_are_known() {
    let flex = || json!({"serviceTier": "flex"});
    let fast = || json!({"serviceTier": "fast"});
    let tier = |word: &str| json!({"service_tier": word});
    for (provider, model, wish, expected) in [
        ("openai", "gpt-5", flex(), tier("flex")),
        ("openai", "o3", fast(), tier("priority")),
        ("openai", "gpt-4.1", fast(), tier("priority")),
        ("openai", "gpt-4.1", flex(), json!({})),
        ("openai", "gpt-5-nano", fast(), json!({})),
        ("openai", "gpt-5-nano", flex(), tier("flex")),
        ("openai", "gpt-5-chat-latest", fast(), json!({})),
        ("openai", "o1", flex(), json!({})),
        ("openai", "gpt-3.5-turbo", fast(), json!({})),
        ("azure", "gpt-5", fast(), tier("priority")),
        ("groq", "m", flex(), tier("flex")),
        ("groq", "m", fast(), json!({})),
        ("mistral", "m", fast(), json!({})),
        ("vllm", "m", flex(), json!({})),
    ] {
        assert_eq!(wishes(provider, model, json!({}), wish.clone()), expected, "{provider} {model} {wish}");
    }
    assert_eq!(wishes("openai", "gpt-5", tier("default"), flex()), tier("default"), "the client's own wins");
    let own = json!({"providerOptions": {"openai": {"serviceTier": "priority"}}});
    assert_eq!(wishes("openai", "gpt-5", own, flex()), tier("priority"), "the provider's own option wins");
    for (provider, expected) in [("groq", json!("flex")), ("deepseek", Value::Null)] {
        let conversation = Conversation { service_tier: Some("flex".into()), ..turns(&[Role::User]) };
        assert_eq!(encoded(provider, &conversation)["service_tier"], expected, "{provider}");
    }
}

#[test]
fn the_end_users_id_is_cut_and_never_replaces_the_clients_own() {
    let long = "ü".repeat(70);
    let cut = "ü".repeat(64);
    let wish = json!({"safetyIdentifier": long});
    let of = |provider: &str, members: Value| wishes(provider, "gpt-4o", members, wish.clone());
    assert_eq!(of("openai", json!({})), json!({"safety_identifier": cut}));
    assert_eq!(of("groq", json!({})), json!({"user": cut}));
    assert_eq!(of("mistral", json!({})), json!({}), "a provider that knows neither");
    assert_eq!(of("openai", json!({"user": long})), json!({"user": cut}));
    assert_eq!(of("openai", json!({"safety_identifier": "own"})), json!({"safety_identifier": "own"}));
    let own = json!({"providerOptions": {"openai": {"safetyIdentifier": "theirs"}}});
    assert_eq!(of("openai", own), json!({"safety_identifier": "theirs"}));
    let plain = |provider: &str, members: Value| wishes(provider, "gpt-4o", members, json!({}));
    assert_eq!(plain("groq", json!({"safety_identifier": long})), json!({"user": cut}));
    assert_eq!(plain("groq", json!({"safety_identifier": "s", "user": "u"})), json!({"user": "u"}));
}

fn turns(roles: &[Role]) -> Conversation {
    let message =
        |role: &Role| Message { role: *role, name: None, parts: vec![Part::text("x")], cache: None };
    Conversation { messages: roles.iter().map(message).collect(), ..Conversation::default() }
}

fn encoded(provider: &str, conversation: &Conversation) -> Value {
    serde_json::from_slice(&encode(conversation, &target(provider, "m"), false).unwrap()).unwrap()
}

/// The messages that carry a mark, with it.
fn marks(body: &Value) -> Vec<(usize, Value)> {
    let messages = body["messages"].as_array().unwrap().iter().enumerate();
    let mark = |message: &Value| message["content"].as_array()?.last()?.get("cache_control").cloned();
    messages.filter_map(|(at, message)| Some((at, mark(message)?))).collect()
}

fn places(body: &Value) -> Vec<usize> {
    marks(body).into_iter().map(|(at, _)| at).collect()
}

#[test]
fn i21_breakpoints_are_placed_for_clients_that_set_none() {
    let plain = |role: &str| json!({"role": role, "content": "x"});
    let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let result = json!({"role": "tool", "tool_call_id": "c", "content": "r"});
    let auto = json!({"providerOptions": {"gateway": {"caching": "auto"}}});
    let whole = json!({"cache_control": {"type": "ephemeral"}});
    for (messages, expected) in [
        (json!([plain("user")]), &[0][..]),
        (json!([plain("system"), plain("user")]), &[0, 1]),
        (json!([plain("system"), plain("user"), plain("assistant"), plain("user")]), &[2, 3]),
        (json!([plain("system"), plain("user"), call, result]), &[0, 3]),
        (json!([plain("system"), plain("user"), call, result, call]), &[0, 3]),
        (json!([plain("system"), plain("user"), call, plain("user")]), &[0, 3]),
    ] {
        for wish in [&auto, &whole] {
            let mut body = wish.clone();
            body["messages"] = messages.clone();
            let after = adapted(&target("alibaba", "m"), &body);
            assert_eq!(places(&after), expected, "{messages} {wish}");
            assert_eq!((after.get("cache_control"), after.get("providerOptions")), (None, None));
        }
        let mut body = auto.clone();
        body["messages"] = messages.clone();
        assert_eq!(places(&adapted(&target("openrouter", "m"), &body)), expected);
        let nowhere = adapted(&target("groq", "m"), &body);
        assert_eq!(nowhere["messages"], messages, "a provider without marks");
    }
}

#[test]
fn i21_the_clients_own_marks_win_and_four_are_the_most() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let turn = |role: &str, marked: bool| {
        let mut part = json!({"type": "text", "text": "say \"cache_control\""});
        if marked {
            part["cache_control"] = mark.clone();
        }
        json!({"role": role, "content": [part]})
    };
    let body = |marked: [bool; 5]| {
        let roles = ["system", "user", "assistant", "user", "assistant"];
        let messages: Vec<Value> =
            roles.iter().zip(marked).map(|(role, marked)| turn(role, marked)).collect();
        json!({"messages": messages, "providerOptions": {"gateway": {"caching": "auto"}}})
    };
    let after = |marked: [bool; 5]| places(&adapted(&target("alibaba", "m"), &body(marked)));
    assert_eq!(after([false; 5]), [2, 4], "the words in a text are no mark");
    assert_eq!(after([true, false, false, false, false]), [0, 4]);
    assert_eq!(after([true, true, true, false, false]), [0, 1, 2, 4]);
    assert_eq!(after([true, true, true, true, false]), [0, 1, 2, 3]);
    let own = adapted(&target("alibaba", "m"), &body([false, false, false, false, true]));
    assert_eq!(marks(&own), [(4, mark)]);
}

#[test]
fn i21_breakpoints_of_a_conversation_are_placed_when_it_is_written() {
    use Role::{Assistant, System, User};
    let hour = CacheMark { ttl: Some(CacheTtl::OneHour) };
    let mut conversation = turns(&[System, User, Assistant, User, Assistant, User]);
    conversation.cache = Some(hour);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    assert_eq!(marks(&encoded("alibaba", &conversation)), [(4, mark.clone()), (5, mark.clone())]);
    conversation.cache_anchor = Some(CacheAnchor { message: 1, mark: CacheMark::default() });
    let anchored = encoded("alibaba", &conversation);
    assert_eq!(marks(&anchored), [(1, json!({"type": "ephemeral"})), (4, mark.clone()), (5, mark)]);
    let plain = encoded("groq", &conversation);
    assert!(!plain.to_string().contains("cache"), "{plain}");
    // A call has nothing to mark: the instructions take its place.
    conversation.cache_anchor = None;
    let call = ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() };
    conversation.messages[4].parts = vec![Part::new(Content::ToolCall(call))];
    assert_eq!(places(&encoded("openrouter", &conversation)), [0, 5]);
}
