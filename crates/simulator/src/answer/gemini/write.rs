//! Writing a GenerateContentResponse, whole or as a stream of chunks with new parts only (providers §5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{history, signs_calls};
use crate::answer::ask::Ask;
use crate::answer::{Finish, Meta, Said, Tokens, png, text};
use crate::behaviour::UsageWhen;
use crate::reply::{Piece, Reply};
use crate::seal::Kind;

/// What an image counts.
const IMAGE_TOKENS: u64 = 1290;

/// Writes the answer; a stream as events when `sse`, else as a JSON list.
pub(crate) fn write(ask: &Ask, said: &Said, tokens: Tokens, meta: &Meta<'_>, sse: bool) -> Reply {
    let writer = Writer { ask, said, tokens, meta };
    if !ask.stream {
        return Reply::json(200, &writer.whole());
    }
    let chunks = writer.chunks();
    let last = chunks.len() - 1;
    let pieces = chunks.into_iter().enumerate().map(|(at, (chunk, content))| {
        let bytes = match sse {
            true => format!("data: {chunk}\r\n\r\n"),
            false => {
                let (before, after) =
                    (if at == 0 { "[" } else { ",\r\n" }, if at == last { "]" } else { "" });
                format!("{before}{chunk}{after}")
            }
        };
        if content { Piece::content(bytes) } else { Piece::frame(bytes) }
    });
    let mut reply = Reply::events(pieces.collect());
    reply.set_header(
        "content-type",
        if sse { "text/event-stream" } else { "application/json; charset=UTF-8" },
    );
    reply
}

