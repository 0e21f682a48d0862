//! An operator's configuration laid over the catalog: a catalog that reads back, or a refusal in words.

use std::sync::LazyLock;

use tollgate_catalog::{Catalog, Overlay, format, to_compact};

/// Two models of the catalog in its own format, with two providers.
static SMALL: LazyLock<Catalog> = LazyLock::new(|| {
    let builtin = Catalog::builtin().expect("the built-in catalog");
    let models = builtin.models().iter().filter(|m| m.endpoints.iter().any(|e| &*e.provider == "anthropic"));
    let models: Vec<_> = models.filter(|m| m.variant.is_none()).take(2).cloned().collect();
    assert_eq!(models.len(), 2);
    let providers = builtin.providers().iter().filter(|p| matches!(&*p.slug, "anthropic" | "bedrock"));
    Catalog::new(builtin.date(), providers.cloned().collect(), models).expect("a small catalog")
});

/// A configuration in TOML.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let overlay: Overlay = match toml::from_str(text) {
        Ok(overlay) => overlay,
        Err(error) => return assert!(!error.to_string().trim().is_empty()),
    };
    let laid = match SMALL.with_overlay(&overlay) {
        Ok(laid) => laid,
        Err(error) => return assert!(!error.to_string().trim().is_empty()),
    };
    for (slug, entry) in &overlay.providers {
        assert!(laid.provider(slug).is_some(), "provider {slug:?} is lost");
        for model in &entry.models {
            let found = laid.model(&model.id).unwrap_or_else(|| panic!("model {:?} is lost", model.id));
            let served = found.endpoints.iter().filter(|e| *e.provider == **slug).count();
            assert_eq!(served, 1, "endpoints of {slug:?} for {:?}", model.id);
        }
    }
    let written = to_compact(&laid);
    let again = format::read(&written).unwrap_or_else(|e| panic!("does not read back: {e}\n{written}"));
    assert_eq!(to_compact(&again), written);
}
