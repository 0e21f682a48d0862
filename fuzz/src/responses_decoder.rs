//! A reply of the Responses protocol: the same events however it is split (I20), with one end (I16).

use tollgate_providers::BodyForm;
use tollgate_providers::openai::responses::Decoder;

use crate::{endpoints, reply_events, split};

/// The type of a call whose argument is a plain text.
const CUSTOM: &[u8] = b"custom_tool_call";

/// A byte that names the form (bit 0: whole) and the endpoint, one that names a split, then the reply.
pub fn check(data: &[u8]) {
    let [what, seed, reply @ ..] = data else { return };
    let form = if what % 2 == 0 { BodyForm::Stream } else { BodyForm::Whole };
    let target = endpoints::responses(usize::from(what / 2));
    let decode = |pieces: &[&[u8]]| reply_events::decode(Decoder::new(&target, form), pieces);
    let whole = decode(&[reply]);
    let custom = reply.windows(CUSTOM.len()).any(|window| window == CUSTOM) || reply.contains(&b'\\');
    reply_events::check_order(&whole, reply.len(), !custom);
    assert_eq!(decode(&split::pieces(reply, *seed)), whole, "split by {seed}");
    assert_eq!(decode(&split::pieces(reply, 0)), whole, "split into single bytes");
}
