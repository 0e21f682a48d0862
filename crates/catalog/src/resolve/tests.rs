use super::*;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap()
}

/// Model id, preferred provider, the endpoint's name of the model.
fn resolved(
    text: &str,
    context: &ResolveContext<'_>,
) -> Option<(String, Option<String>, Option<String>, Match)> {
    let catalog = catalog();
    let r = catalog.resolve(text, context)?;
    Some((r.model.id.to_string(), r.preferred.map(Into::into), r.endpoint.map(|e| e.model.clone()), r.by))
}

fn found(text: &str) -> (String, Option<String>, Match) {
    let (id, preferred, _, by) =
        resolved(text, &ResolveContext::default()).unwrap_or_else(|| panic!("{text}"));
    (id, preferred, by)
}

#[test]
fn ids_and_aliases_resolve() {
    assert_eq!(found("anthropic/claude-haiku-4.5"), ("anthropic/claude-haiku-4.5".into(), None, Match::Id));
    assert_eq!(found("xai/grok-4.5"), ("spacexai/grok-4.5".into(), None, Match::Alias));
}

#[test]
fn a_provider_may_stand_in_the_creators_place() {
    let azure = found("azure/gpt-5.4-mini");
    assert_eq!(azure, ("openai/gpt-5.4-mini".into(), Some("azure".into()), Match::ProviderSlug));
    let groq = found("groq/llama-3.3-70b-versatile");
    assert_eq!(groq, ("meta/llama-3.3-70b".into(), Some("groq".into()), Match::UpstreamId));
    let bedrock = found("bedrock/claude-haiku-4.5");
    assert_eq!(bedrock, ("anthropic/claude-haiku-4.5".into(), Some("bedrock".into()), Match::ProviderSlug));
    let whole = found("bedrock/anthropic/claude-haiku-4.5");
    assert_eq!(whole, bedrock);
    let oss = found("groq/openai/gpt-oss-120b");
    assert_eq!(oss, ("openai/gpt-oss-120b".into(), Some("groq".into()), Match::ProviderSlug));
    let batch = found("vertexAnthropic/claude-haiku-4.5-batch");
    assert_eq!(batch.0, "anthropic/claude-haiku-4.5-batch");
}

#[test]
fn a_providers_own_name_names_the_endpoint() {
    let text = "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0";
    let (id, preferred, endpoint, by) = resolved(text, &ResolveContext::default()).unwrap();
    assert_eq!((id.as_str(), preferred.as_deref()), ("anthropic/claude-haiku-4.5", Some("bedrock")));
    assert_eq!(endpoint.as_deref(), Some("us.anthropic.claude-haiku-4-5-20251001-v1:0"));
    assert_eq!(by, Match::UpstreamId);
    let plain = found("anthropic/claude-fable-5-1");
    assert_eq!(plain.0, "anthropic/claude-fable-5.1", "the plain model, not its variant of the same name");
}

#[test]
fn the_spellings_of_the_creator_resolve() {
    for (text, id) in [
        ("anthropic/claude-sonnet-4-20250514", "anthropic/claude-sonnet-4"),
        ("anthropic/claude-3-5-haiku-latest", "anthropic/claude-3.5-haiku"),
        ("anthropic/claude-sonnet-4-0", "anthropic/claude-sonnet-4"),
        ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4.5"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5"),
        ("anthropic/claude-opus-4-5-latest", "anthropic/claude-opus-4.5"),
        ("anthropic/Claude-Sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("openai/gpt-5.4-mini-2026-03-17", "openai/gpt-5.4-mini"),
    ] {
        let (got, preferred, _) = found(text);
        assert_eq!((got.as_str(), preferred), (id, None), "{text}");
    }
}

#[test]
fn bare_names_resolve_only_where_allowed() {
    let agent = ResolveContext { bare_creator: Some("anthropic") };
    for text in ["claude-sonnet-4-5-20250929", "claude-sonnet-4.5", "claude-sonnet-4-5", "claude-haiku-4-5"] {
        assert_eq!(resolved(text, &ResolveContext::default()), None, "{text}");
        let (id, ..) = resolved(text, &agent).unwrap_or_else(|| panic!("{text}"));
        assert!(id.starts_with("anthropic/claude-"), "{text} -> {id}");
    }
    assert_eq!(resolved("gpt-5.4-mini", &agent), None);
}

#[test]
fn what_is_not_there_does_not_resolve() {
    let agent = ResolveContext { bare_creator: Some("anthropic") };
    for text in [
        "",
        "/",
        "openai/",
        "/gpt-5.4-mini",
        "openai/gpt-9",
        "groq/gpt-5.4-mini",
        "a/b/c/d",
        "latest",
        "claude",
    ] {
        assert_eq!(resolved(text, &agent), None, "{text}");
    }
    let unknown_date = resolved("anthropic/claude-haiku-4-5-20301231", &ResolveContext::default());
    assert_eq!(unknown_date, None, "a snapshot that is not known is not replaced by another");
}

#[test]
fn suggestions_are_near() {
    let catalog = catalog();
    let first = |text: &str| catalog.nearest(text, 3).first().map(ToString::to_string).unwrap_or_default();
    assert_eq!(first("anthropic/claude-haiku-45"), "anthropic/claude-haiku-4.5");
    assert_eq!(first("openai/gpt5.4-mini"), "openai/gpt-5.4-mini");
    assert_eq!(first("google/claude-opus-4.5"), "anthropic/claude-opus-4.5");
    assert_eq!(first("gpt-5.4-mini"), "openai/gpt-5.4-mini");
    assert_eq!(catalog.nearest("anthropic/claude-haiku-45", 3).len(), 3);
    assert!(catalog.nearest("zzzzqqqq/xxxxyyyy", 3).is_empty());
    assert!(catalog.nearest("", 3).is_empty());
    assert!(catalog.nearest(&"long ".repeat(100_000), 3).is_empty());
}
