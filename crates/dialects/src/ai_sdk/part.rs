//! `providerOptions` as they stand on messages, parts, tool outputs and tools: cache marks and opaque data
//! of providers. What the gateway itself wrote into a part's metadata comes back here under its own name.

use serde_json::Value;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{CacheMark, CacheTtl, Content, Part};
use tollgate_wire::json;

use super::members::{fields, value, word};
use crate::checked::Fields;
use crate::json_path::Path;

/// The namespace that is the gateway's own.
pub(super) const GATEWAY: &str = "gateway";

/// What stands beside a part.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// A cache breakpoint.
    pub(super) cache: Option<CacheMark>,
    /// (namespace, options), the gateway's left out.
    pub(super) provider: Vec<(String, Value)>,
    /// The gateway's own.
    pub(super) gateway: Option<Value>,
}

impl Marks {
    /// Reads the `providerOptions` of an object.
    pub(super) fn read(path: &Path<'_>, holder: &Fields<'_>) -> Result<Self, InputError> {
        let mut marks = Self::default();
        let Some(raw) = holder.get("providerOptions") else { return Ok(marks) };
        let path = path.member("providerOptions");
        for (namespace, raw) in fields(&path, raw)?.iter().filter(|(_, raw)| !json::is_null(raw)) {
            let path = path.member(namespace);
            let options = fields(&path, raw)?;
            if namespace == GATEWAY {
                marks.gateway = Some(value(&path, raw)?);
                continue;
            }
            for key in ["cacheControl", "cache_control", "cachePoint"] {
                marks.cache = marks.cache.or(cache_mark(&path, &options, key)?);
            }
            marks.provider.push((namespace.to_owned(), value(&path, raw)?));
        }
        Ok(marks)
    }

    /// A text option of one of these namespaces.
    pub(super) fn option(&self, namespaces: &[&str], key: &str) -> Option<&str> {
        let mut named =
            self.provider.iter().filter(|(namespace, _)| namespaces.contains(&namespace.as_str()));
        named.find_map(|(_, options)| options.get(key).and_then(Value::as_str))
    }

    /// Removes an option that has become a part of its own; its namespace goes when nothing else is in it.
    pub(super) fn take_option(&mut self, namespaces: &[&str], key: &str) -> Option<String> {
        let found = self.option(namespaces, key)?.to_owned();
        for (_, options) in self.provider.iter_mut().filter(|(n, _)| namespaces.contains(&n.as_str())) {
            if let Value::Object(members) = options {
                members.shift_remove(key);
            }
        }
        self.provider.retain(|(_, options)| options.as_object().is_none_or(|members| !members.is_empty()));
        Some(found)
    }

    /// A part with these marks.
    pub(super) fn on(self, content: Content) -> Part {
        Part { content, cache: self.cache, provider: self.provider }
    }
}

/// `{type:"ephemeral", ttl?}`, or `{type:"default"}` of a cache point. An unknown lifetime leaves the
/// provider's default.
fn cache_mark(path: &Path<'_>, options: &Fields<'_>, key: &str) -> Result<Option<CacheMark>, InputError> {
    let Some(raw) = options.get(key) else { return Ok(None) };
    let mark = fields(&path.member(key), raw)?;
    let ttl = match word(&mark, "ttl").as_deref() {
        Some("1h") => Some(CacheTtl::OneHour),
        Some("5m") => Some(CacheTtl::FiveMinutes),
        _ => None,
    };
    Ok(Some(CacheMark { ttl }))
}
