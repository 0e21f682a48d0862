use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;

use super::*;
use crate::responses::splice_whole;
use crate::responses::stream::tests::{GENERATION, context, events_of, receipt};

const CREATED: &str = r#"{"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-5","temperature":1.0,"tools":[{"name":"id"}],"error":null,"new":[1.50]},"sequence_number":0}"#;
const DELTA: &str = r#"{"type":"response.output_text.delta", "sequence_number":4,"item_id":"msg_1","delta":"\u0041 \"sequence_number\":9","logprobs":[],"obfuscation":"x"}"#;
const DONE: &str = r#"{"type":"response.completed","sequence_number":5,"response":{"id":"resp_1","status":"completed","provider_metadata":1,"model":"gpt-5","output":[{"id":"msg_1"}],"usage":{"input_tokens":1,"x":2}}}"#;

fn pass(splice: &mut StreamSplice, events: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data) in events {
        splice.event(name.as_bytes(), data.as_bytes(), &mut out);
    }
    out
}

#[test]
fn i17_events_pass_byte_for_byte() {
    let mut splice = StreamSplice::new(context(), None);
    let unknown = r#"{"type":"response.new_thing","k":{"response":{"id":"resp_1"}},"sequence_number":3}"#;
    let out =
        pass(&mut splice, &[("response.created", CREATED), ("response.new_thing", unknown), ("", DELTA)]);
    let text = String::from_utf8(out).unwrap();
    let created = CREATED
        .replace("\"resp_1\"", &format!("\"{GENERATION}\""))
        .replace("\"gpt-5\"", "\"anthropic/claude-sonnet-4\"");
    assert_eq!(
        text,
        format!(
            "event: response.created\ndata: {created}\n\nevent: response.new_thing\ndata: {unknown}\n\nevent: response.output_text.delta\ndata: {DELTA}\n\n"
        )
    );
}

#[test]
fn the_terminal_event_leaves_last_with_our_metadata() {
    let mut splice = StreamSplice::new(context(), None);
    assert!(pass(&mut splice, &[("response.completed", DONE)]).is_empty());
    assert!(splice.finished());
    assert!(
        pass(&mut splice, &[("response.output_text.delta", DELTA)]).is_empty(),
        "nothing follows the end"
    );
    let mut out = Vec::new();
    splice.close(&receipt(), &mut out);
    let told = events_of(&out);
    assert_eq!((told.len(), &told[0]["sequence_number"]), (1, &json!(5)));
    let response = &told[0]["response"];
    let members: Vec<_> = response.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        ["id", "status", "model", "output", "usage", "providerMetadata", "provider_metadata"]
    );
    assert_eq!((&response["id"], &response["usage"]), (&json!(GENERATION), &json!({"input_tokens":1,"x":2})));
    assert_eq!(response["provider_metadata"]["gateway"]["generationId"], GENERATION);
    assert_eq!(response["provider_metadata"], response["providerMetadata"]);
}

#[test]
fn incomplete_is_an_end_too() {
    let mut splice = StreamSplice::new(context(), None);
    pass(&mut splice, &[("response.incomplete", &DONE.replace("completed", "incomplete"))]);
    let mut out = Vec::new();
    splice.close(&receipt(), &mut out);
    assert_eq!(events_of(&out)[0]["type"], "response.incomplete");
}