/// Writes a count of tokens.
pub(crate) fn count(ask: &Ask) -> Reply {
    let tokens = ask.input_tokens();
    Reply::json(
        200,
        &json!({"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}),
    )
}

struct Writer<'a> {
    ask: &'a Ask,
    said: &'a Said,
    tokens: Tokens,
    meta: &'a Meta<'a>,
}

impl Writer<'_> {
    /// Whether thoughts are signed: on Gemini 3 always, else when the model thinks.
    fn signs(&self) -> bool {
        signs_calls(&self.ask.model) || self.said.reasoning.is_some()
    }

    fn finish(&self) -> &'static str {
        if self.said.finish == Finish::Length { "MAX_TOKENS" } else { "STOP" }
    }

    fn thoughts(&self) -> Option<&str> {
        self.said.reasoning.as_deref().filter(|_| !self.ask.reasoning_hidden)
    }

    fn text(&self) -> &str {
        self.said.text.as_deref().unwrap_or_default()
    }

    /// The function calls; the first one carries the signature.
    fn calls(&self) -> Vec<Value> {
        let part = |(index, call): (usize, &crate::answer::Call)| {
            let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments}});
            if index == 0 && self.signs() {
                let signed = history::call_text(&call.name, &call.arguments);
                part["thoughtSignature"] = json!(self.meta.seal.issue(Kind::CallThought, &signed));
            }
            part
        };
        self.said.calls.iter().enumerate().map(part).collect()
    }

    fn image(&self) -> Option<Value> {
        self.ask.image_output.then(|| {
            let data = STANDARD.encode(png::drawn(&self.ask.question, 0));
            json!({"inlineData": {"mimeType": "image/png", "data": data}})
        })
    }

    fn text_signature(&self) -> Option<String> {
        let signs = self.signs() && self.said.calls.is_empty();
        signs.then(|| self.meta.seal.issue(Kind::TextThought, self.text()))
    }

    fn grounding(&self) -> Option<Value> {
        let search = self.said.search.as_ref()?;
        let chunk = |hit: &crate::answer::Hit| json!({"web": {"uri": hit.url, "title": hit.title}});
        let chunks: Vec<Value> = search.hits.iter().map(chunk).collect();
        Some(json!({"webSearchQueries": [search.query], "groundingChunks": chunks, "groundingSupports": [
            {"segment": {"endIndex": self.text().len(), "text": self.text()}, "groundingChunkIndices": [0]}]}))
    }

    /// The counts so far: thoughts stand beside the candidates (providers §0.1).
    fn usage(&self, visible: u64) -> Value {
        let over = self.meta.usage;
        let n = self.ask.choices as u64;
        let prompt = over.input_tokens.unwrap_or(self.tokens.input);
        let image = if self.ask.image_output { IMAGE_TOKENS } else { 0 };
        let candidates = over.output_tokens.unwrap_or((visible + image) * n);
        let thoughts = self.tokens.reasoning * n;
        let searched = self.said.search.as_ref().map_or(0, crate::answer::Search::tokens);
        let mut usage = json!({"promptTokenCount": prompt, "candidatesTokenCount": candidates,
            "totalTokenCount": prompt + candidates + thoughts + searched,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}]});
        let cached = over.cached_tokens.unwrap_or(self.tokens.cache_read);
        for (name, value) in [
            ("cachedContentTokenCount", cached),
            ("thoughtsTokenCount", thoughts),
            ("toolUsePromptTokenCount", searched),
        ] {
            if value > 0 {
                usage[name] = json!(value);
            }
        }
        if image > 0 {
            usage["candidatesTokensDetails"] = json!([{"modality": "IMAGE", "tokenCount": image * n}]);
        }
        usage
    }

    fn response(&self, candidates: Value, visible: u64) -> Value {
        let mut response = json!({"candidates": candidates});
        if self.meta.usage.when != UsageWhen::Never {
            response["usageMetadata"] = self.usage(visible);
        }
        response["modelVersion"] = json!(self.ask.model);
        response["responseId"] = json!(format!("sim{:020x}", self.meta.order));
        response
    }

    fn whole(&self) -> Value {
        let mut parts = Vec::new();
        if let Some(thoughts) = self.thoughts() {
            parts.push(json!({"text": thoughts, "thought": true}));
        }
        if !self.text().is_empty() {
            let mut part = json!({"text": self.text()});
            if let Some(signature) = self.text_signature() {
                part["thoughtSignature"] = json!(signature);
            }
            parts.push(part);
        }
        parts.extend(self.image());
        parts.extend(self.calls());
        let candidate = |index: usize| {
            let mut content = json!({"role": "model"});
            // Spent on thinking, there is no part at all.
            if !parts.is_empty() {
                content = json!({"parts": parts, "role": "model"});
            }
            let mut candidate = json!({"content": content, "finishReason": self.finish(), "index": index});
            if let Some(grounding) = self.grounding() {
                candidate["groundingMetadata"] = grounding;
            }
            candidate
        };
        let candidates: Vec<Value> = (0..self.ask.choices).map(candidate).collect();
        self.response(candidates.into(), self.tokens.output - self.tokens.reasoning)
    }

    /// The chunks of a stream, and whether each carries content.
    fn chunks(&self) -> Vec<(Value, bool)> {
        let mut parts: Vec<Value> = Vec::new();
        for piece in text::pieces(self.thoughts().unwrap_or_default(), None) {
            parts.push(json!({"text": piece, "thought": true}));
        }
        for piece in text::pieces(self.text(), self.said.piece_bytes) {
            parts.push(json!({"text": piece}));
        }
        parts.extend(self.image());
        parts.extend(self.calls());
        let visible = self.tokens.output - self.tokens.reasoning;
        let total = parts.len() as u64;
        let mut chunks = Vec::new();
        for (at, part) in (1u64..).zip(parts) {
            for index in 0..self.ask.choices {
                let candidates = json!([{"content": {"parts": [part], "role": "model"}, "index": index}]);
                chunks.push((self.response(candidates, visible * at / total), true));
            }
        }
        for index in 0..self.ask.choices {
            let mut part = json!({"text": ""});
            if let Some(signature) = self.text_signature() {
                part["thoughtSignature"] = json!(signature);
            }
            let mut candidate = json!({"content": {"parts": [part], "role": "model"},
                "finishReason": self.finish(), "index": index});
            if let Some(grounding) = self.grounding() {
                candidate["groundingMetadata"] = grounding;
            }
            chunks.push((self.response(json!([candidate]), visible), false));
        }
        chunks
    }
}
