//! The items of an answer: messages, reasoning and calls become blocks as they are written, everything else
//! when it is complete. Items are told apart by their place in the answer, since some hosts give an item
//! another id in each event (providers §3).

use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::ReasoningKind;
use tollgate_domain::reply::ResponseInfo;
use tollgate_wire::json::{self, Object};

use super::super::text;
use super::server::{self, Server};

/// The most items that are written at the same time, and parts of one item (I26).
const MOST: usize = 1024;

/// The items of one answer.
#[derive(Debug)]
pub(super) struct Items {
    /// Whose state its reasoning is.
    state: &'static str,
    /// Items that are being written, by their place.
    open: Vec<(u64, Item)>,
    next_block: u32,
    /// An item has been seen.
    any: bool,
    /// A call that the client must run has been seen.
    calls: bool,
    /// The place of the last event, for hosts that leave it out.
    last: u64,
    /// An item that shows nothing before its end has begun.
    pub(super) quiet: bool,
    /// What the provider's own tools did.
    pub(super) server: Server,
}

/// One item while it is written.
#[derive(Debug)]
enum Item {
    Message(Vec<TextPart>),
    Reasoning(ReasoningItem),
    Call(Call),
    /// Seen when it is complete.
    Quiet,
}

/// One part of a message.
#[derive(Debug)]
struct TextPart {
    index: u64,
    /// Its block, once it has any text.
    block: Option<u32>,
    open: bool,
    /// Annotations that were given.
    annotations: usize,
}

#[derive(Debug, Default)]
struct ReasoningItem {
    id: Option<String>,
    /// Parts that had text, in order; the block of the last one may be open.
    parts: Vec<(ReasoningKind, u64)>,
    block: Option<u32>,
    /// Sealed state that came with the start.
    data: Option<String>,
}

#[derive(Debug)]
struct Call {
    block: u32,
    /// Arguments that came with the start: they count when no others come.
    seed: String,
    seen: bool,
    /// Free text rather than JSON.
    custom: bool,
}

impl Items {
    pub(super) fn new(state: &'static str) -> Self {
        Self {
            state,
            open: Vec::new(),
            next_block: 0,
            any: false,
            calls: false,
            last: 0,
            quiet: false,
            server: Server::default(),
        }
    }

    /// Whether there was any item.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// Whether there was a call that the client must run.
    pub(super) fn calls(&self) -> bool {
        self.calls
    }

