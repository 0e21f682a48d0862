//! Where an answer has its facts from, and the provider's own metadata of it (clients §1).

use std::collections::HashSet;

use serde_json::{Value, json};
use tollgate_domain::{JsonText, ReplyEvent};
use tollgate_wire::json::{self, Object, write_string};

/// The most sources that are kept of one answer (I26).
const MAX_SOURCES: usize = 1024;

/// The metadata, as sent; absent members are null, as the real service shows them.
#[derive(Debug, Default)]
pub(super) struct Native {
    prompt_feedback: Option<String>,
    grounding: Option<String>,
    url_context: Option<String>,
    safety: Option<String>,
    seen: HashSet<String>,
    queries: u64,
}

impl Native {
    /// Notes what a chunk says of the prompt.
    pub(super) fn prompt_feedback(&mut self, raw: &[u8]) {
        self.prompt_feedback = text_of(raw);
    }

    /// Notes what a candidate says of its sources and its safety.
    pub(super) fn candidate(&mut self, candidate: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        let keep = |into: &mut Option<String>, key: &str| {
            if let Some(raw) = candidate.get(key).filter(|raw| !json::is_null(raw)) {
                *into = text_of(raw);
            }
        };
        keep(&mut self.url_context, "urlContextMetadata");
        keep(&mut self.safety, "safetyRatings");
        keep(&mut self.grounding, "groundingMetadata");
        if let Some(Ok(grounding)) = candidate.get("groundingMetadata").map(Object::parse_checked) {
            self.sources(&grounding, out);
            let queries = elements(&grounding, "webSearchQueries");
            self.queries = self.queries.max(queries.len() as u64);
        }
    }

    /// How many searches of the web the provider ran.
    pub(super) fn queries(&self) -> u64 {
        self.queries
    }

    /// Sources with an address, each once.
    fn sources(&mut self, grounding: &Object<'_>, out: &mut Vec<ReplyEvent>) {
        for raw in elements(grounding, "groundingChunks") {
            let Ok(chunk) = serde_json::from_slice::<Value>(raw) else { continue };
            let found = ["web", "maps", "retrievedContext", "image"].iter().find_map(|kind| chunk.get(kind));
            let Some(found) = found else { continue };
            let word = |key: &str| found.get(key).and_then(Value::as_str);
            let url = word("uri").or_else(|| word("sourceUri")).filter(|url| url.starts_with("http"));
            let Some(url) = url else { continue };
            if self.seen.len() >= MAX_SOURCES || !self.seen.insert(url.to_owned()) {
                continue;
            }
            let mut citation = json!({"type": "url_citation", "url_citation": {"url": url}});
            if let Some(title) = word("title") {
                citation["url_citation"]["title"] = title.into();
            }
            out.push(ReplyEvent::Source(citation));
        }
    }

    /// The metadata for `provider_metadata`, with the usage as sent.
    pub(super) fn text(&self, usage: Option<&str>) -> JsonText {
        let mut out = vec![b'{'];
        for (name, value) in [
            ("promptFeedback", self.prompt_feedback.as_deref()),
            ("groundingMetadata", self.grounding.as_deref()),
            ("urlContextMetadata", self.url_context.as_deref()),
            ("safetyRatings", self.safety.as_deref()),
            ("usageMetadata", usage),
        ] {
            if out.len() > 1 {
                out.push(b',');
            }
            write_string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value.unwrap_or("null").as_bytes());
        }
        out.push(b'}');
        JsonText::new(String::from_utf8(out).unwrap_or_default())
    }
}

fn text_of(raw: &[u8]) -> Option<String> {
    std::str::from_utf8(raw).ok().map(str::to_owned)
}

fn elements<'a>(object: &'a Object<'_>, key: &str) -> Vec<&'a [u8]> {
    object.get(key).and_then(|raw| json::elements(raw).ok()).unwrap_or_default()
}
