//! `tollgate models`: the catalog as this configuration has it.

use std::collections::HashSet;

use serde_json::Value;
use tollgate_catalog::{Catalog, Endpoint, Level, Model, Overlay, surface};
use tollgate_domain::Picodollars;

use super::configure;
use crate::cli::Models;
use crate::config::Environment;
use crate::failure::Failure;
use crate::{catalog_file, output, providers};

/// `tollgate models`.
///
/// # Errors
/// When configuration or catalog cannot be read.
pub fn run(args: &Models, environment: &Environment) -> anyhow::Result<()> {
    let config = configure(&args.place, environment)?;
    let catalog = catalog_file::in_force(&config, Overlay::default())?;
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let found: Vec<&Model> =
        catalog.models().iter().filter(|m| matches(m, &wanted) && called(&catalog, m)).collect();
    if args.json {
        return Ok(output::json(&as_served(&catalog, &found)?)?);
    }
    if found.is_empty() {
        let near = catalog.nearest(&wanted, 3);
        let near = if near.is_empty() { String::new() } else { format!(" Similar: {}.", near.join(", ")) };
        output::complain(&format!("No model matches '{wanted}'.{near}"));
        return Ok(());
    }
    let configured: HashSet<String> = providers::configured(&catalog, &config, environment)
        .into_iter()
        .filter(|p| p.access.is_ok())
        .map(|p| p.slug)
        .collect();
    let heading = ["MODEL", "TYPE", "CONTEXT", "INPUT $/M", "OUTPUT $/M", "PROVIDERS (* configured)"];
    let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec())
        .chain(found.iter().map(|model| row(&catalog, model, &configured)))
        .collect();
    Ok(output::text(&format!("{}{} models.\n", output::table(&rows), found.len()))?)
}

fn matches(model: &Model, wanted: &str) -> bool {
    let texts = [model.id.as_str(), &model.name, model.kind.as_str()];
    texts.iter().any(|text| text.to_lowercase().contains(wanted))
        || model.endpoints.iter().any(|e| e.provider.to_lowercase().contains(wanted))
}

fn called(catalog: &Catalog, model: &Model) -> bool {
    model.endpoints.iter().any(|e| catalog.callable(e))
}

/// The entries that `GET /v1/models` has for these models (gateway-api §13.1).
fn as_served(catalog: &Catalog, found: &[&Model]) -> Result<Value, Failure> {
    let mut list: Value =
        serde_json::from_slice(&surface::models(catalog)).map_err(|e| Failure::new(e.to_string()))?;
    let ids: HashSet<&str> = found.iter().map(|m| m.id.as_str()).collect();
    if let Some(data) = list["data"].as_array_mut() {
        data.retain(|entry| entry["id"].as_str().is_some_and(|id| ids.contains(id)));
    }
    Ok(list)
}

fn row(catalog: &Catalog, model: &Model, configured: &HashSet<String>) -> Vec<String> {
    let mut slugs: Vec<&str> = Vec::new();
    for endpoint in model.endpoints.iter().filter(|e| catalog.callable(e)) {
        if !slugs.contains(&&*endpoint.provider) {
            slugs.push(&endpoint.provider);
        }
    }
    slugs.sort_by_key(|slug| !configured.contains(*slug));
    let shown =
        slugs.iter().take(4).map(|s| if configured.contains(*s) { format!("{s}*") } else { (*s).to_owned() });
    let mut places = shown.collect::<Vec<_>>().join(" ");
    if slugs.len() > 4 {
        places = format!("{places} +{}", slugs.len() - 4);
    }
    let priced = model.endpoints.iter().find(|e| catalog.callable(e) && e.prices.is_some());
    let price = |pick: fn(&tollgate_catalog::PriceTable) -> Option<Picodollars>| {
        priced.and_then(|e| rate(e, pick)).unwrap_or_else(|| "-".to_owned())
    };
    vec![
        model.id.to_string(),
        model.kind.to_string(),
        model.context_window.map_or_else(|| "-".to_owned(), |n| n.to_string()),
        price(|t| t.input),
        price(|t| t.output),
        places,
    ]
}

/// Dollars for a million tokens.
fn rate(
    endpoint: &Endpoint,
    pick: fn(&tollgate_catalog::PriceTable) -> Option<Picodollars>,
) -> Option<String> {
    let price = pick(&endpoint.prices.as_ref()?.effective(Level::Standard, 0))?;
    price.0.checked_mul(1_000_000).map(|million| Picodollars(million).to_string())
}
