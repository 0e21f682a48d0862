//! What a tap tells of a reply that is passed through.

use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::FinishReason;

use super::super::MessagesTap;
use super::sonnet;
use crate::codec::{Tap, Tapped};

fn tell(tap: &mut MessagesTap, event: &Value) -> Tapped {
    tap.event(event["type"].as_str().unwrap().as_bytes(), event.to_string().as_bytes())
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "a", "model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}})
}

#[test]
fn i15_content_begins_where_the_client_sees_some() {
    let mut tap = MessagesTap::new(&sonnet());
    let block = |block: Value| json!({"type": "content_block_start", "index": 0, "content_block": block});
    let delta = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    assert_eq!(tell(&mut tap, &start()), Tapped::Nothing);
    assert_eq!(tap.seen().usage.map(|u| u.input_total()), Some(5));
    assert_eq!(tell(&mut tap, &json!({"type": "ping"})), Tapped::Nothing);
    assert_eq!(tell(&mut tap, &block(json!({"type": "text", "text": ""}))), Tapped::Nothing);
    assert_eq!(tell(&mut tap, &delta(json!({"type": "text_delta", "text": "hä"}))), Tapped::Content);
    let ending = json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}});
    assert_eq!(tell(&mut tap, &ending), Tapped::Nothing);
    assert_eq!(tell(&mut tap, &json!({"type": "message_stop"})), Tapped::Finished);
    assert_eq!(tell(&mut tap, &start()), Tapped::Nothing);
    assert_eq!(tap.end(), Tapped::Finished);
    let seen = tap.seen();
    assert_eq!((seen.finish, seen.output_bytes), (Some(FinishReason::Length), 3));
    assert_eq!(seen.usage.map(|u| u.output_total()), Some(9));
    assert_eq!(seen.info.id.as_deref(), Some("a"));
    assert_eq!(seen.native.as_ref().unwrap().to_value()["usage"]["output_tokens"], 9);

    let mut tap = MessagesTap::new(&sonnet());
    tell(&mut tap, &start());
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}});
    assert_eq!(tell(&mut tap, &block(search)), Tapped::Content);
}

#[test]
fn i16_a_cut_or_failed_reply_is_a_failure() {
    let mut tap = MessagesTap::new(&sonnet());
    tell(&mut tap, &start());
    assert!(matches!(tap.end(), Tapped::Failure(f) if f.class == FailureClass::Truncated));
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let mut tap = MessagesTap::new(&sonnet());
    assert!(matches!(tell(&mut tap, &error), Tapped::Failure(f) if f.class == FailureClass::Overloaded));
    let mut tap = MessagesTap::new(&sonnet());
    assert!(
        matches!(tap.whole(error.to_string().as_bytes()), Tapped::Failure(f) if f.class == FailureClass::Overloaded)
    );
}

#[test]
fn i02_a_whole_body_tells_what_a_stream_tells() {
    let body = json!({"type": "message", "id": "a", "model": "m", "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 9}});
    let mut tap = MessagesTap::new(&sonnet());
    assert_eq!(tap.whole(body.to_string().as_bytes()), Tapped::Finished);
    assert_eq!((tap.seen().finish, tap.seen().output_bytes), (Some(FinishReason::Stop), 2));
    assert_eq!(tap.seen().usage.map(|u| u.output_total()), Some(9));
}
