//! Making a key: the secret for the person, its hash for the store (I27).

use std::time::Duration;

use tollgate_crypto::{GatewayKey, random};
use tollgate_domain::Micros;
use tollgate_domain::id::{KeyId, Ulid};
use tollgate_store::{KeyStore, NewKey};

use crate::failure::Failure;
use crate::place::refused;
use crate::times;

/// What a key is to be.
#[derive(Debug)]
pub struct Wish {
    /// What people call it.
    pub name: String,
    /// Its label.
    pub environment: Option<String>,
    /// How long it is accepted.
    pub lifetime: Option<Duration>,
}

impl Wish {
    /// A key for ever, without a label.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), environment: None, lifetime: None }
    }
}

/// Makes a random key.
///
/// # Errors
/// When the system has no random numbers.
pub fn generate() -> Result<GatewayKey, Failure> {
    GatewayKey::generate().map_err(|e| Failure::new(e.to_string()))
}

/// Stores a key for the default team and project.
///
/// # Errors
/// When the store refuses.
pub async fn store(keys: &dyn KeyStore, key: &GatewayKey, wish: Wish) -> Result<NewKey, Failure> {
    let (team, project) = keys.default_owner().await.map_err(|e| refused(&e))?;
    let now = times::now();
    let random = random::number().map_err(|e| Failure::new(e.to_string()))?;
    let new = NewKey {
        id: KeyId(Ulid::from_parts(u64::try_from(now.millis()).unwrap_or(0), random)),
        name: wish.name,
        hash: key.hash(),
        display: key.display(),
        team,
        project: Some(project),
        environment: wish.environment,
        created_at: now,
        expires_at: wish.lifetime.map(|lifetime| expiry(now, lifetime)),
    };
    keys.create_key(new.clone()).await.map_err(|e| refused(&e))?;
    Ok(new)
}

fn expiry(now: Micros, lifetime: Duration) -> Micros {
    now.plus_micros(i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX))
}
