//! Provider bytes → client bytes: spliced where both speak the same protocol (I17), transcoded through the
//! neutral form otherwise. One value serves one attempt (I24); it also finds the first content (I15), the
//! true end (I16), and what was consumed.

use std::sync::Arc;

use tollgate_dialects::surface::KEEP_ALIVE_COMMENT;
use tollgate_dialects::{ConversationRequest, ReplyContext, StreamSplicer, StreamWriter};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Failure, Receipt, ReplyEvent};
use tollgate_providers::{ReplyDecoder, Seen, Tap, Tapped};
use tollgate_wire::sse;

/// What the next bytes brought.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing that a client would see.
    Quiet,
    /// Content.
    Content,
    /// The true end.
    Finished,
    /// A broken answer.
    Failed(Failure),
}

/// The translation of one attempt's answer.
pub(crate) struct Translation {
    mode: Mode,
    seen: Seen,
    finish: Option<Finish>,
}

enum Mode {
    SpliceStream {
        events: sse::Decoder,
        tap: Box<dyn Tap>,
        splice: Box<dyn StreamSplicer>,
    },
    SpliceWhole {
        to: Whole,
        tap: Box<dyn Tap>,
        body: Vec<u8>,
        limit: usize,
    },
    TranscodeStream {
        decoder: Box<dyn ReplyDecoder>,
        encoder: Box<dyn StreamWriter>,
        scratch: Vec<ReplyEvent>,
    },
    TranscodeWhole {
        to: Whole,
        decoder: Box<dyn ReplyDecoder>,
        events: Vec<ReplyEvent>,
        taken: usize,
        limit: usize,
    },
}

/// Who writes a whole answer.
pub(crate) struct Whole {
    pub request: Arc<dyn ConversationRequest>,
    pub context: ReplyContext,
    /// The largest answer of a provider that is taken, in bytes (I26).
    pub limit: usize,
}

impl Translation {
    /// Both sides speak the same protocol, streamed.
    pub fn splice_stream(tap: Box<dyn Tap>, splice: Box<dyn StreamSplicer>) -> Self {
        Self::new(Mode::SpliceStream { events: sse::Decoder::default(), tap, splice })
    }

    /// Both sides speak the same protocol, whole.
    pub fn splice_whole(to: Whole, tap: Box<dyn Tap>) -> Self {
        Self::new(Mode::SpliceWhole { limit: to.limit, to, tap, body: Vec::new() })
    }

    /// To a stream, through the neutral form.
    pub fn transcode_stream(decoder: Box<dyn ReplyDecoder>, encoder: Box<dyn StreamWriter>) -> Self {
        Self::new(Mode::TranscodeStream { decoder, encoder, scratch: Vec::new() })
    }

    /// To a whole answer, through the neutral form; the provider may stream it.
    pub fn transcode_whole(to: Whole, decoder: Box<dyn ReplyDecoder>) -> Self {
        Self::new(Mode::TranscodeWhole { limit: to.limit, to, decoder, events: Vec::new(), taken: 0 })
    }

    fn new(mode: Mode) -> Self {
        Self { mode, seen: Seen::default(), finish: None }
    }

    /// What is known of the answer so far.
    pub fn seen(&self) -> &Seen {
        match &self.mode {
            Mode::SpliceStream { tap, .. } | Mode::SpliceWhole { tap, .. } => tap.seen(),
            Mode::TranscodeStream { .. } | Mode::TranscodeWhole { .. } => &self.seen,
        }
    }

