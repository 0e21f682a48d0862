//! A whole answer from the same neutral events as a stream (I2).

use tollgate_domain::reply::Finish;
use tollgate_domain::{Receipt, ReplyEvent};

use super::collect::Blocks;
use super::lane::Lane;
use super::stream::{provider_metadata, write_head, write_stop};
use super::usage;
use crate::ReplyContext;

/// Writes a whole `message`. `events` holds all of them but the finish.
#[must_use]
pub fn encode_whole(
    context: &ReplyContext,
    events: &[ReplyEvent],
    finish: &Finish,
    receipt: &Receipt,
) -> Vec<u8> {
    let mut blocks = Blocks::default();
    let mut lane = Lane::new(context.exclude_reasoning);
    for event in events {
        lane.event(event, &mut |step| blocks.step(step));
    }
    lane.finish(&mut |step| blocks.step(step));
    let mut out = Vec::with_capacity(4096);
    write_head(&mut out, context);
    out.extend_from_slice(b",\"content\":");
    blocks.write(&mut out);
    out.push(b',');
    write_stop(&mut out, finish);
    out.extend_from_slice(b",\"usage\":");
    usage::write(&mut out, &receipt.usage, 0);
    out.extend_from_slice(b",\"provider_metadata\":");
    out.extend_from_slice(&provider_metadata(receipt, Some(finish)));
    out.push(b'}');
    out
}
