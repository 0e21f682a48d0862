//! Answers of any provider, streamed and whole.

use serde_json::{Value, json};
use tollgate_domain::conversation::{
    Content, FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, File, FileData, Reasoning,
    ReasoningKind,
};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Failure, JsonText, ReplyEvent, Usage};

use super::super::{StreamEncoder, encode_whole};
use super::{context, conversation, events, finish, receipt};
use crate::{ReplyContext, StreamWriter};

pub(super) fn text(block: u32, text: &str) -> ReplyEvent {
    ReplyEvent::TextDelta { block, text: text.into() }
}
pub(super) fn text_end(block: u32) -> ReplyEvent {
    ReplyEvent::TextEnd { block }
}
pub(super) fn thinks(block: u32, kind: ReasoningKind, id: Option<&str>, format: &'static str) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id: id.map(Into::into), format }
}
pub(super) fn thought(block: u32, text: &str) -> ReplyEvent {
    ReplyEvent::ReasoningDelta { block, text: text.into() }
}
pub(super) fn thought_end(block: u32, signature: Option<&str>, data: Option<&str>) -> ReplyEvent {
    ReplyEvent::ReasoningEnd { block, signature: signature.map(Into::into), data: data.map(Into::into) }
}
pub(super) fn tool(block: u32) -> ReplyEvent {
    ReplyEvent::ToolStart { block, id: format!("call_{block}"), name: "f".into() }
}
pub(super) fn input(block: u32, arguments: &str) -> ReplyEvent {
    ReplyEvent::ToolDelta { block, arguments: arguments.into() }
}
pub(super) fn tool_end(block: u32) -> ReplyEvent {
    ReplyEvent::ToolEnd { block }
}

fn stream_with(replies: &[ReplyEvent], context: ReplyContext, end: &Finish) -> Vec<(String, Value)> {
    let mut encoder = StreamEncoder::new(context);
    let mut out = Vec::new();
    for event in replies {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt(), end, &mut out);
    events(&out)
}

/// The message as a client of the protocol gathers it, which also checks the sequence: one block at a time,
/// indexes without gaps, the end last.
fn gathered(stream: &[(String, Value)]) -> Value {
    let mut message = Value::Null;
    let mut open = None;
    let mut pieces = String::new();
    for (at, (name, data)) in stream.iter().enumerate() {
        assert_eq!(*name, data["type"], "the name is the type");
        assert_eq!(name == "message_start", at == 0);
        assert_eq!(name == "message_stop", at + 1 == stream.len());
        let index = data["index"].as_u64().map(|i| usize::try_from(i).unwrap());
        match name.as_str() {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                assert_eq!((open, index), (None, Some(message["content"].as_array().unwrap().len())));
                message["content"].as_array_mut().unwrap().push(data["content_block"].clone());
                open = index;
                pieces.clear();
            }
            "content_block_delta" => {
                assert_eq!(open, index, "a delta of the open block");
                let block = &mut message["content"][index.unwrap()];
                let delta = &data["delta"];
                let more = |key: &str, block: &mut Value| {
                    block[key] =
                        json!(format!("{}{}", block[key].as_str().unwrap(), delta[key].as_str().unwrap()));
                };
                match delta["type"].as_str().unwrap() {
                    "text_delta" => more("text", block),
                    "thinking_delta" => more("thinking", block),
                    "signature_delta" => more("signature", block),
                    "input_json_delta" => pieces.push_str(delta["partial_json"].as_str().unwrap()),
                    "citations_delta" => {
                        let members = block.as_object_mut().unwrap();
                        let cited = members.entry("citations").or_insert_with(|| json!([]));
                        cited.as_array_mut().unwrap().push(delta["citation"].clone());
                    }
                    other => panic!("{other}"),
                }
            }
            "content_block_stop" => {
                assert_eq!(open.take(), index, "the open block stops");
                if !pieces.is_empty() {
                    message["content"][index.unwrap()]["input"] =
                        serde_json::from_str(&pieces).unwrap_or_else(|_| json!({}));
                }
            }
            "message_delta" => {
                assert_eq!(open, None);
                message["stop_reason"] = data["delta"]["stop_reason"].clone();
                message["stop_sequence"] = data["delta"]["stop_sequence"].clone();
                message["usage"] = data["usage"].clone();
            }
            "message_stop" => message["provider_metadata"] = data["provider_metadata"].clone(),
            other => panic!("{other}"),
        }
    }
    message
}

pub(super) fn streamed(replies: &[ReplyEvent]) -> Value {
    gathered(&stream_with(replies, context(), &finish(FinishReason::Stop)))
}

pub(super) fn whole(replies: &[ReplyEvent]) -> Value {
    serde_json::from_slice(&encode_whole(&context(), replies, &finish(FinishReason::Stop), &receipt()))
        .unwrap()
}

