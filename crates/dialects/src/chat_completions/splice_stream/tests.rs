use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::Nanodollars;

use super::*;
use crate::chat_completions::splice_whole;
use crate::chat_completions::stream::tests::{check_sequence, chunks, context, receipt};

fn splice(context: ReplyContext, upstream: &[Value]) -> (Vec<Value>, bool) {
    let mut splice = StreamSplice::new(context);
    let mut out = Vec::new();
    for chunk in upstream {
        splice.event(chunk.to_string().as_bytes(), &mut out);
    }
    splice.event(b"[DONE]", &mut out);
    splice.close(&receipt(), &mut out);
    chunks(&out)
}

fn up(delta: Value, finish: Value) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "up-model", "service_tier": "default",
        "system_fingerprint": "fp_up", "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}], "x": {"k": 1.50}})
}

#[test]
fn i17_an_openai_stream_passes_with_our_id_model_and_end() {
    let usage = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "up-model", "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1, "odd": 9}, "queue_time": 0.5}, "time_info": 7});
    let stream = [
        up(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null),
        up(json!({"content": "Hi"}), Value::Null),
        up(json!({"content": " you", "unknown": [1]}), Value::Null),
        up(json!({}), json!("stop")),
        usage,
    ];
    let (found, done) = splice(context(), &stream);
    let (text, ..) = check_sequence(&found, done);
    assert_eq!((text.as_str(), found.len()), ("Hi you", 4));
    assert_eq!(found[2]["choices"][0]["delta"], json!({"content": " you", "unknown": [1]}));
    assert_eq!(
        (&found[2]["created"], &found[2]["system_fingerprint"], &found[2]["x"]),
        (&json!(5), &json!("fp_up"), &json!({"k": 1.5}))
    );
    let last = &found[3];
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!((&last["usage"]["prompt_tokens"], &last["usage"]["queue_time"]), (&json!(16), &json!(0.5)));
    assert_eq!(last["usage"]["prompt_tokens_details"]["odd"], 9);
    assert_eq!(last["time_info"], 7, "members of the swallowed usage chunk leave with the last chunk");
    let keys: Vec<_> = last.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "id",
            "object",
            "created",
            "model",
            "service_tier",
            "system_fingerprint",
            "choices",
            "usage",
            "x",
            "time_info",
            "generationId"
        ]
    );
}

#[test]
fn i17_an_untouched_chunk_keeps_its_bytes() {
    let mut splice = StreamSplice::new(context());
    let mut out = Vec::new();
    splice.event(up(json!({"role": "assistant"}), Value::Null).to_string().as_bytes(), &mut out);
    out.clear();
    let raw = r#"{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\u00e9 \/", "n": 1.0e2},"logprobs":null,"finish_reason":null}],"system_fingerprint":null,"z":1E5}"#;
    splice.event(raw.as_bytes(), &mut out);
    let expected = raw
        .replace("\"a\"", &format!("\"{}\"", context().generation))
        .replace("\"m\"", "\"anthropic/claude-sonnet-4\"");
    assert_eq!(String::from_utf8(out).unwrap(), format!("data: {expected}\n\n"));
}

#[test]
fn role_content_and_finish_in_one_chunk_become_three() {
    let (found, done) =
        splice(context(), &[up(json!({"role": "assistant", "content": "all"}), json!("length"))]);
    let (text, ..) = check_sequence(&found, done);
    assert_eq!((text.as_str(), found.len()), ("all", 3));
    assert_eq!(found[2]["choices"][0]["finish_reason"], "length");
}

