use super::*;
use crate::model::ModelKind;
use crate::price::Level;
use tollgate_domain::{Nanodollars, Usage};

#[test]
fn the_builtin_catalog_is_whole() {
    let catalog = Catalog::builtin().unwrap();
    assert_eq!((catalog.models().len(), catalog.providers().len()), (580, 49));
    let endpoints: usize = catalog.models().iter().map(|m| m.endpoints.len()).sum();
    assert_eq!(endpoints, 1476);
    for model in catalog.models() {
        assert!(catalog.model(model.id.as_str()).is_some_and(|m| m.id == model.id));
        assert!(!model.endpoints.is_empty(), "{}", model.id);
    }
    for provider in catalog.providers() {
        assert!(catalog.provider(&provider.slug).is_some_and(|p| p.slug == provider.slug));
    }
    assert!(catalog.model("anthropic/claude-haiku-4.6").is_none());
    assert!(catalog.provider("nobody").is_none());
}

#[test]
fn facts_of_a_model_are_there() {
    let catalog = Catalog::builtin().unwrap();
    let haiku = catalog.model("anthropic/claude-haiku-4.5").unwrap();
    assert_eq!((haiku.kind, haiku.context_window, haiku.listed), (ModelKind::Language, Some(200_000), true));
    let endpoint = haiku.endpoints_of("anthropic").next().unwrap();
    assert_eq!(endpoint.model, "claude-haiku-4-5");
    let usage =
        Usage { input_uncached: 1000, input_cache_write_1h: 10, output_text: 100, ..Usage::default() };
    let prices = endpoint.prices.as_ref().unwrap();
    assert_eq!(prices.cost(&usage, Level::Standard), Some(Nanodollars(1_520_000)));
    let fast = catalog.model("openai/gpt-5.4-mini-fast").unwrap();
    let prices = fast.endpoints[0].prices.as_ref().unwrap();
    let one = Usage { input_uncached: 2, ..Usage::default() };
    for level in [Level::Standard, Level::Fast, Level::Priority] {
        assert_eq!(prices.cost(&one, level), Some(Nanodollars(3_000)), "{level}");
    }
    assert_eq!(prices.cost(&one, Level::Batch), None);
    let sonnet = catalog.model("anthropic/claude-sonnet-4").unwrap();
    let write = Usage { input_cache_write_1h: 1, ..Usage::default() };
    let prices = sonnet.endpoints[0].prices.as_ref().unwrap();
    assert_eq!(prices.cost(&write, Level::Standard), Some(Nanodollars(6_000)), "twice 3 dollars a million");
}

#[test]
fn i06_the_version_follows_the_content() {
    let catalog = Catalog::builtin().unwrap();
    let again = Catalog::builtin().unwrap();
    assert_eq!(catalog.price_version(), again.price_version());
    assert!(catalog.price_version().starts_with("2026-07-02-"), "{}", catalog.price_version());
    let changed = BUILTIN.replacen("\"0.00000125\"", "\"0.00000126\"", 1);
    let changed = crate::format::read(&changed).unwrap();
    assert_ne!(catalog.price_version(), changed.price_version());
}

#[test]
fn contradictions_are_refused() {
    let date: Date = "2026-01-01".parse().unwrap();
    let catalog = Catalog::builtin().unwrap();
    let model = catalog.model("openai/gpt-5.4-mini").unwrap().clone();
    let with =
        |models: Vec<Model>| Catalog::new(date, Vec::new(), models).map(|_| ()).unwrap_err().to_string();
    assert!(with(vec![model.clone(), model.clone()]).contains("'openai/gpt-5.4-mini' occurs twice"));
    let bare = Model { id: ModelId::new("bare"), ..model.clone() };
    assert!(with(vec![bare]).contains("creator/model"));
    let variant = catalog.model("openai/gpt-5.4-mini-fast").unwrap().clone();
    assert!(with(vec![variant]).contains("variant of 'openai/gpt-5.4-mini'"));
    let alias =
        Model { id: ModelId::new("a/b"), aliases: vec!["openai/gpt-5.4-mini".into()], ..model.clone() };
    assert!(with(vec![alias, model]).contains("alias 'openai/gpt-5.4-mini'"));
}
