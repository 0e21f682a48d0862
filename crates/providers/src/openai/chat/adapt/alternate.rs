//! Perplexity's history: no tools, and after the system message user and assistant take turns (providers §2).

use tollgate_wire::json::{self, Object, write_string};

use super::array;

/// One turn being gathered.
struct Turn {
    role: Vec<u8>,
    /// A turn that consists of one message keeps its bytes.
    message: Vec<u8>,
    contents: Vec<Vec<u8>>,
}

/// Merges neighbours of one role; results of tools become the user's. `None` when nothing has to change.
pub(super) fn merge(messages: &[u8]) -> Option<Vec<u8>> {
    let elements = json::elements(messages).ok()?;
    let mut turns: Vec<Turn> = Vec::with_capacity(elements.len());
    let mut changed = false;
    for raw in elements {
        let mut message = Object::parse_checked(raw).ok()?;
        let mut own = false;
        if message.get("role") == Some(b"\"tool\"") {
            message.set_string("role", "user");
            message.remove("tool_call_id");
            own = true;
        }
        own |= message.remove("tool_calls").is_some();
        let role = message.get("role")?.to_vec();
        let content = message
            .get("content")
            .filter(|raw| !matches!(*raw, b"null" | b"\"\"" | b"[]"))
            .map(<[u8]>::to_vec);
        let Some(content) = content else {
            changed = true;
            continue;
        };
        if let Some(turn) = turns.last_mut().filter(|turn| turn.role == role) {
            turn.contents.push(content);
            changed = true;
        } else {
            changed |= own;
            let message = if own { message.to_vec() } else { raw.to_vec() };
            turns.push(Turn { role, message, contents: vec![content] });
        }
    }
    if !changed {
        return None;
    }
    let merged: Vec<Vec<u8>> = turns.into_iter().filter_map(Turn::write).collect();
    Some(array::join(merged.iter().map(Vec::as_slice), messages.len()))
}

impl Turn {
    fn write(self) -> Option<Vec<u8>> {
        if self.contents.len() == 1 {
            return Some(self.message);
        }
        let mut message = Object::parse_checked(&self.message).ok()?;
        let texts: Option<Vec<_>> = self.contents.iter().map(|raw| json::string(raw)).collect();
        if let Some(texts) = texts {
            message.set_string("content", &texts.join("\n\n"));
            return Some(message.to_vec());
        }
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for raw in &self.contents {
            match json::elements(raw) {
                Ok(elements) => parts.extend(elements.into_iter().map(<[u8]>::to_vec)),
                Err(_) => parts.push(text_part(raw)),
            }
        }
        message.set("content", array::join(parts.iter().map(Vec::as_slice), 0));
        Some(message.to_vec())
    }
}

fn text_part(raw: &[u8]) -> Vec<u8> {
    let mut part = Object::new();
    let mut empty = Vec::new();
    write_string(&mut empty, "");
    part.set("type", &b"\"text\""[..]);
    part.set("text", if raw.first() == Some(&b'"') { raw.to_vec() } else { empty });
    part.to_vec()
}
