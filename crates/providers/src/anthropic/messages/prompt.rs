//! Messages as the protocol's system blocks and alternating turns (providers §4 "Request from chat").

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tollgate_domain::conversation::{
    CacheMark, Content, FORMAT_ANTHROPIC, Message, Part, Reasoning, Role, ToolCall, ToolOutput, ToolResult,
};
use tollgate_domain::{Conversation, InputError};

use super::block::{Block, mark_last, parse_mark};
use super::options::snake;
use super::tool_ids::ToolIds;
use super::{Betas, NAMESPACE, files};
use crate::caching::Automatic;

/// What stands for the person when a conversation begins with the model.
const OPENING: &str = "Continue.";

/// One turn: neighbouring messages of the same side.
#[derive(Debug)]
pub(super) struct Turn {
    /// The person's side, tools included; else the model's.
    pub(super) user: bool,
    /// Its blocks.
    pub(super) blocks: Vec<Block>,
}

/// A prompt in the protocol's form.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) system: Vec<Block>,
    pub(super) turns: Vec<Turn>,
}

/// Builds the prompt.
///
/// # Errors
/// A file that the protocol cannot carry, with its path; a conversation without any content.
pub(super) fn build(conversation: &Conversation, betas: &mut Betas) -> Result<Prompt, InputError> {
    let automatic = Automatic::of(conversation);
    let mut writer = Writer { betas, ids: ToolIds::default(), prompt: Prompt::default() };
    for (index, message) in conversation.messages.iter().enumerate() {
        writer.message(index, message, automatic.behind(index))?;
    }
    let mut prompt = writer.prompt;
    if prompt.turns.is_empty() {
        // Instructions alone are a request elsewhere; here somebody has to speak.
        if prompt.system.is_empty() {
            return Err(InputError::missing("messages", "at least one message with content"));
        }
        let blocks = std::mem::take(&mut prompt.system);
        prompt.turns.push(Turn { user: true, blocks });
    }
    if prompt.turns.first().is_some_and(|turn| !turn.user) {
        prompt.turns.insert(0, Turn { user: true, blocks: vec![Block::text(OPENING)] });
    }
    for turn in &mut prompt.turns {
        turn.order();
    }
    trim_prefill(&mut prompt.turns);
    mark_last(prompt.turns.last_mut().map_or(&mut [], |turn| &mut turn.blocks), automatic.last);
    Ok(prompt)
}

impl Turn {
    /// Results of tools come first in a person's turn; reasoning comes before calls in the model's.
    fn order(&mut self) {
        if self.user {
            self.blocks.sort_by_key(|block| block.kind() != "tool_result");
            return;
        }
        let first_call = self.blocks.iter().position(|block| block.kind() == "tool_use");
        let last_reasoning = self.blocks.iter().rposition(Block::is_reasoning);
        if let (Some(call), Some(reasoning)) = (first_call, last_reasoning)
            && call < reasoning
        {
            self.blocks.sort_by_key(|block| block.kind() == "tool_use");
        }
    }
}

/// A model's turn at the end is to be continued, and must not end in white space.
fn trim_prefill(turns: &mut [Turn]) {
    let Some(turn) = turns.last_mut().filter(|turn| !turn.user) else { return };
    let Some(last) = turn.blocks.last_mut().filter(|block| block.kind() == "text") else { return };
    let trimmed = match last.members.get("text") {
        Some(Value::String(text)) => text.trim_end().to_owned(),
        _ => return,
    };
    last.members.insert("text".to_owned(), Value::String(trimmed));
}

struct Writer<'a> {
    betas: &'a mut Betas,
    ids: ToolIds,
    prompt: Prompt,
}

