//! What an update of the catalog changes, in words (operations: `tollgate catalog diff`).

use std::fmt;

use tollgate_domain::Picodollars;

use crate::catalog::Catalog;
use crate::model::{Endpoint, Model};
use crate::price::{LevelPrices, Prices};

/// One change. Its `Display` is a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A provider is new.
    ProviderAdded(String),
    /// A provider is gone.
    ProviderRemoved(String),
    /// A provider's address, protocol or credential changed.
    ProviderChanged(String),
    /// A model is new.
    ModelAdded(String),
    /// A model is gone.
    ModelRemoved(String),
    /// Something about a model other than its endpoints changed.
    ModelChanged {
        /// The model.
        model: String,
        /// Which facts.
        facts: Vec<&'static str>,
    },
    /// A model is served at one more place.
    EndpointAdded {
        /// The model.
        model: String,
        /// Provider and its name of the model.
        endpoint: String,
    },
    /// A model is no longer served at a place.
    EndpointRemoved {
        /// The model.
        model: String,
        /// Provider and its name of the model.
        endpoint: String,
    },
    /// Something about an endpoint other than its prices changed.
    EndpointChanged {
        /// The model.
        model: String,
        /// Provider and its name of the model.
        endpoint: String,
    },
    /// A price changed.
    Price {
        /// The model.
        model: String,
        /// Provider and its name of the model.
        endpoint: String,
        /// Which price: `output`, `batch.input`, `tiers[200000].input`.
        price: String,
        /// What it was; `None`: not known.
        old: Option<Picodollars>,
        /// What it is; `None`: not known any more.
        new: Option<Picodollars>,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProviderAdded(slug) => write!(f, "+ provider {slug}"),
            Self::ProviderRemoved(slug) => write!(f, "- provider {slug}"),
            Self::ProviderChanged(slug) => write!(f, "~ provider {slug}"),
            Self::ModelAdded(id) => write!(f, "+ model {id}"),
            Self::ModelRemoved(id) => write!(f, "- model {id}"),
            Self::ModelChanged { model, facts } => write!(f, "~ {model}: {}", facts.join(", ")),
            Self::EndpointAdded { model, endpoint } => write!(f, "+ {model} at {endpoint}"),
            Self::EndpointRemoved { model, endpoint } => write!(f, "- {model} at {endpoint}"),
            Self::EndpointChanged { model, endpoint } => write!(f, "~ {model} at {endpoint}"),
            Self::Price { model, endpoint, price, old, new } => {
                write!(f, "$ {model} at {endpoint}: {price} {} -> {}", Amount(*old), Amount(*new))
            }
        }
    }
}

struct Amount(Option<Picodollars>);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(price) => fmt::Display::fmt(&price, f),
            None => f.write_str("unknown"),
        }
    }
}

/// What leads from one catalog to the other, by provider and then by model.
#[must_use]
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Change> {
    let mut changes = Vec::new();
    pairs(
        old.providers(),
        new.providers(),
        |p| p.slug.as_ref(),
        |pair| match pair {
            (None, Some(p)) => changes.push(Change::ProviderAdded(p.slug.to_string())),
            (Some(p), None) => changes.push(Change::ProviderRemoved(p.slug.to_string())),
            (Some(a), Some(b)) if a != b => changes.push(Change::ProviderChanged(b.slug.to_string())),
            _ => {}
        },
    );
    pairs(
        old.models(),
        new.models(),
        |m| m.id.as_str(),
        |pair| match pair {
            (None, Some(m)) => changes.push(Change::ModelAdded(m.id.to_string())),
            (Some(m), None) => changes.push(Change::ModelRemoved(m.id.to_string())),
            (Some(a), Some(b)) => model_changes(a, b, &mut changes),
            (None, None) => {}
        },
    );
    changes
}

