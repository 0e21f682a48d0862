//! Writing an Anthropic message, whole or as a stream of events (providers §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ask::Ask;
use super::{Finish, Meta, Said, Tokens, text};
use crate::behaviour::UsageWhen;
use crate::reply::{Piece, Reply};

/// What the simulator's own signatures begin with.
pub(crate) const OWN_SIGNATURE: &str = "c2ltdWxhdG9y";

/// The signature of a thinking block: the same text is always signed the same way, so that a block which
/// comes back changed is found out.
pub(crate) fn signature(thinking: &str) -> String {
    let mut state = text::hash(thinking.as_bytes());
    let mut bytes = b"simulator".to_vec();
    for _ in 0..12 {
        bytes.extend(text::mix(&mut state).to_be_bytes());
    }
    STANDARD.encode(bytes)
}

/// Writes the answer in the form that was asked for.
pub(crate) fn write(ask: &Ask, said: &Said, tokens: Tokens, meta: &Meta<'_>) -> Reply {
    let writer = Writer { ask, said, tokens, meta };
    if ask.stream { Reply::events(writer.stream()) } else { Reply::json(200, &writer.whole()) }
}

/// Writes a count of tokens.
pub(crate) fn count(ask: &Ask) -> Reply {
    Reply::json(200, &json!({"input_tokens": ask.input_tokens()}))
}

struct Writer<'a> {
    ask: &'a Ask,
    said: &'a Said,
    tokens: Tokens,
    meta: &'a Meta<'a>,
}

impl Writer<'_> {
    fn stop(&self) -> (&'static str, Option<&str>) {
        match &self.said.finish {
            Finish::Stop => ("end_turn", None),
            Finish::Sequence(sequence) => ("stop_sequence", Some(sequence)),
            Finish::Length => ("max_tokens", None),
            Finish::ToolCalls => ("tool_use", None),
        }
    }

    fn usage(&self, output: u64) -> Value {
        let over = self.meta.usage;
        let Tokens { input, cache_read, cache_write_5m, cache_write_1h, .. } = self.tokens;
        let written = cache_write_5m + cache_write_1h;
        let uncached = over.input_tokens.unwrap_or(input.saturating_sub(cache_read + written));
        let (five, hour) = match over.cache_write_tokens {
            Some(n) => (n, 0),
            None => (cache_write_5m, cache_write_1h),
        };
        json!({"input_tokens": uncached, "cache_creation_input_tokens": five + hour,
            "cache_read_input_tokens": over.cached_tokens.unwrap_or(cache_read),
            "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
            "output_tokens": output, "service_tier": "standard"})
    }

    fn output(&self) -> u64 {
        self.meta.usage.output_tokens.unwrap_or(self.tokens.output)
    }

    /// Content blocks, whole.
    fn blocks(&self) -> Vec<Value> {
        let mut blocks = Vec::new();
        if let Some(thinking) = &self.said.reasoning {
            let shown = if self.ask.reasoning_hidden { "" } else { thinking };
            blocks.push(json!({"type": "thinking", "thinking": shown, "signature": signature(thinking)}));
        }
        if let Some(text) = self.said.text.as_ref().filter(|t| !t.is_empty()) {
            blocks.push(json!({"type": "text", "text": text}));
        }
        for (index, call) in self.said.calls.iter().enumerate() {
            let id = format!("toolu_01Sim{:016x}{index:02}", self.meta.order);
            blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments}));
        }
        blocks
    }

    fn message(&self, content: Vec<Value>, stop: (Value, Value), usage: Value) -> Value {
        json!({"id": format!("msg_01Sim{:019x}", self.meta.order), "type": "message", "role": "assistant",
            "model": self.ask.model, "content": content, "stop_reason": stop.0, "stop_sequence": stop.1,
            "usage": usage})
    }

    fn whole(&self) -> Value {
        let (reason, sequence) = self.stop();
        let usage =
            if self.meta.usage.when == UsageWhen::Never { Value::Null } else { self.usage(self.output()) };
        let mut message = self.message(self.blocks(), (json!(reason), json!(sequence)), usage);
        if self.meta.usage.when == UsageWhen::Never
            && let Some(members) = message.as_object_mut()
        {
            members.shift_remove("usage");
        }
        message
    }

    fn stream(&self) -> Vec<Piece> {
        let mut out = Vec::new();
        let start = self.message(Vec::new(), (Value::Null, Value::Null), self.usage(1));
        out.push(event(&json!({"type": "message_start", "message": start}), false));
        for (index, block) in self.blocks().iter().enumerate() {
            self.stream_block(index, block, &mut out);
        }
        let (reason, sequence) = self.stop();
        let mut last = json!({"type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence}, "usage": self.usage(self.output())});
        if let Some(usage) = last["usage"].as_object_mut() {
            usage.shift_remove("cache_creation");
            usage.shift_remove("service_tier");
        }
        out.push(event(&last, false));
        out.push(event(&json!({"type": "message_stop"}), false));
        out
    }

    fn stream_block(&self, index: usize, block: &Value, out: &mut Vec<Piece>) {
        let mut empty = block.clone();
        let (member, delta, full) = match block["type"].as_str() {
            Some("thinking") => {
                ("thinking", "thinking", block["thinking"].as_str().unwrap_or_default().to_owned())
            }
            Some("tool_use") => ("input", "input_json", block["input"].to_string()),
            _ => ("text", "text", block["text"].as_str().unwrap_or_default().to_owned()),
        };
        let is_call = delta == "input_json";
        empty[member] = if is_call { json!({}) } else { json!("") };
        if delta == "thinking" {
            empty["signature"] = json!("");
        }
        let start = json!({"type": "content_block_start", "index": index, "content_block": empty});
        out.push(event(&start, is_call));
        if index == 0 {
            out.push(Piece::frame(&b"event: ping\ndata: {\"type\":\"ping\"}\n\n"[..]));
        }
        let key = if is_call { "partial_json" } else { member };
        let size = if is_call { Some(12) } else { self.said.piece_bytes };
        for piece in text::pieces(&full, size) {
            let bytes = format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
                 \"delta\":{{\"type\":\"{delta}_delta\",\"{key}\":{}}}}}\n\n",
                Value::from(piece)
            );
            out.push(Piece::content(bytes));
        }
        if delta == "thinking" {
            let signed = json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "signature_delta", "signature": block["signature"]}});
            out.push(event(&signed, false));
        }
        out.push(event(&json!({"type": "content_block_stop", "index": index}), false));
    }
}

fn event(payload: &Value, content: bool) -> Piece {
    let name = payload["type"].as_str().unwrap_or("message");
    let bytes = format!("event: {name}\ndata: {payload}\n\n");
    if content { Piece::content(bytes) } else { Piece::frame(bytes) }
}
