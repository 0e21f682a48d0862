//! A reply of the Messages protocol: the same events however it is split (I20), with one end (I16).

use tollgate_providers::BodyForm;
use tollgate_providers::anthropic::messages::Decoder;

use crate::{endpoints, reply_events, split};

/// A byte that names the form (bit 0: whole) and whether the answer is a tool's input (bit 1), a byte that
/// names a split, then the reply.
pub fn check(data: &[u8]) {
    let [what, seed, reply @ ..] = data else { return };
    let form = if what % 2 == 0 { BodyForm::Stream } else { BodyForm::Whole };
    let json_tool = (what & 2 != 0).then(|| "json".to_owned());
    let target = endpoints::anthropic(true);
    let decode =
        |pieces: &[&[u8]]| reply_events::decode(Decoder::new(&target, form, json_tool.clone()), pieces);
    let whole = decode(&[reply]);
    reply_events::check(&whole, reply.len());
    assert_eq!(decode(&split::pieces(reply, *seed)), whole, "split by {seed}");
    assert_eq!(decode(&split::pieces(reply, 0)), whole, "split into single bytes");
}
