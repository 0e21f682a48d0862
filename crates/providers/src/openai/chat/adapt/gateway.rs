//! What a client's body wants of the gateway and the protocol has a member for (gateway-api §4.1, §4.4).
//! Members that the client wrote itself win, and the provider's own options win over both.

use tollgate_wire::json::{self, Object};

use super::super::quirks::Quirks;

/// The longest safety identifier (gateway-api §4.1).
const SAFETY_IDENTIFIER_CHARS: usize = 64;

/// `providerOptions.gateway`, as far as it ends in the body.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    /// Cache breakpoints shall be placed.
    pub(super) caching: bool,
    service_tier: Option<&'static str>,
    safety_identifier: Option<String>,
}

impl Gateway {
    /// Reads the options of a body.
    pub(super) fn of(body: &Object<'_>) -> Self {
        let namespaces = body.get("providerOptions").and_then(|raw| Object::parse_checked(raw).ok());
        let gateway = namespaces.as_ref().and_then(|n| n.get("gateway"));
        let Some(gateway) = gateway.and_then(|raw| Object::parse_checked(raw).ok()) else {
            return Self::default();
        };
        let word = |name: &str| gateway.get(name).and_then(json::string);
        Self {
            caching: word("caching").as_deref() == Some("auto"),
            service_tier: match word("serviceTier").as_deref() {
                Some("flex") => Some("flex"),
                Some("priority" | "fast") => Some("priority"),
                _ => None,
            },
            safety_identifier: word("safetyIdentifier").map(|t| cut(&t)).filter(|t| !t.is_empty()),
        }
    }

    /// Puts the members into the body. A tier goes only where it is known.
    pub(super) fn apply(&self, body: &mut Object<'_>, quirks: &Quirks) {
        let absent = |body: &Object<'_>, name: &str| body.get(name).is_none_or(json::is_null);
        if let Some(tier) = self.service_tier.filter(|_| absent(body, "service_tier"))
            && let Some(tier) = quirks.tier(tier)
        {
            body.set_string("service_tier", tier);
        }
        let member = if quirks.openai_members { "safety_identifier" } else { "user" };
        let named = ["safety_identifier", "user"].iter().any(|name| !absent(body, name));
        if let Some(identifier) = self.safety_identifier.as_deref().filter(|_| !named) {
            body.set_string(member, identifier);
        }
        let unknown = quirks.drop.contains(&"safety_identifier");
        if unknown && absent(body, "user") && !absent(body, "safety_identifier") {
            // The older name of the same is known more widely.
            body.remove("user");
            body.rename("safety_identifier", "user");
        }
        for name in ["safety_identifier", "user"] {
            // More is refused.
            let long =
                body.get(name).filter(|raw| raw.len() > SAFETY_IDENTIFIER_CHARS).and_then(json::string);
            let long = long.filter(|text| text.chars().count() > SAFETY_IDENTIFIER_CHARS);
            if let Some(short) = long.map(|text| cut(&text)) {
                body.set_string(name, &short);
            }
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SAFETY_IDENTIFIER_CHARS).collect()
}

#[cfg(test)]
mod tests;