    /// An event about an item; events that say nothing new are passed over.
    pub(super) fn event(
        &mut self,
        kind: &str,
        event: &Object<'_>,
        info: &ResponseInfo,
        out: &mut Vec<ReplyEvent>,
    ) {
        let place = event.get("output_index").and_then(json::unsigned).unwrap_or(self.last);
        self.last = place;
        let number = |key: &str| event.get(key).and_then(json::unsigned).unwrap_or(0);
        let delta = text(event, "delta");
        match kind {
            "response.output_item.added" => {
                if let Some(raw) = event.get("item") {
                    self.added(place, raw, info, out);
                }
            }
            "response.output_item.done" => {
                if let Some(raw) = event.get("item") {
                    self.done(place, raw, info, out);
                }
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                let refusal = kind == "response.refusal.delta";
                self.text(place, number("content_index"), &delta.unwrap_or_default(), refusal, out);
            }
            "response.output_text.annotation.added" => {
                if let Some(raw) = event.get("annotation") {
                    self.annotation(place, number("content_index"), raw, out);
                }
            }
            "response.reasoning_summary_text.delta" => {
                let part = (ReasoningKind::Summary, number("summary_index"));
                self.reasoning(place, part, &delta.unwrap_or_default(), out);
            }
            "response.reasoning_text.delta" => {
                let part = (ReasoningKind::Text, number("content_index"));
                self.reasoning(place, part, &delta.unwrap_or_default(), out);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(place, &delta.unwrap_or_default(), out);
            }
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                let whole = text(event, "arguments").or_else(|| text(event, "input"));
                if let Some(Item::Call(call)) = self.find(place)
                    && !call.seen
                {
                    self.arguments(place, &whole.unwrap_or_default(), out);
                }
            }
            _ => {}
        }
    }

    /// The answer is complete. An answer whose items were not streamed is walked here.
    pub(super) fn finish(&mut self, output: &[&[u8]], info: &ResponseInfo, out: &mut Vec<ReplyEvent>) {
        if !self.any {
            for (place, raw) in (0u64..).zip(output) {
                self.done(place, raw, info, out);
            }
        }
        while let Some(&(place, _)) = self.open.first() {
            let at = usize::try_from(place).unwrap_or(usize::MAX);
            match output.get(at).filter(|raw| self.find(place).is_some_and(|item| item.is_like(raw))) {
                Some(raw) => self.done(place, raw, info, out),
                None => self.close(place, None, out),
            }
        }
    }

    fn find(&mut self, place: u64) -> Option<&mut Item> {
        self.open.iter_mut().find(|(at, _)| *at == place).map(|(_, item)| item)
    }

    fn block(&mut self) -> u32 {
        let block = self.next_block;
        self.next_block += 1;
        block
    }

    fn added(&mut self, place: u64, raw: &[u8], info: &ResponseInfo, out: &mut Vec<ReplyEvent>) {
        // A second item in the same place: the first one is over.
        self.close(place, None, out);
        let Ok(object) = Object::parse_checked(raw) else { return };
        let kind = text(&object, "type").unwrap_or_default();
        let item = match &*kind {
            "message" => Item::Message(Vec::new()),
            "reasoning" => Item::Reasoning(ReasoningItem {
                id: text(&object, "id").map(|id| id.into_owned()),
                data: text(&object, "encrypted_content").map(|data| data.into_owned()),
                ..ReasoningItem::default()
            }),
            "function_call" | "custom_tool_call" => match text(&object, "name") {
                Some(name) => Item::Call(self.start_call(&kind, &object, &name, place, info, out)),
                None => Item::Quiet,
            },
            _ => {
                self.quiet = true;
                Item::Quiet
            }
        };
        self.begin(place, item, out);
    }

    fn begin(&mut self, place: u64, item: Item, out: &mut Vec<ReplyEvent>) {
        self.any = true;
        if let Some(&(oldest, _)) = self.open.first().filter(|_| self.open.len() >= MOST) {
            self.close(oldest, None, out);
        }
        self.open.push((place, item));
    }

    fn start_call(
        &mut self,
        kind: &str,
        object: &Object<'_>,
        name: &str,
        place: u64,
        info: &ResponseInfo,
        out: &mut Vec<ReplyEvent>,
    ) -> Call {
        self.calls = true;
        let block = self.block();
        let id = call_id(object, place, info);
        out.push(ReplyEvent::ToolStart { block, id, name: name.to_owned() });
        let custom = kind == "custom_tool_call";
        let seed = object.get(if custom { "input" } else { "arguments" }).map(written).unwrap_or_default();
        Call { block, seed, seen: false, custom }
    }

    fn text(&mut self, place: u64, index: u64, added: &str, refusal: bool, out: &mut Vec<ReplyEvent>) {
        if added.is_empty() {
            return;
        }
        let free = self.next_block;
        let Some(part) = self.text_part(place, index, out) else { return };
        let block = match part.block.filter(|_| part.open) {
            Some(block) => block,
            None => {
                out.push(ReplyEvent::TextStart { block: free });
                (part.block, part.open) = (Some(free), true);
                self.next_block += 1;
                free
            }
        };
        let text = added.to_owned();
        out.push(if refusal {
            ReplyEvent::RefusalDelta { block, text }
        } else {
            ReplyEvent::TextDelta { block, text }
        });
    }

    /// A part of a message; the parts before it are over. `None` in an item that is no message.
    fn text_part(&mut self, place: u64, index: u64, out: &mut Vec<ReplyEvent>) -> Option<&mut TextPart> {
        if self.find(place).is_none() {
            // Text whose start was lost is still text.
            self.begin(place, Item::Message(Vec::new()), out);
        }
        let Some(Item::Message(parts)) = self.find(place) else { return None };
        if let Some(at) = parts.iter().position(|part| part.index == index) {
            return parts.get_mut(at);
        }
        if parts.len() >= MOST {
            return parts.last_mut();
        }
        parts.iter_mut().for_each(|part| part.end(out));
        parts.push(TextPart { index, block: None, open: false, annotations: 0 });
        parts.last_mut()
    }

    fn annotation(&mut self, place: u64, index: u64, raw: &[u8], out: &mut Vec<ReplyEvent>) {
        if let Some(part) = self.text_part(place, index, out)
            && let Ok(value) = serde_json::from_slice(raw)
        {
            part.annotations += 1;
            out.push(ReplyEvent::Source(source(value)));
        }
    }

    fn reasoning(&mut self, place: u64, part: (ReasoningKind, u64), added: &str, out: &mut Vec<ReplyEvent>) {
        if added.is_empty() {
            return;
        }
        if self.find(place).is_none() {
            self.begin(place, Item::Reasoning(ReasoningItem::default()), out);
        }
        let (free, format) = (self.next_block, self.state);
        let Some(Item::Reasoning(item)) = self.find(place) else { return };
        let goes_on = item.block.filter(|_| item.parts.last() == Some(&part));
        let block = match goes_on {
            Some(block) => block,
            None => {
                if let Some(block) = item.block {
                    out.push(ReplyEvent::ReasoningEnd { block, signature: None, data: None });
                }
                item.parts.truncate(MOST);
                item.parts.push(part);
                item.block = Some(free);
                let id = item.id.clone();
                out.push(ReplyEvent::ReasoningStart { block: free, kind: part.0, id, format });
                self.next_block += 1;
                free
            }
        };
        out.push(ReplyEvent::ReasoningDelta { block, text: added.to_owned() });
    }

    fn arguments(&mut self, place: u64, added: &str, out: &mut Vec<ReplyEvent>) {
        if let (false, Some(Item::Call(call))) = (added.is_empty(), self.find(place)) {
            call.seen = true;
            out.push(ReplyEvent::ToolDelta { block: call.block, arguments: added.to_owned() });
        }
    }

    /// An item is complete: what of it was not streamed is given now.
    fn done(&mut self, place: u64, raw: &[u8], info: &ResponseInfo, out: &mut Vec<ReplyEvent>) {
        let Ok(object) = Object::parse_checked(raw) else { return self.close(place, None, out) };
        // A call whose name came late begins here.
        let late = matches!(self.find(place), Some(Item::Quiet))
            && matches!(text(&object, "type").as_deref(), Some("function_call" | "custom_tool_call"));
        if late || self.find(place).is_none() {
            self.added(place, raw, info, out);
        }
        match self.find(place) {
            Some(Item::Message(_)) => self.rest_of_message(place, &object, out),
            Some(Item::Reasoning(_)) => self.rest_of_reasoning(place, &object, out),
            Some(Item::Call(call)) if !call.seen => {
                let key = if call.custom { "input" } else { "arguments" };
                let whole = object.get(key).map(written).unwrap_or_default();
                self.arguments(place, &whole, out);
            }
            Some(Item::Quiet) => self.server_item(place, &object, raw, info, out),
            _ => {}
        }
        let data = text(&object, "encrypted_content").map(|data| data.into_owned());
        self.close(place, data, out);
    }

    /// Parts are matched by their order: some hosts count them differently in the events.
    fn rest_of_message(&mut self, place: u64, object: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let streamed: Vec<u64> = match self.find(place) {
            Some(Item::Message(parts)) => parts.iter().map(|part| part.index).collect(),
            _ => return,
        };
        let free = streamed.iter().max().map_or(0, |most| most.saturating_add(1));
        for (at, raw) in parts(object, "content").into_iter().enumerate() {
            let Ok(part) = Object::parse_checked(raw) else { continue };
            let refusal = text(&part, "type").as_deref() == Some("refusal");
            let index = streamed.get(at).copied().unwrap_or(free.saturating_add(at as u64));
            if !self.has_text(place, index)
                && let Some(whole) = text(&part, if refusal { "refusal" } else { "text" })
            {
                self.text(place, index, &whole, refusal, out);
            }
            for (at, raw) in parts(&part, "annotations").into_iter().enumerate() {
                let Some(known) = self.text_part(place, index, out) else { break };
                if at >= known.annotations {
                    self.annotation(place, index, raw, out);
                }
            }
        }
    }

    /// Whether a part of a message has had any text.
    fn has_text(&mut self, place: u64, index: u64) -> bool {
        match self.find(place) {
            Some(Item::Message(parts)) => parts.iter().any(|p| p.index == index && p.block.is_some()),
            _ => true,
        }
    }

    fn rest_of_reasoning(&mut self, place: u64, object: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let Some(Item::Reasoning(item)) = self.find(place) else { return };
        if let (None, Some(id)) = (&item.id, text(object, "id")) {
            item.id = Some(id.into_owned());
        }
        let known = item.parts.clone();
        for (kind, key) in [(ReasoningKind::Summary, "summary"), (ReasoningKind::Text, "content")] {
            let streamed = known.iter().filter(|part| part.0 == kind).count();
            for (at, raw) in parts(object, key).into_iter().enumerate().skip(streamed) {
                let Ok(part) = Object::parse_checked(raw) else { continue };
                if let Some(whole) = text(&part, "text") {
                    self.reasoning(place, (kind, at as u64), &whole, out);
                }
            }
        }
    }

    /// An item of which nothing was shown yet: a call of one of the protocol's own client tools, a file, or
    /// what the provider's tools did.
    fn server_item(
        &mut self,
        place: u64,
        object: &Object<'_>,
        raw: &[u8],
        info: &ResponseInfo,
        out: &mut Vec<ReplyEvent>,
    ) {
        if let Some((name, arguments)) = server::client_call(object) {
            self.calls = true;
            let block = self.block();
            let id = call_id(object, place, info);
            out.push(ReplyEvent::ToolStart { block, id, name: name.to_owned() });
            out.push(ReplyEvent::ToolDelta { block, arguments });
            out.push(ReplyEvent::ToolEnd { block });
        } else {
            self.server.item(object, raw, out);
        }
    }

    /// An item is over.
    fn close(&mut self, place: u64, data: Option<String>, out: &mut Vec<ReplyEvent>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == place) else { return };
        match self.open.remove(at).1 {
            Item::Message(mut parts) => parts.iter_mut().for_each(|part| part.end(out)),
            Item::Reasoning(item) => {
                let data = data.or(item.data);
                if let Some(block) = item.block {
                    out.push(ReplyEvent::ReasoningEnd { block, signature: None, data });
                } else if data.is_some() {
                    let (block, kind) = (self.block(), ReasoningKind::Encrypted);
                    out.push(ReplyEvent::ReasoningStart { block, kind, id: item.id, format: self.state });
                    out.push(ReplyEvent::ReasoningEnd { block, signature: None, data });
                }
            }
            Item::Call(call) => {
                if !call.seen {
                    // A function without arguments gets an empty object.
                    let empty = if call.custom { "" } else { "{}" };
                    let arguments = if call.seed.is_empty() { empty.to_owned() } else { call.seed };
                    if !arguments.is_empty() {
                        out.push(ReplyEvent::ToolDelta { block: call.block, arguments });
                    }
                }
                out.push(ReplyEvent::ToolEnd { block: call.block });
            }
            Item::Quiet => {}
        }
    }
}

