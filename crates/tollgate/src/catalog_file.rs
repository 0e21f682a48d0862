//! The catalog in force: the one compiled in, or a newer one that `tollgate catalog update` wrote into the
//! data folder; with the configuration laid over it.

use std::path::{Path, PathBuf};

use tollgate_catalog::{Catalog, Overlay, OverlayError, format, import};

use crate::config::Config;
use crate::failure::Failure;

const FILE: &str = "catalog.json";

/// Where an update is kept.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The catalog that is compiled in.
///
/// # Errors
/// Never in a program that passed its tests.
pub fn builtin() -> Result<Catalog, Failure> {
    Catalog::builtin().map_err(|e| Failure::new(e.to_string()))
}

/// The catalog without the configuration.
///
/// # Errors
/// When the file in the data folder is damaged.
pub fn current(data: &Path) -> Result<Catalog, Failure> {
    let builtin = builtin()?;
    let path = path(data);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(builtin);
        }
        Err(error) => return Err(damaged(&path, &error.to_string())),
    };
    match format::read(&text) {
        Ok(update) if update.date() >= builtin.date() => Ok(update),
        Ok(update) => {
            tracing::info!(updated = %update.date(), compiled = %builtin.date(), "the updated catalog is older than the one compiled in, which is used");
            Ok(builtin)
        }
        // The next program may write another format; going back to this one must stay possible.
        Err(error @ format::FormatError::Version(_)) => {
            tracing::warn!(%error, "the updated catalog is not used, but the one compiled in");
            Ok(builtin)
        }
        Err(error) => Err(damaged(&path, &error.to_string())),
    }
}

fn damaged(path: &Path, reason: &str) -> Failure {
    Failure::new(format!("the updated catalog {} cannot be used: {reason}", path.display()))
        .next("run 'tollgate catalog update' again, or delete the file to go back to the catalog compiled in")
}

/// Reads a catalog in our format or the feed's.
///
/// # Errors
/// When it is neither.
pub fn read(text: &str, known: &Catalog) -> Result<Catalog, Failure> {
    import::read(text, None, known).map_err(|e| Failure::new(e.to_string()))
}

/// Keeps an update: whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(data: &Path, catalog: &Catalog) -> Result<PathBuf, Failure> {
    crate::place::make_folder(data)?;
    let path = path(data);
    let draft = data.join(format!("{FILE}.{}.new", std::process::id()));
    let written = std::fs::write(&draft, tollgate_catalog::to_compact(catalog))
        .and_then(|()| std::fs::rename(&draft, &path));
    written.map_err(|error| {
        // What is left of the draft harms nobody when it cannot be removed either.
        let _ = std::fs::remove_file(&draft);
        Failure::new(format!("the catalog could not be written to {}: {error}", path.display()))
            .next("make the data folder writable and its disk roomy enough")
    })?;
    Ok(path)
}

/// What the configuration says about providers and models.
pub fn overlay(config: &Config, base: &Catalog) -> Overlay {
    let providers = config.providers.iter();
    Overlay {
        providers: providers
            .map(|(slug, s)| (slug.clone(), s.overlay(base.provider(slug).is_some())))
            .collect(),
    }
}

/// The catalog in force: with the configuration, and with `further` (the demo's models).
///
/// # Errors
/// When the configuration names something that there is not, with the place.
pub fn in_force(config: &Config, further: Overlay) -> Result<Catalog, Failure> {
    let base = current(&config.data)?;
    let mut overlay = overlay(config, &base);
    overlay.providers.extend(further.providers);
    base.with_overlay(&overlay).map_err(|error| misplaced(config, &error))
}

fn misplaced(config: &Config, error: &OverlayError) -> Failure {
    let failure = Failure::usage(error.to_string());
    let Some(source) = &config.source else { return failure };
    match error {
        OverlayError::Field { path, .. } => {
            let slug = config
                .providers
                .keys()
                .filter(|slug| path.starts_with(&format!("providers.{slug}")))
                .max_by_key(|s| s.len());
            failure
                .at(slug
                    .map_or_else(|| source.path.display().to_string(), |slug| source.place_of_provider(slug)))
        }
        OverlayError::Content(_) => failure.at(source.path.display()),
    }
}
