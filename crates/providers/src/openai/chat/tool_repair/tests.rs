use super::*;

/// `index`, `id`, `name`, `arguments`; a negative index is absent.
type Entry = (i64, &'static str, &'static str, &'static str);

fn repair(chunks: &[&[Entry]], whole: bool) -> Vec<ReplyEvent> {
    let (mut tools, mut next, mut out) = (ToolCalls::default(), 0, Vec::new());
    tools.seed("chatcmpl-1");
    for chunk in chunks {
        for (at, (index, id, name, arguments)) in chunk.iter().enumerate() {
            let delta = CallDelta {
                index: u64::try_from(*index).ok(),
                place: (at, chunk.len()),
                id,
                name,
                arguments,
                whole,
            };
            tools.push(&delta, &mut next, &mut out).unwrap();
        }
    }
    tools.finish(&mut next, &mut out);
    assert_ordered(&out);
    out
}

/// Start, deltas and end of one call, then of the next.
fn assert_ordered(events: &[ReplyEvent]) {
    let mut open = None;
    for event in events {
        match event {
            ReplyEvent::ToolStart { block, .. } => {
                assert_eq!(open, None, "{events:?}");
                open = Some(*block);
            }
            ReplyEvent::ToolDelta { block, .. } => assert_eq!(open, Some(*block), "{events:?}"),
            ReplyEvent::ToolEnd { block } => {
                assert_eq!(open, Some(*block), "{events:?}");
                open = None;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open, None);
}

fn calls(chunks: &[&[Entry]], whole: bool) -> Vec<(String, String, String)> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for event in repair(chunks, whole) {
        match event {
            ReplyEvent::ToolStart { id, name, .. } => found.push((id, name, String::new())),
            ReplyEvent::ToolDelta { arguments, .. } => found.last_mut().unwrap().2.push_str(&arguments),
            _ => {}
        }
    }
    found
}

fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), arguments.to_owned())
}

#[test]
fn i18_plain_deltas_concatenate() {
    let chunks: &[&[Entry]] =
        &[&[(0, "a", "f", "")], &[(0, "", "", "{\"x\"")], &[(0, "", "", ":1}")], &[(1, "b", "g", "{}")]];
    assert_eq!(calls(chunks, false), [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]);
}

#[test]
fn i18_interleaved_calls_are_put_in_order() {
    let chunks: &[&[Entry]] = &[
        &[(0, "a", "f", ""), (1, "b", "g", "")],
        &[(1, "", "", "{\"y\":")],
        &[(0, "", "", "{\"x\":")],
        &[(1, "", "", "2}")],
        &[(0, "", "", "1}")],
        &[(2, "c", "h", "{}")],
    ];
    assert_eq!(
        calls(chunks, false),
        [call("a", "f", "{\"x\":1}"), call("b", "g", "{\"y\":2}"), call("c", "h", "{}")]
    );
}

#[test]
fn a_call_whose_predecessor_is_whole_is_given_out_at_once() {
    let (mut tools, mut next, mut out) = (ToolCalls::default(), 0, Vec::new());
    let entry = |index, id, arguments| CallDelta {
        index: Some(index),
        place: (0, 1),
        id,
        name: if id.is_empty() { "" } else { "f" },
        arguments,
        whole: false,
    };
    tools.push(&entry(0, "a", "{\"s\":\"}{\"}"), &mut next, &mut out).unwrap();
    tools.push(&entry(1, "b", "{\"half\":"), &mut next, &mut out).unwrap();
    assert_eq!(out.len(), 5, "{out:?}");
    assert!(matches!(&out[2], ReplyEvent::ToolEnd { block: 0 }));
    assert!(matches!(&out[4], ReplyEvent::ToolDelta { block: 1, arguments } if arguments == "{\"half\":"));
    assert!(!tools.complete());
    tools.push(&entry(1, "", "1}"), &mut next, &mut out).unwrap();
    assert!(tools.complete());
}

