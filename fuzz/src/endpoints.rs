//! The endpoints that targets go through: providers whose quirks differ from one another.

use tollgate_providers::Target;

/// Provider, its id of the model, the catalog's id of the model.
const ENDPOINTS: [(&str, &str, &str); 14] = [
    ("openai", "gpt-5", "openai/gpt-5"),
    ("azure", "my-deployment", "openai/gpt-4o"),
    ("groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b"),
    ("deepseek", "deepseek-reasoner", "deepseek/deepseek-v3.2-thinking"),
    ("xai", "grok-4", "xai/grok-4"),
    ("mistral", "magistral-medium-latest", "mistral/magistral-medium"),
    ("together", "meta-llama/Llama-4-Maverick", "meta/llama-4-maverick"),
    ("openrouter", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
    ("google", "gemini-2.5-pro", "google/gemini-2.5-pro"),
    ("perplexity", "sonar-reasoning", "perplexity/sonar-reasoning"),
    ("moonshotai", "kimi-k2-thinking", "moonshotai/kimi-k2-thinking"),
    ("alibaba", "qwen3-max", "alibaba/qwen3-max"),
    ("zai", "glm-4.6", "zai/glm-4.6"),
    ("vllm", "house", "house/own"),
];

/// How many endpoints there are.
pub const COUNT: usize = ENDPOINTS.len();

/// The endpoint with this number, counted round and round.
pub fn endpoint(number: usize) -> Target {
    let (provider, model, canonical) = ENDPOINTS[number % COUNT];
    Target {
        provider: provider.into(),
        model: model.into(),
        canonical: canonical.into(),
        max_output_tokens: Some(32_000),
        reasoning: number.is_multiple_of(2),
        explicit_caching: number.is_multiple_of(3),
        structured_output: !number.is_multiple_of(4),
        ..Target::default()
    }
}

/// All endpoints.
pub fn all() -> impl Iterator<Item = Target> {
    (0..COUNT).map(endpoint)
}

/// Anthropic's own endpoint; `budget`: of a model that takes a reasoning budget.
pub fn anthropic(budget: bool) -> Target {
    let (model, canonical) = if budget {
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4.5")
    } else {
        ("claude-3-5-haiku-latest", "anthropic/claude-3.5-haiku")
    };
    Target {
        provider: "anthropic".into(),
        model: model.into(),
        canonical: canonical.into(),
        max_output_tokens: Some(if budget { 64_000 } else { 8_192 }),
        reasoning: budget,
        reasoning_budget_min: budget.then_some(1024),
        explicit_caching: true,
        structured_output: budget,
        ..Target::default()
    }
}

/// How many endpoints of Gemini's protocol there are.
pub const GEMINI_COUNT: usize = GEMINI.len();

/// Provider, its id of the model, the catalog's id of the model.
const GEMINI: [(&str, &str, &str); 4] = [
    ("google", "gemini-2.5-pro", "google/gemini-2.5-pro"),
    ("vertex", "gemini-3-flash-preview", "google/gemini-3-flash"),
    ("google", "gemini-2.0-flash", "google/gemini-2.0-flash"),
    ("google", "gemma-3-27b-it", "google/gemma-3-27b"),
];

/// An endpoint of Gemini's protocol, counted round and round.
pub fn gemini(number: usize) -> Target {
    let (provider, model, canonical) = GEMINI[number % GEMINI_COUNT];
    named(provider, model, canonical, number)
}

/// An endpoint of the Responses protocol, counted round and round.
pub fn responses(number: usize) -> Target {
    const RESPONSES: [(&str, &str, &str); 6] = [
        ("openai", "gpt-5", "openai/gpt-5"),
        ("azure", "my-deployment", "openai/gpt-4o"),
        ("xai", "grok-4", "xai/grok-4"),
        ("openrouter", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("bedrock-mantle", "openai.gpt-oss-120b", "openai/gpt-oss-120b"),
        ("deepseek", "deepseek-chat", "deepseek/deepseek-v3.2"),
    ];
    let (provider, model, canonical) = RESPONSES[number % RESPONSES.len()];
    named(provider, model, canonical, number)
}

/// An endpoint for a task.
pub fn task(provider: &str, model: &str) -> Target {
    named(provider, model, &format!("maker/{model}"), 0)
}

fn named(provider: &str, model: &str, canonical: &str, number: usize) -> Target {
    Target {
        provider: provider.into(),
        model: model.into(),
        canonical: canonical.into(),
        max_output_tokens: Some(32_000),
        reasoning: number.is_multiple_of(2),
        structured_output: !number.is_multiple_of(4),
        ..Target::default()
    }
}
