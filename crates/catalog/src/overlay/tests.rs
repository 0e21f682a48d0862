use super::*;
use crate::price::Level;
use tollgate_domain::{Nanodollars, Usage};

fn overlay(toml: &str) -> Overlay {
    toml::from_str(toml).unwrap()
}

fn laid(toml: &str) -> Catalog {
    Catalog::builtin().unwrap().with_overlay(&overlay(toml)).unwrap()
}

fn refusal(toml: &str) -> String {
    match toml::from_str::<Overlay>(toml) {
        Err(e) => e.to_string(),
        Ok(overlay) => {
            Catalog::builtin().unwrap().with_overlay(&overlay).map(|_| ()).unwrap_err().to_string()
        }
    }
}

const VLLM: &str = r#"
[providers.my-vllm]
protocol = "openai-chat"
base_url = "http://10.0.0.5:8000/v1"
models = [
  { id = "meta/llama-4-maverick", upstream = "llama-4", input = "0", output = "0", context_window = 1000000 },
  { id = "house/own", cache_read = "0.0000001", capabilities = ["tools", "vision"], max_output_tokens = 500 },
]
"#;

#[test]
fn an_own_provider_serves_known_and_new_models() {
    let catalog = laid(VLLM);
    let provider = catalog.provider("my-vllm").unwrap();
    assert_eq!((provider.protocol, &provider.auth), (Protocol::OpenaiChat, &Auth::Bearer));
    let builtin = Catalog::builtin().unwrap();
    let known = catalog.model("meta/llama-4-maverick").unwrap();
    let before = builtin.model("meta/llama-4-maverick").unwrap();
    assert_eq!(known.endpoints.len(), before.endpoints.len() + 1);
    let endpoint = &known.endpoints[0];
    assert_eq!((&*endpoint.provider, endpoint.model.as_str()), ("my-vllm", "llama-4"));
    assert_eq!(endpoint.context_window, Some(1_000_000));
    let usage = Usage { input_uncached: 5, output_text: 5, ..Usage::default() };
    assert_eq!(endpoint.prices.as_ref().unwrap().cost(&usage, Level::Standard), Some(Nanodollars(0)));
    let own = catalog.model("house/own").unwrap();
    assert_eq!((own.kind, own.endpoints[0].model.as_str()), (ModelKind::Language, "own"));
    assert!(own.can(Capability::ToolUse) && own.input.contains(&Modality::Image));
    assert!(catalog.resolve("my-vllm/llama-4", &Default::default()).is_some_and(|r| r.model.id == known.id));
    assert_ne!(catalog.price_version(), builtin.price_version());
    assert_eq!(catalog.price_version(), laid(VLLM).price_version());
}

#[test]
fn i05_nothing_is_made_up_for_an_own_model() {
    let catalog = laid(VLLM);
    let own = catalog.model("house/own").unwrap();
    assert_eq!((own.context_window, own.released, own.reasoning.clone()), (None, None, None));
    let prices = own.endpoints[0].prices.as_ref().unwrap();
    let usage = Usage { input_uncached: 1, ..Usage::default() };
    assert_eq!(prices.cost(&usage, Level::Standard), None);
    let bare = laid("[providers.vllm]\nmodels = [{ id = \"house/bare\" }]");
    assert_eq!(bare.model("house/bare").unwrap().endpoints[0].prices, None);
}

#[test]
fn a_known_provider_moves_and_keeps_the_rest() {
    let catalog = laid("[providers.openai]\nbase_url = \"http://127.0.0.1:9100/v1\"");
    let builtin = Catalog::builtin().unwrap();
    let (new, old) = (catalog.provider("openai").unwrap(), builtin.provider("openai").unwrap());
    assert_eq!(new.base_url, "http://127.0.0.1:9100/v1");
    assert_eq!(
        (new.protocol, &new.also, &new.auth, &new.env),
        (old.protocol, &old.also, &old.auth, &old.env)
    );
    assert_eq!(catalog.models(), builtin.models());
    let other =
        laid("[providers.minimax]\nprotocol = \"openai-chat\"\nbase_url = \"https://api.minimax.io/v1\"");
    assert_eq!(other.provider("minimax").unwrap().auth, Auth::Bearer);
}

