//! What a client gets for neutral events, the same for a stream and a whole answer (I2): blocks begin when
//! they have something to show, and end once; a call follows its input; metadata stands where the client
//! keeps it.

use tollgate_domain::conversation::{
    FORMAT_GEMINI, FORMAT_UNKNOWN, File, FileData, Reasoning, ReasoningKind,
};
use tollgate_domain::{GenerationId, ReplyEvent};
use tollgate_wire::json::write_string;

use super::reasoning::{self, State};
use super::reply::{file_part, source_part, text_member};
use super::tool_names::ToolNames;
use super::{Version, provider_blocks};

/// Which kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, a refusal's included.
    Text,
    /// Reasoning.
    Reasoning,
}

/// Takes an answer's pieces in order.
pub(super) trait Sink {
    /// A block begins.
    fn start(&mut self, kind: Kind, id: u32, metadata: Option<&[u8]>);
    /// More of its text.
    fn delta(&mut self, kind: Kind, id: u32, text: &str);
    /// The block is complete. Metadata, when there is some, replaces the start's.
    fn end(&mut self, kind: Kind, id: u32, metadata: Option<&[u8]>);
    /// A call's input begins.
    fn input_start(&mut self, id: &str, name: &str, metadata: Option<&[u8]>);
    /// More of it, as JSON text.
    fn input_delta(&mut self, id: &str, text: &str);
    /// It is complete; the call itself follows as a part.
    fn input_end(&mut self, id: &str);
    /// A complete part: a JSON object with its `type`.
    fn part(&mut self, json: &[u8]);
}

/// A text or reasoning that has not ended.
#[derive(Debug)]
struct Open {
    block: u32,
    kind: Kind,
    /// What is known of a reasoning item; its text is not kept.
    item: Reasoning,
    /// Its id, and whether it is the first part of the answer, once it is shown.
    shown: Option<(u32, bool)>,
}

#[derive(Debug)]
struct OpenTool {
    block: u32,
    id: String,
    name: String,
    arguments: String,
    first: bool,
}

/// The state of one answer.
#[derive(Debug)]
pub(super) struct Lane {
    version: Version,
    generation: String,
    exclude_reasoning: bool,
    names: ToolNames,
    any: bool,
    next_id: u32,
    open: Vec<Open>,
    tools: Vec<OpenTool>,
    /// Signatures of calls that are not complete: (id of the call, signature).
    signatures: Vec<(String, String)>,
    /// Ids of complete calls.
    complete: Vec<String>,
    /// Calls that the provider runs: (id, the client's name).
    provider_calls: Vec<(String, String)>,
    sources: u32,
}

impl Lane {
    pub(super) fn new(
        version: Version,
        generation: GenerationId,
        exclude_reasoning: bool,
        names: ToolNames,
    ) -> Self {
        Self {
            version,
            generation: generation.to_string(),
            exclude_reasoning,
            names,
            any: false,
            next_id: 0,
            open: Vec::new(),
            tools: Vec::new(),
            signatures: Vec::new(),
            complete: Vec::new(),
            provider_calls: Vec::new(),
            sources: 0,
        }
    }

