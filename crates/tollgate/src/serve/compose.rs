//! The composition root: store, catalog, providers and limits become a gateway.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch::Receiver;
use tollgate_catalog::Catalog;
use tollgate_crypto::random;
use tollgate_data_plane::lanes::{Connector, Lanes};
use tollgate_data_plane::{Access, Caller, Gateway, GatewayParts, IdSource, Snapshot, SystemClock};
use tollgate_store::{KeyStore, StoreError};
use tollgate_store_sqlite::SqliteStore;
use tollgate_telemetry::Metrics;

use crate::config::Config;
use crate::failure::Failure;
use crate::place;
use crate::providers::Configured;

/// A gateway, and what was found out while it was made.
pub struct Parts {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// Told of changed keys, from those on that the gateway has.
    pub revisions: Receiver<u64>,
    /// Providers that can be called: slug, and by what they are configured.
    pub usable: Vec<(String, String)>,
    /// Providers that are configured and cannot be called: slug, and why.
    pub unusable: Vec<(String, String)>,
}

/// Puts a gateway together.
///
/// # Errors
/// When keys cannot be read.
pub async fn gateway(
    config: &Config,
    catalog: Catalog,
    configured: &[Configured],
    store: &SqliteStore,
) -> Result<Parts, Failure> {
    let metrics = Arc::new(Metrics::new());
    let connector = Connector::with_system_roots();
    let lanes = Lanes::new(connector.clone(), config.limits.lanes, Arc::clone(&metrics));
    let (mut access, mut usable, mut unusable) = (HashMap::new(), Vec::new(), Vec::new());
    for provider in configured {
        let slug = provider.slug.clone();
        let made = provider.access.as_ref().map_err(Clone::clone);
        match made.and_then(|way| Access::new(way, &lanes).map_err(|e| e.to_string())) {
            Ok(way) => {
                access.insert(slug.clone(), Arc::new(way));
                usable.push((slug, provider.by.clone()));
            }
            Err(reason) => {
                tracing::warn!(provider = %slug, %reason, "a configured provider cannot be used");
                unusable.push((slug, reason));
            }
        }
    }
    // Seen before the keys are read: a change in between is noticed as one.
    let mut revisions = store.revisions();
    revisions.borrow_and_update();
    let callers = callers(&*store.keys()).await.map_err(|e| place::refused(&e))?;
    let gateway = Gateway::new(GatewayParts {
        snapshot: Snapshot::new(Arc::new(catalog), Arc::new(callers), Arc::new(access)),
        ledger: store.ledger(),
        settings: config.limits.settings,
        connector,
        clock: Arc::new(SystemClock),
        ids: IdSource::new(random::number().map_err(|e| Failure::new(e.to_string()))?),
        metrics,
    });
    Ok(Parts { gateway, revisions, usable, unusable })
}

/// All keys as callers, revoked and expired ones included, so that the refusal can say so.
///
/// # Errors
/// When the store cannot be read.
pub async fn callers(keys: &dyn KeyStore) -> Result<HashMap<[u8; 32], Arc<Caller>>, StoreError> {
    let records = keys.keys().await?;
    let caller = |record: tollgate_store::KeyRecord| {
        let key = record.key;
        let caller = Caller {
            key: key.id,
            name: key.name,
            team: key.team,
            project: key.project,
            environment: key.environment,
            expires_at: key.expires_at,
            revoked_at: record.revoked_at,
        };
        (key.hash, Arc::new(caller))
    };
    Ok(records.into_iter().map(caller).collect())
}
