//! `tollgate catalog`: taking in a newer catalog, or seeing what it would change.

use serde_json::{Value, json};
use tollgate_catalog::{Catalog, Change};

use super::configure;
use crate::cli::CatalogFrom;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::{catalog_file, fetch, output, place};

/// `tollgate catalog update`.
///
/// # Errors
/// When the source has no newer catalog, or it cannot be kept.
pub fn update(args: &CatalogFrom, environment: &Environment) -> anyhow::Result<()> {
    let (config, old, new) = both(args, environment)?;
    let builtin = catalog_file::builtin()?;
    if new.date() < builtin.date() {
        return Err(Failure::new(format!(
            "the catalog is of {}, older than the one compiled into this program ({})",
            new.date(),
            builtin.date()
        ))
        .next("nothing was changed; use a newer source")
        .into());
    }
    let changes = tollgate_catalog::diff(&old, &new);
    let path = catalog_file::keep(&config.data, &new)?;
    if args.json {
        let mut value = report(&old, &new, &changes);
        value["file"] = Value::from(path.display().to_string());
        return Ok(output::json(&value)?);
    }
    Ok(output::text(&format!(
        "The catalog of {} is in {} ({}).\nA gateway reads it when it starts.\n",
        new.date(),
        path.display(),
        summary(&new, &changes)
    ))?)
}

/// `tollgate catalog diff`.
///
/// # Errors
/// When the source has no catalog.
pub fn diff(args: &CatalogFrom, environment: &Environment) -> anyhow::Result<()> {
    let (_, old, new) = both(args, environment)?;
    let changes = tollgate_catalog::diff(&old, &new);
    if args.json {
        return Ok(output::json(&report(&old, &new, &changes))?);
    }
    let mut text: String = changes.iter().map(|change| format!("{change}\n")).collect();
    text.push_str(&format!("{} -> {}: {}\n", old.date(), new.date(), summary(&new, &changes)));
    Ok(output::text(&text)?)
}

/// The configuration, the catalog in use without it, and the one at the source.
fn both(args: &CatalogFrom, environment: &Environment) -> Result<(Config, Catalog, Catalog), Failure> {
    let config = configure(&args.place, environment)?;
    let from = args.from.as_deref().or(config.catalog_url.as_deref()).ok_or_else(|| {
        Failure::usage("there is no source to take a catalog from")
            .expected("--from URL|FILE, or url under [catalog] in the configuration")
    })?;
    let text = place::small_runtime()?.block_on(fetch::text(from))?;
    let new = catalog_file::read(&text, &catalog_file::builtin()?).map_err(|failure| failure.at(from))?;
    // A damaged update must not be in the way of the one that replaces it.
    let old = catalog_file::current(&config.data).or_else(|_| catalog_file::builtin())?;
    Ok((config, old, new))
}

fn summary(new: &Catalog, changes: &[Change]) -> String {
    let count = |wanted: fn(&Change) -> bool| changes.iter().filter(|c| wanted(c)).count();
    if changes.is_empty() {
        return format!("{} models, no changes", new.models().len());
    }
    format!(
        "{} models, {} changes: {} models added, {} removed, {} prices changed",
        new.models().len(),
        changes.len(),
        count(|c| matches!(c, Change::ModelAdded(_))),
        count(|c| matches!(c, Change::ModelRemoved(_))),
        count(|c| matches!(c, Change::Price { .. })),
    )
}

fn report(old: &Catalog, new: &Catalog, changes: &[Change]) -> Value {
    json!({
        "from": {"date": old.date(), "version": old.price_version()},
        "to": {"date": new.date(), "version": new.price_version(), "models": new.models().len()},
        "changes": changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
