//! The usual environment variables of providers: key, address, and what fills the places in an address.

use tollgate_catalog::{Auth, Provider};
use tollgate_crypto::Secret;

use crate::config::Environment;

/// A credential that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub secret: Option<Secret>,
    pub auth: Auth,
    pub by: String,
}

/// Variables of the catalog that hold something else than a key.
const NO_KEYS: [&str; 6] = ["_BASE_URL", "_HOST", "_REGION", "_RESOURCE_NAME", "_PROJECT", "_LOCATION"];

fn is_key(name: &str) -> bool {
    let key = name.ends_with("_KEY") || name.ends_with("_TOKEN") || name.contains("BEARER_TOKEN");
    key && !NO_KEYS.iter().any(|end| name.ends_with(end)) && !name.ends_with("SESSION_TOKEN")
}

/// The credential in the provider's usual variables; `None` when they are not set.
pub(super) fn usual(provider: &Provider, environment: &Environment) -> Option<Found> {
    match provider.auth {
        Auth::Bearer | Auth::Header(_) | Auth::None => {}
        // These credentials are made of several variables; all of them say that the provider is meant.
        Auth::AwsSigV4 | Auth::GoogleServiceAccount => {
            let all =
                !provider.env.is_empty() && provider.env.iter().all(|name| environment.get(name).is_some());
            return all.then(|| Found {
                secret: None,
                auth: provider.auth.clone(),
                by: provider.env.join(", "),
            });
        }
    }
    let names = provider.env.iter().chain(&provider.optional_env).filter(|name| is_key(name));
    let (name, value) = names.filter_map(|name| Some((name, environment.get(name)?))).next()?;
    // A token, as opposed to a key, goes into the header for tokens (providers §4).
    let auth = if name.ends_with("_AUTH_TOKEN") { Auth::Bearer } else { provider.auth.clone() };
    Some(Found { secret: Some(Secret::new(value)), auth, by: name.clone() })
}

/// The provider's address. `stated`: the configuration has one, which goes before the usual variables.
pub(super) fn base_url(
    provider: &Provider,
    stated: bool,
    environment: &Environment,
) -> Result<String, String> {
    if !stated {
        let find = |end: &str| {
            provider.optional_env.iter().filter(|n| n.ends_with(end)).find_map(|n| environment.get(n))
        };
        if let Some(url) = find("_BASE_URL") {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        if let Some(host) = find("_HOST") {
            let scheme = if host.contains("://") { "" } else { "http://" };
            return Ok(format!("{scheme}{}/v1", host.trim_end_matches('/')));
        }
    }
    fill(provider, environment)
}

/// Fills `{region}` and the like from the variables whose names end so.
fn fill(provider: &Provider, environment: &Environment) -> Result<String, String> {
    let mut url = provider.base_url.clone();
    while let Some((before, rest)) = url.split_once('{') {
        let Some((place, after)) = rest.split_once('}') else { break };
        let end = if place == "resource" {
            "_RESOURCE_NAME".to_owned()
        } else {
            format!("_{}", place.to_ascii_uppercase())
        };
        let name = provider.env.iter().chain(&provider.optional_env).find(|name| name.ends_with(&end));
        let value = name.and_then(|name| environment.get(name));
        let Some(value) = value else {
            let set = name.map_or_else(String::new, |name| format!("set {name}, or "));
            return Err(format!(
                "its address {} has no {place}; {set}add base_url under [providers.{}]",
                provider.base_url, provider.slug
            ));
        };
        url = format!("{before}{value}{after}");
    }
    Ok(url)
}