#[test]
fn chunks_without_choices_or_delta_never_reach_a_client() {
    let stream = [
        json!({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        json!({"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}]}),
        json!({"id": "1", "model": "m", "choices": [{"index": 0, "delta": null, "finish_reason": null}]}),
        json!({"id": "1", "model": "m", "choices": [{"index": 0}]}),
        json!({"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "delta": {"content": ""}}], "usage": {"prompt_tokens": 3}}),
        json!({"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": null, "delta": {"role": "assistant", "content": ""}}], "usage": {"prompt_tokens": 4, "late": true}}),
    ];
    let (found, done) = splice(context(), &stream);
    let (text, ..) = check_sequence(&found, done);
    assert_eq!((text.as_str(), found.len()), ("a", 5));
    assert_eq!(found[2]["choices"][0]["delta"], json!({}));
    assert_eq!(found[4]["prompt_filter_results"], json!([{"prompt_index": 0}]));
    assert_eq!(found[4]["usage"]["late"], true, "the last report counts");
    assert_eq!(found[1]["system_fingerprint"], "fp_0123456789");
}

#[test]
fn reasoning_is_given_in_all_forms_or_in_none() {
    let first = up(json!({"role": "assistant"}), Value::Null);
    for (delta, text, details) in [
        (
            json!({"reasoning_content": "r"}),
            "r",
            json!([{"type": "reasoning.text", "text": "r", "format": "unknown", "index": 0}]),
        ),
        (
            json!({"content": "", "reasoning": "r"}),
            "r",
            json!([{"type": "reasoning.text", "text": "r", "format": "unknown", "index": 0}]),
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.summary", "summary": "s\n"}]}),
            "s\n",
            json!([{"type": "reasoning.summary", "summary": "s\n"}]),
        ),
    ] {
        let stream = [first.clone(), up(delta.clone(), Value::Null), up(json!({}), json!("stop"))];
        let (found, done) = splice(context(), &stream);
        assert_eq!(check_sequence(&found, done).1, text);
        assert_eq!(found[1]["choices"][0]["delta"]["reasoning_details"], details, "{delta}");
        let excluded = ReplyContext { exclude_reasoning: true, ..context() };
        let (found, _) = splice(excluded, &stream);
        let deltas: Vec<_> = found.iter().map(|c| &c["choices"][0]["delta"]).collect();
        assert!(
            deltas.iter().all(|d| !d.as_object().unwrap().keys().any(|k| k.starts_with("reasoning"))),
            "{delta}: {deltas:?}"
        );
    }
    let encrypted =
        up(json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "E"}]}), Value::Null);
    let (found, _) = splice(context(), &[first.clone(), encrypted, up(json!({}), json!("stop"))]);
    assert_eq!(
        found[1]["choices"][0]["delta"].as_object().unwrap().len(),
        1,
        "state without text stays as it is"
    );
    let none = up(json!({"content": "x", "reasoning_content": null, "reasoning": ""}), Value::Null);
    let (found, _) = splice(context(), &[first, none.clone(), up(json!({}), json!("stop"))]);
    assert_eq!(found[1]["choices"][0]["delta"], none["choices"][0]["delta"]);
}

#[test]
fn i16_a_stream_without_finish_reason_does_not_end_well() {
    let (found, done) =
        splice(context(), &[up(json!({"role": "assistant", "content": "half"}), Value::Null)]);
    assert!(!done);
    assert_eq!(found.last().unwrap()["error"]["code"], "truncated");
    let mut broken = StreamSplice::new(context());
    let mut out = Vec::new();
    broken.event(br#"{"error":{"message":"boom"}}"#, &mut out);
    broken.event(b"not json", &mut out);
    assert!(out.is_empty() && !broken.finished());
}

#[test]
fn further_choices_pass() {
    let other = |finish: Value| json!({"id": "1", "model": "m", "choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": finish, "logprobs": null}]});
    let stream = [
        up(json!({"role": "assistant"}), Value::Null),
        other(Value::Null),
        up(json!({}), json!("stop")),
        other(json!("stop")),
    ];
    let (found, done) = splice(context(), &stream);
    assert!(done && found.len() == 4);
    assert_eq!(
        (&found[2]["choices"][0]["index"], &found[2]["choices"][0]["finish_reason"]),
        (&json!(1), &json!("stop"))
    );
    assert_eq!(found[3]["choices"][0]["index"], 0);
    assert!(found[3].get("usage").is_some());
}