impl Writer<'_> {
    fn message(
        &mut self,
        index: usize,
        message: &Message,
        placed: Option<CacheMark>,
    ) -> Result<(), InputError> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        let mut unsigned = String::new();
        for (at, part) in message.parts.iter().enumerate() {
            if let Content::Reasoning(reasoning) = &part.content {
                if message.role == Role::Assistant {
                    push_reasoning(reasoning, &mut unsigned, &mut blocks);
                }
            } else {
                let path = || format!("messages[{index}].content[{at}]");
                blocks.extend(self.part(message.role, part, &path)?);
            }
            let mark = part.cache.or_else(|| own_data(part).and_then(cache_option));
            self.mark(&mut blocks, mark);
        }
        self.mark(&mut blocks, message.cache.or(placed));
        self.add(message.role, blocks);
        Ok(())
    }

    /// Puts a mark behind the last block so far. Of a part or message that was dropped it belongs behind
    /// what stands before it (I21).
    fn mark(&mut self, blocks: &mut [Block], mark: Option<CacheMark>) {
        let earlier = match self.prompt.turns.last_mut() {
            Some(turn) => &mut turn.blocks,
            None => &mut self.prompt.system,
        };
        mark_last(if blocks.is_empty() { earlier } else { blocks }, mark);
    }

    fn add(&mut self, role: Role, blocks: Vec<Block>) {
        let leading = self.prompt.turns.is_empty();
        if matches!(role, Role::System | Role::Developer) && leading {
            self.prompt.system.extend(blocks);
            return;
        }
        if blocks.is_empty() {
            return;
        }
        let user = role != Role::Assistant;
        match self.prompt.turns.last_mut() {
            Some(turn) if turn.user == user => turn.blocks.extend(blocks),
            _ => self.prompt.turns.push(Turn { user, blocks }),
        }
    }

    /// The block of a part; `None` for what this protocol has no use for in that role.
    fn part(
        &mut self,
        role: Role,
        part: &Part,
        path: &dyn Fn() -> String,
    ) -> Result<Option<Block>, InputError> {
        let block = match &part.content {
            Content::Text(text) | Content::Refusal(text) => spoken(text, part),
            Content::File(file) => match role {
                Role::User | Role::Tool => {
                    let mut block = files::block(file, &path(), self.betas)?;
                    describe_document(&mut block, part);
                    Some(block)
                }
                // The model's side takes no files: what another model drew stays behind.
                Role::Assistant | Role::System | Role::Developer => None,
            },
            Content::ToolCall(call) => Some(self.call(call, part)),
            Content::ToolResult(result) => Some(self.result(result, path)?),
            Content::Custom { namespace, value } if namespace == NAMESPACE && value.is_object() => {
                self.betas_of(value);
                Some(Block::of(value.clone()))
            }
            Content::Custom { .. } | Content::Reasoning(_) => None,
        };
        Ok(block)
    }

    fn call(&mut self, call: &ToolCall, part: &Part) -> Block {
        let mut block =
            Block::of(json!({"type": "tool_use", "id": self.ids.call(&call.id), "name": call.name}));
        block.input = input(&call.arguments);
        if let Some(caller) = own_data(part).and_then(|data| data.get("caller")) {
            block.members.insert("caller".to_owned(), snake(caller));
        }
        block
    }

    fn result(&mut self, result: &ToolResult, path: &dyn Fn() -> String) -> Result<Block, InputError> {
        let mut block =
            Block::of(json!({"type": "tool_result", "tool_use_id": self.ids.result(&result.call_id)}));
        match &result.output {
            ToolOutput::Text(text) if text.is_empty() => {}
            ToolOutput::Text(text) => {
                block.members.insert("content".to_owned(), Value::String(text.clone()));
            }
            ToolOutput::Json(value) => {
                block.members.insert("content".to_owned(), Value::String(value.to_string()));
            }
            ToolOutput::Parts(parts) => {
                let speaks = |(_, p): &(usize, &Part)| {
                    !matches!(p.content, Content::ToolCall(_) | Content::ToolResult(_))
                };
                for (at, part) in parts.iter().enumerate().filter(speaks) {
                    let inner = self.part(Role::Tool, part, &|| format!("{}.output[{at}]", path()))?;
                    if let Some(mut inner) = inner {
                        inner.cache = inner.cache.or(part.cache);
                        block.content.push(inner);
                    }
                }
            }
        }
        if result.is_error {
            block.members.insert("is_error".to_owned(), Value::Bool(true));
        }
        Ok(block)
    }

    /// Betas that blocks of the history need.
    fn betas_of(&mut self, value: &Value) {
        match value.get("type").and_then(Value::as_str) {
            Some("compaction") => self.betas.add("compact-2026-01-12"),
            Some("container_upload") => self.betas.add(files::FILES_BETA),
            _ => {}
        }
        if value.pointer("/source/type").and_then(Value::as_str) == Some("file") {
            self.betas.add(files::FILES_BETA);
        }
    }
}

