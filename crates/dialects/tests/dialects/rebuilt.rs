//! A recorded answer of the service taken apart again: its context, its receipt and the neutral events that
//! must have led to it.

use serde_json::Value;
use tollgate_dialects::ReplyContext;
use tollgate_domain::conversation::{
    FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_OPENAI, FORMAT_UNKNOWN, ReasoningKind,
};
use tollgate_domain::receipt::{AttemptRecord, CredentialKind, Receipt, Routing};
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::usage::InclusiveUsage;
use tollgate_domain::{GenerationId, JsonText, ModelId, Nanodollars, ReplyEvent, Usage};

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("text expected, found {value}")).to_owned()
}

fn optional(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The context of a chunk or whole answer.
pub fn context(answer: &Value) -> ReplyContext {
    ReplyContext {
        generation: GenerationId::parse(answer["id"].as_str().unwrap()).unwrap(),
        created_seconds: answer["created"].as_i64().unwrap(),
        model: text(&answer["model"]),
        fingerprint: text(&answer["system_fingerprint"]),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

/// The receipt behind the last chunk or whole answer; `metadata` is its `provider_metadata`.
pub fn receipt(answer: &Value, metadata: &Value) -> Receipt {
    let gateway = &metadata["gateway"];
    let routing = &gateway["routing"];
    let usage = &answer["usage"];
    let count = |v: &Value| v.as_u64().unwrap();
    let native = metadata.as_object().unwrap().iter().find(|(k, _)| *k != "gateway");
    let money = |v: &Value| v.as_str().map(|t| Nanodollars::parse(t).unwrap());
    let reasoning = count(&usage["completion_tokens_details"]["reasoning_tokens"]);
    let mut output_total = count(&usage["completion_tokens"]);
    if native.is_some_and(|(k, _)| k == "google") {
        // The service leaves Gemini's thoughts out of its total; ours holds them (I1).
        output_total += reasoning;
    }
    Receipt {
        generation: GenerationId::parse(gateway["generationId"].as_str().unwrap()).unwrap(),
        routing: Routing {
            original_model: ModelId::new(routing["originalModelId"].as_str().unwrap()),
            canonical_model: ModelId::new(routing["canonicalSlug"].as_str().unwrap()),
            resolved_provider: text(&routing["resolvedProvider"]),
            resolved_provider_model: text(&routing["resolvedProviderApiModelId"]),
            fallbacks: routing["fallbacksAvailable"].as_array().unwrap().iter().map(text).collect(),
            reasoning: text(&routing["planningReasoning"]),
            final_provider: text(&routing["finalProvider"]),
            attempts: routing["attempts"].as_array().unwrap().iter().map(attempt).collect(),
        },
        usage: Usage::from(InclusiveUsage {
            input_total: count(&usage["prompt_tokens"]),
            cache_read: count(&usage["prompt_tokens_details"]["cached_tokens"]),
            cache_write_5m: count(&usage["cache_creation_input_tokens"]),
            output_total,
            reasoning,
            ..InclusiveUsage::default()
        }),
        cost: money(&gateway["cost"]),
        market_cost: money(&gateway["marketCost"]),
        byok: usage["is_byok"].as_bool().unwrap(),
        native: native.map(|(k, v)| (k.clone(), JsonText::from(v))),
        service_tier: optional(&answer["service_tier"]),
        warnings: Vec::new(),
    }
}

fn attempt(value: &Value) -> AttemptRecord {
    AttemptRecord {
        provider: text(&value["provider"]),
        provider_model: text(&value["providerApiModelId"]),
        credential: CredentialKind::System,
        success: value["success"].as_bool().unwrap(),
        start_nanos: nanos(&value["startTime"]),
        end_nanos: nanos(&value["endTime"]),
        status: value["statusCode"].as_u64().map(|s| u16::try_from(s).unwrap()),
        error: optional(&value["error"]),
        response_id: optional(&value["providerResponseId"]),
        request_id: optional(&value["providerRequestId"]),
    }
}

/// Milliseconds with decimals, from their text.
fn nanos(value: &Value) -> u64 {
    let written = value.to_string();
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    whole.parse::<u64>().unwrap() * 1_000_000 + format!("{fraction:0<6}").parse::<u64>().unwrap()
}

pub fn finish(choice: &Value) -> Finish {
    let reason = match choice["finish_reason"].as_str().unwrap() {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        other => panic!("unknown finish reason {other}"),
    };
    Finish { reason, raw: None, stop_sequence: None, native: None }
}

/// Turns deltas (or one whole message) back into the events they came from.
#[derive(Default)]
pub struct Events {
    pub events: Vec<ReplyEvent>,
    next_block: u32,
    /// (kind, index, block) of the reasoning that is open.
    reasoning: Option<(ReasoningKind, u64, u32)>,
    tool: Option<u32>,
}

impl Events {
    fn block(&mut self) -> u32 {
        self.next_block += 1;
        self.next_block
    }

    pub fn take(&mut self, delta: &Value) {
        for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
            self.detail(detail);
        }
        if let Some(text) = delta["content"].as_str().filter(|t| !t.is_empty()) {
            self.events.push(ReplyEvent::TextDelta { block: 0, text: text.to_owned() });
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            if let Some(id) = optional(&call["id"]) {
                self.end_tool();
                let block = self.block();
                self.tool = Some(block);
                self.events.push(ReplyEvent::ToolStart { block, id, name: text(&call["function"]["name"]) });
            }
            let arguments = text(&call["function"]["arguments"]);
            self.events.push(ReplyEvent::ToolDelta { block: self.tool.unwrap(), arguments });
        }
    }

    pub fn end_tool(&mut self) {
        if let Some(block) = self.tool.take() {
            self.events.push(ReplyEvent::ToolEnd { block });
        }
    }

    fn detail(&mut self, detail: &Value) {
        let (kind, member) = match detail["type"].as_str().unwrap() {
            "reasoning.text" => (ReasoningKind::Text, "text"),
            "reasoning.summary" => (ReasoningKind::Summary, "summary"),
            "reasoning.encrypted" => (ReasoningKind::Encrypted, "data"),
            other => panic!("unknown detail {other}"),
        };
        let format = match detail["format"].as_str().unwrap() {
            FORMAT_ANTHROPIC => FORMAT_ANTHROPIC,
            FORMAT_OPENAI => FORMAT_OPENAI,
            FORMAT_GEMINI => FORMAT_GEMINI,
            _ => FORMAT_UNKNOWN,
        };
        let index = detail["index"].as_u64().unwrap();
        let block = match self.reasoning {
            Some((k, i, block)) if k == kind && i == index => block,
            _ => {
                let block = self.block();
                self.reasoning = Some((kind, index, block));
                self.events.push(ReplyEvent::ReasoningStart {
                    block,
                    kind,
                    id: optional(&detail["id"]),
                    format,
                });
                block
            }
        };
        let content = text(&detail[member]);
        if kind == ReasoningKind::Encrypted {
            self.events.push(ReplyEvent::ReasoningEnd { block, signature: None, data: Some(content) });
            return;
        }
        let signature = optional(&detail["signature"]).filter(|s| !s.is_empty());
        if signature.is_none() || !content.is_empty() {
            self.events.push(ReplyEvent::ReasoningDelta { block, text: content });
        }
        if signature.is_some() {
            self.events.push(ReplyEvent::ReasoningEnd { block, signature, data: None });
        }
    }
}
