//! `--demo`: simulated providers in the process, models for them, and a day of traffic in the ledger that
//! says of itself that it is demo.

mod models;
mod traffic;

use std::time::Duration;

use tollgate_catalog::{Catalog, Overlay};
use tollgate_crypto::Secret;
use tollgate_data_plane::AccessConfig;
use tollgate_simulator::{Options, Simulator};
use tollgate_store_sqlite::SqliteStore;

use crate::failure::Failure;
use crate::providers::Configured;

pub use models::FIRST_MODEL;
pub use traffic::TRAFFIC_KEY;

/// Between the pieces of a streamed answer, so that it can be seen to stream.
const GAP: Duration = Duration::from_millis(15);

/// A running demo.
pub struct Demo {
    simulator: Simulator,
}

impl Demo {
    /// Starts the simulator on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self, Failure> {
        let options = Options { chunk_gap: GAP, models: models::upstream_names(), ..Options::default() };
        let simulator = Simulator::start(options).await.map_err(|error| {
            Failure::new(format!("the simulator of the demo could not be started: {error}"))
        })?;
        Ok(Self { simulator })
    }

    /// The demo's providers and models.
    pub fn overlay(&self) -> Overlay {
        models::overlay(&format!("{}/v1", self.simulator.base_url()))
    }

    /// Gives the demo's providers the key that the simulator wants to see, whatever it is.
    pub fn credentials(&self, configured: &mut Vec<Configured>) {
        configured.retain(|p| !models::is_provider(&p.slug));
        for (slug, provider) in self.overlay().providers {
            let (Some(protocol), Some(base_url)) = (provider.protocol, provider.base_url) else { continue };
            let access = AccessConfig {
                slug: slug.clone(),
                protocols: std::iter::once(protocol).chain(provider.also.iter().copied()).collect(),
                base_url,
                auth: protocol.usual_auth(),
                secret: Some(Secret::new("demo")),
            };
            configured.push(Configured { slug, by: "simulated".to_owned(), access: Ok(access) });
        }
    }

    /// Plays the traffic into the ledger, once.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn play(&self, catalog: &Catalog, store: &SqliteStore) -> Result<(), Failure> {
        traffic::play(catalog, store).await
    }

    /// Stops the simulator.
    pub async fn shutdown(self) {
        self.simulator.shutdown().await;
    }
}