#[test]
fn errors_and_what_is_no_event_write_nothing() {
    let mut splice = StreamSplice::new(context(), None);
    let failed = r#"{"type":"response.failed","response":{"error":{"code":"server_error"}}}"#;
    let out = pass(
        &mut splice,
        &[
            ("error", r#"{"type":"error","code":"x","message":"y"}"#),
            ("", r#"{"error":{"message":"y"}}"#),
            ("response.failed", failed),
            ("", "[DONE]"),
            ("", "{"),
            ("", "{}"),
            ("response.completed", r#"{"type":"response.completed","response":null}"#),
        ],
    );
    assert!(out.is_empty() && !splice.finished(), "{}", String::from_utf8_lossy(&out));
}

#[test]
fn i16_a_stream_without_its_end_fails_with_the_next_numbers() {
    let mut splice = StreamSplice::new(context(), None);
    let mut out = pass(&mut splice, &[("response.created", CREATED), ("response.output_text.delta", DELTA)]);
    splice.close(&receipt(), &mut out);
    let told = events_of(&out);
    let kinds: Vec<_> = told.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["response.created", "response.output_text.delta", "error", "response.failed"]);
    assert_eq!((&told[2]["sequence_number"], &told[3]["sequence_number"]), (&json!(5), &json!(6)));
    let response = &told[3]["response"];
    assert_eq!(
        (&response["status"], &response["error"]["code"], &response["id"], &response["temperature"]),
        (&json!("failed"), &json!("truncated"), &json!(GENERATION), &json!(1.0))
    );
}

#[test]
fn a_failure_before_any_event_still_has_a_response() {
    let mut splice = StreamSplice::new(context(), None);
    let mut out = Vec::new();
    splice.fail(&Failure::provider(FailureClass::ContextLength, "too long"), &mut out);
    let told = events_of(&out);
    assert_eq!((&told[0]["sequence_number"], &told[0]["message"]), (&json!(0), &json!("too long")));
    assert_eq!(told[1]["response"]["error"], json!({"code":"context_length_exceeded","message":"too long"}));
    assert_eq!(told[1]["response"]["id"], GENERATION);
}

#[test]
fn json_over_several_lines_leaves_on_one() {
    let mut splice = StreamSplice::new(context(), None);
    let out = pass(&mut splice, &[("x", "{\n\"type\":\"x\",\r\n\"a\":\"b\\n\"}")]);
    assert_eq!(String::from_utf8(out).unwrap(), "event: x\ndata: { \"type\":\"x\",  \"a\":\"b\\n\"}\n\n");
}

#[test]
fn i17_a_whole_answer_keeps_all_but_what_is_ours() {
    let body = r#"{ "id":"resp_1","object":"response","model":"gpt-5","output":[{"x":1.50}],"new":{"a": 1},"provider_metadata":{"gateway":{}},"usage":null}"#;
    let spliced =
        String::from_utf8(splice_whole(&context(), None, body.as_bytes(), &receipt()).unwrap()).unwrap();
    assert!(spliced.starts_with(&format!(
        r#"{{"id":"{GENERATION}","object":"response","model":"anthropic/claude-sonnet-4","output":[{{"x":1.50}}],"new":{{"a": 1}},"usage":null,"providerMetadata":"#
    )));
    let value: Value = serde_json::from_str(&spliced).unwrap();
    assert_eq!(value["provider_metadata"]["gateway"]["generationId"], GENERATION);
    for (body, missing) in [("{}", true), ("{\"output\":null}", true), ("[]", false), ("", false)] {
        let error = splice_whole(&context(), None, body.as_bytes(), &receipt()).unwrap_err();
        assert_eq!(error == crate::SpliceError::Missing("output"), missing, "{body}");
    }
}

#[test]
fn the_answer_before_keeps_the_clients_name() {
    let created = r#"{"type":"response.created","response":{"id":"resp_2","previous_response_id":"resp_1"}}"#;
    for (previous, told) in [(Some("gen_1"), "gen_1"), (None, "resp_1")] {
        let mut splice = StreamSplice::new(context(), previous);
        let out = pass(&mut splice, &[("response.created", created)]);
        assert_eq!(events_of(&out)[0]["response"]["previous_response_id"], told);
        let body = br#"{"id":"resp_2","previous_response_id":"resp_1","output":[]}"#;
        let whole = splice_whole(&context(), previous, body, &receipt()).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(whole["previous_response_id"], told);
    }
    let body = br#"{"id":"resp_2","previous_response_id":null,"output":[]}"#;
    let whole = splice_whole(&context(), Some("gen_1"), body, &receipt()).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert!(whole["previous_response_id"].is_null(), "what the provider did not use is not told");
}

#[test]
fn a_type_with_a_line_end_begins_no_event_of_its_own() {
    let mut splice = StreamSplice::new(context(), None);
    for data in [
        r#"{"type":"a\n\ndata: {\"type\":\"response.completed\"}","k":1}"#,
        r#"{"type":"a\rb","response":{}}"#,
        r#"{"type":"response.completed\n","response":{}}"#,
    ] {
        let out = String::from_utf8(pass(&mut splice, &[("", data)])).unwrap();
        assert!(out.starts_with("data: {\"type\":\"") && out.ends_with("}\n\n"), "{out}");
        assert_eq!((out.matches('\n').count(), out.matches('\r').count()), (2, 0), "{out}");
    }
    assert!(!splice.finished());
}

#[test]
fn the_largest_number_is_followed_by_no_smaller_one() {
    let mut splice = StreamSplice::new(context(), None);
    let last = format!(r#"{{"type":"response.new_thing","sequence_number":{}}}"#, u64::MAX);
    let mut out = pass(&mut splice, &[("", &last)]);
    splice.fail(&Failure::provider(FailureClass::Truncated, "cut"), &mut out);
    let told = events_of(&out);
    assert!(told.iter().all(|event| event["sequence_number"] == json!(u64::MAX)), "{told:?}");
}

#[test]
fn a_failure_tells_the_response_on_one_line() {
    let mut splice = StreamSplice::new(context(), None);
    let created = "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\r\"tools\":[\n]}}";
    let mut out = pass(&mut splice, &[("response.created", created)]);
    splice.fail(&Failure::provider(FailureClass::Truncated, "cut"), &mut out);
    assert!(!out.contains(&b'\r'), "{}", String::from_utf8_lossy(&out));
    let told = events_of(&out);
    assert_eq!(told.last().unwrap()["response"]["tools"], json!([]));
}
