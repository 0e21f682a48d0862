use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_OPENAI, FORMAT_UNKNOWN, File, FileData, ReasoningKind,
};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{AttemptRecord, CredentialKind, Routing};
use tollgate_domain::reply::{FinishReason, ResponseInfo};
use tollgate_domain::{GenerationId, JsonText, ModelId, Nanodollars, Usage};

use super::*;
use crate::responses::encode_whole;

mod client;
mod random;

use client::{Client, index, kinds};

pub(in crate::responses) const GENERATION: &str = "gen_01HF7YAT000000000000000007";

pub(in crate::responses) fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_700_000_000_000, 7)),
        created_seconds: 1_700_000_000,
        model: "anthropic/claude-sonnet-4".into(),
        fingerprint: "fp_0123456789".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

pub(in crate::responses) fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("anthropic/claude-sonnet-4"),
            canonical_model: ModelId::new("anthropic/claude-sonnet-4"),
            resolved_provider: "anthropic".into(),
            resolved_provider_model: "claude-sonnet-4-20250514".into(),
            fallbacks: vec!["bedrock".into()],
            reasoning: "default ranking".into(),
            final_provider: "anthropic".into(),
            attempts: vec![AttemptRecord {
                provider: "anthropic".into(),
                provider_model: "claude-sonnet-4-20250514".into(),
                credential: CredentialKind::System,
                success: true,
                start_nanos: 500_000_000,
                end_nanos: 2_700_000_000,
                status: Some(200),
                error: None,
                response_id: None,
                request_id: None,
            }],
        },
        usage: Usage {
            input_uncached: 10,
            input_cache_read: 4,
            input_cache_write_5m: 2,
            output_text: 5,
            output_reasoning: 3,
            ..Usage::default()
        },
        cost: Some(Nanodollars(123_000)),
        market_cost: Some(Nanodollars(123_000)),
        byok: false,
        native: None,
        service_tier: None,
        warnings: Vec::new(),
    }
}

pub(in crate::responses) fn finish(reason: FinishReason) -> Finish {
    Finish { reason, raw: None, stop_sequence: None, native: None }
}

/// The events of a stream in order; name and type agree, and each stands alone.
pub(in crate::responses) fn events_of(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with("\n\n"), "the last event is complete");
    let each = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: ").unwrap(), data["type"].as_str().unwrap());
        data
    });
    each.collect()
}

const BODY: &[u8] = br#"{"model":"a/m","input":"x","tools":[{"type":"custom","name":"patch"}]}"#;

fn stream(body: &[u8], events: &[ReplyEvent], reason: FinishReason) -> Vec<Value> {
    let mut encoder = StreamEncoder::new(context(), body);
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.close(&receipt(), &finish(reason), &mut out);
    events_of(&out)
}

fn text(block: u32, text: &str) -> ReplyEvent {
    ReplyEvent::TextDelta { block, text: text.into() }
}

fn reasoning(block: u32, kind: ReasoningKind, id: Option<&str>, format: &'static str) -> ReplyEvent {
    ReplyEvent::ReasoningStart { block, kind, id: id.map(str::to_owned), format }
}

fn thought(block: u32, text: &str) -> ReplyEvent {
    ReplyEvent::ReasoningDelta { block, text: text.into() }
}

fn thought_end(block: u32, signature: Option<&str>, data: Option<&str>) -> ReplyEvent {
    ReplyEvent::ReasoningEnd { block, signature: signature.map(str::to_owned), data: data.map(str::to_owned) }
}

fn call(block: u32, name: &str, arguments: &str) -> [ReplyEvent; 3] {
    [
        ReplyEvent::ToolStart { block, id: format!("call_{block}"), name: name.into() },
        ReplyEvent::ToolDelta { block, arguments: arguments.into() },
        ReplyEvent::ToolEnd { block },
    ]
}

