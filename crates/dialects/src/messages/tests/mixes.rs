//! Answers mixed at random: whatever the order of events, clients get every block, one after the other.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_OPENAI, ReasoningKind};

use super::stream::{
    content, input, streamed, text, text_end, thinks, thought, thought_end, tool, tool_end, whole,
};
use crate::carried_state;

/// The events of some blocks, each in order, and how they are mixed.
fn answers() -> impl Strategy<Value = Vec<ReplyEvent>> {
    let words = || proptest::collection::vec("[a-z\"\\\\é\n]{0,4}", 0..4);
    let block = prop_oneof![
        words().prop_map(|words| (0, words)),
        words().prop_map(|words| (1, words)),
        words().prop_map(|words| (2, words)),
        words().prop_map(|words| (3, words)),
    ];
    let blocks = proptest::collection::vec(block, 0..6);
    (blocks, proptest::collection::vec(any::<prop::sample::Index>(), 60)).prop_map(|(blocks, picks)| {
        let mut lanes: Vec<std::collections::VecDeque<ReplyEvent>> = (0..)
            .zip(blocks)
            .map(|(block, (kind, words))| {
                let mut lane = Vec::new();
                match kind {
                    0 => {
                        lane.push(ReplyEvent::TextStart { block });
                        lane.extend(words.iter().map(|w| text(block, w)));
                        lane.push(text_end(block));
                    }
                    1 => {
                        lane.push(thinks(block, ReasoningKind::Text, None, FORMAT_ANTHROPIC));
                        lane.extend(words.iter().map(|w| thought(block, w)));
                        lane.push(thought_end(block, Some("sig"), None));
                    }
                    2 => {
                        lane.push(tool(block));
                        let words = serde_json::to_string(&words).unwrap();
                        lane.push(input(block, "{\"w\":"));
                        lane.extend(words.chars().map(|c| input(block, &c.to_string())));
                        lane.push(input(block, "}"));
                        lane.push(tool_end(block));
                    }
                    _ => lane.push(ReplyEvent::Custom {
                        namespace: "anthropic",
                        value: json!({"type": "x_tool_use", "id": block, "input": {"w": words}}),
                    }),
                }
                lane.into()
            })
            .collect();
        let mut mixed = Vec::new();
        let mut picks = picks.iter().cycle();
        while lanes.iter().any(|lane| !lane.is_empty()) {
            lanes.retain(|lane| !lane.is_empty());
            let at = picks.next().unwrap().index(lanes.len());
            mixed.extend(lanes[at].pop_front());
        }
        mixed
    })
}

/// What was said: all text, and each other block under its number or text.
fn said(replies: &[ReplyEvent]) -> (usize, Map<String, Value>) {
    let mut text = 0;
    let mut inputs: std::collections::BTreeMap<u32, String> = Default::default();
    let mut thoughts: std::collections::BTreeMap<u32, String> = Default::default();
    for event in replies {
        match event {
            ReplyEvent::TextDelta { text: more, .. } => text += more.len(),
            ReplyEvent::ToolDelta { block, arguments } => {
                inputs.entry(*block).or_default().push_str(arguments)
            }
            ReplyEvent::ReasoningDelta { block, text } => thoughts.entry(*block).or_default().push_str(text),
            _ => {}
        }
    }
    let mut found = Map::new();
    for (block, input) in inputs {
        found.insert(format!("call_{block}"), serde_json::from_str(&input).unwrap());
    }
    let mut all: Vec<String> = thoughts.into_values().filter(|t| !t.is_empty()).collect();
    all.sort();
    found.insert("thoughts".into(), json!(all));
    (text, found)
}

fn heard(content: &Value) -> (usize, Map<String, Value>) {
    let mut text = 0;
    let mut found = Map::new();
    let mut thoughts = Vec::new();
    let mut calls: Vec<&Value> = Vec::new();
    for block in content.as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => text += block["text"].as_str().unwrap().len(),
            "thinking" => {
                assert_eq!(block["signature"], "sig");
                thoughts.push(block["thinking"].as_str().unwrap().to_owned());
            }
            "tool_use" => calls.push(block),
            _ => {}
        }
    }
    calls.sort_by_key(|call| call["id"].as_str().unwrap()[5..].parse::<u32>().unwrap());
    for call in calls {
        found.insert(call["id"].as_str().unwrap().to_owned(), call["input"].clone());
    }
    thoughts.retain(|t| !t.is_empty());
    thoughts.sort();
    found.insert("thoughts".into(), json!(thoughts));
    (text, found)
}

proptest! {
    #[test]
    fn i18_any_mix_of_blocks_is_told_in_sequence_and_in_full(replies in answers()) {
        let streamed = streamed(&replies);
        prop_assert_eq!(&streamed, &whole(&replies));
        prop_assert_eq!(heard(&streamed["content"]), said(&replies));
        let sent = replies.iter().filter(|e| matches!(e, ReplyEvent::Custom { .. })).count();
        let got = streamed["content"].as_array().unwrap().iter().filter(|b| b["type"] == "x_tool_use").count();
        prop_assert_eq!(sent, got);
    }

    #[test]
    fn i19_any_foreign_state_is_carried(words in ".{0,12}", signature in ".{1,30}", id in ".{1,9}") {
        let replies = [
            thinks(0, ReasoningKind::Text, Some(&id), FORMAT_OPENAI),
            thought(0, &words),
            thought_end(0, Some(&signature), None),
        ];
        let block = &content(&replies)[0];
        let carried = carried_state::unwrap(block["signature"].as_str().unwrap(), &words).unwrap();
        prop_assert_eq!((carried.signature, carried.id), (Some(signature), Some(id)));
    }
}
