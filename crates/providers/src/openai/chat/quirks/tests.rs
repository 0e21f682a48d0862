use super::*;

fn quirks(provider: &str, model: &str, canonical: &str) -> Quirks {
    Quirks::for_target(&Target {
        provider: provider.to_owned(),
        model: model.to_owned(),
        canonical: canonical.to_owned(),
        ..Target::default()
    })
}

#[test]
fn i17_only_answers_of_plain_shape_are_passed_on_undecoded() {
    for provider in [
        "openai",
        "azure",
        "bedrock-mantle",
        "groq",
        "deepseek",
        "togetherai",
        "fireworks",
        "cerebras",
        "moonshotai",
        "alibaba",
        "zai",
        "ollama",
        "vllm",
        "openrouter",
        "huggingface",
        "lmstudio",
        "gpustack",
        "somewhere",
    ] {
        assert!(quirks(provider, "m", "").response_native, "{provider}");
    }
    for provider in ["mistral", "xai", "perplexity", "google", "minimax"] {
        assert!(!quirks(provider, "m", "").response_native, "{provider}");
    }
}

#[test]
fn conventions_of_usage_go_by_provider_and_family() {
    use UsageConvention as C;
    for (provider, model, canonical, convention) in [
        ("openai", "gpt-5", "", C::Inclusive),
        ("xai", "grok-4", "", C::ReasoningBeside),
        ("azure", "grok-4-fast", "", C::CachedBeside),
        ("azure", "my-deployment", "xai/grok-4", C::CachedBeside),
        ("azure", "grok-like-name", "openai/gpt-4o", C::Inclusive),
        ("google", "gemini-2.5-pro", "", C::TotalMinusPrompt),
        ("mistral", "voxtral-small", "", C::AudioApart),
        ("perplexity", "sonar", "", C::TopLevelReasoningBeside),
        ("deepinfra", "google/gemini-2.5-pro", "", C::ReasoningBeside),
        ("deepinfra", "meta-llama/Llama-4", "", C::Inclusive),
        ("somewhere", "m", "", C::Inclusive),
    ] {
        assert_eq!(quirks(provider, model, canonical).usage, convention, "{provider} {model} {canonical}");
    }
}

#[test]
fn reasoning_families_of_openai() {
    for (model, reasons) in [
        ("o1", true),
        ("o4-mini", true),
        ("gpt-5", true),
        ("gpt-5.2-pro", true),
        ("gpt-6", true),
        ("gpt-5-chat-latest", false),
        ("gpt-4.1", false),
        ("gpt-oss-120b", false),
        ("omni-moderation", false),
    ] {
        let developer = quirks("openai", model, "").system_role == SystemRole::Developer;
        assert_eq!(developer, reasons, "{model}");
    }
}

#[test]
fn open_models_of_alibaba_name_their_size() {
    for (model, open) in [
        ("qwen3-32b", true),
        ("qwen3-235b-a22b", true),
        ("qwen3-max", false),
        ("qwen3-30b-a3b-instruct-2507", false),
    ] {
        assert_eq!(quirks("alibaba", model, "").thinking_needs_stream, open, "{model}");
    }
}
