//! A whole answer from the same neutral events as a stream (I2).

use tollgate_domain::reply::Finish;
use tollgate_domain::{Receipt, ReplyEvent};

use super::echo::Echo;
use super::output::{Output, Unheard};
use super::reply::{self, State};
use crate::ReplyContext;

/// Writes a whole `response` to a request with this checked body.
#[must_use]
pub fn encode_whole(
    context: &ReplyContext,
    body: &[u8],
    events: &[ReplyEvent],
    finish: &Finish,
    receipt: &Receipt,
) -> Vec<u8> {
    let mut echo = Echo::of(body);
    let tools = std::mem::take(&mut echo.custom_tools);
    let mut output = Output::new(context.generation.0, tools, context.exclude_reasoning);
    for event in events {
        output.event(event, &mut Unheard);
    }
    output.end(reply::cut(finish.reason), &mut Unheard);
    let mut out = Vec::with_capacity(8192);
    reply::write(&mut out, context, &echo, &State::Over { output: &output, finish, receipt });
    out
}
