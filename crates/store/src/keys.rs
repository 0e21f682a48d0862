//! Gateway keys as stored: hashes only (I27).

use tollgate_domain::Micros;
use tollgate_domain::id::{KeyId, ProjectId, TeamId};

use crate::StoreError;
use crate::ledger::BoxFuture;

/// A key to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the whole secret.
    pub hash: [u8; 32],
    /// The first characters of the secret, to recognise it by (`tgk_AbC…`).
    pub display: String,
    /// The team that it belongs to.
    pub team: TeamId,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
    /// A label: `development`, `preview`, `production` or the operator's own.
    pub environment: Option<String>,
    /// When it was made.
    pub created_at: Micros,
    /// When it stops being accepted.
    pub expires_at: Option<Micros>,
}

/// A stored key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// What was stored.
    pub key: NewKey,
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
}

/// Keys, and the default team and project.
pub trait KeyStore: Send + Sync {
    /// The team and project that exist from the first start on.
    fn default_owner(&self) -> BoxFuture<Result<(TeamId, ProjectId), StoreError>>;

    /// Stores a key. The revision rises.
    fn create_key(&self, key: NewKey) -> BoxFuture<Result<(), StoreError>>;

    /// All keys, revoked and expired ones included, oldest first.
    fn keys(&self) -> BoxFuture<Result<Vec<KeyRecord>, StoreError>>;

    /// Revokes a key; a second time changes nothing. The revision rises.
    ///
    /// # Errors
    /// `Conflict` when there is no such key.
    fn revoke_key(&self, id: KeyId, at: Micros) -> BoxFuture<Result<KeyRecord, StoreError>>;

    /// A number that rises with every change of what the snapshot is made of, whichever process made it.
    fn revision(&self) -> BoxFuture<Result<u64, StoreError>>;
}
