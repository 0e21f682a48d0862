//! Earlier turns as Anthropic can read them. What another family's answer left there is dropped, and only
//! here, where it is invalid (I19):
//!
//! - Reasoning of another family, whose state clients carry in an opaque text that begins with `tgs1.`: the
//!   form in which the gateway's dialects hand such state out in `thinking.signature` and
//!   `redacted_thinking.data`. Anthropic's own state is never in that form.
//! - Citations that the gateway made of another provider's sources: their `encrypted_index` is empty, which
//!   Anthropic's own never is.

use tollgate_wire::json::{self, Object};

use super::edit::{self, Edit, holds};

/// How carried state of another family begins.
const CARRIED: &str = "tgs1.";

/// Rewrites `messages` where it must be.
pub(super) fn rewrite(body: &mut Object<'_>) {
    let Some(raw) = body.get("messages") else { return };
    if !changes(raw) {
        return;
    }
    let Some(edited) = edit::array(raw, |_, message| message_edit(message)) else { return };
    let quiet = answers_calls_without_reasoning(raw, &edited);
    body.set("messages", edited);
    if quiet {
        stop_reasoning(body);
    }
}

/// Whether there may be something to change.
fn changes(raw: &[u8]) -> bool {
    holds(raw, b"\"tgs1.") || holds(raw, b"\"encrypted_index\"")
}

fn message_edit(raw: &[u8]) -> Edit {
    if !changes(raw) {
        return Edit::Keep;
    }
    let Ok(mut message) = Object::parse_checked(raw) else { return Edit::Keep };
    let Some(content) = message.get("content").and_then(|raw| edit::array(raw, |_, block| block_edit(block)))
    else {
        return Edit::Keep;
    };
    // A message without content is refused.
    if content == b"[]" {
        return Edit::Remove;
    }
    message.set("content", content);
    Edit::Replace(message.to_vec())
}

fn block_edit(raw: &[u8]) -> Edit {
    if !changes(raw) {
        return Edit::Keep;
    }
    let Ok(mut block) = Object::parse_checked(raw) else { return Edit::Keep };
    let carried = |key: &str| block.get(key).and_then(json::string).is_some_and(|t| t.starts_with(CARRIED));
    match block.get("type").and_then(json::string).as_deref() {
        Some("thinking") if carried("signature") => Edit::Remove,
        Some("redacted_thinking") if carried("data") => Edit::Remove,
        Some("text") => {
            let citations = block.get("citations").and_then(|raw| edit::array(raw, |_, c| citation_edit(c)));
            let Some(citations) = citations else { return Edit::Keep };
            if citations == b"[]" {
                block.remove("citations");
            } else {
                block.set("citations", citations);
            }
            Edit::Replace(block.to_vec())
        }
        _ => Edit::Keep,
    }
}

fn citation_edit(raw: &[u8]) -> Edit {
    let ours = Object::parse_checked(raw).is_ok_and(|c| c.get("encrypted_index") == Some(b"\"\""));
    if ours { Edit::Remove } else { Edit::Keep }
}

/// Whether the calls now being answered have lost the reasoning they were made with. With a budget Anthropic
/// refuses such a history, so that the rest of the loop has to do without.
fn answers_calls_without_reasoning(before: &[u8], after: &[u8]) -> bool {
    let last_two = |raw| {
        let messages = json::elements(raw).unwrap_or_default();
        let (results, calls) = (messages.last().copied(), messages.len().checked_sub(2));
        Some((results?, *messages.get(calls?)?))
    };
    let (Some((results, calls)), Some((_, reasoned))) = (last_two(after), last_two(before)) else {
        return false;
    };
    let has = |message: &[u8], kinds: &[&str]| {
        let message = Object::parse_checked(message).unwrap_or_default();
        let blocks = message.get("content").and_then(|raw| json::elements(raw).ok()).unwrap_or_default();
        blocks.iter().any(|block| {
            let block = Object::parse_checked(block).unwrap_or_default();
            let kind = block.get("type").and_then(json::string);
            kind.is_some_and(|kind| kinds.contains(&&*kind))
        })
    };
    const REASONING: [&str; 2] = ["thinking", "redacted_thinking"];
    has(results, &["tool_result"])
        && has(calls, &["tool_use"])
        && !has(calls, &REASONING)
        && has(reasoned, &REASONING)
}

/// Takes a budget back, and with it the edits of history that need one.
fn stop_reasoning(body: &mut Object<'_>) {
    let thinking = body.get("thinking").and_then(|raw| Object::parse_checked(raw).ok());
    if thinking.is_none_or(|t| t.get("type") != Some(b"\"enabled\"")) {
        return;
    }
    body.remove("thinking");
    let managed = body.get("context_management").and_then(|raw| Object::parse_checked(raw).ok());
    let Some(mut managed) = managed else { return };
    let needs_it = |raw: &[u8]| {
        let edit = Object::parse_checked(raw).unwrap_or_default();
        edit.get("type").and_then(json::string).is_some_and(|kind| kind.starts_with("clear_thinking"))
    };
    let each = |_, raw: &[u8]| if needs_it(raw) { Edit::Remove } else { Edit::Keep };
    let Some(edits) = managed.get("edits").and_then(|raw| edit::array(raw, each)) else { return };
    if edits == b"[]" {
        body.remove("context_management");
    } else {
        managed.set("edits", edits);
        let managed = managed.to_vec();
        body.set("context_management", managed);
    }
}