/// The content, the same in both forms (I2).
pub(super) fn content(replies: &[ReplyEvent]) -> Value {
    let (streamed, whole) = (streamed(replies), whole(replies));
    assert_eq!(streamed, whole);
    whole["content"].clone()
}

#[test]
fn a_plain_answer_byte_for_byte() {
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    let early = Usage { input_uncached: 7, input_cache_read: 3, ..Usage::default() };
    encoder.event(&ReplyEvent::Usage(early), &mut out);
    encoder.event(&ReplyEvent::TextStart { block: 0 }, &mut out);
    assert!(out.is_empty(), "nothing is said before there is something to say");
    encoder.event(&text(0, "Hi \"you\""), &mut out);
    encoder.event(&text_end(0), &mut out);
    encoder.event(&tool(1), &mut out);
    encoder.event(&input(1, "{\"a\":1}"), &mut out);
    encoder.event(&tool_end(1), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"event: message_start
data: {"type":"message_start","message":{"id":"gen_01HF7YAT000000000000000007","type":"message","role":"assistant","model":"anthropic/claude-sonnet-4.5[1m]","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"you\""}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

"#
    );
    let mut out = Vec::new();
    encoder.close(&receipt(), &finish(FinishReason::ToolCalls), &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.starts_with(
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":2,\"cache_read_input_tokens\":4,\"output_tokens\":5}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\",\"provider_metadata\":{\"gateway\":{\"routing\":"
        ),
        "{out}"
    );
    assert!(out.ends_with("\"billableWebSearchCalls\":0}}}\n\n"), "{out}");
}

#[test]
fn the_first_event_names_the_prompt() {
    let start = |replies: &[ReplyEvent]| {
        stream_with(replies, context(), &finish(FinishReason::Stop))[0].1["message"]["usage"].clone()
    };
    let estimated = start(&[text(0, "x")]);
    assert_eq!((&estimated["input_tokens"], &estimated["output_tokens"]), (&json!(321), &json!(1)));
    let late = start(&[text(0, "x"), ReplyEvent::Usage(Usage { input_uncached: 9, ..Usage::default() })]);
    assert_eq!(late["input_tokens"], 321, "what comes after content is told at the end");
    assert_eq!(start(&[])["input_tokens"], 10, "an empty answer knows its usage");
}

#[test]
fn usage_is_exclusive_of_the_cache_and_split_by_lifetime() {
    let mut bill = receipt();
    bill.usage = Usage {
        input_uncached: 5,
        input_audio: 1,
        input_image: 2,
        input_cache_read: 100,
        input_cache_write_5m: 10,
        input_cache_write_1h: 20,
        output_text: 7,
        output_reasoning: 3,
        searches: 2,
        ..Usage::default()
    };
    let body = encode_whole(&context(), &[], &finish(FinishReason::Stop), &bill);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body["usage"],
        json!({
            "input_tokens": 8,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 10,
            "output_tokens_details": {"thinking_tokens": 3},
            "server_tool_use": {"web_search_requests": 2},
        })
    );
    assert_eq!(body["content"], json!([]));
}

#[test]
fn the_table_of_ends() {
    use FinishReason as R;
    for (reason, raw, sequence, expected) in [
        (R::Stop, Some("end_turn"), None, "end_turn"),
        (R::Stop, Some("stop"), None, "end_turn"),
        (R::Stop, None, Some("END"), "stop_sequence"),
        (R::Stop, Some("stop_sequence"), None, "stop_sequence"),
        (R::Stop, Some("STOP_SEQUENCE"), None, "stop_sequence"),
        (R::Stop, Some("pause_turn"), None, "pause_turn"),
        (R::Stop, Some("tool_use"), None, "end_turn"),
        (R::Length, Some("length"), None, "max_tokens"),
        (R::Length, Some("model_context_window_exceeded"), None, "model_context_window_exceeded"),
        (R::ToolCalls, Some("tool_calls"), None, "tool_use"),
        (R::ToolCalls, Some("end_turn"), None, "tool_use"),
        (R::ContentFilter, Some("SAFETY"), None, "refusal"),
        (R::ContentFilter, Some("refusal"), None, "refusal"),
        (R::Other, Some("compaction"), None, "compaction"),
        (R::Other, Some("OTHER"), None, "end_turn"),
        (R::Error, None, None, "end_turn"),
    ] {
        let end =
            Finish { raw: raw.map(Into::into), stop_sequence: sequence.map(Into::into), ..finish(reason) };
        let message = gathered(&stream_with(&[text(0, "x")], context(), &end));
        assert_eq!(
            (&message["stop_reason"], &message["stop_sequence"]),
            (&json!(expected), &json!(sequence))
        );
    }
}