#[test]
fn a_text_is_told_in_the_protocols_order() {
    let events = [
        ReplyEvent::Info(ResponseInfo::default()),
        ReplyEvent::TextStart { block: 0 },
        text(0, "Hel"),
        text(0, ""),
        text(0, "lo"),
        ReplyEvent::TextEnd { block: 0 },
    ];
    let told = stream(BODY, &events, FinishReason::Stop);
    assert_eq!(
        kinds(&told),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    let client = Client::read(&told);
    assert_eq!(
        client.output(),
        json!([{"id":"msg_01HF7YAT000000000000000007_0","type":"message","status":"completed","role":"assistant",
            "content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}]}])
    );
    let response = client.response.unwrap();
    assert_eq!(response["output"], json!([told[8]["item"]]));
    assert_eq!(
        (&response["id"], &response["model"]),
        (&json!(GENERATION), &json!("anthropic/claude-sonnet-4"))
    );
}

#[test]
fn the_terminal_response_is_whole() {
    let mut receipt = receipt();
    receipt.service_tier = Some("flex".into());
    let mut done = finish(FinishReason::Stop);
    done.native = Some(JsonText::new("{\"k\":1.50}".into()));
    let mut encoder = StreamEncoder::new(context(), BODY);
    let mut out = Vec::new();
    encoder.event(&text(0, "a"), &mut out);
    encoder.close(&receipt, &done, &mut out);
    let response = events_of(&out).pop().unwrap()["response"].take();
    assert!(response.as_object().unwrap().len() >= 35, "{} members", response.as_object().unwrap().len());
    assert_eq!((&response["object"], &response["status"]), (&json!("response"), &json!("completed")));
    assert_eq!(
        (&response["created_at"], &response["completed_at"]),
        (&json!(1_700_000_000), &json!(1_700_000_002))
    );
    assert_eq!(
        response["usage"],
        json!({"input_tokens":16,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},
            "output_tokens":8,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":24})
    );
    assert_eq!((&response["error"], &response["incomplete_details"]), (&Value::Null, &Value::Null));
    assert_eq!((&response["service_tier"], &response["tools"][0]["name"]), (&json!("flex"), &json!("patch")));
    assert_eq!(response["providerMetadata"], response["provider_metadata"]);
    assert_eq!(response["providerMetadata"]["gateway"]["generationId"], GENERATION);
    assert_eq!(response["providerMetadata"]["gateway"]["cost"], "0.000123");
    assert_eq!(response["providerMetadata"]["anthropic"], json!({"k":1.5}));
    let whole = encode_whole(&context(), BODY, &[text(0, "a")], &done, &receipt);
    assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap(), response);
}

#[test]
fn a_cut_answer_is_incomplete() {
    for (reason, word) in
        [(FinishReason::Length, "max_output_tokens"), (FinishReason::ContentFilter, "content_filter")]
    {
        let mut events = vec![text(0, "so far"), ReplyEvent::TextEnd { block: 0 }];
        events.extend(call(1, "f", "{\"a\":"));
        let told = stream(BODY, &events, reason);
        let client = Client::read(&told);
        assert_eq!(kinds(&told).last(), Some(&"incomplete"));
        let response = client.response.as_ref().unwrap();
        assert_eq!(
            (&response["status"], &response["incomplete_details"], &response["completed_at"]),
            (&json!("incomplete"), &json!({"reason": word}), &Value::Null)
        );
        assert_eq!(
            (&client.output()[0]["status"], &client.output()[1]["status"]),
            (&json!("completed"), &json!("incomplete"))
        );
    }
}

#[test]
fn i18_calls_keep_their_ids_and_bytes_however_they_interleave() {
    let delta = |block, arguments: &str| ReplyEvent::ToolDelta { block, arguments: arguments.into() };
    let start = |block: u32| ReplyEvent::ToolStart { block, id: format!("c{block}"), name: "f".into() };
    let events = [
        text(9, "I look."),
        ReplyEvent::TextEnd { block: 9 },
        start(0),
        start(1),
        delta(1, "{\"b\" :"),
        delta(0, "{\"a\":1"),
        delta(1, "2}"),
        ReplyEvent::ToolEnd { block: 1 },
        delta(0, "}"),
        ReplyEvent::ToolEnd { block: 0 },
    ];
    let client = Client::read(&stream(BODY, &events, FinishReason::ToolCalls));
    assert_eq!(client.response.as_ref().unwrap()["status"], "completed");
    let output = client.output();
    assert_eq!(
        output[1],
        json!({"id":"fc_01HF7YAT000000000000000007_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"c0","name":"f"})
    );
    assert_eq!((&output[2]["arguments"], &output[2]["call_id"]), (&json!("{\"b\" :2}"), &json!("c1")));
}

#[test]
fn a_custom_tool_gets_its_text() {
    let mut events = call(0, "patch", r#"{"input":"*** Begin\n\"x\""}"#).to_vec();
    let [start, _, end] = call(1, "patch", "");
    let words =
        ["", " ", "plain", " text"].map(|words| ReplyEvent::ToolDelta { block: 1, arguments: words.into() });
    events.push(start);
    events.extend(words);
    events.push(end);
    events.extend(call(2, "other", r#"{"input":"a"}"#));
    let told = stream(BODY, &events, FinishReason::ToolCalls);
    let deltas: Vec<_> =
        told.iter().filter(|e| e["type"] == "response.custom_tool_call_input.delta").collect();
    let deltas: Vec<_> = deltas.iter().map(|e| e["delta"].as_str().unwrap()).collect();
    assert_eq!(deltas, ["*** Begin\n\"x\"", " plain", " text"], "plain text is not held back");
    let output = Client::read(&told).output();
    assert_eq!(
        output[0],
        json!({"id":"ctc_01HF7YAT000000000000000007_0","type":"custom_tool_call","status":"completed","call_id":"call_0","input":"*** Begin\n\"x\"","name":"patch"})
    );
    assert_eq!(output[1]["input"], " plain text");
    assert_eq!(
        (&output[2]["type"], &output[2]["arguments"]),
        (&json!("function_call"), &json!("{\"input\":\"a\"}"))
    );
}

#[test]
fn openais_reasoning_is_one_item_with_its_own_id_and_state() {
    let id = Some("rs_abc");
    let events = [
        reasoning(0, ReasoningKind::Summary, id, FORMAT_OPENAI),
        thought(0, "First."),
        thought_end(0, None, None),
        reasoning(1, ReasoningKind::Summary, id, FORMAT_OPENAI),
        thought(1, "Second."),
        thought_end(1, None, None),
        reasoning(2, ReasoningKind::Encrypted, id, FORMAT_OPENAI),
        thought_end(2, None, Some("gAAAA==")),
        reasoning(3, ReasoningKind::Encrypted, Some("rs_def"), FORMAT_OPENAI),
        thought_end(3, None, Some("gBBBB==")),
        text(4, "Done."),
    ];
    let told = stream(BODY, &events, FinishReason::Stop);
    let output = Client::read(&told).output();
    assert_eq!(
        output[0],
        json!({"id":"rs_abc","type":"reasoning","summary":[{"type":"summary_text","text":"First."},{"type":"summary_text","text":"Second."}],"encrypted_content":"gAAAA=="})
    );
    assert_eq!(
        output[1],
        json!({"id":"rs_def","type":"reasoning","summary":[],"encrypted_content":"gBBBB=="})
    );
    assert_eq!(output[2]["content"][0]["text"], "Done.");
    assert_eq!(
        kinds(&told)[2..8],
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "reasoning_summary_part.added"
        ]
    );
}

#[test]
fn i19_two_states_of_another_family_are_two_items() {
    let id = Some("r1");
    let signed = |block, words: &str| {
        [
            reasoning(block, ReasoningKind::Text, id, FORMAT_ANTHROPIC),
            thought(block, words),
            thought_end(block, Some(words), None),
        ]
    };
    let unsigned = [
        reasoning(0, ReasoningKind::Summary, id, FORMAT_ANTHROPIC),
        thought(0, "s"),
        thought_end(0, None, None),
    ];
    let events: Vec<_> = unsigned.into_iter().chain(signed(1, "a")).chain(signed(2, "b")).collect();
    let output = Client::read(&stream(BODY, &events, FinishReason::Stop)).output();
    assert_eq!(output.as_array().unwrap().len(), 2, "{output}");
    let back = read_back(output);
    let seen = back.messages[0].parts.iter().map(|part| match &part.content {
        tollgate_domain::conversation::Content::Reasoning(r) => {
            (r.text.as_str(), r.signature.as_deref(), r.id.as_deref())
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(seen.collect::<Vec<_>>(), [("sa", Some("a"), id), ("b", Some("b"), id)]);
}

#[test]
fn visible_reasoning_is_content_and_can_be_left_out() {
    let events = [
        reasoning(0, ReasoningKind::Text, None, FORMAT_UNKNOWN),
        thought(0, "Hm."),
        thought_end(0, None, None),
        text(1, "Yes."),
    ];
    let told = stream(BODY, &events, FinishReason::Stop);
    assert_eq!(
        kinds(&told)[3..7],
        ["content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done"]
    );
    let output = Client::read(&told).output();
    assert_eq!(
        output[0],
        json!({"id":"rs_01HF7YAT000000000000000007_0","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]})
    );
    let mut context = context();
    context.exclude_reasoning = true;
    let whole = encode_whole(&context, BODY, &events, &finish(FinishReason::Stop), &receipt());
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(
        (whole["output"].as_array().unwrap().len(), &whole["output"][0]["type"]),
        (1, &json!("message"))
    );
}

#[test]
fn sources_belong_to_the_text_before_them_or_wait_for_it() {
    let source = |url: &str, start: u64| {
        ReplyEvent::Source(
            json!({"type":"url_citation","url_citation":{"url":url,"title":"T","start_index":start,"end_index":start + 2}}),
        )
    };
    let events = [
        source("https://early.test", 0),
        text(0, "äbc"),
        ReplyEvent::TextEnd { block: 0 },
        source("https://a.test", 1),
        text(1, "def"),
        ReplyEvent::TextEnd { block: 1 },
        source("https://b.test", 4),
    ];
    let output = Client::read(&stream(BODY, &events, FinishReason::Stop)).output();
    assert_eq!(output.as_array().unwrap().len(), 1, "texts that follow each other are one message");
    let urls = |part: usize| {
        let annotations = output[0]["content"][part]["annotations"].as_array().unwrap();
        annotations
            .iter()
            .map(|a| (a["url"].as_str().unwrap(), a["start_index"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(urls(0), [("https://early.test", 0), ("https://a.test", 1)]);
    assert_eq!(urls(1), [("https://b.test", 1)], "places count from the part's beginning");
    let alone = Client::read(&stream(BODY, &[source("https://x.test", 0)], FinishReason::Stop)).output();
    assert_eq!(alone[0]["content"][0]["annotations"][0]["url"], "https://x.test");
    let refusal = ReplyEvent::RefusalDelta { block: 1, text: "No.".into() };
    let late = [text(0, "a"), ReplyEvent::TextEnd { block: 0 }, refusal, source("https://late.test", 0)];
    let late = Client::read(&stream(BODY, &late, FinishReason::Stop)).output();
    assert_eq!(late[0]["content"][0]["annotations"], json!([]), "a complete part takes nothing more");
    assert_eq!(late[0]["content"][2]["annotations"][0]["url"], "https://late.test");
}

#[test]
fn refusals_images_and_items_of_the_protocols_own() {
    let image = File {
        media_type: "image/webp".into(),
        data: FileData::Base64("UklG".into()),
        filename: None,
        detail: None,
    };
    let search = json!({"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}});
    let events = [
        ReplyEvent::Custom { namespace: "openai", value: search.clone() },
        ReplyEvent::Custom { namespace: "anthropic", value: json!({"type":"server_tool_use"}) },
        ReplyEvent::RefusalDelta { block: 0, text: "I cannot.".into() },
        ReplyEvent::TextEnd { block: 0 },
        ReplyEvent::File(image),
    ];
    let output = Client::read(&stream(BODY, &events, FinishReason::Stop)).output();
    assert_eq!(output[0], search);
    assert_eq!(output[1]["content"], json!([{"type":"refusal","refusal":"I cannot."}]));
    assert_eq!(
        output[2],
        json!({"id":"ig_01HF7YAT000000000000000007_2","type":"image_generation_call","status":"completed","output_format":"webp","result":"UklG"})
    );
}

#[test]
fn i16_a_broken_stream_says_so_twice_and_ends() {
    for begun in [false, true] {
        let mut encoder = StreamEncoder::new(context(), BODY);
        let mut out = Vec::new();
        if begun {
            encoder.event(&text(0, "half"), &mut out);
        }
        let mut failure = Failure::provider(FailureClass::RateLimit, "Rate limit reached for \"x\".");
        failure.code = Some("rate_limit_exceeded".into());
        encoder.fail(&failure, &mut out);
        let told = events_of(&out);
        for (number, event) in told.iter().enumerate() {
            assert_eq!(index(event, "sequence_number"), number);
        }
        assert_eq!(kinds(&told)[..2], ["created", "in_progress"]);
        assert_eq!(kinds(&told)[told.len() - 2..], ["error", "failed"]);
        let (error, response) = (&told[told.len() - 2], &told[told.len() - 1]["response"]);
        assert_eq!(
            (&error["code"], &error["error"]["type"]),
            (&json!("rate_limit_exceeded"), &json!("rate_limit_exceeded"))
        );
        assert_eq!(
            (&response["status"], &response["error"]),
            (
                &json!("failed"),
                &json!({"code":"rate_limit_exceeded","message":"Rate limit reached for \"x\"."})
            )
        );
        assert_eq!((&response["id"], &response["usage"]), (&json!(GENERATION), &Value::Null));
    }
}

#[test]
fn a_provider_that_ends_in_an_error_leaves_no_complete_answer() {
    let told = stream(BODY, &[text(0, "half")], FinishReason::Error);
    let last = told.last().unwrap();
    assert_eq!(
        (last["type"].as_str().unwrap(), &last["response"]["error"]["code"]),
        ("response.failed", &json!("server_error"))
    );
}

/// What the items of an answer say when a client sends them back.
fn read_back(output: Value) -> tollgate_domain::Conversation {
    let body = json!({"model": "a/m", "input": output}).to_string();
    crate::responses::Request::parse(&body.into()).unwrap().conversation().unwrap()
}

proptest! {
    #[test]
    fn i19_reasoning_of_every_family_goes_round(
        kind in 0..3usize, thinking in ".{0,12}", id in proptest::option::of("[a-z_]{1,8}"),
        signature in proptest::option::of(".{1,20}"), data in proptest::option::of(".{1,20}"), family in 0..3usize,
    ) {
        use tollgate_domain::conversation::{Content, FORMAT_GEMINI, Reasoning};
        let kind = [ReasoningKind::Text, ReasoningKind::Summary, ReasoningKind::Encrypted][kind];
        let format = [FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI][family];
        let events = [reasoning(0, kind, id.as_deref(), format), thought(0, &thinking), thought_end(0, signature.as_deref(), data.as_deref()), text(1, "x")];
        let output = Client::read(&stream(BODY, &events, FinishReason::Stop)).output();
        let back = read_back(output.clone());
        let parts = &back.messages[0].parts;
        let state: Vec<&Reasoning> = parts.iter().filter_map(|p| if let Content::Reasoning(r) = &p.content { Some(r) } else { None }).collect();
        let seen: String = state.iter().map(|r| r.text.as_str()).collect();
        prop_assert_eq!(&seen, &thinking);
        if format == FORMAT_OPENAI && signature.is_none() {
            prop_assert_eq!(state.iter().find_map(|r| r.data.clone()), data.clone());
            prop_assert_eq!(output[0].get("encrypted_content").and_then(Value::as_str), data.as_deref(), "never wrapped");
            if data.is_some() {
                let sent = output[0]["id"].as_str();
                prop_assert!(state.iter().all(|r| r.format.as_deref() == Some(FORMAT_OPENAI) && r.id.as_deref() == sent));
            }
        } else if signature.is_some() || data.is_some() {
            let expected = Reasoning { kind, text: thinking, signature, data, id, format: Some(format.to_owned()) };
            prop_assert_eq!(state, vec![&expected]);
        }
    }
}
