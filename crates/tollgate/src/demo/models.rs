//! The demo's providers and models.

use tollgate_catalog::{ModelOverlay, Overlay, PriceText, Protocol, ProviderOverlay};
use tollgate_domain::Picodollars;

/// The model to try first.
pub const FIRST_MODEL: &str = "demo/swift";

struct DemoModel {
    id: &'static str,
    name: &'static str,
    provider: &'static str,
    /// Picodollars a token: input, output, cache read, cache write.
    prices: [i64; 4],
    context: u64,
    output: u64,
    capabilities: &'static [&'static str],
}

const OPENAI_SLUG: &str = "demo";
const ANTHROPIC_SLUG: &str = "demo-claude";

const MODELS: [DemoModel; 4] = [
    DemoModel {
        id: FIRST_MODEL,
        name: "Demo Swift",
        provider: OPENAI_SLUG,
        prices: [100_000, 400_000, 25_000, 100_000],
        context: 128_000,
        output: 16_384,
        capabilities: &["tools", "structured-output", "vision", "implicit-caching"],
    },
    DemoModel {
        id: "demo/atlas",
        name: "Demo Atlas",
        provider: OPENAI_SLUG,
        prices: [2_000_000, 8_000_000, 500_000, 2_000_000],
        context: 400_000,
        output: 32_768,
        capabilities: &["tools", "structured-output", "vision", "implicit-caching"],
    },
    DemoModel {
        id: "demo/thinker",
        name: "Demo Thinker",
        provider: OPENAI_SLUG,
        prices: [1_100_000, 4_400_000, 275_000, 1_100_000],
        context: 200_000,
        output: 65_536,
        capabilities: &["tools", "structured-output", "reasoning", "implicit-caching"],
    },
    DemoModel {
        id: "demo/claude",
        name: "Demo Claude",
        provider: ANTHROPIC_SLUG,
        prices: [3_000_000, 15_000_000, 300_000, 3_750_000],
        context: 200_000,
        output: 64_000,
        capabilities: &["tools", "vision", "reasoning", "explicit-caching"],
    },
];

/// Whether a slug is the demo's.
pub fn is_provider(slug: &str) -> bool {
    slug == OPENAI_SLUG || slug == ANTHROPIC_SLUG
}

/// What the simulator calls the models.
pub fn upstream_names() -> Vec<String> {
    MODELS.iter().map(|m| upstream(m.id)).collect()
}

fn upstream(id: &str) -> String {
    id.replace('/', "-")
}

/// Providers and models, served at an address.
pub fn overlay(base_url: &str) -> Overlay {
    let provider = |slug: &str, name: &str, protocol: Protocol| {
        let models = MODELS.iter().filter(|m| m.provider == slug).map(entry).collect();
        let entry = ProviderOverlay {
            name: Some(name.to_owned()),
            protocol: Some(protocol),
            base_url: Some(base_url.to_owned()),
            models,
            ..ProviderOverlay::default()
        };
        (slug.to_owned(), entry)
    };
    Overlay {
        providers: [
            provider(OPENAI_SLUG, "Demo (simulated)", Protocol::OpenaiChat),
            provider(ANTHROPIC_SLUG, "Demo Claude (simulated)", Protocol::AnthropicMessages),
        ]
        .into(),
    }
}

fn entry(model: &DemoModel) -> ModelOverlay {
    let [input, output, cache_read, cache_write] = model.prices.map(|p| Some(PriceText(Picodollars(p))));
    ModelOverlay {
        id: model.id.to_owned(),
        upstream: Some(upstream(model.id)),
        name: Some(model.name.to_owned()),
        kind: None,
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h: None,
        context_window: Some(model.context),
        max_output_tokens: Some(model.output),
        capabilities: model.capabilities.iter().map(|&c| c.to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_models_fit_into_the_catalog_with_prices() {
        let catalog = crate::catalog_file::builtin().unwrap();
        let with = catalog.with_overlay(&super::overlay("http://127.0.0.1:1/v1")).unwrap();
        assert_eq!(with.models().len(), catalog.models().len() + super::MODELS.len());
        for model in &super::MODELS {
            let endpoint = &with.model(model.id).unwrap().endpoints[0];
            assert_eq!(&*endpoint.provider, model.provider);
            assert!(endpoint.prices.is_some());
        }
    }
}
