//! `providerOptions` of a client's body: what it wants of this provider in particular becomes members of the
//! body, as it does for a body that is written anew; what it wants of the gateway, and the protocol has a
//! member for, too (gateway-api §4).

use serde_json::{Map, Value};
use tollgate_wire::json::{self, Object};

use super::super::Betas;
use super::super::options::{Options, speaks_to};
use crate::Target;

/// The longest safety identifier (gateway-api §4.1).
const SAFETY_IDENTIFIER_CHARS: usize = 64;

/// What the options ask for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) options: Options,
    /// The gateway shall place cache marks.
    pub(super) automatic_cache: bool,
    service_tier: Option<&'static str>,
    safety_identifier: Option<String>,
}

impl Asked {
    /// Reads the options of a body.
    pub(super) fn of(body: &Object<'_>, target: &Target, betas: &mut Betas) -> Self {
        let auto = |raw: Option<&[u8]>| raw == Some(b"\"auto\"");
        let mut asked = Self { automatic_cache: auto(body.get("caching")), ..Self::default() };
        let namespaces = body.get("providerOptions").and_then(|raw| Object::parse_checked(raw).ok());
        let Some(namespaces) = namespaces else { return asked };
        let own: Vec<(String, Value)> = namespaces
            .members()
            .filter(|(slug, _)| speaks_to(slug, target))
            .filter_map(|(slug, raw)| Some((slug.into_owned(), serde_json::from_slice(raw).ok()?)))
            .collect();
        let own = own.iter().map(|(slug, value)| (slug.as_str(), value));
        asked.options = Options::from_namespaces(own, target, betas);
        let gateway = namespaces.get("gateway").and_then(|raw| Object::parse_checked(raw).ok());
        let Some(gateway) = gateway else { return asked };
        asked.automatic_cache |= auto(gateway.get("caching"));
        // `flex` has no counterpart. Priority is given by `auto` to accounts that have it.
        asked.service_tier = match gateway.get("serviceTier").and_then(json::string).as_deref() {
            Some("priority" | "fast") => Some("auto"),
            _ => None,
        };
        let identifier = gateway.get("safetyIdentifier").and_then(json::string);
        asked.safety_identifier = identifier
            .map(|text| text.chars().take(SAFETY_IDENTIFIER_CHARS).collect::<String>())
            .filter(|text| !text.is_empty());
        asked
    }

    /// Puts the members into the body. The body's own wins over the gateway's options, and the provider's
    /// options win over both.
    pub(super) fn apply(self, body: &mut Object<'_>) {
        let absent = |body: &Object<'_>, name: &str| body.get(name).is_none_or(json::is_null);
        if let Some(tier) = self.service_tier.filter(|_| absent(body, "service_tier")) {
            body.set_string("service_tier", tier);
        }
        if let Some(identifier) = self.safety_identifier {
            let metadata = body.get("metadata").and_then(|raw| Object::parse_checked(raw).ok());
            if metadata.is_none_or(|m| absent(&m, "user_id")) {
                extend(body, "metadata", single("user_id", identifier.into()));
            }
        }
        let Options { thinking, effort, disable_parallel, members, .. } = self.options;
        if let Some(thinking) = thinking {
            body.set("thinking", thinking.to_string().into_bytes());
        }
        if let Some(effort) = effort {
            extend(body, "output_config", single("effort", effort.into()));
        }
        if let Some(off) = disable_parallel.filter(|_| body.has("tools")) {
            one_by_one(body, off);
        }
        for (name, value) in members {
            match value {
                Value::Object(added) if name == "output_config" || name == "metadata" => {
                    extend(body, &name, added);
                }
                value => body.set(&name, value.to_string().into_bytes()),
            }
        }
    }
}

fn single(name: &str, value: Value) -> Map<String, Value> {
    std::iter::once((name.to_owned(), value)).collect()
}

/// Adds members to an object of the body, whose others stay as they stand.
fn extend(body: &mut Object<'_>, name: &str, added: Map<String, Value>) {
    let current = body.get(name).map(<[u8]>::to_vec).unwrap_or_default();
    let mut object = Object::parse_checked(&current).unwrap_or_default();
    for (key, value) in added {
        object.set(&key, value.to_string().into_bytes());
    }
    let text = object.to_vec();
    body.set(name, text);
}

/// Whether calls may be made only one at a time. A choice of nothing has no place for it.
fn one_by_one(body: &mut Object<'_>, off: bool) {
    let current = body.get("tool_choice").map(<[u8]>::to_vec).unwrap_or_default();
    let choice = Object::parse_checked(&current).unwrap_or_default();
    if choice.get("type") == Some(b"\"none\"") || (choice.is_empty() && !off) {
        return;
    }
    let mut added = Map::new();
    if choice.is_empty() {
        added.insert("type".to_owned(), "auto".into());
    }
    added.insert("disable_parallel_tool_use".to_owned(), off.into());
    extend(body, "tool_choice", added);
}