/// Walks two lists sorted by the same key side by side.
fn pairs<'a, T>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&T) -> &str,
    mut each: impl FnMut((Option<&'a T>, Option<&'a T>)),
) {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => return,
            (Some(a), Some(b)) if key(a) == key(b) => each((old.next(), new.next())),
            (Some(a), Some(b)) if key(a) > key(b) => each((None, new.next())),
            (None, Some(_)) => each((None, new.next())),
            _ => each((old.next(), None)),
        }
    }
}

fn model_changes(old: &Model, new: &Model, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let facts = [
        ("name", old.name != new.name),
        ("type", old.kind != new.kind),
        ("listed", old.listed != new.listed),
        ("released", old.released != new.released),
        ("knowledge", old.knowledge != new.knowledge),
        ("context window", old.context_window != new.context_window),
        ("input limit", old.max_input_tokens != new.max_input_tokens),
        ("output limit", old.max_output_tokens != new.max_output_tokens),
        ("modalities", (&old.input, &old.output) != (&new.input, &new.output)),
        ("capabilities", old.capabilities != new.capabilities),
        ("reasoning", old.reasoning != new.reasoning),
        ("aliases", old.aliases != new.aliases),
        ("variant", old.variant != new.variant),
        ("deprecation", old.deprecated != new.deprecated),
    ];
    let facts: Vec<&'static str> = facts.into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
    let model = new.id.to_string();
    if !facts.is_empty() {
        changes.push(Change::ModelChanged { model: model.clone(), facts });
    }
    for endpoint in &old.endpoints {
        if !new.endpoints.iter().any(|e| same_place(e, endpoint)) {
            changes.push(Change::EndpointRemoved { model: model.clone(), endpoint: place(endpoint) });
        }
    }
    for endpoint in &new.endpoints {
        match old.endpoints.iter().find(|e| same_place(e, endpoint)) {
            None => changes.push(Change::EndpointAdded { model: model.clone(), endpoint: place(endpoint) }),
            Some(before) => endpoint_changes(&model, before, endpoint, changes),
        }
    }
}

fn same_place(a: &Endpoint, b: &Endpoint) -> bool {
    a.provider == b.provider && a.model == b.model
}

fn place(endpoint: &Endpoint) -> String {
    format!("{} ({})", endpoint.provider, endpoint.model)
}

fn endpoint_changes(model: &str, old: &Endpoint, new: &Endpoint, changes: &mut Vec<Change>) {
    let bare = |e: &Endpoint| Endpoint { prices: None, ..e.clone() };
    if bare(old) != bare(new) {
        changes.push(Change::EndpointChanged { model: model.to_owned(), endpoint: place(new) });
    }
    let (before, after) = (named_prices(old.prices.as_ref()), named_prices(new.prices.as_ref()));
    let find =
        |list: &[(String, Picodollars)], name: &str| list.iter().find(|(n, _)| n == name).map(|(_, p)| *p);
    let gone = before.iter().filter(|(name, _)| find(&after, name).is_none());
    for (price, _) in after.iter().chain(gone) {
        let (old, new_price) = (find(&before, price), find(&after, price));
        if old != new_price {
            changes.push(Change::Price {
                model: model.to_owned(),
                endpoint: place(new),
                price: price.clone(),
                old,
                new: new_price,
            });
        }
    }
}

/// Every price under the name it has in the written form.
fn named_prices(prices: Option<&Prices>) -> Vec<(String, Picodollars)> {
    let mut list = Vec::new();
    let mut add = |prefix: &str, level: &LevelPrices| {
        list.extend(level.table.known().map(|(name, price)| (format!("{prefix}{name}"), price)));
        for tier in &level.tiers {
            let above = tier.above_input_tokens;
            list.extend(tier.table.known().map(|(n, p)| (format!("{prefix}tiers[{above}].{n}"), p)));
        }
    };
    if let Some(prices) = prices {
        add("", &prices.standard);
        prices.levels.iter().for_each(|(level, table)| add(&format!("{level}."), table));
    }
    list
}

#[cfg(test)]
mod tests;
