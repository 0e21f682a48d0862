use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::catalog_file;
use crate::config::Flags;

fn find(toml: &str, environment: &Environment) -> Vec<Configured> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tollgate-providers-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("t.toml");
    std::fs::write(&file, toml).unwrap();
    let mut flags = Flags::default();
    flags.place.config = Some(file);
    flags.place.data = Some(folder.clone());
    let config = Config::load(&flags, environment).unwrap();
    let base = catalog_file::builtin().unwrap();
    let catalog = base.with_overlay(&catalog_file::overlay(&config, &base)).unwrap();
    let found = configured(&catalog, &config, environment);
    std::fs::remove_dir_all(&folder).unwrap();
    found
}

fn only(toml: &str, environment: &Environment) -> Configured {
    let mut found = find(toml, environment);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn nothing_is_configured_by_itself() {
    assert!(find("", &Environment::default()).is_empty());
}

#[test]
fn a_usual_variable_configures_its_provider() {
    let openai = only("", &Environment::from([("OPENAI_API_KEY", "sk-fake")]));
    assert_eq!((openai.slug.as_str(), openai.by.as_str()), ("openai", "OPENAI_API_KEY"));
    let access = openai.access.unwrap();
    assert_eq!(access.base_url, "https://api.openai.com/v1");
    assert_eq!(access.secret.unwrap().expose(), "sk-fake");
    let moved = [("OPENAI_API_KEY", "sk-fake"), ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/")];
    assert_eq!(only("", &Environment::from(moved)).access.unwrap().base_url, "http://127.0.0.1:9/v1");
}

#[test]
fn a_token_is_sent_as_one() {
    let anthropic = only("", &Environment::from([("ANTHROPIC_AUTH_TOKEN", "fake")])).access.unwrap();
    assert_eq!(anthropic.auth, tollgate_catalog::Auth::Bearer);
    let anthropic = only("", &Environment::from([("ANTHROPIC_API_KEY", "fake")])).access.unwrap();
    assert_eq!(anthropic.auth.to_string(), "header:x-api-key");
}

#[test]
fn the_file_goes_before_usual_variables() {
    let environment = Environment::from([
        ("OPENAI_API_KEY", "sk-other"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("MINE", "sk-mine"),
    ]);
    let toml = "[providers.openai]\nbase_url = \"http://127.0.0.1:7/v1\"\napi_key = { env = \"MINE\" }\n";
    let access = only(toml, &environment).access.unwrap();
    assert_eq!(
        (access.base_url.as_str(), access.secret.unwrap().expose()),
        ("http://127.0.0.1:7/v1", "sk-mine")
    );
}

#[test]
fn an_own_server_needs_no_key_and_a_known_provider_does() {
    let toml = "[providers.my-vllm]\nprotocol = \"openai-chat\"\nbase_url = \"http://127.0.0.1:7/v1\"\n";
    let own = only(toml, &Environment::default()).access.unwrap();
    assert!(own.secret.is_none() && own.auth == tollgate_catalog::Auth::None);
    assert!(only("[providers.ollama]\n", &Environment::default()).access.is_ok());
    let reason = only("[providers.groq]\n", &Environment::default()).access.unwrap_err();
    assert!(reason.contains("set GROQ_API_KEY") && reason.contains("[providers.groq]"), "{reason}");
    let toml = "[providers.groq]\napi_key = { env = \"NOT_SET\" }\n";
    let reason = only(toml, &Environment::default()).access.unwrap_err();
    assert!(reason.contains("NOT_SET is not set"), "{reason}");
}

#[test]
fn places_in_an_address_are_filled_or_asked_for() {
    let reason = only("", &Environment::from([("AZURE_API_KEY", "fake")])).access.unwrap_err();
    assert!(reason.contains("set AZURE_RESOURCE_NAME"), "{reason}");
    let both = [("AZURE_API_KEY", "fake"), ("AZURE_RESOURCE_NAME", "mine")];
    assert_eq!(
        only("", &Environment::from(both)).access.unwrap().base_url,
        "https://mine.openai.azure.com/openai/v1"
    );
}

#[test]
fn the_gateway_does_not_become_its_own_provider() {
    let looped = [("OPENAI_API_KEY", "sk-fake"), ("OPENAI_BASE_URL", "http://localhost:8400/v1")];
    let reason = only("", &Environment::from(looped)).access.unwrap_err();
    assert!(reason.contains("this gateway's own"), "{reason}");
}