#[test]
fn an_entry_replaces_the_providers_endpoints_in_their_place() {
    let toml = "[providers.azure]\nmodels = [{ id = \"openai/gpt-5.4-mini\", upstream = \"my-deployment\", input = \"0.000001\" }]";
    let model = laid(toml).model("openai/gpt-5.4-mini").unwrap().clone();
    let places: Vec<_> = model.endpoints.iter().map(|e| (&*e.provider, e.model.as_str())).collect();
    assert_eq!(places, [("openai", "gpt-5.4-mini"), ("azure", "my-deployment")]);
    assert_eq!(model.endpoints[1].prices.as_ref().unwrap().standard.table.output, None);
    assert_eq!(model.endpoints[1].context_window, Some(400_000));
}

#[test]
fn an_empty_overlay_changes_nothing() {
    let builtin = Catalog::builtin().unwrap();
    let same = builtin.with_overlay(&overlay("[providers.openai]")).unwrap();
    assert_eq!(same.price_version(), builtin.price_version());
}

#[test]
fn i14_what_is_unknown_is_refused_with_its_path() {
    for (toml, parts) in [
        ("[providers.opnai]", &["providers.opnai", "did you mean 'openai'", "protocol and base_url"][..]),
        ("[providers.x]\nprotocol = \"openai-chat\"", &["providers.x", "base_url"]),
        ("[providers.x]\nprotocol = \"opnai-chat\"", &["opnai-chat", "openai-chat", "anthropic-messages"]),
        ("[providers.openai]\nbase_ulr = \"x\"", &["base_ulr", "base_url"]),
        ("[providers.openai]\nbase_url = \"api.openai.com\"", &["providers.openai.base_url", "http://"]),
        ("[providers.openai]\nbase_url = \"https://a/v1?k=v\"", &["providers.openai.base_url"]),
        ("[providers.\"a b\"]\nprotocol = \"rerank\"\nbase_url = \"http://a\"", &["a b", "letters"]),
        ("[providers.vllm]\nmodels = [{ id = \"bare\" }]", &["providers.vllm.models[0].id", "creator/model"]),
        ("[providers.vllm]\nmodels = [{ upstream = \"x\" }]", &["id"]),
        ("[providers.vllm]\nmodels = [{ id = \"a/b\", inptu = \"1\" }]", &["inptu"]),
        ("[providers.vllm]\nmodels = [{ id = \"a/b\" }, { id = \"a/b\" }]", &["models[1].id", "twice"]),
        (
            "[providers.vllm]\nmodels = [{ id = \"a/b\", capabilities = [\"visoin\"] }]",
            &["models[0].capabilities[0]", "'vision'"],
        ),
        ("[providers.vllm]\nmodels = [{ id = \"a/b\", type = \"laguage\" }]", &["laguage", "language"]),
        (
            "[providers.vllm]\nmodels = [{ id = \"openai/gpt-5.4-mini\", type = \"image\" }]",
            &["models[0].type", "'language'"],
        ),
        ("[providers.vllm]\nmodels = [{ id = \"xai/grok-4.5\" }]", &["models[0].id", "spacexai/grok-4.5"]),
        ("[providers.vllm]\nauth = \"magic\"", &["magic", "bearer"]),
    ] {
        let told = refusal(toml);
        assert!(parts.iter().all(|p| told.contains(p)), "{toml}\n{told}");
    }
}

#[test]
fn i04_a_price_that_is_a_number_is_refused() {
    for value in ["0", "1", "0.000001", "1e-6"] {
        let told = refusal(&format!("[providers.vllm]\nmodels = [{{ id = \"a/b\", input = {value} }}]"));
        assert!(told.contains("in quotes") && told.contains("input"), "{told}");
    }
    let told = refusal("[providers.vllm]\nmodels = [{ id = \"a/b\", input = \"-1\" }]");
    assert!(told.contains("negative"), "{told}");
    let told = refusal("[providers.vllm]\nmodels = [{ id = \"a/b\", input = \"cheap\" }]");
    assert!(told.contains("cheap"), "{told}");
}