#[test]
fn i17_a_whole_answer_keeps_what_is_not_ours() {
    let upstream = br#"{"id":"chatcmpl-9","object":"chat.completion","created":8,"model":"up","x_provider":{"v":1.0e1},"choices":[{"index":0,"message":{"role":"assistant","content":"hi","refusal":null,"reasoning_content":"why","annotations":[]},"finish_reason":"stop","matched_stop":2},{"index":1,"message":{"role":"assistant","content":"ho"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"cost":9,"completion_tokens_details":{"reasoning_tokens":1,"accepted_prediction_tokens":4},"server_time":3},"service_tier":null}"#;
    let whole = splice_whole(&context(), upstream, &receipt()).unwrap();
    let text = std::str::from_utf8(&whole).unwrap();
    assert!(text.contains(r#""x_provider":{"v":1.0e1}"#), "{text}");
    let value: Value = serde_json::from_slice(&whole).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "id",
            "object",
            "created",
            "model",
            "x_provider",
            "choices",
            "usage",
            "service_tier",
            "system_fingerprint",
            "generationId"
        ]
    );
    let message = &value["choices"][0]["message"];
    assert_eq!((&message["reasoning"], &message["reasoning_content"]), (&json!("why"), &json!("why")));
    assert_eq!(
        (&value["choices"][0]["matched_stop"], &value["choices"][0]["logprobs"]),
        (&json!(2), &Value::Null)
    );
    assert!(message["provider_metadata"]["gateway"]["routing"].is_object());
    assert!(value["choices"][1]["message"].get("provider_metadata").is_none());
    let usage = &value["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["cost"], &usage["server_time"]),
        (&json!(16), &json!(0.000123), &json!(3))
    );
    assert_eq!(usage["completion_tokens_details"]["accepted_prediction_tokens"], 4);
    let unpriced = tollgate_domain::Receipt { cost: None, market_cost: Some(Nanodollars(1)), ..receipt() };
    let value: Value =
        serde_json::from_slice(&splice_whole(&context(), upstream, &unpriced).unwrap()).unwrap();
    assert!(value["usage"]["cost"].is_null());
    for bad in [&b"[]"[..], b"{}", br#"{"choices":[]}"#, br#"{"choices":[{"index":0}]}"#, b"<html>"] {
        assert!(splice_whole(&context(), bad, &receipt()).is_err());
    }
}

fn any_delta() -> impl Strategy<Value = Value> {
    prop::collection::vec(
        prop_oneof![
            "[a-z\"\\\\ é]{0,5}".prop_map(|t| ("content", json!(t))),
            "[a-z]{0,4}".prop_map(|t| ("reasoning_content", json!(t))),
            "[a-z]{0,4}".prop_map(|t| ("reasoning", json!(t))),
            Just(("content", Value::Null)),
            Just(("role", json!("assistant"))),
            Just(("custom", json!({"a": [1]}))),
        ],
        0..4,
    )
    .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
}

proptest! {
    #[test]
    fn any_chat_stream_gives_a_valid_sequence(deltas in prop::collection::vec((any_delta(), any::<bool>()), 1..12), end in any_delta()) {
        let mut stream = Vec::new();
        for (delta, odd) in &deltas {
            stream.push(up(delta.clone(), Value::Null));
            if *odd {
                stream.push(json!({"choices": [], "usage": {"prompt_tokens": 2}}));
            }
        }
        stream.push(up(end.clone(), json!("stop")));
        let (found, done) = splice(context(), &stream);
        prop_assert!(done);
        let mut text = String::new();
        for (i, chunk) in found.iter().enumerate() {
            let choice = &chunk["choices"][0];
            prop_assert!(choice["delta"].is_object());
            prop_assert_eq!(choice["finish_reason"].is_string(), i + 1 == found.len());
            prop_assert_eq!(chunk.get("usage").is_some(), i + 1 == found.len());
            text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        }
        prop_assert_eq!(&found[0]["choices"][0]["delta"], &json!({"role": "assistant"}));
        let expected: String = deltas.iter().map(|(d, _)| d).chain([&end]).filter_map(|d| d["content"].as_str()).collect();
        prop_assert_eq!(text, expected);
        let customs = deltas.iter().map(|(d, _)| d).chain([&end]).filter(|d| d.get("custom").is_some()).count();
        let passed = found.iter().filter(|c| c["choices"][0]["delta"].get("custom").is_some()).count();
        prop_assert_eq!(customs, passed);
    }
}