    /// Takes one event.
    pub(super) fn event(&mut self, event: &ReplyEvent, sink: &mut dyn Sink) {
        match event {
            ReplyEvent::TextDelta { block, text } | ReplyEvent::RefusalDelta { block, text } => {
                self.delta(Kind::Text, *block, text, sink);
            }
            ReplyEvent::TextEnd { block } => self.end(Kind::Text, *block, None, None, sink),
            ReplyEvent::ToolStart { block, id, name } => self.tool_start(*block, id, name, sink),
            ReplyEvent::ToolDelta { block, arguments } => {
                if let Some(tool) = self.tools.iter_mut().rfind(|t| t.block == *block)
                    && !arguments.is_empty()
                {
                    tool.arguments.push_str(arguments);
                    sink.input_delta(&tool.id, arguments);
                }
            }
            ReplyEvent::ToolEnd { block } => {
                if let Some(at) = self.tools.iter().rposition(|t| t.block == *block) {
                    let tool = self.tools.remove(at);
                    self.tool_end(tool, sink);
                }
            }
            ReplyEvent::File(file) => self.file(file, sink),
            ReplyEvent::Source(value) => {
                let id = self.source_id();
                if let Some(part) = source_part(&id, value) {
                    self.whole_part(part, sink);
                }
            }
            ReplyEvent::Custom { namespace, value } => {
                let (names, calls) = (&self.names, &mut self.provider_calls);
                match provider_blocks::to_part(self.version, names, calls, namespace, value) {
                    Some(part) => self.whole_part(part, sink),
                    None => self.carry(namespace, value, sink),
                }
            }
            _ if self.exclude_reasoning => {}
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                let item = Reasoning {
                    kind: *kind,
                    id: id.clone(),
                    format: Some((*format).to_owned()),
                    ..Reasoning::default()
                };
                self.open.push(Open { block: *block, kind: Kind::Reasoning, item, shown: None });
            }
            ReplyEvent::ReasoningDelta { block, text } => self.delta(Kind::Reasoning, *block, text, sink),
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                self.end(Kind::Reasoning, *block, signature.as_deref(), data.as_deref(), sink);
            }
            ReplyEvent::Info(_)
            | ReplyEvent::TextStart { .. }
            | ReplyEvent::Usage(_)
            | ReplyEvent::Finish(_)
            | ReplyEvent::Failure(_) => {}
        }
    }

    /// Ends what is still open.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) {
        for open in std::mem::take(&mut self.open) {
            self.close(open, sink);
        }
        for tool in std::mem::take(&mut self.tools) {
            self.tool_end(tool, sink);
        }
        for (call, signature) in std::mem::take(&mut self.signatures) {
            self.show_state(reasoning::of_call(&call, signature), sink);
        }
    }

    fn delta(&mut self, kind: Kind, block: u32, text: &str, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        let at = self.position(kind, block);
        let id = self.show(at, sink);
        sink.delta(kind, id, text);
    }

    /// Where an open block stands; one that was never announced, or has ended, begins here.
    fn position(&mut self, kind: Kind, block: u32) -> usize {
        match self.open.iter().rposition(|o| o.kind == kind && o.block == block) {
            Some(at) => at,
            None => {
                let item = Reasoning { format: Some(FORMAT_UNKNOWN.to_owned()), ..Reasoning::default() };
                self.open.push(Open { block, kind, item, shown: None });
                self.open.len() - 1
            }
        }
    }

    /// Begins the block at a position unless it has begun; gives its id.
    fn show(&mut self, at: usize, sink: &mut dyn Sink) -> u32 {
        if let Some((id, _)) = self.open[at].shown {
            return id;
        }
        let first = self.take_first();
        let id = self.next_id;
        self.next_id += 1;
        self.open[at].shown = Some((id, first));
        let metadata = self.metadata(&State::Nothing, first);
        sink.start(self.open[at].kind, id, metadata.as_deref());
        id
    }

    fn end(
        &mut self,
        kind: Kind,
        block: u32,
        signature: Option<&str>,
        data: Option<&str>,
        sink: &mut dyn Sink,
    ) {
        let known = self.open.iter().any(|o| o.kind == kind && o.block == block);
        if !known && signature.is_none() && data.is_none() {
            return;
        }
        let at = self.position(kind, block);
        let mut open = self.open.remove(at);
        open.item.signature = signature.map(str::to_owned);
        open.item.data = data.map(str::to_owned);
        if let Some((call, signature)) = call_signature(&open)
            && !self.complete.contains(&call)
        {
            self.signatures.push((call, signature));
            return;
        }
        self.close(open, sink);
    }

    fn close(&mut self, open: Open, sink: &mut dyn Sink) {
        let Open { kind, item, shown, .. } = open;
        let Some((id, first)) = shown else {
            if item.signature.is_some() || item.data.is_some() {
                self.show_state(item, sink);
            }
            return;
        };
        let state = reasoning::state(&item, true);
        let metadata = match state {
            State::Nothing => None,
            // A client replaces the start's metadata by the end's.
            state => self.metadata(&state, first),
        };
        sink.end(kind, id, metadata.as_deref());
    }

    /// A reasoning without text.
    fn show_state(&mut self, item: Reasoning, sink: &mut dyn Sink) {
        let first = self.take_first();
        let id = self.next_id;
        self.next_id += 1;
        let start = self.metadata(&State::Nothing, first);
        sink.start(Kind::Reasoning, id, start.as_deref());
        let metadata = self.metadata(&reasoning::state(&item, false), first);
        sink.end(Kind::Reasoning, id, metadata.as_deref());
    }

    /// A block that the version has no part for.
    fn carry(&mut self, namespace: &str, block: &serde_json::Value, sink: &mut dyn Sink) {
        let first = self.take_first();
        let id = self.next_id;
        self.next_id += 1;
        let generation = first.then_some(self.generation.as_str());
        let metadata = provider_blocks::carrier(namespace, block, generation).to_string();
        sink.start(Kind::Reasoning, id, self.metadata(&State::Nothing, first).as_deref());
        sink.end(Kind::Reasoning, id, Some(metadata.as_bytes()));
    }

    fn tool_start(&mut self, block: u32, id: &str, name: &str, sink: &mut dyn Sink) {
        let first = self.take_first();
        let metadata = self.metadata(&State::Nothing, first);
        let name = self.names.to_client(name).0.to_owned();
        sink.input_start(id, &name, metadata.as_deref());
        self.tools.push(OpenTool { block, id: id.to_owned(), name, arguments: String::new(), first });
    }

    fn tool_end(&mut self, mut tool: OpenTool, sink: &mut dyn Sink) {
        if tool.arguments.is_empty() {
            tool.arguments.push_str("{}");
            sink.input_delta(&tool.id, &tool.arguments);
        }
        sink.input_end(&tool.id);
        let signature = self.signatures.iter().position(|(call, _)| *call == tool.id);
        let signature = signature.map(|at| self.signatures.remove(at).1);
        let state = match &signature {
            Some(signature) => State::Family("google", vec![(reasoning::THOUGHT_SIGNATURE, signature)]),
            None => State::Nothing,
        };
        let mut part = Vec::with_capacity(tool.arguments.len() + 128);
        part.extend_from_slice(b"{\"type\":\"tool-call\",\"toolCallId\":");
        write_string(&mut part, &tool.id);
        text_member(&mut part, b",\"toolName\":", &tool.name);
        text_member(&mut part, b",\"input\":", &tool.arguments);
        if let Some(metadata) = self.metadata(&state, tool.first) {
            part.extend_from_slice(b",\"providerMetadata\":");
            part.extend_from_slice(&metadata);
        }
        part.push(b'}');
        sink.part(&part);
        self.complete.push(tool.id);
    }

    /// A generated file. Versions before v4 have no file at an address: such a file is told as a source.
    fn file(&mut self, file: &File, sink: &mut dyn Sink) {
        let part = match &file.data {
            FileData::Url(url) if self.version < Version::V4 => {
                let id = self.source_id();
                source_part(&id, &serde_json::json!({"url": url, "title": file.filename}))
            }
            _ => file_part(self.version, file),
        };
        if let Some(part) = part {
            self.whole_part(part, sink);
        }
    }

    fn whole_part(&mut self, mut part: serde_json::Map<String, serde_json::Value>, sink: &mut dyn Sink) {
        if self.take_first() {
            let metadata = part.entry("providerMetadata").or_insert_with(|| serde_json::json!({}));
            if let Some(namespaces) = metadata.as_object_mut() {
                let own = namespaces.entry(super::part::GATEWAY).or_insert_with(|| serde_json::json!({}));
                own["generationId"] = self.generation.as_str().into();
            }
        }
        sink.part(serde_json::Value::Object(part).to_string().as_bytes());
    }

    fn source_id(&mut self) -> String {
        self.sources += 1;
        format!("{}-{}", self.generation, self.sources)
    }

    /// Whether the part that begins now is the first of the answer.
    fn take_first(&mut self) -> bool {
        !std::mem::replace(&mut self.any, true)
    }

    /// The request's id rides on the first part (gateway-api §17.5).
    fn metadata(&self, state: &State<'_>, first: bool) -> Option<Vec<u8>> {
        reasoning::metadata(state, first.then_some(self.generation.as_str()))
    }
}

/// The signature of a call, which travels on the call: (id of the call, signature).
fn call_signature(open: &Open) -> Option<(String, String)> {
    let item = &open.item;
    let of_call = open.kind == Kind::Reasoning
        && open.shown.is_none()
        && item.kind == ReasoningKind::Encrypted
        && item.format.as_deref() == Some(FORMAT_GEMINI)
        && item.signature.is_none();
    if !of_call {
        return None;
    }
    Some((item.id.clone()?, item.data.clone()?))
}
