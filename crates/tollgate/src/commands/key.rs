//! `tollgate key`: works beside a running gateway, which notices within a second.

use serde_json::{Value, json};
use tollgate_domain::Micros;
use tollgate_domain::id::KeyId;
use tollgate_store::{KeyRecord, NewKey, StoreError};
use tollgate_store_sqlite::{Role, SqliteStore};

use super::configure;
use crate::cli::{KeyCreate, KeyList, KeyRevoke};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::new_key::{self, Wish};
use crate::{output, place, times};

/// `tollgate key create`.
///
/// # Errors
/// When the store cannot be opened or written.
pub fn create(args: KeyCreate, environment: &Environment) -> anyhow::Result<()> {
    let config = configure(&args.place, environment)?;
    let key = new_key::generate()?;
    let wish = Wish { name: args.name, environment: args.environment, lifetime: args.expires };
    let new = with_store(&config, async |store| new_key::store(&*store.keys(), &key, wish).await)?;
    let secret = key.secret().expose();
    if args.json {
        let mut value = describe(&new, None);
        value["secret"] = Value::from(secret);
        return Ok(output::json(&value)?);
    }
    let until = new.expires_at.map_or_else(String::new, |at| format!(", until {}", times::text(at)));
    Ok(output::text(&format!(
        "{secret}\n\nThis is the key '{}' ({}){until}. It is shown this once and cannot be shown again.\nA running gateway accepts it within a second.\n",
        new.name, new.id
    ))?)
}

/// `tollgate key list`.
///
/// # Errors
/// When the store cannot be read.
pub fn list(args: &KeyList, environment: &Environment) -> anyhow::Result<()> {
    let config = configure(&args.place, environment)?;
    let records =
        with_store(&config, async |store| store.keys().keys().await.map_err(|e| place::refused(&e)))?;
    if args.json {
        let list = records.iter().map(|r| describe(&r.key, r.revoked_at)).collect();
        return Ok(output::json(&Value::Array(list))?);
    }
    if records.is_empty() {
        return Ok(output::text("There are no keys. 'tollgate key create --name NAME' makes one.\n")?);
    }
    let heading =
        ["ID", "NAME", "KEY", "ENVIRONMENT", "CREATED", "EXPIRES", "STATUS"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(heading).chain(records.iter().map(row)).collect();
    Ok(output::text(&output::table(&rows))?)
}

/// `tollgate key revoke`.
///
/// # Errors
/// When there is no such key, or the store cannot be written.
pub fn revoke(args: &KeyRevoke, environment: &Environment) -> anyhow::Result<()> {
    let how = "tollgate key list shows the ids";
    if args.id.starts_with("tgk_") {
        return Err(Failure::usage("this is the key itself, expected its id (key_…)").next(how).into());
    }
    let id = KeyId::parse(&args.id).ok_or_else(|| {
        Failure::usage(format!("'{}' is not the id of a key", args.id))
            .expected("key_ and 26 characters")
            .next(how)
    })?;
    let config = configure(&args.place, environment)?;
    let record = with_store(&config, async |store| {
        store.keys().revoke_key(id, times::now()).await.map_err(|error| match error {
            StoreError::Conflict(_) => {
                Failure::new(format!("there is no key {id} in {}", config.data.display())).next(how)
            }
            other => place::refused(&other),
        })
    })?;
    if args.json {
        return Ok(output::json(&describe(&record.key, record.revoked_at))?);
    }
    let name = &record.key.name;
    Ok(output::text(&format!(
        "The key '{name}' ({id}) is revoked. A running gateway refuses it within a second.\n"
    ))?)
}

/// Opens the store beside whoever owns it, asks, and closes it.
fn with_store<T>(
    config: &Config,
    ask: impl AsyncFnOnce(&SqliteStore) -> Result<T, Failure>,
) -> Result<T, Failure> {
    place::small_runtime()?.block_on(async {
        let store = place::open_store(config, Role::Tool)?;
        let answer = ask(&store).await;
        store.close().await.map_err(|e| place::refused(&e))?;
        answer
    })
}

fn status(key: &NewKey, revoked_at: Option<Micros>, now: Micros) -> &'static str {
    match (revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        _ => "active",
    }
}

fn describe(key: &NewKey, revoked_at: Option<Micros>) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "display": key.display,
        "team": key.team,
        "project": key.project,
        "environment": key.environment,
        "created_at": times::text(key.created_at),
        "expires_at": key.expires_at.map(times::text),
        "revoked_at": revoked_at.map(times::text),
        "status": status(key, revoked_at, times::now()),
    })
}

fn row(record: &KeyRecord) -> Vec<String> {
    let key = &record.key;
    vec![
        key.id.to_string(),
        key.name.clone(),
        key.display.clone(),
        key.environment.clone().unwrap_or_else(|| "-".to_owned()),
        times::text(key.created_at),
        key.expires_at.map_or_else(|| "never".to_owned(), times::text),
        status(key, record.revoked_at, times::now()).to_owned(),
    ]
}
