//! Everything the request path reads, immutable and swapped whole: a change made anywhere is live with
//! the next request after the swap (I25).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tollgate_catalog::Catalog;
use tollgate_domain::ModelId;

use crate::authenticate::Caller;
use crate::resolve::{self, Access, ModelRoutes};

/// What a request is decided by.
#[derive(Debug)]
pub struct Snapshot {
    /// Models, endpoints and prices, the configuration's overlay included.
    pub catalog: Arc<Catalog>,
    /// Callers by the hash of their key, revoked and expired ones included.
    pub callers: Arc<HashMap<[u8; 32], Arc<Caller>>>,
    /// Providers that are configured, by slug.
    pub access: Arc<HashMap<String, Arc<Access>>>,
    /// Names the prices of the catalog (I6).
    pub(crate) price_version: Arc<str>,
    pub(crate) routes: Arc<HashMap<ModelId, Arc<ModelRoutes>>>,
    models: Arc<OnceLock<Bytes>>,
}

impl Snapshot {
    /// A snapshot; compiles the routes of every model.
    #[must_use]
    pub fn new(
        catalog: Arc<Catalog>,
        callers: Arc<HashMap<[u8; 32], Arc<Caller>>>,
        access: Arc<HashMap<String, Arc<Access>>>,
    ) -> Self {
        let routes = Arc::new(resolve::compile(&catalog, &access));
        let price_version = Arc::from(catalog.price_version());
        Self { catalog, callers, access, price_version, routes, models: Arc::default() }
    }

    /// The answer to `GET /v1/models`, rendered when it is first asked for.
    #[must_use]
    pub fn models(&self) -> Bytes {
        self.models.get_or_init(|| Bytes::from(tollgate_catalog::surface::models(&self.catalog))).clone()
    }

    /// The same with other callers.
    #[must_use]
    pub fn with_callers(&self, callers: HashMap<[u8; 32], Arc<Caller>>) -> Self {
        Self {
            catalog: Arc::clone(&self.catalog),
            callers: Arc::new(callers),
            access: Arc::clone(&self.access),
            price_version: Arc::clone(&self.price_version),
            routes: Arc::clone(&self.routes),
            models: Arc::clone(&self.models),
        }
    }
}
