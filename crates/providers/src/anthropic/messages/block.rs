//! A content block, system block or tool definition of a request, and how it is written.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{CacheMark, CacheTtl};

/// A block on its way into a request. Its cache mark is kept apart until all marks have been weighed.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// Members as they are written.
    pub(super) members: Map<String, Value>,
    /// The input of a call, byte for byte (I18).
    pub(super) input: Option<Box<RawValue>>,
    /// The blocks of a tool's result.
    pub(super) content: Vec<Block>,
    /// A breakpoint behind the block.
    pub(super) cache: Option<CacheMark>,
}

impl Block {
    /// A block with these members, which must be an object. A mark in the protocol's own form is taken out
    /// so that it is counted with the others.
    pub(super) fn of(value: Value) -> Self {
        let Value::Object(mut members) = value else { return Self::default() };
        let cache = members.get("cache_control").and_then(parse_mark);
        if cache.is_some() {
            members.shift_remove("cache_control");
        }
        Self { members, cache, ..Self::default() }
    }

    /// A text block.
    pub(super) fn text(text: &str) -> Self {
        Self::of(json!({"type": "text", "text": text}))
    }

    /// The block's `type`.
    pub(super) fn kind(&self) -> &str {
        self.members.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is reasoning, which must come unmodified and before calls.
    pub(super) fn is_reasoning(&self) -> bool {
        matches!(self.kind(), "thinking" | "redacted_thinking")
    }

    /// Marks the block unless it is marked already; reasoning takes no mark. Tells whether it is marked.
    pub(super) fn mark(&mut self, mark: CacheMark) -> bool {
        if self.is_reasoning() {
            return false;
        }
        self.cache.get_or_insert(mark);
        true
    }
}

/// Marks the last of the blocks that can be marked.
pub(super) fn mark_last(blocks: &mut [Block], mark: Option<CacheMark>) {
    if let Some(mark) = mark {
        let _ = blocks.iter_mut().rev().any(|block| block.mark(mark));
    }
}

/// A mark in the protocol's own form (`{"type":"ephemeral","ttl":"1h"}`).
pub(super) fn parse_mark(value: &Value) -> Option<CacheMark> {
    if value.get("type").and_then(Value::as_str) != Some("ephemeral") {
        return None;
    }
    let ttl = match value.get("ttl").and_then(Value::as_str) {
        Some("1h") => Some(CacheTtl::OneHour),
        Some("5m") => Some(CacheTtl::FiveMinutes),
        Some(_) => return None,
        None => None,
    };
    Some(CacheMark { ttl })
}

fn mark_value(mark: CacheMark) -> Value {
    match mark.ttl {
        None => json!({"type": "ephemeral"}),
        Some(CacheTtl::FiveMinutes) => json!({"type": "ephemeral", "ttl": "5m"}),
        Some(CacheTtl::OneHour) => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in &self.members {
            map.serialize_entry(key, value)?;
        }
        if let Some(input) = &self.input {
            map.serialize_entry("input", input)?;
        }
        if !self.content.is_empty() {
            map.serialize_entry("content", &self.content)?;
        }
        if let Some(mark) = self.cache {
            map.serialize_entry("cache_control", &mark_value(mark))?;
        }
        map.end()
    }
}