#[test]
fn a_missing_index_goes_by_id_or_place() {
    let by_id: &[&[Entry]] = &[&[(-1, "a", "f", "{")], &[(-1, "b", "g", "{\"y\":1}")], &[(-1, "a", "", "}")]];
    assert_eq!(calls(by_id, false), [call("a", "f", "{}"), call("b", "g", "{\"y\":1}")]);
    let by_place: &[&[Entry]] =
        &[&[(-1, "", "f", "{"), (-1, "", "g", "[")], &[(-1, "", "", "}"), (-1, "", "", "]")]];
    let found = calls(by_place, false);
    assert_eq!((found[0].2.as_str(), found[1].2.as_str()), ("{}", "[]"));
}

#[test]
fn missing_ids_are_minted_and_differ() {
    let chunks: &[&[Entry]] = &[&[(0, "", "f", "{}")], &[(1, "", "f", "{}")]];
    let found = calls(chunks, false);
    assert!(found.iter().all(|(id, ..)| id.starts_with("call_") && id.len() == 21), "{found:?}");
    assert_ne!(found[0].0, found[1].0);
    assert_eq!(found, calls(chunks, false), "the same answer gives the same ids");
    let twice = calls(&[&[(0, "same", "f", "{}"), (1, "same", "g", "{}")]], true);
    assert_ne!(twice[0].0, twice[1].0, "an id used twice is minted anew");
}

#[test]
fn a_new_id_under_a_used_index_begins_a_call() {
    let chunks: &[&[Entry]] = &[&[(0, "a", "f", "{\"x\":1}")], &[(0, "b", "g", "{\"y\":2}")]];
    assert_eq!(calls(chunks, false), [call("a", "f", "{\"x\":1}"), call("b", "g", "{\"y\":2}")]);
}

#[test]
fn a_repeated_name_begins_nothing() {
    let chunks: &[&[Entry]] = &[&[(0, "a", "f", "{\"x\"")], &[(0, "a", "f", ":1")], &[(0, "", "f", "}")]];
    assert_eq!(calls(chunks, false), [call("a", "f", "{\"x\":1}")]);
    let without: &[&[Entry]] = &[&[(-1, "", "f", "{\"x\"")], &[(-1, "", "f", ":1}")], &[(-1, "", "f", "{}")]];
    assert_eq!(calls(without, false).len(), 2, "whole arguments after whole arguments are another call");
}

#[test]
fn no_arguments_are_an_empty_object() {
    for pieces in [&["", ""][..], &["null"], &["nu", "ll"], &[" ", "\n"]] {
        let mut chunks: Vec<Vec<Entry>> = vec![vec![(0, "a", "f", "")]];
        chunks.extend(pieces.iter().map(|piece| vec![(0, "", "", *piece)]));
        let chunks: Vec<&[Entry]> = chunks.iter().map(Vec::as_slice).collect();
        assert_eq!(calls(&chunks, false), [call("a", "f", "{}")], "{pieces:?}");
    }
    assert_eq!(calls(&[&[(0, "a", "f", "nope")]], false), [call("a", "f", "nope")]);
}

#[test]
fn a_name_that_comes_late_holds_the_call_back() {
    let chunks: &[&[Entry]] = &[&[(0, "a", "", "")], &[(0, "", "", "{\"x\"")], &[(0, "", "f", ":1}")]];
    assert_eq!(calls(chunks, false), [call("a", "f", "{\"x\":1}")]);
}

#[test]
fn i26_calls_and_held_bytes_are_bounded() {
    let (mut tools, mut next, mut out) = (ToolCalls::default(), 0, Vec::new());
    let mut refused = None;
    for index in 0..=MAX_CALLS as u64 {
        let delta =
            CallDelta { index: Some(index), place: (0, 1), id: "", name: "f", arguments: "", whole: false };
        refused = tools.push(&delta, &mut next, &mut out).err();
    }
    assert_eq!(refused.unwrap().class, FailureClass::Server);
}

#[test]
fn i18_a_call_without_a_name_is_not_ended_before_it_has_begun() {
    let (mut tools, mut next, mut out) = (ToolCalls::default(), 0, Vec::new());
    let delta = CallDelta { index: Some(0), place: (0, 1), id: "a", name: "", arguments: "{}", whole: false };
    tools.push(&delta, &mut next, &mut out).unwrap();
    tools.settle(&mut next, &mut out);
    assert_eq!(out, [], "nothing can be told of it yet");
    tools.finish(&mut next, &mut out);
    assert_ordered(&out);
    assert_eq!(out.len(), 3, "{out:?}");
}