#[test]
fn the_providers_metadata_stands_beside_ours() {
    let native = Some(JsonText::from(&json!({"usage": {"x": 1}})));
    let end = Finish { native, ..finish(FinishReason::Stop) };
    let message = gathered(&stream_with(&[text(0, "x")], context(), &end));
    assert_eq!(message["provider_metadata"]["anthropic"], json!({"usage": {"x": 1}}));
    assert_eq!(message["provider_metadata"]["gateway"]["generationId"], message["id"]);
}

#[test]
fn i19_own_reasoning_is_bare_and_before_the_text() {
    let replies = [
        ReplyEvent::TextStart { block: 1 },
        thinks(0, ReasoningKind::Text, None, FORMAT_ANTHROPIC),
        thought(0, "hm "),
        thought(0, "\n"),
        thought_end(0, Some("EqQB+/=="), None),
        thinks(2, ReasoningKind::Encrypted, None, FORMAT_ANTHROPIC),
        thought_end(2, None, Some("EvAF==")),
        thinks(3, ReasoningKind::Text, None, FORMAT_ANTHROPIC),
        thought_end(3, Some("only"), None),
        text(1, "so"),
    ];
    assert_eq!(
        content(&replies),
        json!([
            {"type": "thinking", "thinking": "hm \n", "signature": "EqQB+/=="},
            {"type": "redacted_thinking", "data": "EvAF=="},
            {"type": "thinking", "thinking": "", "signature": "only"},
            {"type": "text", "text": "so"},
        ])
    );
    let excluded = ReplyContext { exclude_reasoning: true, ..context() };
    let quiet = gathered(&stream_with(&replies, excluded.clone(), &finish(FinishReason::Stop)));
    assert_eq!(quiet["content"], json!([{"type": "text", "text": "so"}]));
    let body = encode_whole(&excluded, &replies, &finish(FinishReason::Stop), &receipt());
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["content"], quiet["content"]);
}

