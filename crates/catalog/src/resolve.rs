//! From what a client wrote to a model of the catalog (gateway-api §3).

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::model::{Endpoint, Model};

/// Suggestions are for people's typing errors; nobody types more.
const LONGEST_SUGGESTED: usize = 128;

/// Below this likeness a suggestion misleads more than it helps.
const LEAST_LIKENESS: f64 = 0.72;

/// What the surface that asks allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolveContext<'a> {
    /// A name without creator is taken to be of this one. Bare names do not resolve (gateway-api §3)
    /// except on the surfaces of coding agents, which send them (clients §0.15): `anthropic` there.
    pub bare_creator: Option<&'a str>,
}

/// By what a model was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Its own id.
    Id,
    /// An older id.
    Alias,
    /// A provider's slug in the place of the creator, and the model's name.
    ProviderSlug,
    /// A provider's slug, and that provider's own name of the model.
    UpstreamId,
    /// The creator, and a spelling that the creator uses (`claude-3-5-haiku-latest`).
    Spelling,
}

/// What a client's text stands for.
#[derive(Clone, Copy, Debug)]
pub struct Resolution<'a> {
    /// The model.
    pub model: &'a Model,
    /// The provider the client named in the creator's place: to be tried first, the others after it.
    pub preferred: Option<&'a str>,
    /// The very endpoint, when the client gave the provider's own name of it.
    pub endpoint: Option<&'a Endpoint>,
    /// By what it was found.
    pub by: Match,
}

impl Catalog {
    /// Finds the model that a client's text stands for; `None` when there is none, and then
    /// [`Self::nearest`] has suggestions.
    #[must_use]
    pub fn resolve(&self, text: &str, context: &ResolveContext<'_>) -> Option<Resolution<'_>> {
        if let Some(model) = self.model(text) {
            return Some(Resolution { model, preferred: None, endpoint: None, by: Match::Id });
        }
        if let Some((first, rest)) = text.split_once('/') {
            return self.resolve_split(text, first, rest);
        }
        let creator = context.bare_creator?;
        let full = format!("{creator}/{text}");
        match self.model(&full) {
            Some(model) => Some(Resolution { model, preferred: None, endpoint: None, by: Match::Id }),
            None => self.resolve_split(&full, creator, text),
        }
    }

    fn resolve_split(&self, text: &str, first: &str, rest: &str) -> Option<Resolution<'_>> {
        let index = self.index();
        let found = |at: u32| self.models().get(at as usize);
        if let Some(model) = index.aliases.get(text).and_then(|at| found(*at)) {
            return Some(Resolution { model, preferred: None, endpoint: None, by: Match::Alias });
        }
        if let Some(model) = self.model(rest)
            && let Some(endpoint) = model.endpoints_of(first).next()
        {
            return Some(by_slug(model, endpoint, None, Match::ProviderSlug));
        }
        if let Some(model) = index.slug_names.get(text).and_then(|at| found(*at))
            && let Some(endpoint) = model.endpoints.iter().find(|e| *e.provider == *first)
        {
            return Some(by_slug(model, endpoint, None, Match::ProviderSlug));
        }
        if let Some((at, endpoint)) = index.upstream.get(text)
            && let Some(model) = found(*at)
            && let Some(endpoint) = model.endpoints.get(*endpoint as usize)
        {
            return Some(by_slug(model, endpoint, Some(endpoint), Match::UpstreamId));
        }
        let model = index.spellings.get(&spelling(text)).and_then(|at| found(*at))?;
        Some(Resolution { model, preferred: None, endpoint: None, by: Match::Spelling })
    }

