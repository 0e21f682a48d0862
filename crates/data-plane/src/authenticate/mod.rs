//! Credential → [`Caller`], from the snapshot, without a database (I25).

use tollgate_crypto::GatewayKey;
use tollgate_domain::Micros;
use tollgate_domain::id::{KeyId, ProjectId, TeamId};

use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key.
    pub key: KeyId,
    /// What people call the key.
    pub name: String,
    /// The team that pays.
    pub team: TeamId,
    /// The key's project.
    pub project: Option<ProjectId>,
    /// The key's environment label.
    pub environment: Option<String>,
    /// From when on the key is not accepted.
    pub expires_at: Option<Micros>,
    /// Since when the key is revoked.
    pub revoked_at: Option<Micros>,
}

const HOW: &str =
    "Send a Tollgate key as 'Authorization: Bearer tgk_…'; 'tollgate key create --name NAME' makes one.";

/// Finds the caller by the credential in the headers (operations "Keys"): `x-ai-gateway-api-key` goes
/// before `Authorization`, which may then hold a provider's own token (gateway-api §2.1).
///
/// # Errors
/// 401 with what is wrong with the credential.
pub(crate) fn caller(
    snapshot: &Snapshot,
    headers: &http::HeaderMap,
    now: Micros,
) -> Result<std::sync::Arc<Caller>, Refusal> {
    let keys = credentials(headers)?;
    let known = keys.iter().find_map(|key| {
        GatewayKey::check(key).ok()?;
        snapshot.callers.get(&tollgate_crypto::sha256(key.as_bytes()))
    });
    let Some(caller) = known else {
        let first = keys.first().copied().unwrap_or_default();
        GatewayKey::check(first)
            .map_err(|e| Refusal::unauthorized(format!("Invalid API key: {e}. {HOW}")))?;
        return Err(Refusal::unauthorized(format!(
            "Invalid API key: it is well-formed, but this gateway does not know it (it may belong to another Tollgate, or have been deleted). {HOW}"
        )));
    };
    if caller.revoked_at.is_some() {
        return Err(Refusal::unauthorized(format!("The API key '{}' has been revoked. {HOW}", caller.name)));
    }
    if caller.expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::unauthorized(format!("The API key '{}' has expired. {HOW}", caller.name)));
    }
    Ok(std::sync::Arc::clone(caller))
}

/// The keys that were sent, the one that counts first. `x-ai-gateway-api-key` stands alone: beside it the
/// other headers belong to the provider. Of `Authorization` and `x-api-key` a client may fill one with a
/// key of its own surroundings (clients §4), so that both are looked at.
fn credentials(headers: &http::HeaderMap) -> Result<Vec<&str>, Refusal> {
    let text = |name: &str| -> Result<Option<&str>, Refusal> {
        match headers.get(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(|v| Some(v.trim())).map_err(|_| {
                Refusal::unauthorized(format!(
                    "Invalid API key: the '{name}' header has characters outside ASCII. {HOW}"
                ))
            }),
        }
    };
    if let Some(value) = text("x-ai-gateway-api-key")? {
        return Ok(vec![strip_bearer(value).unwrap_or(value)]);
    }
    let api_key = text("x-api-key")?;
    let bearer = match text("authorization")? {
        None => None,
        Some(value) => match strip_bearer(value) {
            None if api_key.is_none() => {
                let scheme = value.split_whitespace().next().unwrap_or_default();
                let scheme = if scheme.starts_with("tgk_") || scheme.is_empty() { "none" } else { scheme };
                return Err(Refusal::unauthorized(format!(
                    "The Authorization header has the wrong scheme ({scheme}); expected 'Bearer'. {HOW}"
                )));
            }
            key => key,
        },
    };
    let keys: Vec<_> = bearer.into_iter().chain(api_key).collect();
    if keys.is_empty() {
        return Err(Refusal::unauthorized(format!("No API key was sent. {HOW}")));
    }
    Ok(keys)
}

fn strip_bearer(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}
