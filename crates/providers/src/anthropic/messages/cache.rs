//! Cache breakpoints of a request as a whole (providers §4 "Cache"). Marks are part of the protocol and
//! are written for every model; one that cannot cache ignores them (I21).

use tollgate_domain::conversation::{CacheMark, CacheTtl};

use super::block::Block;
use super::prompt::Turn;
use crate::caching::MAX_BREAKPOINTS;

/// Holds the marks to the protocol's rules, in the order of the prompt: tools, system, messages.
pub(super) fn settle(tools: &mut [Block], system: &mut [Block], turns: &mut [Turn]) {
    let mut marks: Vec<&mut Option<CacheMark>> = Vec::new();
    let blocks = turns.iter_mut().flat_map(|turn| turn.blocks.iter_mut());
    for block in tools.iter_mut().chain(system.iter_mut()).chain(blocks) {
        let Block { content, cache, .. } = block;
        marks.extend(content.iter_mut().map(|b| &mut b.cache).filter(|mark| mark.is_some()));
        if cache.is_some() {
            marks.push(cache);
        }
    }
    // The last ones cover the longest prefixes.
    let surplus = marks.len().saturating_sub(MAX_BREAKPOINTS);
    for mark in marks.drain(..surplus) {
        *mark = None;
    }
    // A longer lifetime must not follow a shorter one. What lies before an hour's mark is written for an
    // hour anyhow, so the earlier mark is raised.
    let mut hour = false;
    for mark in marks.into_iter().rev() {
        hour |= mark.is_some_and(|m| m.ttl == Some(CacheTtl::OneHour));
        if hour {
            *mark = Some(CacheMark { ttl: Some(CacheTtl::OneHour) });
        }
    }
}
