//! A reply read along while it passes through: it ends as the decoder says it ends, and the ledger reads the
//! same consumption either way (I2).

use tollgate_domain::reply::Finish;
use tollgate_domain::{ReplyEvent, Usage};
use tollgate_providers::openai::chat::{ChatTap, Decoder};
use tollgate_providers::{BodyForm, Tap, Tapped};
use tollgate_wire::sse;

use crate::{chat_decoder, reply_events};

/// As `chat_decoder`.
pub fn check(data: &[u8]) {
    let Some((target, form, _, reply)) = chat_decoder::header(data) else { return };
    let mut tap = ChatTap::new(&target);
    let end = match form {
        BodyForm::Whole => tap.whole(reply),
        BodyForm::Stream => stream(&mut tap, reply),
    };
    assert_eq!(tap.end(), end, "the end is told twice, differently");
    assert_eq!(tap.event(b"", b"{\"choices\":[]}"), Tapped::Nothing, "something after the end");
    if read_otherwise(form, reply) {
        return;
    }

    let events = reply_events::decode(Decoder::new(&target, form), &[reply]);
    match (events.last(), &end) {
        (Some(ReplyEvent::Finish(finish)), Tapped::Finished) => same_end(finish, &events, &tap),
        (Some(ReplyEvent::Failure(theirs)), Tapped::Failure(ours)) => {
            assert_eq!(ours.class, theirs.class, "{} / {}", ours.message, theirs.message);
        }
        (Some(ReplyEvent::Failure(failure)), Tapped::Finished) => {
            // The decoder also refuses content that it cannot take (too many calls, broken arguments).
            assert!(tap.seen().output_bytes > 0, "only the decoder fails: {}", failure.message);
        }
        (theirs, ours) => panic!("the decoder ends in {theirs:?}, the tap in {ours:?}"),
    }
}

fn stream(tap: &mut ChatTap, reply: &[u8]) -> Tapped {
    let mut end = None;
    let mut each = |event: sse::Event<'_>| match tap.event(event.name, event.data) {
        found @ (Tapped::Finished | Tapped::Failure(_)) => {
            assert_eq!(end, None, "two ends");
            end = Some(found);
        }
        Tapped::Nothing | Tapped::Content => {}
    };
    let mut decoder = sse::Decoder::default();
    decoder.feed(reply, &mut each).expect("far below the limit");
    decoder.finish(&mut each);
    end.unwrap_or_else(|| tap.end())
}

/// The decoder corrects the form by the first byte and leaves out white space before it, which the tap leaves to
/// whoever chose the form and found the events.
fn read_otherwise(form: BodyForm, reply: &[u8]) -> bool {
    let first = reply.trim_ascii_start().first();
    match form {
        BodyForm::Stream => matches!(first, None | Some(b'{' | b'[' | b'<')) || reply.first() != first,
        BodyForm::Whole => matches!(first, Some(b'd' | b':' | b'e')),
    }
}

fn same_end(finish: &Finish, events: &[ReplyEvent], tap: &ChatTap) {
    assert_eq!(tap.seen().finish, Some(finish.reason), "reason");
    let usage: Option<Usage> = events.iter().rev().find_map(|event| match event {
        ReplyEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    assert_eq!(tap.seen().usage, usage, "usage");
    assert_eq!(tap.seen().native, finish.native, "metadata");
}
