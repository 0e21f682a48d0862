//! Thought signatures on their way back (I19).

use serde_json::{Value, json};
use tollgate_domain::conversation::{Content, FORMAT_ANTHROPIC, Part, Reasoning};

use super::{call, contents, model, said, state, thought, user};

/// The parts of the model's first turn, in a conversation that has moved on.
fn parts(parts: Vec<Part>) -> Value {
    contents(vec![user("go"), model(parts), user("on")], "gemini-3-flash")[1]["parts"].take()
}

#[test]
fn i19_signatures_go_on_the_part_they_came_on() {
    assert_eq!(
        parts(vec![
            thought("Hm.", Some("S0")),
            Part::text("a"),
            state(None, "S1"),
            Part::text("b"),
            state(Some("c1"), "S2"),
            call("c1", "f", r#"{"x": 1.50}"#),
            call("c2", "f", ""),
            state(None, "S3"),
        ]),
        json!([
            {"text": "Hm.", "thought": true, "thoughtSignature": "S0"},
            {"text": "a", "thoughtSignature": "S1"},
            {"text": "b"},
            {"functionCall": {"id": "c1", "name": "f", "args": {"x": 1.50}}, "thoughtSignature": "S2"},
            {"functionCall": {"id": "c2", "name": "f", "args": {}}},
            {"text": "", "thoughtSignature": "S3"},
        ])
    );
}

#[test]
fn i19_signatures_of_calls_are_found_wherever_they_stand() {
    // Chat completions lists all reasoning first.
    assert_eq!(
        parts(vec![
            thought("Hm.", None),
            state(Some("c2"), "S2"),
            Part::text("a"),
            call("c1", "f", "{}"),
            call("c2", "g", "{}")
        ]),
        json!([
            {"text": "a"},
            {"functionCall": {"id": "c1", "name": "f", "args": {}}},
            {"functionCall": {"id": "c2", "name": "g", "args": {}}, "thoughtSignature": "S2"},
        ])
    );
    // One of a call that the client took out belongs nowhere.
    assert_eq!(parts(vec![state(Some("gone"), "S"), Part::text("a")]), json!([{"text": "a"}]));
}

#[test]
fn i19_signatures_that_lost_their_place() {
    let lost = |more: Vec<Part>| {
        let mut all = vec![thought("Hm.", None), state(None, "S")];
        all.extend(more);
        parts(all)
    };
    assert_eq!(lost(vec![Part::text("a"), call("c", "f", "{}")])[1]["thoughtSignature"], "S");
    assert_eq!(
        lost(vec![Part::text("a"), Part::text("b")]),
        json!([{"text": "a"}, {"text": "b", "thoughtSignature": "S"}])
    );
    assert_eq!(lost(vec![]), json!([{"text": "Hm.", "thought": true, "thoughtSignature": "S"}]));
    // Behind a call it is no signature of the call: that one would bear the call's id.
    assert_eq!(
        parts(vec![call("c", "f", "{}"), state(None, "S")])[1],
        json!({"text": "", "thoughtSignature": "S"})
    );
    assert_eq!(parts(vec![state(None, "S")]), json!([{"text": "", "thoughtSignature": "S"}]));
    // As streamed: text, then the signature in a piece of its own.
    assert_eq!(
        parts(vec![thought("H", None), thought("m.", None), thought("", Some("S"))]),
        json!([{"text": "Hm.", "thought": true, "thoughtSignature": "S"}])
    );
}

#[test]
fn i19_a_client_may_keep_the_signature_on_the_part() {
    let signed = |mut part: Part, key: &str| {
        part.provider.push(("google".into(), json!({key: "S"})));
        part
    };
    assert_eq!(
        parts(vec![
            signed(Part::text(""), "thoughtSignature"),
            signed(call("c", "f", "{}"), "thought_signature")
        ]),
        json!([
            {"text": "", "thoughtSignature": "S"},
            {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "S"},
        ])
    );
}

#[test]
fn i19_state_of_other_providers_is_dropped() {
    let foreign = Part::new(Content::Reasoning(Reasoning {
        text: "Hm.".into(),
        signature: Some("X".into()),
        data: Some("Y".into()),
        format: Some(FORMAT_ANTHROPIC.into()),
        ..Reasoning::default()
    }));
    assert_eq!(parts(vec![foreign, Part::text("a")]), json!([{"text": "a"}]));
}

#[test]
fn calls_of_another_model_are_excused_in_the_current_turn_only() {
    let history = || {
        vec![
            user("first"),
            model(vec![call("a", "f", "{}")]),
            said("a", "1"),
            model(vec![Part::text("done")]),
            user("second"),
            model(vec![call("b", "f", "{}"), call("c", "f", "{}")]),
            said("b", "2"),
            said("c", "3"),
            model(vec![state(Some("d"), "S"), call("d", "f", "{}"), call("e", "f", "{}")]),
            said("d", "4"),
            said("e", "5"),
        ]
    };
    let signatures = |model: &str| -> Vec<Value> {
        let contents = contents(history(), model);
        let parts = contents.as_array().unwrap().iter().flat_map(|turn| turn["parts"].as_array().unwrap());
        parts
            .filter(|part| part.get("functionCall").is_some())
            .map(|part| part["thoughtSignature"].clone())
            .collect()
    };
    let skip = json!("skip_thought_signature_validator");
    assert_eq!(signatures("gemini-3-flash"), [Value::Null, skip, Value::Null, json!("S"), Value::Null]);
    assert_eq!(signatures("gemini-2.5-flash")[1], Value::Null);
}