    /// Ids that look like the text, the likeliest first: at most `n`, none when nothing is alike.
    #[must_use]
    pub fn nearest(&self, text: &str, n: usize) -> Vec<&str> {
        let wanted: String = spelling(&text.chars().take(LONGEST_SUGGESTED).collect::<String>());
        let wanted_name = name_of(&wanted);
        let mut scored: Vec<(f64, Reverse<bool>, &str)> = Vec::new();
        for model in self.models() {
            let id = spelling(model.id.as_str());
            let by_name = strsim::jaro_winkler(wanted_name, name_of(&id));
            let by_edits = strsim::normalized_levenshtein(wanted_name, name_of(&id));
            // The name says more than the creator, which people confuse with the provider.
            let whole = strsim::normalized_levenshtein(&wanted, &id);
            let score = 0.4 * by_name + 0.35 * by_edits + 0.25 * whole;
            if score >= LEAST_LIKENESS {
                scored.push((score, Reverse(model.variant.is_none()), model.id.as_str()));
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(b.2)));
        scored.into_iter().take(n).map(|(_, _, id)| id).collect()
    }
}

fn by_slug<'a>(
    model: &'a Model,
    at: &'a Endpoint,
    endpoint: Option<&'a Endpoint>,
    by: Match,
) -> Resolution<'a> {
    // The creator's own name in its own place is no preference, only another spelling.
    let preferred = (*at.provider != *model.creator()).then_some(&*at.provider);
    Resolution { model, preferred, endpoint, by }
}

fn name_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, name)| name)
}

/// One spelling for the ways an id is written: `claude-3.5-haiku`, `claude-3-5-haiku`,
/// `claude-3-5-haiku-latest`, and `claude-opus-4-0` for the first of a generation.
fn spelling(text: &str) -> String {
    let lower = text.to_ascii_lowercase().replace(['.', '_', ':', '@', ' '], "-");
    let lower = lower.strip_suffix("-latest").unwrap_or(&lower);
    lower.strip_suffix("-0").unwrap_or(lower).to_owned()
}

/// What models are found by besides their id.
#[derive(Debug, Default)]
pub(crate) struct Index {
    aliases: HashMap<String, u32>,
    /// `slug/name of the model`.
    slug_names: HashMap<String, u32>,
    /// `slug/the provider's name`, with the place of the endpoint.
    upstream: HashMap<String, (u32, u32)>,
    spellings: HashMap<String, u32>,
}

impl Index {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let mut order: Vec<(u32, &Model)> = (0u32..).zip(catalog.models()).collect();
        // Where several models claim a name, the plain one that is listed has it.
        order.sort_by_key(|(at, m)| (m.variant.is_some(), !m.listed, *at));
        let mut index = Self::default();
        for (at, model) in order {
            for alias in &model.aliases {
                index.aliases.entry(alias.clone()).or_insert(at);
            }
            index.spellings.entry(spelling(model.id.as_str())).or_insert(at);
            for (place, endpoint) in (0u32..).zip(&model.endpoints) {
                index.add_endpoint(at, place, model, endpoint);
            }
        }
        index
    }

    fn add_endpoint(&mut self, at: u32, place: u32, model: &Model, endpoint: &Endpoint) {
        let slug = &endpoint.provider;
        self.slug_names.entry(format!("{slug}/{}", model.id.name())).or_insert(at);
        for id in std::iter::once(&endpoint.model).chain(&endpoint.other_ids) {
            self.upstream.entry(format!("{slug}/{id}")).or_insert((at, place));
            if model.creator() == "anthropic" {
                // Anthropic's dated names are its own wherever they are served.
                let dated = anthropic_name(id);
                self.spellings.entry(spelling(&format!("anthropic/{dated}"))).or_insert(at);
            }
        }
    }
}

/// Anthropic's own name in a cloud's: `us.anthropic.claude-haiku-4-5-20251001-v1:0` on Bedrock,
/// `claude-haiku-4-5@20251001` on Vertex.
fn anthropic_name(id: &str) -> &str {
    let name = id.rsplit_once("anthropic.").map_or(id, |(_, name)| name);
    match name.rsplit_once("-v") {
        Some((stem, version)) if version.bytes().all(|b| b.is_ascii_digit() || b == b':') => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