    /// What keeps a silent stream's connection alive.
    pub fn keep_alive(&self) -> &'static [u8] {
        match &self.mode {
            Mode::SpliceStream { splice, .. } => splice.keep_alive(),
            Mode::TranscodeStream { encoder, .. } => encoder.keep_alive(),
            Mode::SpliceWhole { .. } | Mode::TranscodeWhole { .. } => KEEP_ALIVE_COMMENT,
        }
    }

    /// Takes the provider's next bytes; appends what the client gets of them.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Step {
        match &mut self.mode {
            Mode::SpliceStream { events, tap, splice } => {
                let mut step = Step::Quiet;
                let fed = events.feed(bytes, &mut |event| {
                    splice_event(&mut **tap, &mut **splice, &event, out, &mut step)
                });
                match fed {
                    Ok(()) => step,
                    Err(too_large) => Step::Failed(Failure::provider(
                        FailureClass::Server,
                        format!("The provider's stream broke: {too_large}."),
                    )),
                }
            }
            Mode::SpliceWhole { body, limit, .. } => {
                body.extend_from_slice(bytes);
                over(body.len(), *limit)
            }
            Mode::TranscodeStream { decoder, encoder, scratch } => {
                decoder.push(bytes, scratch);
                encode(scratch, &mut **encoder, &mut self.seen, &mut self.finish, out)
            }
            Mode::TranscodeWhole { decoder, events, taken, limit, .. } => {
                let before = events.len();
                decoder.push(bytes, events);
                *taken += bytes.len();
                let size = over(*taken, *limit);
                let step = note(&events[before..], &mut self.seen, &mut self.finish);
                if matches!(size, Step::Failed(_)) { size } else { step }
            }
        }
    }

    /// The provider's bytes have ended.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Step {
        match &mut self.mode {
            Mode::SpliceStream { events, tap, splice } => {
                let mut step = Step::Quiet;
                events.finish(&mut |event| {
                    splice_event(&mut **tap, &mut **splice, &event, out, &mut step);
                });
                match step {
                    Step::Finished | Step::Failed(_) => step,
                    Step::Quiet | Step::Content => of_tap(tap.end()),
                }
            }
            Mode::SpliceWhole { tap, body, .. } => match tap.whole(body) {
                Tapped::Failure(failure) => Step::Failed(failure),
                _ => Step::Finished,
            },
            Mode::TranscodeStream { decoder, encoder, scratch } => {
                decoder.end(scratch);
                encode(scratch, &mut **encoder, &mut self.seen, &mut self.finish, out)
            }
            Mode::TranscodeWhole { decoder, events, .. } => {
                let before = events.len();
                decoder.end(events);
                note(&events[before..], &mut self.seen, &mut self.finish)
            }
        }
    }

    /// Appends the end of a complete answer; for a whole answer, all of it.
    ///
    /// # Errors
    /// The provider's whole answer cannot be spliced.
    pub fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>) -> Result<(), Failure> {
        let finish = self.finish.take().unwrap_or(Finish {
            reason: FinishReason::Other,
            raw: None,
            stop_sequence: None,
            native: None,
        });
        match &mut self.mode {
            Mode::SpliceStream { splice, .. } => splice.close(receipt, out),
            Mode::TranscodeStream { encoder, .. } => encoder.close(receipt, &finish, out),
            Mode::SpliceWhole { to, body, .. } => {
                let spliced = to.request.splice_whole(&to.context, body, receipt).map_err(|e| {
                    Failure::provider(
                        FailureClass::Server,
                        format!("The provider's answer makes no sense: {e}"),
                    )
                })?;
                *out = spliced;
            }
            Mode::TranscodeWhole { to, events, .. } => {
                *out = to.request.encode_whole(&to.context, events, &finish, receipt);
            }
        }
        Ok(())
    }

    /// Appends the in-band error of a stream that cannot be completed (I16).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        match &mut self.mode {
            Mode::SpliceStream { splice, .. } => splice.fail(failure, out),
            Mode::TranscodeStream { encoder, .. } => encoder.fail(failure, out),
            Mode::SpliceWhole { .. } | Mode::TranscodeWhole { .. } => {}
        }
    }
}

fn over(size: usize, limit: usize) -> Step {
    if size <= limit {
        return Step::Quiet;
    }
    Step::Failed(Failure::provider(
        FailureClass::Server,
        format!("The provider's answer exceeds {limit} bytes, the limit of this gateway."),
    ))
}

fn of_tap(tapped: Tapped) -> Step {
    match tapped {
        Tapped::Nothing => Step::Quiet,
        Tapped::Content => Step::Content,
        Tapped::Finished => Step::Finished,
        Tapped::Failure(failure) => Step::Failed(failure),
    }
}

fn splice_event(
    tap: &mut dyn Tap,
    splice: &mut dyn StreamSplicer,
    event: &sse::Event<'_>,
    out: &mut Vec<u8>,
    step: &mut Step,
) {
    if matches!(step, Step::Finished | Step::Failed(_)) {
        return;
    }
    match tap.event(event.name, event.data) {
        Tapped::Failure(failure) => *step = Step::Failed(failure),
        Tapped::Finished => {
            splice.event(event.name, event.data, out);
            *step = Step::Finished;
        }
        Tapped::Content => {
            splice.event(event.name, event.data, out);
            *step = Step::Content;
        }
        Tapped::Nothing => splice.event(event.name, event.data, out),
    }
}

fn encode(
    scratch: &mut Vec<ReplyEvent>,
    encoder: &mut dyn StreamWriter,
    seen: &mut Seen,
    finish: &mut Option<Finish>,
    out: &mut Vec<u8>,
) -> Step {
    let step = note(scratch, seen, finish);
    for event in scratch.drain(..) {
        encoder.event(&event, out);
    }
    step
}

/// Reads along in the neutral form.
fn note(events: &[ReplyEvent], seen: &mut Seen, finish: &mut Option<Finish>) -> Step {
    let mut step = Step::Quiet;
    for event in events {
        if event.is_content() {
            step = Step::Content;
        }
        match event {
            ReplyEvent::TextDelta { text, .. }
            | ReplyEvent::RefusalDelta { text, .. }
            | ReplyEvent::ReasoningDelta { text, .. } => add(seen, text),
            ReplyEvent::ToolDelta { arguments, .. } => add(seen, arguments),
            ReplyEvent::Usage(usage) => seen.usage = Some(*usage),
            ReplyEvent::Info(info) => {
                let known = &mut seen.info;
                merge(&mut known.id, info.id.as_ref());
                merge(&mut known.model, info.model.as_ref());
                merge(&mut known.system_fingerprint, info.system_fingerprint.as_ref());
                merge(&mut known.service_tier, info.service_tier.as_ref());
            }
            ReplyEvent::Finish(end) => {
                seen.finish = Some(end.reason);
                seen.native.clone_from(&end.native);
                *finish = Some(end.clone());
                return Step::Finished;
            }
            ReplyEvent::Failure(failure) => return Step::Failed(failure.clone()),
            _ => {}
        }
    }
    step
}

fn add(seen: &mut Seen, text: &str) {
    seen.output_bytes += u64::try_from(text.len()).unwrap_or(0);
}

fn merge(known: &mut Option<String>, new: Option<&String>) {
    if let Some(new) = new {
        *known = Some(new.clone());
    }
}
