//! What holds for the events of any decoder: one end, which is last, and blocks that open and close.

use std::collections::BTreeMap;

use tollgate_domain::ReplyEvent;
use tollgate_providers::ReplyDecoder;

/// Decodes the pieces to the end. Afterwards nothing more may come.
pub fn decode(mut decoder: impl ReplyDecoder, pieces: &[&[u8]]) -> Vec<ReplyEvent> {
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    let mut late = Vec::new();
    decoder.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"late\"}}]}\n\n", &mut late);
    decoder.push(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"late\"}}\n\n", &mut late);
    decoder.end(&mut late);
    assert_eq!(late, [], "events after the end");
    events
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Open {
    Text,
    Reasoning,
    /// A call, and whether it has had arguments.
    Tool(bool),
}

/// Checks the order of a reply's events, and that they do not outgrow its bytes.
pub fn check(events: &[ReplyEvent], bytes: usize) {
    check_order(events, bytes, true);
}

/// The same; `arguments`: every call has some. A tool that takes a plain text may be given an empty one.
pub fn check_order(events: &[ReplyEvent], bytes: usize, arguments: bool) {
    let mut open: BTreeMap<u32, Open> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let last = at + 1 == events.len();
        let is_end = matches!(event, ReplyEvent::Finish(_) | ReplyEvent::Failure(_));
        assert_eq!(is_end, last, "event {at} of {}: {event:?}", events.len());
        follow(event, &mut open, arguments);
    }
    assert!(!events.is_empty(), "no end");
    if let Some(ReplyEvent::Finish(_)) = events.last() {
        assert!(open.is_empty(), "finished with open blocks: {open:?}");
    }
    assert!(events.len() <= 2 * bytes + 16, "{} events of {bytes} bytes", events.len());
}

fn follow(event: &ReplyEvent, open: &mut BTreeMap<u32, Open>, arguments: bool) {
    match event {
        ReplyEvent::TextStart { block } => assert_eq!(open.insert(*block, Open::Text), None, "{event:?}"),
        ReplyEvent::ReasoningStart { block, .. } => {
            assert_eq!(open.insert(*block, Open::Reasoning), None, "{event:?}");
        }
        ReplyEvent::ToolStart { block, id, name } => {
            assert!(!id.is_empty(), "a call without id: {name:?}");
            assert_eq!(open.insert(*block, Open::Tool(false)), None, "{event:?}");
        }
        ReplyEvent::TextDelta { block, .. } | ReplyEvent::RefusalDelta { block, .. } => {
            assert_eq!(open.get(block), Some(&Open::Text), "{event:?}");
        }
        ReplyEvent::ReasoningDelta { block, .. } => {
            assert_eq!(open.get(block), Some(&Open::Reasoning), "{event:?}");
        }
        ReplyEvent::ToolDelta { block, arguments } => match open.get_mut(block) {
            Some(Open::Tool(some)) => *some |= !arguments.is_empty(),
            other => panic!("{event:?} while {other:?}"),
        },
        ReplyEvent::TextEnd { block } => assert_eq!(open.remove(block), Some(Open::Text), "{event:?}"),
        ReplyEvent::ReasoningEnd { block, .. } => {
            assert_eq!(open.remove(block), Some(Open::Reasoning), "{event:?}");
        }
        ReplyEvent::ToolEnd { block } => {
            let Some(Open::Tool(some)) = open.remove(block) else { panic!("{event:?}") };
            assert!(some || !arguments, "no arguments: {event:?}");
        }
        ReplyEvent::Failure(failure) => {
            assert!(!failure.message.trim().is_empty(), "a failure without words");
            assert!(failure.message.chars().count() <= 2000, "{} bytes", failure.message.len());
        }
        ReplyEvent::Info(_)
        | ReplyEvent::File(_)
        | ReplyEvent::Source(_)
        | ReplyEvent::Custom { .. }
        | ReplyEvent::Usage(_)
        | ReplyEvent::Finish(_) => {}
    }
}