#[test]
fn i19_reasoning_of_every_family_goes_round() {
    let items = [
        (ReasoningKind::Text, None, FORMAT_ANTHROPIC, "a", Some("sig"), None),
        (ReasoningKind::Encrypted, None, FORMAT_ANTHROPIC, "", None, Some("red")),
        (ReasoningKind::Text, None, FORMAT_ANTHROPIC, "unsigned", None, None),
        (ReasoningKind::Summary, Some("rs_1"), FORMAT_OPENAI, "sum", None, Some("gAAA")),
        (ReasoningKind::Summary, Some("rs_2"), FORMAT_OPENAI, "", None, None),
        (ReasoningKind::Encrypted, Some("rs_1"), FORMAT_OPENAI, "", None, Some("gBBB")),
        (ReasoningKind::Encrypted, Some("call_1"), FORMAT_GEMINI, "", None, Some("Ci+/=")),
        (ReasoningKind::Text, None, FORMAT_GEMINI, "g", Some("Cg=="), None),
        (ReasoningKind::Text, None, FORMAT_UNKNOWN, "plain", None, None),
    ];
    let mut replies = Vec::new();
    for (block, (kind, id, format, words, signature, data)) in (0..).zip(items) {
        replies.push(thinks(block, kind, id, format));
        if !words.is_empty() {
            replies.push(thought(block, words));
        }
        replies.push(thought_end(block, signature, data));
    }
    let blocks = content(&replies);
    for block in blocks.as_array().unwrap() {
        let token = block.get("signature").or_else(|| block.get("data")).and_then(Value::as_str);
        assert!(token.is_some_and(|t| !t.is_empty()), "{block}");
    }
    let sent = conversation(json!({"messages": [{"role": "assistant", "content": blocks}]}));
    let found: Vec<_> = sent.messages[0]
        .parts
        .iter()
        .map(|part| match &part.content {
            Content::Reasoning(reasoning) => reasoning.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let expected: Vec<_> = items
        .iter()
        .map(|(kind, id, format, words, signature, data)| Reasoning {
            kind: *kind,
            text: (*words).to_owned(),
            signature: owned(*signature),
            data: owned(*data),
            id: owned(*id),
            format: Some((*format).to_owned()),
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn foreign_reasoning_never_stands_behind_its_text_in_a_whole_answer() {
    let replies = [
        text(0, "so"),
        text_end(0),
        thinks(1, ReasoningKind::Text, None, FORMAT_UNKNOWN),
        thought(1, "hm"),
        thought_end(1, None, None),
        tool(2),
        tool_end(2),
    ];
    let kinds = |message: Value| {
        let content = message["content"].as_array().unwrap().clone();
        content.iter().map(|b| b["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(whole(&replies)), ["thinking", "text", "tool_use"]);
    assert_eq!(kinds(streamed(&replies)), ["text", "thinking", "tool_use"], "a stream cannot wait");
}

#[test]
fn i18_interleaved_calls_come_out_one_after_the_other() {
    let replies = [
        tool(4),
        tool(7),
        input(7, "{\"x\":"),
        input(4, "{ \"a\" : "),
        text(5, "between"),
        tool(9),
        input(9, "{}"),
        tool_end(9),
        input(4, "1.0e+2}"),
        tool_end(4),
        input(7, "2}"),
        tool_end(7),
        text(5, " and after"),
    ];
    let names: Vec<_> = stream_with(&replies, context(), &finish(FinishReason::ToolCalls))
        .into_iter()
        .filter(|(name, _)| name == "content_block_start")
        .map(|(_, data)| data["content_block"]["id"].as_str().unwrap_or("text").to_owned())
        .collect();
    assert_eq!(names, ["call_4", "call_7", "text", "call_9", "text"]);
    let body = encode_whole(&context(), &replies, &finish(FinishReason::ToolCalls), &receipt());
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("\"input\":{ \"a\" : 1.0e+2}"), "byte for byte: {body}");
}

#[test]
fn arguments_that_are_no_object_have_no_place() {
    for (arguments, expected) in
        [("", "{}"), ("{\"a\":", "{}"), ("[1]", "{}"), ("null", "{}"), (" {\"a\":1}\n", "{\"a\":1}")]
    {
        let body = encode_whole(
            &context(),
            &[tool(0), input(0, arguments), tool_end(0)],
            &finish(FinishReason::ToolCalls),
            &receipt(),
        );
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(&format!("\"input\":{expected}}}]")), "{arguments}: {body}");
    }
}

#[test]
fn blocks_of_anthropic_pass_and_those_of_others_do_not() {
    let call =
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}});
    let result = json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []});
    let custom = |namespace, value: &Value| ReplyEvent::Custom { namespace, value: value.clone() };
    let replies = [
        text(0, "a"),
        custom("anthropic", &call),
        custom("openai", &json!({"type": "web_search_call"})),
        custom("anthropic", &result),
        text(0, "b"),
    ];
    assert_eq!(
        content(&replies),
        json!([{"type": "text", "text": "a"}, call, result, {"type": "text", "text": "b"}])
    );
    let start = stream_with(&replies, context(), &finish(FinishReason::Stop))
        .into_iter()
        .find(|(_, data)| data["content_block"]["type"] == "server_tool_use")
        .unwrap();
    assert_eq!(start.1["content_block"]["input"], json!({}), "clients take the input from deltas");
}

#[test]
fn files_and_sources() {
    let file = |media_type: &str, data| {
        ReplyEvent::File(File {
            media_type: media_type.into(),
            data,
            filename: Some("n".into()),
            detail: None,
        })
    };
    let found = content(&[
        file("image/png", FileData::Base64("iVBO".into())),
        file("application/pdf", FileData::Url("https://example.com/a".into())),
    ]);
    assert_eq!(
        found,
        json!([
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a"}, "title": "n"},
        ])
    );
    let source = |url: &str| {
        ReplyEvent::Source(
            json!({"type": "url_citation", "url_citation": {"url": url, "title": "t", "start_index": 0, "end_index": 1}}),
        )
    };
    let page = json!({"type": "page_location", "document_index": 0, "cited_text": "x"});
    let cited = |url: &str| json!({"type": "web_search_result_location", "url": url, "title": "t", "cited_text": "", "encrypted_index": ""});
    let found = content(&[
        source("https://a"),
        text(0, "one"),
        text_end(0),
        source("https://b"),
        ReplyEvent::Source(page.clone()),
        ReplyEvent::Source(json!({"type": "other"})),
        tool(1),
        source("https://c"),
        tool_end(1),
        text(2, "two"),
    ]);
    assert_eq!(
        found[0],
        json!({"type": "text", "text": "one", "citations": [cited("https://a"), cited("https://b"), page]})
    );
    assert_eq!(found[2], json!({"type": "text", "text": "two", "citations": [cited("https://c")]}));
}

#[test]
fn i16_a_broken_stream_ends_in_the_protocols_error() {
    let mut encoder = StreamEncoder::new(context());
    let mut out = Vec::new();
    encoder.event(&text(0, "half"), &mut out);
    encoder.fail(&Failure::provider(FailureClass::Overloaded, "Overloaded, said the provider."), &mut out);
    let all = events(&out);
    let (name, data) = all.last().unwrap();
    assert_eq!(name, "error");
    assert_eq!(
        *data,
        json!({
            "type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded, said the provider."},
            "request_id": "gen_01HF7YAT000000000000000007",
        })
    );
    assert!(!all.iter().any(|(name, _)| name == "message_stop"));
    assert_eq!(encoder.keep_alive(), b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
}
