//! The demo's providers and models.

use tollgate_catalog::{ModelKind, ModelOverlay, Overlay, PriceText, Protocol, ProviderOverlay};
use tollgate_domain::Picodollars;

/// The model to try first.
pub const FIRST_MODEL: &str = "demo/swift";

struct DemoModel {
    id: &'static str,
    name: &'static str,
    kind: ModelKind,
    provider: &'static str,
    /// Picodollars a token: input, output, cache read, cache write.
    prices: [i64; 4],
    context: u64,
    output: u64,
    capabilities: &'static [&'static str],
}

const OPENAI_SLUG: &str = "demo";
const ANTHROPIC_SLUG: &str = "demo-claude";
const GEMINI_SLUG: &str = "demo-gemini";
const RERANK_SLUG: &str = "demo-rerank";

const MODELS: [DemoModel; 8] = [
    DemoModel {
        id: FIRST_MODEL,
        name: "Demo Swift",
        kind: ModelKind::Language,
        provider: OPENAI_SLUG,
        prices: [100_000, 400_000, 25_000, 100_000],
        context: 128_000,
        output: 16_384,
        capabilities: &["tools", "structured-output", "vision", "implicit-caching"],
    },
    DemoModel {
        id: "demo/atlas",
        name: "Demo Atlas",
        kind: ModelKind::Language,
        provider: OPENAI_SLUG,
        prices: [2_000_000, 8_000_000, 500_000, 2_000_000],
        context: 400_000,
        output: 32_768,
        capabilities: &["tools", "structured-output", "vision", "implicit-caching"],
    },
    DemoModel {
        id: "demo/thinker",
        name: "Demo Thinker",
        kind: ModelKind::Language,
        provider: OPENAI_SLUG,
        prices: [1_100_000, 4_400_000, 275_000, 1_100_000],
        context: 200_000,
        output: 65_536,
        capabilities: &["tools", "structured-output", "reasoning", "implicit-caching"],
    },
    DemoModel {
        id: "demo/claude",
        name: "Demo Claude",
        kind: ModelKind::Language,
        provider: ANTHROPIC_SLUG,
        prices: [3_000_000, 15_000_000, 300_000, 3_750_000],
        context: 200_000,
        output: 64_000,
        capabilities: &["tools", "vision", "reasoning", "explicit-caching"],
    },
    DemoModel {
        id: "demo/gemini",
        name: "Demo Gemini",
        kind: ModelKind::Language,
        provider: GEMINI_SLUG,
        prices: [300_000, 2_500_000, 30_000, 300_000],
        context: 1_000_000,
        output: 65_536,
        capabilities: &["tools", "structured-output", "vision", "reasoning", "implicit-caching"],
    },
    DemoModel {
        id: "demo/embedding",
        name: "Demo Embedding",
        kind: ModelKind::Embedding,
        provider: OPENAI_SLUG,
        prices: [20_000, 0, 20_000, 20_000],
        context: 8_192,
        output: 0,
        capabilities: &[],
    },
    DemoModel {
        id: "demo/image",
        name: "Demo Image",
        kind: ModelKind::Image,
        provider: OPENAI_SLUG,
        prices: [5_000_000, 40_000_000, 1_250_000, 5_000_000],
        context: 32_000,
        output: 16_384,
        capabilities: &["image-output"],
    },
    DemoModel {
        id: "demo/rerank",
        name: "Demo Rerank",
        kind: ModelKind::Reranking,
        provider: RERANK_SLUG,
        prices: [50_000, 0, 50_000, 50_000],
        context: 32_000,
        output: 0,
        capabilities: &[],
    },
];

/// Whether a slug is the demo's.
pub fn is_provider(slug: &str) -> bool {
    [OPENAI_SLUG, ANTHROPIC_SLUG, GEMINI_SLUG, RERANK_SLUG].contains(&slug)
}

/// What the simulator calls the models.
pub fn upstream_names() -> Vec<String> {
    MODELS.iter().map(upstream).collect()
}

fn upstream(model: &DemoModel) -> String {
    match model.kind {
        // What an image model takes and gives goes by its family.
        ModelKind::Image => "gpt-image-demo".to_owned(),
        _ => model.id.replace('/', "-"),
    }
}

/// Providers and models, served at an address.
pub fn overlay(base_url: &str) -> Overlay {
    let provider = |slug: &str, name: &str, protocol: Protocol, also: &[Protocol]| {
        let models = MODELS.iter().filter(|m| m.provider == slug).map(entry).collect();
        let entry = ProviderOverlay {
            name: Some(name.to_owned()),
            protocol: Some(protocol),
            also: also.to_vec(),
            base_url: Some(base_url.to_owned()),
            models,
            ..ProviderOverlay::default()
        };
        (slug.to_owned(), entry)
    };
    let also = [Protocol::OpenaiResponses, Protocol::OpenaiEmbeddings, Protocol::OpenaiImages];
    Overlay {
        providers: [
            provider(OPENAI_SLUG, "Demo (simulated)", Protocol::OpenaiChat, &also),
            provider(ANTHROPIC_SLUG, "Demo Claude (simulated)", Protocol::AnthropicMessages, &[]),
            provider(GEMINI_SLUG, "Demo Gemini (simulated)", Protocol::Gemini, &[]),
            provider(RERANK_SLUG, "Demo Rerank (simulated)", Protocol::Rerank, &[]),
        ]
        .into(),
    }
}

fn entry(model: &DemoModel) -> ModelOverlay {
    let [input, output, cache_read, cache_write] = model.prices.map(|p| Some(PriceText(Picodollars(p))));
    ModelOverlay {
        id: model.id.to_owned(),
        upstream: Some(upstream(model)),
        name: Some(model.name.to_owned()),
        kind: Some(model.kind),
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h: None,
        context_window: Some(model.context),
        max_output_tokens: Some(model.output).filter(|n| *n > 0),
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
