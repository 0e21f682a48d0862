//! A stream of events from neutral events (gateway-api §8.1, clients §4 "Claude Code").

use serde_json::Value;
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Failure, Receipt, ReplyEvent, Usage};
use tollgate_wire::json::write_string;

use super::error::write_failure;
use super::lane::{Lane, Opening, Step};
use super::usage;
use crate::ReplyContext;
use crate::metadata::{self, write_integer, write_plain};

/// Writes one streamed answer.
#[derive(Debug)]
pub struct StreamEncoder {
    context: ReplyContext,
    lane: Lane,
    frame: Frame,
    /// What the provider reported before content.
    reported: Option<Usage>,
}

/// What is known of the events written so far.
#[derive(Debug, Default)]
struct Frame {
    started: bool,
    /// The index of the block that is open or comes next.
    index: u32,
}

impl StreamEncoder {
    /// For one answer.
    #[must_use]
    pub fn new(context: ReplyContext) -> Self {
        let lane = Lane::new(context.exclude_reasoning);
        Self { context, lane, frame: Frame::default(), reported: None }
    }

    /// Appends what the client gets for one event. `Info`, `Usage`, `Finish` and `Failure` write nothing; a
    /// report that comes before content is told in `message_start`.
    pub fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>) {
        if let ReplyEvent::Usage(usage) = event {
            self.reported = Some(*usage);
            return;
        }
        let Self { context, lane, frame, reported } = self;
        lane.event(event, &mut |step| {
            frame.start(context, reported.as_ref(), out);
            frame.step(&step, out);
        });
    }

    /// Appends `message_delta` and `message_stop`.
    pub fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>) {
        let Self { context, lane, frame, .. } = self;
        // What was reported by now is better than what is known from before.
        frame.start(context, Some(&receipt.usage), out);
        lane.finish(&mut |step| frame.step(&step, out));
        out.extend_from_slice(b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{");
        write_stop(out, finish);
        out.extend_from_slice(b"},\"usage\":");
        usage::write(out, &receipt.usage, 0);
        out.extend_from_slice(
            b"}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\",\"provider_metadata\":",
        );
        out.extend_from_slice(&provider_metadata(receipt, Some(finish)));
        out.extend_from_slice(b"}\n\n");
    }

    /// Ends the stream with an error in place of `message_stop` (I16).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        write_failure(failure, self.context.generation, out);
    }
}

impl Frame {
    /// Writes `message_start` unless it has been.
    fn start(&mut self, context: &ReplyContext, reported: Option<&Usage>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let estimate = Usage { input_uncached: context.prompt_tokens_estimate, ..Usage::default() };
        out.extend_from_slice(b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":");
        write_head(out, context);
        out.extend_from_slice(b",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
        usage::write(out, reported.unwrap_or(&estimate), 1);
        out.extend_from_slice(b"}}\n\n");
    }

    fn step(&mut self, step: &Step<'_>, out: &mut Vec<u8>) {
        match step {
            Step::Start(opening) => self.open(opening, out),
            Step::Text(text) => self.text(out, b"{\"type\":\"text_delta\",\"text\":", text),
            Step::Thinking(text) => self.text(out, b"{\"type\":\"thinking_delta\",\"thinking\":", text),
            Step::Signature(text) => self.text(out, b"{\"type\":\"signature_delta\",\"signature\":", text),
            Step::Input(text) => self.text(out, b"{\"type\":\"input_json_delta\",\"partial_json\":", text),
            Step::Citation(citation) => {
                self.begin(out, "content_block_delta");
                out.extend_from_slice(b",\"delta\":{\"type\":\"citations_delta\",\"citation\":");
                out.extend_from_slice(citation.to_string().as_bytes());
                out.extend_from_slice(b"}}\n\n");
            }
            Step::Stop => {
                self.begin(out, "content_block_stop");
                out.extend_from_slice(b"}\n\n");
                self.index += 1;
            }
        }
    }

    /// `event: NAME`, and its data up to the index.
    fn begin(&self, out: &mut Vec<u8>, name: &str) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: {\"type\":\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\",\"index\":");
        write_integer(out, self.index);
    }

