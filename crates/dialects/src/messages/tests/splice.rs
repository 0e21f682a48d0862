//! Answers of Anthropic itself, passed through.

use serde_json::json;
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;

use super::super::{StreamSplice, splice_whole};
use super::{context, events, receipt};
use crate::{SpliceError, StreamSplicer};

const ID: &str = "gen_01HF7YAT000000000000000007";

fn passed(input: &[(&str, &str)]) -> (String, StreamSplice) {
    let mut splice = StreamSplice::new(context());
    let mut out = Vec::new();
    for (name, data) in input {
        splice.event(name.as_bytes(), data.as_bytes(), &mut out);
    }
    (String::from_utf8(out).unwrap(), splice)
}

const START: &str = r#"{"type":"message_start","message": {"model":"claude-x","id":"msg_1" , "usage":{"input_tokens":1.0e1}, "z":[ 1 ]}, "y" : 1 }"#;

#[test]
fn i17_events_pass_byte_for_byte() {
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"caf\u00e9 \/"}        }"#;
    let (out, mut splice) = passed(&[
        ("message_start", START),
        ("ping", "{\"type\": \"ping\"}"),
        ("content_block_delta", delta),
        ("", r#"{"type":"someday","z":1.50}"#),
        ("odd_name", r#"{"type":"someday"}"#),
        ("message_start", START),
        ("message_stop", r#"{"type":"message_stop" ,"x": 2 }"#),
        ("ping", "{\"type\":\"ping\"}"),
    ]);
    assert_eq!(
        out,
        format!(
            "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"model\":\"anthropic/claude-sonnet-4.5[1m]\",\"id\":\"{ID}\",\"usage\":{{\"input_tokens\":1.0e1}},\"z\":[ 1 ]}},\"y\":1}}\n\nevent: ping\ndata: {{\"type\": \"ping\"}}\n\nevent: content_block_delta\ndata: {delta}\n\nevent: someday\ndata: {{\"type\":\"someday\",\"z\":1.50}}\n\nevent: odd_name\ndata: {{\"type\":\"someday\"}}\n\n"
        )
    );
    assert!(splice.finished());
    let mut out = Vec::new();
    splice.close(&receipt(), &mut out);
    let (name, data) = events(&out).remove(0);
    assert_eq!((name.as_str(), &data["x"]), ("message_stop", &json!(2)));
    assert_eq!(data["provider_metadata"]["gateway"]["generationId"], ID);
}

#[test]
fn errors_and_nonsense_write_nothing() {
    let (out, mut splice) = passed(&[
        ("error", r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
        ("error", r#"{"message":"odd"}"#),
        ("", r#"{"type":"error"}"#),
        ("content_block_delta", "{\"type\":"),
        ("", "[DONE]"),
    ]);
    assert_eq!((out.as_str(), splice.finished()), ("", false));
    let mut out = Vec::new();
    splice.close(&receipt(), &mut out);
    let (name, data) = events(&out).remove(0);
    assert_eq!(
        (name.as_str(), &data["error"]["type"]),
        ("error", &json!("api_error")),
        "no end is no end (I16)"
    );
    let mut out = Vec::new();
    splice.fail(&Failure::provider(FailureClass::RateLimit, "slow"), &mut out);
    assert_eq!(events(&out)[0].1["error"], json!({"type": "rate_limit_error", "message": "slow"}));
    assert_eq!(splice.keep_alive(), b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

#[test]
fn data_over_several_lines_leaves_on_one() {
    let (out, _) = passed(&[
        ("ping", "{\"type\":\n\"ping\",\r\n\"a\":1}"),
        ("message_start", "{\"type\":\"message_start\",\n\"message\":{\"a\":[1,\n2]}}"),
    ]);
    let found = events(out.as_bytes());
    assert_eq!(found[0].1, json!({"type": "ping", "a": 1}));
    assert_eq!(found[1].1["message"]["a"], json!([1, 2]));
    assert_eq!(found[1].1["message"]["id"], ID);
}

#[test]
fn i17_a_whole_answer_keeps_its_members() {
    let body = "{ \"id\":\"msg_1\", \"type\":\"message\",\n \"model\" : \"claude-x\", \"content\":[ {\"type\":\"text\",\"text\":\"caf\\u00e9\"} ], \"usage\":{\"input_tokens\":1.50}, \"new\" : null }";
    let out = splice_whole(&context(), body.as_bytes(), &receipt()).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.starts_with(&format!(
            "{{\"id\":\"{ID}\",\"type\":\"message\",\"model\":\"anthropic/claude-sonnet-4.5[1m]\",\"content\":[ {{\"type\":\"text\",\"text\":\"caf\\u00e9\"}} ],\"usage\":{{\"input_tokens\":1.50}},\"new\":null,\"provider_metadata\":{{\"gateway\":"
        )),
        "{out}"
    );
    assert_eq!(
        splice_whole(&context(), br#"{"choices":[]}"#, &receipt()),
        Err(SpliceError::Missing("content"))
    );
    assert!(matches!(splice_whole(&context(), b"<html>", &receipt()), Err(SpliceError::NotJson(_))));
}

#[test]
fn a_name_with_a_line_end_begins_no_line_of_its_own() {
    let (out, _) = passed(&[
        ("ping\rdata: {\"type\":\"message_stop\"}", r#"{"type":"message_delta"}"#),
        ("x\ry", r#"{"k":1}"#),
        ("", r#"{"type":"a\n\ndata: x"}"#),
    ]);
    assert_eq!(
        out,
        "event: message_delta\ndata: {\"type\":\"message_delta\"}\n\ndata: {\"k\":1}\n\ndata: {\"type\":\"a\\n\\ndata: x\"}\n\n"
    );
}
