//! Random valid sequences of events: a stream's deltas, its items and the whole answer agree.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_OPENAI, ReasoningKind};
use tollgate_domain::reply::FinishReason;

use super::client::Client;
use super::{BODY, context, finish, reasoning, receipt, stream, text, thought, thought_end};
use crate::responses::encode_whole;

/// A step of a random answer: what to do, to which of the open blocks, with which text.
type Move = (u8, usize, String);

/// A valid sequence of events, and what each block says: (what it is, its text), in no order.
fn play(moves: &[Move]) -> (Vec<ReplyEvent>, Vec<(String, String)>) {
    let (mut events, mut said, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = 0;
    for (what, which, words) in moves {
        if *what < 6 {
            let block = next;
            next += 1;
            said.push((String::new(), String::new()));
            open.push((block, *what));
            events.push(match what {
                0 | 1 => ReplyEvent::TextStart { block },
                2 => reasoning(
                    block,
                    ReasoningKind::Summary,
                    Some(if words.len() > 3 { "rs_x" } else { "rs_y" }),
                    FORMAT_OPENAI,
                ),
                3 => reasoning(block, ReasoningKind::Text, None, FORMAT_ANTHROPIC),
                _ => {
                    let name = if *what == 4 { "f" } else { "patch" };
                    ReplyEvent::ToolStart { block, id: format!("c{block}"), name: name.into() }
                }
            });
        } else if *what == 6 {
            events.push(ReplyEvent::Source(json!({"type":"url_citation","url_citation":{"url":words}})));
        } else if !open.is_empty() {
            let at = which % open.len();
            let (block, kind) = open[at];
            let end = *what > 10;
            let entry = &mut said[usize::try_from(block).unwrap()];
            entry.0 = [
                "output_text",
                "refusal",
                "summary_text",
                "reasoning_text",
                "function_call",
                "custom_tool_call",
            ][usize::from(kind)]
            .into();
            if end {
                open.remove(at);
            } else {
                entry.1.push_str(words);
            }
            events.push(match (kind, end) {
                (0 | 1, true) => ReplyEvent::TextEnd { block },
                (0, false) => text(block, words),
                (1, false) => ReplyEvent::RefusalDelta { block, text: words.clone() },
                (2, true) => thought_end(block, None, (words.len() > 2).then_some("state")),
                (3, true) => thought_end(block, Some(words), None),
                (2 | 3, false) => thought(block, words),
                (_, true) => ReplyEvent::ToolEnd { block },
                (_, false) => ReplyEvent::ToolDelta { block, arguments: words.clone() },
            });
        }
    }
    (events, said.into_iter().filter(|(_, text)| !text.is_empty()).collect())
}

/// What the items of an output say: (what it is, its text).
fn says(output: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in output.as_array().unwrap() {
        for part in
            ["summary", "content"].into_iter().flat_map(|key| item[key].as_array().into_iter().flatten())
        {
            let text = part["text"].as_str().or_else(|| part["refusal"].as_str()).unwrap();
            found.push((part["type"].as_str().unwrap().to_owned(), text.to_owned()));
        }
        if let Some(text) = item["arguments"].as_str().or_else(|| item["input"].as_str()) {
            found.push((item["type"].as_str().unwrap().to_owned(), text.to_owned()));
        }
    }
    found.retain(|(_, text)| !text.is_empty());
    found
}

proptest! {
    #[test]
    fn i02_deltas_items_and_the_whole_answer_agree(
        moves in proptest::collection::vec((0..13u8, any::<usize>(), "[a-z\"\\\\\u{e4}\n]{0,5}"), 0..60),
        cut in any::<bool>(),
    ) {
        let (events, said) = play(&moves);
        let reason = if cut { FinishReason::Length } else { FinishReason::Stop };
        let told = stream(BODY, &events, reason);
        let client = Client::read(&told);
        let response = client.response.as_ref().unwrap();
        prop_assert_eq!(&response["output"], &client.output());
        let whole = encode_whole(&context(), BODY, &events, &finish(reason), &receipt());
        prop_assert_eq!(&serde_json::from_slice::<Value>(&whole).unwrap(), response);
        let (mut ours, mut theirs) = (says(&response["output"]), said);
        ours.sort();
        theirs.sort();
        prop_assert_eq!(ours, theirs, "each block is there once, whole");
        let mut ids: Vec<_> = client.items.iter().map(|(item, _)| item["id"].to_string()).collect();
        let items = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), items, "no id twice");
        let sources = moves.iter().filter(|(what, ..)| *what == 6).count();
        let annotations = response["output"].as_array().unwrap().iter().flat_map(|i| i["content"].as_array().into_iter().flatten());
        prop_assert_eq!(annotations.map(|p| p["annotations"].as_array().map_or(0, Vec::len)).sum::<usize>(), sources);
    }
}