    /// A delta: `lead` is all from its brace to the colon of its text.
    fn text(&self, out: &mut Vec<u8>, lead: &[u8], text: &str) {
        self.begin(out, "content_block_delta");
        out.extend_from_slice(b",\"delta\":");
        out.extend_from_slice(lead);
        write_string(out, text);
        out.extend_from_slice(b"}}\n\n");
    }

    fn open(&self, opening: &Opening<'_>, out: &mut Vec<u8>) {
        self.begin(out, "content_block_start");
        out.extend_from_slice(b",\"content_block\":");
        let mut input = None;
        match opening {
            Opening::Text => out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"\"}"),
            Opening::Thinking { .. } => {
                out.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
            }
            Opening::Redacted(data) => {
                out.extend_from_slice(b"{\"type\":\"redacted_thinking\",\"data\":");
                write_string(out, data);
                out.push(b'}');
            }
            Opening::Tool { id, name } => {
                out.extend_from_slice(b"{\"type\":\"tool_use\",\"id\":");
                write_string(out, id);
                out.extend_from_slice(b",\"name\":");
                write_string(out, name);
                out.extend_from_slice(b",\"input\":{}}");
            }
            Opening::Complete(block) => input = write_complete(out, block),
        }
        out.extend_from_slice(b"}\n\n");
        if let Some(input) = input {
            self.text(out, b"{\"type\":\"input_json_delta\",\"partial_json\":", &input);
        }
    }
}

/// Writes a block that is complete with its start. The input of a call that the provider runs is held back and
/// given: clients start a call with an empty input and take what comes in deltas.
fn write_complete(out: &mut Vec<u8>, block: &Value) -> Option<String> {
    let calls = block.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("tool_use"));
    let input = block.get("input").filter(|input| calls && input.as_object().is_some_and(|o| !o.is_empty()));
    let Some(input) = input else {
        out.extend_from_slice(block.to_string().as_bytes());
        return None;
    };
    let mut empty = block.clone();
    empty["input"] = Value::Object(serde_json::Map::new());
    out.extend_from_slice(empty.to_string().as_bytes());
    Some(input.to_string())
}

/// `{"id":…,"type":"message","role":"assistant","model":…`, as every answer begins.
pub(super) fn write_head(out: &mut Vec<u8>, context: &ReplyContext) {
    out.extend_from_slice(b"{\"id\":\"");
    write_plain(out, context.generation);
    out.extend_from_slice(b"\",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
    write_string(out, &context.model);
}

/// `"stop_reason":…,"stop_sequence":…`.
pub(super) fn write_stop(out: &mut Vec<u8>, finish: &Finish) {
    out.extend_from_slice(b"\"stop_reason\":");
    write_string(out, stop_reason(finish));
    out.extend_from_slice(b",\"stop_sequence\":");
    match &finish.stop_sequence {
        Some(sequence) => write_string(out, sequence),
        None => out.extend_from_slice(b"null"),
    }
}

/// Anthropic's word for the end (providers §0.2). Its own words that say more than the neutral reason are
/// kept: at `pause_turn` a client must send the turn back for the provider to go on.
fn stop_reason(finish: &Finish) -> &'static str {
    let raw = finish.raw.as_deref().unwrap_or_default();
    for own in ["pause_turn", "refusal", "model_context_window_exceeded", "compaction"] {
        if raw == own {
            return own;
        }
    }
    match finish.reason {
        FinishReason::Stop if finish.stop_sequence.is_some() => "stop_sequence",
        FinishReason::Stop if raw.eq_ignore_ascii_case("stop_sequence") => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "refusal",
        FinishReason::Stop | FinishReason::Error | FinishReason::Other => "end_turn",
    }
}

/// The whole `provider_metadata`. The provider's own part is the receipt's, else what its answer ended with,
/// under the slug of the provider that served.
pub(super) fn provider_metadata(receipt: &Receipt, finish: Option<&Finish>) -> Vec<u8> {
    let own = receipt.native.as_ref().map(|(namespace, value)| (namespace.as_str(), value));
    let ended = || {
        let value = finish?.native.as_ref()?;
        Some((receipt.routing.final_provider.as_str(), value))
    };
    metadata::provider_metadata(receipt, own.or_else(ended))
}
