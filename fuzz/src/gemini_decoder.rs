//! A reply of Gemini's: the same events however it is split (I20), with one end (I16).

use std::collections::BTreeSet;

use tollgate_domain::ReplyEvent;
use tollgate_providers::BodyForm;
use tollgate_providers::gemini::generate::Decoder;

use crate::{endpoints, reply_events, split};

/// A byte that names the form (bit 0: whole) and the endpoint, one that names a split, then the reply.
pub fn check(data: &[u8]) {
    let [what, seed, reply @ ..] = data else { return };
    let form = if what % 2 == 0 { BodyForm::Stream } else { BodyForm::Whole };
    let target = endpoints::gemini(usize::from(what / 2));
    let decode = |pieces: &[&[u8]]| reply_events::decode(Decoder::new(&target, form), pieces);
    let whole = decode(&[reply]);
    reply_events::check(&whole, reply.len());
    // What the provider calls its calls is its own affair.
    let told = |id: &str| reply.windows(id.len()).any(|window| window == id.as_bytes());
    let ids: Vec<&String> = whole
        .iter()
        .filter_map(|event| match event {
            ReplyEvent::ToolStart { id, .. } if !told(id) && !reply.contains(&b'\\') => Some(id),
            _ => None,
        })
        .collect();
    let distinct: BTreeSet<&&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "two calls with one id of ours: {ids:?}");
    assert_eq!(decode(&split::pieces(reply, *seed)), whole, "split by {seed}");
    assert_eq!(decode(&split::pieces(reply, 0)), whole, "split into single bytes");
}