proptest! {
    /// A chunk that is like the one before gets the same as if the one before had not been.
    #[test]
    fn i17_likeness_changes_nothing(
        steps in proptest::collection::vec((0usize..7, r#"[":,a \\\\{}é]{0,3}"#, 0usize..3), 1..24),
        spaced in any::<bool>(),
        exclude in any::<bool>(),
    ) {
        let mut alike = StreamSplice::new(ReplyContext { exclude_reasoning: exclude, ..context() });
        let mut apart = StreamSplice::new(ReplyContext { exclude_reasoning: exclude, ..context() });
        for (kind, text, padding) in steps {
            let delta = match kind {
                0 | 1 => json!({"content": text}),
                2 => json!({"reasoning_content": text, "content": null}),
                3 => json!({"reasoning": text}),
                4 => json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
                5 => json!({"content": text, "reasoning_details": []}),
                _ => json!({"content": text, "role": "assistant"}),
            };
            let mut chunk = up(delta, Value::Null);
            match padding {
                1 => chunk["obfuscation"] = json!("xYz12"),
                2 => { chunk["choices"][0].as_object_mut().unwrap().remove("logprobs"); }
                _ => {}
            }
            let mut data = chunk.to_string();
            if spaced {
                data = data.replace("\":", "\" : ");
            }
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            alike.event(data.as_bytes(), &mut ours);
            apart.likes = Likes::default();
            apart.event(data.as_bytes(), &mut theirs);
            prop_assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
        }
    }
}

#[test]
fn chunks_that_differ_in_their_text_are_recognised() {
    for delta in [
        |text: &str| json!({"content": text}),
        |text: &str| json!({"reasoning_content": text}),
        |text: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
    ] {
        let mut splice = StreamSplice::new(context());
        let mut out = Vec::new();
        for text in ["", "one", "two", "three"] {
            splice.event(up(delta(text), Value::Null).to_string().as_bytes(), &mut out);
        }
        assert!(splice.likes.is_of_use(), "{}", String::from_utf8_lossy(&out));
        assert!(memchr::memmem::find(&out, b"three").is_some());
    }
}

#[test]
fn i17_json_over_several_lines_leaves_on_one() {
    let chunk = "{\"choices\":[\r\n{\"delta\":{\"content\":\"x\"},\"own\":[1,\n2]}]}";
    let end = "{\"choices\":[{\"delta\":{},\n\"finish_reason\":\"stop\"}],\n\"usage\":{\"odd\":[1,\n2]},\"more\":[\n]}";
    let mut splice = StreamSplice::new(context());
    let mut out = Vec::new();
    // The second is like the first, but for its text.
    for text in ["x", "why"] {
        splice.event(chunk.replace('x', text).as_bytes(), &mut out);
    }
    splice.event(end.as_bytes(), &mut out);
    splice.close(&receipt(), &mut out);
    let text = String::from_utf8(out.clone()).unwrap();
    for event in text.split_terminator("\n\n") {
        assert!(event.starts_with("data: ") && !event.contains(['\n', '\r']), "{event:?}");
    }
    let (found, done) = chunks(&out);
    let (content, ..) = check_sequence(&found, done);
    assert_eq!(content, "xwhy");
    assert_eq!(found[1]["choices"][0]["own"], json!([1, 2]));
    assert_eq!(found.last().unwrap()["usage"]["odd"], json!([1, 2]));
}

#[test]
fn a_line_feed_inside_a_string_is_no_json_and_writes_nothing() {
    let mut splice = StreamSplice::new(context());
    let mut out = Vec::new();
    splice.event(b"{\"choices\":[{\"delta\":{\"content\":\"x\ny\"}}]}", &mut out);
    assert_eq!(out, b"");
}
