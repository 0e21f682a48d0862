//! Writing an OpenAI chat completion, whole or as a stream of chunks (providers §1).

use serde_json::{Value, json};

use super::ask::Ask;
use super::{Call, Finish, Meta, Said, Tokens, text};
use crate::behaviour::UsageWhen;
use crate::reply::{Piece, Reply};

/// Writes the answer in the form that was asked for.
pub(crate) fn write(ask: &Ask, said: &Said, tokens: Tokens, meta: &Meta<'_>) -> Reply {
    let writer = Writer { ask, said, tokens, meta };
    if ask.stream { Reply::events(writer.stream()) } else { Reply::json(200, &writer.whole()) }
}

struct Writer<'a> {
    ask: &'a Ask,
    said: &'a Said,
    tokens: Tokens,
    meta: &'a Meta<'a>,
}

impl Writer<'_> {
    fn id(&self) -> String {
        format!("chatcmpl-sim{:020x}", self.meta.order)
    }

    fn finish(&self) -> &'static str {
        match self.said.finish {
            Finish::Stop | Finish::Sequence(_) => "stop",
            Finish::Length => "length",
            Finish::ToolCalls => "tool_calls",
        }
    }

    fn call_id(&self, choice: usize, index: usize) -> String {
        format!("call_sim{:016x}{choice:02}{index:02}", self.meta.order)
    }

    fn usage(&self) -> Value {
        let over = self.meta.usage;
        let n = self.ask.choices.max(1) as u64;
        let input = over.input_tokens.unwrap_or(self.tokens.input);
        let output = over.output_tokens.unwrap_or(self.tokens.output * n);
        let cached = over.cached_tokens.unwrap_or(self.tokens.cache_read);
        json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self.tokens.reasoning * n, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}})
    }

    fn whole(&self) -> Value {
        let mut body = json!({"id": self.id(), "object": "chat.completion", "created": self.meta.created,
            "model": self.ask.model, "choices": [], "usage": null,
            "service_tier": "default", "system_fingerprint": "fp_simulator"});
        body["choices"] = (0..self.ask.choices.max(1)).map(|choice| self.choice(choice)).collect();
        if self.meta.usage.when == UsageWhen::Never {
            if let Some(members) = body.as_object_mut() {
                members.shift_remove("usage");
            }
        } else {
            body["usage"] = self.usage();
        }
        body
    }

    fn choice(&self, choice: usize) -> Value {
        let mut message = json!({"role": "assistant", "content": self.said.text, "refusal": null});
        if let Some(reasoning) = &self.said.reasoning {
            message["reasoning_content"] = json!(reasoning);
        }
        if !self.said.calls.is_empty() {
            let call = |(index, call): (usize, &Call)| {
                json!({"id": self.call_id(choice, index), "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments.to_string()}})
            };
            message["tool_calls"] = self.said.calls.iter().enumerate().map(call).collect();
        } else {
            message["annotations"] = json!([]);
        }
        json!({"index": choice, "message": message, "logprobs": null, "finish_reason": self.finish()})
    }

    fn stream(&self) -> Vec<Piece> {
        let mut out = Chunks::new(self);
        for choice in 0..self.ask.choices.max(1) {
            self.stream_choice(choice, &mut out);
        }
        if out.with_usage {
            out.usage(&self.usage());
        }
        out.pieces.push(Piece::frame(&b"data: [DONE]\n\n"[..]));
        out.pieces
    }

    fn stream_choice(&self, choice: usize, out: &mut Chunks) {
        let content = if self.said.text.is_some() { "\"\"" } else { "null" };
        out.delta(
            choice,
            &format!("{{\"role\":\"assistant\",\"content\":{content},\"refusal\":null}}"),
            None,
            false,
        );
        for (member, said) in [("reasoning_content", &self.said.reasoning), ("content", &self.said.text)] {
            for piece in text::pieces(said.as_deref().unwrap_or_default(), self.said.piece_bytes) {
                out.delta(choice, &format!("{{\"{member}\":{}}}", quoted(piece)), None, true);
            }
        }
        for (index, call) in self.said.calls.iter().enumerate() {
            let start = json!({"tool_calls": [{"index": index, "id": self.call_id(choice, index),
                "type": "function", "function": {"name": call.name, "arguments": ""}}]});
            out.delta(choice, &start.to_string(), None, true);
            for piece in text::pieces(&call.arguments.to_string(), Some(12)) {
                let more = json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
                out.delta(choice, &more.to_string(), None, true);
            }
        }
        out.delta(choice, "{}", Some(self.finish()), false);
    }
}

/// The chunks written so far, and what they have in common.
struct Chunks {
    pieces: Vec<Piece>,
    head: String,
    with_usage: bool,
}

impl Chunks {
    fn new(writer: &Writer<'_>) -> Self {
        let with_usage = match writer.meta.usage.when {
            UsageWhen::Asked => writer.ask.include_usage,
            UsageWhen::Always => true,
            UsageWhen::Never => false,
        };
        let head = format!(
            "data: {{\"id\":\"{}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{},\
             \"service_tier\":\"default\",\"system_fingerprint\":\"fp_simulator\",\"choices\":[",
            writer.id(),
            writer.meta.created,
            quoted(&writer.ask.model)
        );
        Self { pieces: Vec::new(), head, with_usage }
    }

    fn delta(&mut self, choice: usize, delta: &str, finish: Option<&str>, content: bool) {
        let finish = finish.map_or("null".to_owned(), quoted);
        let usage = if self.with_usage { ",\"usage\":null" } else { "" };
        let bytes = format!(
            "{}{{\"index\":{choice},\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]{usage}}}\n\n",
            self.head
        );
        self.pieces.push(if content { Piece::content(bytes) } else { Piece::frame(bytes) });
    }

    fn usage(&mut self, usage: &Value) {
        self.pieces.push(Piece::frame(format!("{}],\"usage\":{usage}}}\n\n", self.head)));
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
