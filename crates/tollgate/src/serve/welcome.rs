//! What somebody who starts the gateway reads first: the address, the key, the providers, and a line to
//! try it with.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tollgate_catalog::{Catalog, EndpointStatus, Level, Model, ModelKind};

use super::bootstrap::FirstKey;
use super::compose::Parts;
use crate::config::Config;
use crate::demo;

/// The text.
pub struct Welcome<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Where it really listens.
    pub address: SocketAddr,
    /// How it can be called.
    pub first_key: &'a FirstKey,
    /// The gateway.
    pub parts: &'a Parts,
    /// Whether this is a demo.
    pub demo: bool,
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Tollgate {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "Listening on http://{}\n", self.address)?;
        self.key(f)?;
        self.providers(f)?;
        writeln!(f, "Data       {}", self.config.data.display())?;
        if self.demo {
            writeln!(
                f,
                "Demo       the providers are simulated; the ledger holds a day of made-up requests, tagged 'demo'"
            )?;
        }
        self.try_it(f)
    }
}

impl Welcome<'_> {
    fn create(&self) -> String {
        let data = self.config.data.display().to_string();
        // The folder that a bare command would take needs no flag.
        if data == "data" {
            "tollgate key create --name NAME".to_owned()
        } else {
            format!("tollgate key create --name NAME --data {}", quoted(&data))
        }
    }

    fn key(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first_key {
            FirstKey::Made(secret) => {
                writeln!(f, "Key        {}", secret.expose())?;
                writeln!(f, "           (shown this once; another: {})", self.create())
            }
            FirstKey::FromEnvironment => writeln!(f, "Key        the one in TOLLGATE_BOOTSTRAP_KEY"),
            FirstKey::Existing => {
                writeln!(f, "Key        one of those that exist (another: {})", self.create())
            }
            FirstKey::None => writeln!(f, "Key        none is valid; make one: {}", self.create()),
        }
    }

    fn providers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usable: Vec<String> =
            self.parts.usable.iter().map(|(slug, by)| format!("{slug} ({by})")).collect();
        if usable.is_empty() {
            writeln!(
                f,
                "Providers  none is configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GROQ_API_KEY or another"
            )?;
            writeln!(
                f,
                "           provider's usual variable, or add [providers.<slug>] to tollgate.toml, and start again;"
            )?;
            writeln!(f, "           'tollgate serve --demo' needs none")?;
        } else {
            writeln!(f, "Providers  {}", usable.join(", "))?;
        }
        for (slug, reason) in &self.parts.unusable {
            writeln!(f, "Not used   {slug}: {reason}")?;
        }
        Ok(())
    }

    fn try_it(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.parts.gateway.snapshot();
        let model = if self.demo {
            Some(demo::FIRST_MODEL.to_owned())
        } else {
            let usable = |slug: &str| snapshot.access.contains_key(slug);
            modest_model(&snapshot.catalog, usable).map(|m| m.id.to_string())
        };
        let Some(model) = model else { return Ok(()) };
        let key = match self.first_key {
            FirstKey::Made(secret) => secret.expose(),
            FirstKey::FromEnvironment => "$TOLLGATE_BOOTSTRAP_KEY",
            FirstKey::Existing | FirstKey::None => "$TOLLGATE_KEY",
        };
        let with = if key == "$TOLLGATE_KEY" { " (with a key of yours in TOLLGATE_KEY)" } else { "" };
        let url = self.config.public_url.clone().unwrap_or_else(|| format!("http://{}", self.reachable()));
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello!"}}]}}"#);
        writeln!(f, "\nTry it{with}:\n")?;
        writeln!(
            f,
            "curl {url}/v1/chat/completions -H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json' -d '{body}'"
        )
    }

    /// An address that can be called where "all addresses" is listened on.
    fn reachable(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }
}

fn quoted(path: &str) -> String {
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// The cheapest current model among those that can be called: a first try should cost next to nothing.
fn modest_model(catalog: &Catalog, usable: impl Fn(&str) -> bool) -> Option<&Model> {
    let cost = |model: &Model| {
        let endpoints =
            model.endpoints.iter().filter(|e| usable(&e.provider) && e.status == EndpointStatus::Active);
        let chat = |apis: &[String]| {
            apis.is_empty()
                || apis.iter().any(|a| a.ends_with("/chat/completions") || a.ends_with("/messages"))
        };
        let callable = endpoints.filter(|e| chat(&e.apis) && e.request_patch.is_none());
        callable
            .map(|e| {
                e.prices
                    .as_ref()
                    .and_then(|p| p.effective(Level::Standard, 0).output)
                    .map_or(i64::MAX, |p| p.0)
            })
            .min()
    };
    let current = catalog
        .models()
        .iter()
        .filter(|m| m.kind == ModelKind::Language && !m.deprecated && m.variant.is_none());
    // What costs nothing is often not for everybody.
    current
        .filter_map(|m| Some((cost(m)?, m)))
        .min_by_key(|(cost, m)| (*cost == 0, *cost, !m.listed))
        .map(|(_, m)| m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_to_try_is_one_that_can_be_called() {
        let catalog = crate::catalog_file::builtin().unwrap();
        let model = modest_model(&catalog, |slug| slug == "openai").unwrap();
        assert!(model.endpoints_of("openai").next().is_some());
        assert!(modest_model(&catalog, |_| false).is_none());
    }

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!((quoted("data/demo").as_str(), quoted("my data").as_str()), ("data/demo", "'my data'"));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
