//! Writing an Anthropic message, whole or as a stream of events (providers §4).

use serde_json::{Value, json};

use super::ask::Ask;
use super::{Finish, Meta, Said, Search, Tokens, text};
use crate::behaviour::UsageWhen;
use crate::reply::{Piece, Reply};
use crate::seal::Kind;

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

    /// The usage at the end: a search has made the prompt grow (providers §4, usage).
    fn final_usage(&self) -> Value {
        let mut usage = self.usage(self.output());
        if let Some(search) = &self.said.search {
            if self.meta.usage.input_tokens.is_none() {
                let before = usage["input_tokens"].as_u64().unwrap_or_default();
                usage["input_tokens"] = json!(before + search.tokens());
            }
            usage["server_tool_use"] = json!({"web_search_requests": 1, "web_fetch_requests": 0});
        }
        usage
    }

    fn output(&self) -> u64 {
        self.meta.usage.output_tokens.unwrap_or(self.tokens.output)
    }

    /// Content blocks, whole.
    fn blocks(&self) -> Vec<Value> {
        let mut blocks = Vec::new();
        if let Some(thinking) = &self.said.reasoning {
            let shown = if self.ask.reasoning_hidden { "" } else { thinking };
            blocks.push(if self.ask.reasoning_redacted {
                json!({"type": "redacted_thinking", "data": self.meta.seal.issue(Kind::Redacted, thinking)})
            } else {
                json!({"type": "thinking", "thinking": shown,
                    "signature": self.meta.seal.issue(Kind::Thinking, thinking)})
            });
        }
        if let Some(search) = &self.said.search {
            blocks.extend(self.search(search));
        }
        if let Some(text) = self.said.text.as_ref().filter(|t| !t.is_empty()) {
            let mut block = json!({"type": "text", "text": text});
            if let Some(hit) = self.said.search.as_ref().and_then(|s| s.hits.first()) {
                block["citations"] = json!([{"type": "web_search_result_location", "url": hit.url,
                    "title": hit.title, "cited_text": hit.text,
                    "encrypted_index": self.meta.seal.issue(Kind::SearchResult, &hit.url)}]);
            }
            blocks.push(block);
        }
        for (index, call) in self.said.calls.iter().enumerate() {
            let id = format!("toolu_01Sim{:016x}{index:02}", self.meta.order);
            blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments}));
        }
        blocks
    }

    /// The provider's own search: its call and its results.
    fn search(&self, search: &Search) -> [Value; 2] {
        let id = format!("srvtoolu_01Sim{:016x}", self.meta.order);
        let result = |hit: &super::Hit| {
            json!({"type": "web_search_result", "title": hit.title, "url": hit.url,
                "encrypted_content": self.meta.seal.issue(Kind::SearchResult, &hit.text), "page_age": null})
        };
        let found: Vec<Value> = search.hits.iter().map(result).collect();
        [
            json!({"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": search.query}}),
            json!({"type": "web_search_tool_result", "tool_use_id": id, "content": found}),
        ]
    }

    fn message(&self, content: Vec<Value>, stop: (Value, Value), usage: Value) -> Value {
        json!({"id": format!("msg_01Sim{:019x}", self.meta.order), "type": "message", "role": "assistant",
            "model": self.ask.model, "content": content, "stop_reason": stop.0, "stop_sequence": stop.1,
            "usage": usage})
    }

    fn whole(&self) -> Value {
        let (reason, sequence) = self.stop();
        let usage = if self.meta.usage.when == UsageWhen::Never { Value::Null } else { self.final_usage() };
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
            "delta": {"stop_reason": reason, "stop_sequence": sequence}, "usage": self.final_usage()});
        if let Some(usage) = last["usage"].as_object_mut() {
            usage.shift_remove("cache_creation");
            usage.shift_remove("service_tier");
        }
        out.push(event(&last, false));
        out.push(event(&json!({"type": "message_stop"}), false));
        out
    }

    fn stream_block(&self, index: usize, block: &Value, out: &mut Vec<Piece>) {
        let kind = block["type"].as_str().unwrap_or_default();
        let mut empty = block.clone();
        let (member, delta) = match kind {
            "thinking" => ("thinking", "thinking"),
            "tool_use" | "server_tool_use" => ("input", "input_json"),
            "text" => ("text", "text"),
            // These come whole.
            _ => ("", ""),
        };
        let is_call = delta == "input_json";
        match kind {
            "thinking" => (empty["thinking"], empty["signature"]) = (json!(""), json!("")),
            "text" => {
                empty["text"] = json!("");
                if block.get("citations").is_some() {
                    empty["citations"] = json!([]);
                }
            }
            _ if is_call => empty["input"] = json!({}),
            _ => {}
        }
        let start = json!({"type": "content_block_start", "index": index, "content_block": empty});
        out.push(event(&start, kind != "text" && kind != "thinking"));
        if index == 0 {
            out.push(Piece::frame(&b"event: ping\ndata: {\"type\":\"ping\"}\n\n"[..]));
        }
        for citation in block["citations"].as_array().into_iter().flatten() {
            let cited = json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "citations_delta", "citation": citation}});
            out.push(event(&cited, false));
        }
        if !delta.is_empty() {
            self.stream_deltas(index, block, (member, delta), out);
        }
        if kind == "thinking" {
            let signed = json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "signature_delta", "signature": block["signature"]}});
            out.push(event(&signed, false));
        }
        out.push(event(&json!({"type": "content_block_stop", "index": index}), false));
    }

    fn stream_deltas(
        &self,
        index: usize,
        block: &Value,
        (member, delta): (&str, &str),
        out: &mut Vec<Piece>,
    ) {
        let (key, full, size) = match &block[member] {
            Value::String(text) => (member, text.clone(), self.said.piece_bytes),
            input => ("partial_json", input.to_string(), Some(12)),
        };
        for piece in text::pieces(&full, size) {
            let bytes = format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
                 \"delta\":{{\"type\":\"{delta}_delta\",\"{key}\":{}}}}}\n\n",
                Value::from(piece)
            );
            out.push(Piece::content(bytes));
        }
    }
}

fn event(payload: &Value, content: bool) -> Piece {
    let name = payload["type"].as_str().unwrap_or("message");
    let bytes = format!("event: {name}\ndata: {payload}\n\n");
    if content { Piece::content(bytes) } else { Piece::frame(bytes) }
}
