//! A provider's chat-completions reply: the same events however it is split (I20), with one end (I16).

use std::collections::BTreeSet;

use tollgate_domain::ReplyEvent;
use tollgate_providers::openai::chat::Decoder;
use tollgate_providers::{BodyForm, Target};

use crate::{endpoints, reply_events, split};

/// Two bytes of [`header`], then the reply.
pub fn check(data: &[u8]) {
    let Some((target, form, seed, reply)) = header(data) else { return };
    let decode = |pieces: &[&[u8]]| reply_events::decode(Decoder::new(&target, form), pieces);
    let whole = decode(&[reply]);
    reply_events::check(&whole, reply.len());
    let ids: Vec<&String> = whole.iter().filter_map(id_of_call).collect();
    let distinct: BTreeSet<&&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "two calls with one id: {ids:?}");
    one_call_at_a_time(&whole);
    assert_eq!(decode(&split::pieces(reply, seed)), whole, "split by {seed}");
    assert_eq!(decode(&split::pieces(reply, 0)), whole, "split into single bytes");
}

/// This protocol may interleave calls; the decoder puts them one after the other (clients §0.7).
fn one_call_at_a_time(events: &[ReplyEvent]) {
    let mut open = false;
    for event in events {
        match event {
            ReplyEvent::ToolStart { .. } => {
                assert!(!std::mem::replace(&mut open, true), "{event:?} in a call")
            }
            ReplyEvent::ToolEnd { .. } => open = false,
            _ => {}
        }
    }
}

fn id_of_call(event: &ReplyEvent) -> Option<&String> {
    match event {
        ReplyEvent::ToolStart { id, .. } => Some(id),
        _ => None,
    }
}

/// The first byte names endpoint and form (even: a stream), the second a split.
pub fn header(data: &[u8]) -> Option<(Target, BodyForm, u8, &[u8])> {
    let [what, seed, reply @ ..] = data else { return None };
    let form = if what % 2 == 0 { BodyForm::Stream } else { BodyForm::Whole };
    Some((endpoints::endpoint(usize::from(what / 2)), form, *seed, reply))
}
