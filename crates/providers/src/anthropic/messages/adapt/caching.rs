//! Cache breakpoints that the client left to the gateway (gateway-api §4.5): behind the last message, and
//! behind the one before the last of the person's, or else behind the instructions. A body with marks of its
//! own keeps those and gets no others (I21).

use tollgate_domain::conversation::CacheTtl;
use tollgate_wire::json::{self, Kind, Object};

use super::edit::{self, Edit, holds};
use super::options::Asked;
use crate::caching::{Positions, Speaker, positions};

const MARK: &[u8] = b"{\"type\":\"ephemeral\"}";

/// Places the marks that were asked for.
pub(super) fn place(body: &mut Object<'_>, asked: &Asked) {
    let marked = ["cache_control", "messages", "system", "tools"].into_iter().any(|name| {
        body.get(name).is_some_and(|raw| {
            (name == "cache_control" && !json::is_null(raw)) || holds(raw, b"\"cache_control\"")
        })
    });
    if marked {
        return;
    }
    let mark: &[u8] = match asked.options.cache.map(|mark| mark.ttl) {
        Some(Some(CacheTtl::OneHour)) => b"{\"type\":\"ephemeral\",\"ttl\":\"1h\"}",
        Some(Some(CacheTtl::FiveMinutes)) => b"{\"type\":\"ephemeral\",\"ttl\":\"5m\"}",
        Some(None) => MARK,
        None if asked.automatic_cache => MARK,
        None => return,
    };
    let Some(raw) = body.get("messages") else { return };
    let messages = json::elements(raw).unwrap_or_default();
    let speakers: Vec<_> = messages.iter().map(|raw| Speaker::of_role(role(raw).as_deref())).collect();
    let Positions { last, earlier, .. } = positions(&speakers);
    let earlier = earlier.filter(|_| asked.automatic_cache);
    let mut earlier_marked = false;
    let edited = edit::array(raw, |at, message| {
        if Some(at) != last && Some(at) != earlier {
            return Edit::Keep;
        }
        let Some(message) = with_mark(message, "content", mark) else { return Edit::Keep };
        earlier_marked |= Some(at) == earlier;
        Edit::Replace(message)
    });
    if let Some(edited) = edited {
        body.set("messages", edited);
    }
    if asked.automatic_cache && !earlier_marked {
        let system = body.get("system").and_then(|raw| content_with_mark(raw, mark));
        if let Some(system) = system {
            body.set("system", system);
        }
    }
}

fn role(message: &[u8]) -> Option<String> {
    let message = Object::parse_checked(message).ok()?;
    message.get("role").and_then(json::string).map(std::borrow::Cow::into_owned)
}

fn with_mark(raw: &[u8], name: &str, mark: &[u8]) -> Option<Vec<u8>> {
    let mut holder = Object::parse_checked(raw).ok()?;
    let content = content_with_mark(holder.get(name)?, mark)?;
    holder.set(name, content);
    Some(holder.to_vec())
}

/// Marks the last block that can be marked; a string becomes a block for it. `None` when there is none.
fn content_with_mark(raw: &[u8], mark: &[u8]) -> Option<Vec<u8>> {
    if json::kind(raw) == Kind::String {
        let blank = json::string(raw)?.trim().is_empty();
        let block =
            || [&b"[{\"type\":\"text\",\"text\":"[..], raw, b",\"cache_control\":", mark, b"}]"].concat();
        return (!blank).then(block);
    }
    let blocks = json::elements(raw).ok()?;
    let at = blocks.iter().rposition(|block| can_be_marked(block))?;
    edit::array(raw, |index, block| match Object::parse_checked(block) {
        Ok(mut block) if index == at => {
            block.set("cache_control", mark);
            Edit::Replace(block.to_vec())
        }
        _ => Edit::Keep,
    })
}

/// Reasoning takes no mark, and neither does blank text.
fn can_be_marked(raw: &[u8]) -> bool {
    let Ok(block) = Object::parse_checked(raw) else { return false };
    match block.get("type").and_then(json::string).as_deref() {
        None | Some("thinking" | "redacted_thinking") => false,
        Some("text") => block.get("text").and_then(json::string).is_some_and(|t| !t.trim().is_empty()),
        Some(_) => true,
    }
}