/// A part's data of this protocol.
fn own_data(part: &Part) -> Option<&Value> {
    part.provider.iter().find(|(namespace, _)| namespace == NAMESPACE).map(|(_, value)| value)
}

/// A cache mark among provider data, in either spelling.
pub(super) fn cache_option(data: &Value) -> Option<CacheMark> {
    data.get("cache_control").or_else(|| data.get("cacheControl")).and_then(parse_mark)
}

/// Text; blank text is a 400 and is dropped.
fn spoken(text: &str, part: &Part) -> Option<Block> {
    if text.trim().is_empty() {
        return None;
    }
    let mut block = Block::text(text);
    if let Some(citations) = own_data(part).and_then(|data| data.get("citations")).filter(|c| c.is_array()) {
        block.members.insert("citations".to_owned(), citations.clone());
    }
    Some(block)
}

/// Title, context and citations of a document, as the part's own data gives them.
fn describe_document(block: &mut Block, part: &Part) {
    let Some(data) = own_data(part).filter(|_| block.kind() == "document") else { return };
    for key in ["title", "context", "citations"] {
        if let Some(value) = data.get(key).filter(|v| !v.is_null()) {
            block.members.insert(key.to_owned(), value.clone());
        }
    }
}

/// Reasoning that Anthropic signed goes back bit-exact; any other is dropped here (I19). A client may send
/// it as it was streamed, the signature in a closing piece without text (clients §1): `unsigned` keeps the
/// text until then.
fn push_reasoning(reasoning: &Reasoning, unsigned: &mut String, blocks: &mut Vec<Block>) {
    if reasoning.format.as_deref() != Some(FORMAT_ANTHROPIC) {
        return;
    }
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    if let Some(data) = filled(&reasoning.data) {
        unsigned.clear();
        blocks.push(Block::of(json!({"type": "redacted_thinking", "data": data})));
        return;
    }
    let Some(signature) = filled(&reasoning.signature) else {
        unsigned.push_str(&reasoning.text);
        return;
    };
    let pieces = std::mem::take(unsigned);
    let thinking = if reasoning.text.is_empty() { &pieces } else { &reasoning.text };
    blocks.push(Block::of(json!({"type": "thinking", "thinking": thinking, "signature": signature})));
}

/// A call's arguments as the object that the protocol wants, byte for byte when they are one. Absent
/// arguments are `{}`; what is no object is kept inside one.
fn input(arguments: &str) -> Option<Box<RawValue>> {
    let text = arguments.trim();
    let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
    if text.is_empty() || text == "null" {
        return raw("{}");
    }
    if text.starts_with('{')
        && let Some(object) = raw(text)
    {
        return Some(object);
    }
    match serde_json::from_str::<Value>(text) {
        // Some clients encode the object twice.
        Ok(Value::String(inner)) if inner.trim_start().starts_with('{') => {
            raw(inner.trim()).or_else(|| raw(&json!({"arguments": inner}).to_string()))
        }
        Ok(Value::String(inner)) if inner.trim().is_empty() => raw("{}"),
        Ok(other) => raw(&json!({"arguments": other}).to_string()),
        Err(_) => raw(&json!({"arguments": arguments}).to_string()),
    }
}
