//! A whole answer from the same neutral events as a stream (I2, gateway-api §17.4).

use tollgate_domain::reply::Finish;
use tollgate_domain::{Receipt, ReplyEvent};
use tollgate_wire::json::write_string;

use super::Version;
use super::lane::{Kind, Lane, Sink};
use super::reply::{warnings, write_ending, write_response};
use super::tool_names::ToolNames;
use crate::ReplyContext;

/// Writes a whole answer.
pub(super) fn encode(
    version: Version,
    context: &ReplyContext,
    names: ToolNames,
    events: &[ReplyEvent],
    finish: &Finish,
    receipt: &Receipt,
) -> Vec<u8> {
    let mut lane = Lane::new(version, context.generation, context.exclude_reasoning, names);
    let mut content = Content::default();
    for event in events {
        lane.event(event, &mut content);
    }
    lane.finish(&mut content);
    let mut out = Vec::with_capacity(4096);
    out.extend_from_slice(b"{\"content\":[");
    for (i, part) in content.parts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        part.write(&mut out);
    }
    out.extend_from_slice(b"],");
    write_ending(&mut out, version, receipt, finish);
    out.extend_from_slice(b",\"warnings\":");
    out.extend_from_slice(warnings(version, &receipt.warnings).to_string().as_bytes());
    out.extend_from_slice(b",\"response\":{");
    write_response(&mut out, context);
    out.extend_from_slice(b"}}");
    out
}

enum Part {
    Block { kind: Kind, id: u32, text: String, metadata: Option<Vec<u8>> },
    Done(Vec<u8>),
}

impl Part {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Done(json) => out.extend_from_slice(json),
            Self::Block { kind, text, metadata, .. } => {
                out.extend_from_slice(match kind {
                    Kind::Text => b"{\"type\":\"text\",\"text\":",
                    Kind::Reasoning => b"{\"type\":\"reasoning\",\"text\":",
                });
                write_string(out, text);
                if let Some(metadata) = metadata {
                    out.extend_from_slice(b",\"providerMetadata\":");
                    out.extend_from_slice(metadata);
                }
                out.push(b'}');
            }
        }
    }
}

/// Puts pieces together.
#[derive(Default)]
struct Content {
    parts: Vec<Part>,
}

impl Content {
    fn open(&mut self, wanted: u32) -> Option<(&mut String, &mut Option<Vec<u8>>)> {
        self.parts.iter_mut().rev().find_map(|part| match part {
            Part::Block { id, text, metadata, .. } if *id == wanted => Some((text, metadata)),
            _ => None,
        })
    }
}

impl Sink for Content {
    fn start(&mut self, kind: Kind, id: u32, metadata: Option<&[u8]>) {
        let metadata = metadata.map(<[u8]>::to_vec);
        self.parts.push(Part::Block { kind, id, text: String::new(), metadata });
    }

    fn delta(&mut self, _kind: Kind, id: u32, added: &str) {
        if let Some((text, _)) = self.open(id) {
            text.push_str(added);
        }
    }

    fn end(&mut self, _kind: Kind, id: u32, last: Option<&[u8]>) {
        if let Some((_, metadata)) = self.open(id)
            && let Some(last) = last
        {
            *metadata = Some(last.to_vec());
        }
    }

    // A call's part holds all of its input.
    fn input_start(&mut self, _id: &str, _name: &str, _metadata: Option<&[u8]>) {}
    fn input_delta(&mut self, _id: &str, _text: &str) {}
    fn input_end(&mut self, _id: &str) {}

    fn part(&mut self, json: &[u8]) {
        self.parts.push(Part::Done(json.to_vec()));
    }
}
