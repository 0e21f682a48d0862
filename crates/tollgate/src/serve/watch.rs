//! Keys that another process makes or revokes are live within a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tollgate_data_plane::Gateway;
use tollgate_store::KeyStore;

use super::compose;

/// Before keys that could not be read are read again.
const PAUSE: Duration = Duration::from_millis(250);

/// Puts changed keys in force until the store ends.
pub async fn keys(gateway: Arc<Gateway>, keys: Arc<dyn KeyStore>, mut revisions: Receiver<u64>) {
    while revisions.changed().await.is_ok() {
        let revision = *revisions.borrow_and_update();
        loop {
            match compose::callers(&*keys).await {
                Ok(callers) => {
                    gateway.swap(gateway.snapshot().with_callers(callers));
                    tracing::debug!(revision, "changed keys are in force");
                    break;
                }
                // The request path goes on with the keys it has (I25).
                Err(error) => {
                    tracing::warn!(%error, "changed keys could not be read; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