impl Item {
    /// Whether an item of the final answer can be this one.
    fn is_like(&self, raw: &[u8]) -> bool {
        let Ok(object) = Object::parse_checked(raw) else { return false };
        let kind = text(&object, "type");
        match (self, kind.as_deref()) {
            (Self::Message(_), Some("message"))
            | (Self::Reasoning(_), Some("reasoning"))
            | (Self::Call(_), Some("function_call" | "custom_tool_call")) => true,
            (Self::Quiet, Some(kind)) => !matches!(kind, "message" | "reasoning"),
            _ => false,
        }
    }
}

impl TextPart {
    fn end(&mut self, out: &mut Vec<ReplyEvent>) {
        if let (true, Some(block)) = (std::mem::take(&mut self.open), self.block) {
            out.push(ReplyEvent::TextEnd { block });
        }
    }
}

/// The id by which the client answers a call; made when there is none.
fn call_id(object: &Object<'_>, place: u64, info: &ResponseInfo) -> String {
    text(object, "call_id").or_else(|| text(object, "id")).map_or_else(
        || format!("call_{}_{place}", info.id.as_deref().unwrap_or_default()),
        |id| id.into_owned(),
    )
}

/// Arguments as text: a string's content, or an object as it stands.
fn written(raw: &[u8]) -> String {
    match json::string(raw) {
        Some(text) => text.into_owned(),
        None if json::is_null(raw) => String::new(),
        None => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// The elements of an array member.
fn parts<'o>(object: &'o Object<'_>, key: &str) -> Vec<&'o [u8]> {
    let array = object.get(key).filter(|raw| raw.first() == Some(&b'['));
    array.and_then(|raw| json::elements(raw).ok()).unwrap_or_default()
}

/// An annotation: a citation of an address in the form that the neutral events have, others as they are.
fn source(mut value: Value) -> Value {
    if value["type"] != "url_citation" || value.get("url_citation").is_some() {
        return value;
    }
    match value.as_object_mut() {
        Some(members) => {
            members.shift_remove("type");
            json!({"type": "url_citation", "url_citation": value})
        }
        None => value,
    }
}
