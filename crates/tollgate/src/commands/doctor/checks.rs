//! The checks.

use tollgate_catalog::{Catalog, Overlay};
use tollgate_crypto::GatewayKey;
use tollgate_data_plane::lanes::{BaseUrl, Connector, Lanes};
use tollgate_data_plane::{Access, AccessConfig};
use tollgate_domain::Micros;
use tollgate_store_sqlite::Role;
use tollgate_telemetry::Metrics;

use super::{Finding, Verdict};
use crate::config::{Config, Environment};
use crate::providers::{self, Configured};
use crate::{catalog_file, place, reach, times};

/// 2025-01-01: before it, this program did not exist.
const NOT_BEFORE: Micros = Micros(1_735_689_600_000_000);

/// Runs all checks.
pub async fn all(config: &Config, environment: &Environment, findings: &mut Vec<Finding>) {
    findings.push(match &config.source {
        Some(source) => Finding::good("configuration", format!("{} is in order", source.path.display())),
        None => Finding::good("configuration", "no file; defaults and environment"),
    });
    findings.extend(bootstrap_key(config));
    findings.push(clock(times::now()));
    findings.push(folder(config));
    findings.push(database(config).await);
    findings.push(listen(config));
    match catalog_file::in_force(config, Overlay::default()) {
        Ok(catalog) => {
            findings.push(Finding::good(
                "catalog",
                format!("{} models, of {}", catalog.models().len(), catalog.date()),
            ));
            all_providers(&catalog, config, environment, findings).await;
        }
        Err(failure) => findings.push(Finding::not_good(
            Verdict::Bad,
            "catalog",
            failure.to_string().trim_start_matches("error: "),
            "correct what is named there",
        )),
    }
}

fn bootstrap_key(config: &Config) -> Option<Finding> {
    let key = config.bootstrap_key.as_ref()?;
    Some(match GatewayKey::check(key.expose()) {
        Ok(()) => Finding::good("TOLLGATE_BOOTSTRAP_KEY", "well-formed"),
        Err(error) => Finding::not_good(
            Verdict::Bad,
            "TOLLGATE_BOOTSTRAP_KEY",
            error.to_string(),
            "take a key that 'tollgate key create' made",
        ),
    })
}

fn clock(now: Micros) -> Finding {
    let text = times::text(now);
    if now >= NOT_BEFORE {
        return Finding::good("clock", text);
    }
    let to_do = "set the clock, for instance by NTP: ids, expiries and prices depend on it";
    Finding::not_good(Verdict::Bad, "clock", format!("it says {text}, which is in the past"), to_do)
}

fn folder(config: &Config) -> Finding {
    let shown = config.data.display();
    let probe = config.data.join(format!(".doctor-{}", std::process::id()));
    let written = place::make_folder(&config.data).map_err(|f| f.to_string()).and_then(|()| {
        std::fs::write(&probe, b"probe")
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| e.to_string())
    });
    match written {
        Ok(()) if is_open_to_others(config) => Finding::not_good(
            Verdict::Warning,
            "data folder",
            format!("{shown} can be read by other users of this machine"),
            format!("chmod 700 {shown}"),
        ),
        Ok(()) => Finding::good("data folder", format!("{shown} is writable")),
        Err(error) => Finding::not_good(
            Verdict::Bad,
            "data folder",
            format!("{shown} is not writable: {}", error.trim_start_matches("error: ")),
            "make it writable for the user that Tollgate runs as, or choose another with --data",
        ),
    }
}

#[cfg(unix)]
fn is_open_to_others(config: &Config) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(&config.data).is_ok_and(|m| m.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_config: &Config) -> bool {
    false
}

async fn database(config: &Config) -> Finding {
    let shown = config.database.display().to_string();
    let counted = async {
        let store = place::open_store(config, Role::Tool).map_err(|f| f.to_string())?;
        let keys = store.keys().keys().await.map_err(|e| e.to_string())?;
        store.close().await.map_err(|e| e.to_string())?;
        Ok::<_, String>(keys.iter().filter(|k| k.revoked_at.is_none()).count())
    };
    match counted.await {
        Ok(0) => Finding::good("database", format!("{shown} opens; no key yet, the first start makes one")),
        Ok(1) => Finding::good("database", format!("{shown} opens; 1 key")),
        Ok(keys) => Finding::good("database", format!("{shown} opens; {keys} keys")),
        Err(error) => Finding::not_good(
            Verdict::Bad,
            "database",
            error.trim_start_matches("error: "),
            "the sentence before says what helps",
        ),
    }
}

fn listen(config: &Config) -> Finding {
    match std::net::TcpListener::bind(config.listen) {
        Ok(_) => Finding::good("address", format!("{} is free", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::not_good(
            Verdict::Warning,
            "address",
            format!("{} is in use", config.listen),
            "good if a running Tollgate has it; else choose another with --listen",
        ),
        Err(error) => Finding::not_good(
            Verdict::Bad,
            "address",
            format!("{} cannot be listened on: {error}", config.listen),
            "choose another with --listen",
        ),
    }
}

async fn all_providers(
    catalog: &Catalog,
    config: &Config,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) {
    let configured = providers::configured(catalog, config, environment);
    if configured.is_empty() {
        findings.push(Finding::not_good(
            Verdict::Warning,
            "providers",
            "none is configured",
            "set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider's variable, or name one in the configuration",
        ));
    }
    let metrics = std::sync::Arc::new(Metrics::new());
    let lanes = Lanes::new(Connector::with_system_roots(), config.limits.lanes, metrics);
    for provider in configured {
        findings.push(one_provider(provider, &lanes).await);
    }
}

async fn one_provider(provider: Configured, lanes: &Lanes) -> Finding {
    let subject = format!("provider {}", provider.slug);
    let access = match provider.access {
        Ok(access) => access,
        Err(reason) => {
            return Finding::not_good(
                Verdict::Bad,
                subject,
                reason,
                "do what the sentence says, or take the provider out of the configuration",
            );
        }
    };
    if let Err(error) = Access::new(&access, lanes) {
        return Finding::not_good(
            Verdict::Warning,
            subject,
            error.to_string(),
            "its models are served by other providers, if at all",
        );
    }
    match reached(&access).await {
        Ok(origin) => Finding::good(
            subject,
            format!("key from {}; {origin} answers (the key was not sent)", provider.by),
        ),
        Err(reason) => Finding::not_good(
            Verdict::Bad,
            subject,
            reason,
            "check the network, the firewall, and base_url of the provider",
        ),
    }
}

/// TCP, and TLS where it is spoken; nothing is sent.
async fn reached(access: &AccessConfig) -> Result<String, String> {
    let base = BaseUrl::parse(&access.base_url).map_err(|e| e.to_string())?;
    let origin = base.origin;
    reach::connect(&origin.host, origin.port, origin.tls).await?;
    Ok(origin.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_the_past_is_a_problem() {
        assert_eq!(clock(Micros(0)).verdict, Verdict::Bad);
        assert_eq!(clock(times::now()).verdict, Verdict::Good);
    }
}
