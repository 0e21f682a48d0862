//! Which providers are configured: from the file, or by the environment variables that everybody uses for
//! them (operations "Configuration"). What the file says of a provider goes before its usual variables,
//! which other programs on the machine may have set for themselves.

mod credentials;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use tollgate_catalog::{Catalog, Provider};
use tollgate_data_plane::AccessConfig;
use tollgate_data_plane::lanes::BaseUrl;

use crate::config::{Config, Environment};
use credentials::Found;

/// A provider that the operator means to use.
#[derive(Debug)]
pub struct Configured {
    /// Its slug.
    pub slug: String,
    /// By what it is configured, for people.
    pub by: String,
    /// The way to it, or why there is none and what to do.
    pub access: Result<AccessConfig, String>,
}

/// All providers that are configured, in the catalog's order.
pub fn configured(catalog: &Catalog, config: &Config, environment: &Environment) -> Vec<Configured> {
    catalog.providers().iter().filter_map(|provider| one(provider, config, environment)).collect()
}

fn one(provider: &Provider, config: &Config, environment: &Environment) -> Option<Configured> {
    let section = config.providers.get(&*provider.slug);
    let found = match section.and_then(|s| s.api_key.as_ref()) {
        Some(credential) => match credential.resolve(environment) {
            Ok(secret) => {
                Some(Found { secret: Some(secret), auth: provider.auth.clone(), by: "api_key".to_owned() })
            }
            Err(reason) => return Some(unusable(provider, "api_key", reason)),
        },
        None => credentials::usual(provider, environment),
    };
    let found = match (found, section) {
        (Some(found), _) => found,
        (None, Some(_)) if provider.auth == tollgate_catalog::Auth::None => Found {
            secret: None,
            auth: provider.auth.clone(),
            by: "the configuration, without a key".to_owned(),
        },
        (None, Some(_)) => return Some(unusable(provider, "the configuration", no_credential(provider))),
        (None, None) => return None,
    };
    let stated = section.is_some_and(|s| s.base_url.is_some());
    let base_url = match credentials::base_url(provider, stated, environment) {
        Ok(url) => url,
        Err(reason) => return Some(unusable(provider, &found.by, reason)),
    };
    if leads_back(&base_url, config.listen) {
        let reason = format!(
            "its address {base_url} is this gateway's own; give it the provider's, under [providers.{}]",
            provider.slug
        );
        return Some(unusable(provider, &found.by, reason));
    }
    let access = AccessConfig {
        slug: provider.slug.to_string(),
        protocols: std::iter::once(provider.protocol).chain(provider.also.iter().copied()).collect(),
        base_url,
        auth: found.auth,
        secret: found.secret,
    };
    Some(Configured { slug: provider.slug.to_string(), by: found.by, access: Ok(access) })
}

fn unusable(provider: &Provider, by: &str, reason: String) -> Configured {
    Configured { slug: provider.slug.to_string(), by: by.to_owned(), access: Err(reason) }
}

fn no_credential(provider: &Provider) -> String {
    if provider.env.is_empty() {
        return format!("it has no key; add api_key under [providers.{}]", provider.slug);
    }
    format!(
        "it has no key; set {}, or add api_key under [providers.{}]",
        provider.env.join(" and "),
        provider.slug
    )
}

/// People point `OPENAI_BASE_URL` at their gateway for other programs; the gateway must not call itself.
fn leads_back(base_url: &str, listen: SocketAddr) -> bool {
    let Ok(base) = BaseUrl::parse(base_url) else { return false };
    let local = base.origin.host == "localhost"
        || base.origin.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback() || ip == listen.ip());
    local && base.origin.port == listen.port()
}
