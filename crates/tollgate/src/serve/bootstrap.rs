//! The first key: made at the first start and shown once, or given by `TOLLGATE_BOOTSTRAP_KEY`.

use tollgate_crypto::{GatewayKey, Secret};
use tollgate_store::KeyRecord;
use tollgate_store_sqlite::SqliteStore;

use crate::config::Config;
use crate::failure::Failure;
use crate::new_key::{self, Wish};
use crate::place::refused;
use crate::times;

/// How somebody can call the gateway.
pub enum FirstKey {
    /// With a key that was made just now, to be shown this once (I27).
    Made(Secret),
    /// With the key in `TOLLGATE_BOOTSTRAP_KEY`.
    FromEnvironment,
    /// With one of the keys that there are.
    Existing,
    /// Not at all: every key is revoked or has expired.
    None,
}

/// Sees to it that there is a key.
///
/// # Errors
/// When `TOLLGATE_BOOTSTRAP_KEY` is malformed, or the store refuses.
pub async fn first_key(config: &Config, store: &SqliteStore) -> Result<FirstKey, Failure> {
    let keys = store.keys();
    let records = keys.keys().await.map_err(|e| refused(&e))?;
    if let Some(given) = &config.bootstrap_key {
        let key = GatewayKey::parse(given.expose()).map_err(|error| {
            Failure::usage(format!("TOLLGATE_BOOTSTRAP_KEY cannot be used: {error}"))
                .expected("tgk_ and 40 letters and digits, the last six a checksum")
                .next("take a key that 'tollgate key create' made, or leave the variable out")
        })?;
        match records.iter().find(|r| r.key.hash == key.hash()) {
            None => {
                new_key::store(&*keys, &key, Wish::named("bootstrap")).await?;
            }
            Some(record) if !is_live(record) => {
                tracing::warn!(key = %record.key.id, "the key in TOLLGATE_BOOTSTRAP_KEY is revoked and stays so");
                return Ok(if records.iter().any(is_live) { FirstKey::Existing } else { FirstKey::None });
            }
            Some(_) => {}
        }
        return Ok(FirstKey::FromEnvironment);
    }
    if records.iter().any(is_live) {
        return Ok(FirstKey::Existing);
    }
    // Somebody who revoked all keys wants none; the demo's own key is not somebody's.
    if records.iter().any(|r| r.key.name != crate::demo::TRAFFIC_KEY) {
        return Ok(FirstKey::None);
    }
    let key = new_key::generate()?;
    new_key::store(&*keys, &key, Wish::named("first key")).await?;
    Ok(FirstKey::Made(key.secret().clone()))
}

fn is_live(record: &KeyRecord) -> bool {
    record.revoked_at.is_none() && record.key.expires_at.is_none_or(|at| at > times::now())
}
