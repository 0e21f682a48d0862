//! Gateway keys, the default owner and the revision.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};
use tollgate_domain::Micros;
use tollgate_domain::id::{KeyId, ProjectId, TeamId};
use tollgate_store::ledger::BoxFuture;
use tollgate_store::{KeyRecord, KeyStore, NewKey, StoreError};

use crate::desk::{Desk, Refusal};
use crate::rows::{NotUnderstood, unreadable};
use crate::{database, desk};

const COLUMNS: &str =
    "id, name, hash, display, team, project, environment, created_at, expires_at, revoked_at";

/// The key port on SQLite.
pub(crate) struct SqliteKeys(pub(crate) Desk);

impl KeyStore for SqliteKeys {
    fn default_owner(&self) -> BoxFuture<Result<(TeamId, ProjectId), StoreError>> {
        self.0.ask(|connection| {
            let team = owner(connection, "default_team", TeamId::parse)?;
            let project = owner(connection, "default_project", ProjectId::parse)?;
            Ok((team, project))
        })
    }

    fn create_key(&self, key: NewKey) -> BoxFuture<Result<(), StoreError>> {
        self.0.write(move |connection| {
            let insert =
                format!("INSERT INTO keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)");
            let inserted = connection.prepare_cached(&insert)?.execute((
                key.id.to_string(),
                &key.name,
                &key.hash[..],
                &key.display,
                key.team.to_string(),
                key.project.map(|project| project.to_string()),
                &key.environment,
                key.created_at.0,
                key.expires_at.map(|at| at.0),
            ));
            match inserted {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    return Err(Refusal::Store(StoreError::Conflict(format!(
                        "the key {} exists already. Make a new key instead of storing one twice",
                        key.id
                    ))));
                }
                other => other?,
            };
            raise_revision(connection)
        })
    }

    fn keys(&self) -> BoxFuture<Result<Vec<KeyRecord>, StoreError>> {
        self.0.ask(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT {COLUMNS} FROM keys ORDER BY created_at, id"))?;
            let records = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(records)
        })
    }

    fn revoke_key(&self, id: KeyId, at: Micros) -> BoxFuture<Result<KeyRecord, StoreError>> {
        self.0.write(move |connection| {
            let find = format!("SELECT {COLUMNS} FROM keys WHERE id = ?1");
            let found = connection.prepare_cached(&find)?.query_row([id.to_string()], read).optional()?;
            let Some(mut record) = found else {
                return Err(Refusal::Store(StoreError::Conflict(format!(
                    "there is no key {id}. List the keys and take the id from there"
                ))));
            };
            if record.revoked_at.is_none() {
                connection
                    .prepare_cached("UPDATE keys SET revoked_at = ?2 WHERE id = ?1")?
                    .execute((id.to_string(), at.0))?;
                raise_revision(connection)?;
                record.revoked_at = Some(at);
            }
            Ok(record)
        })
    }

    fn revision(&self) -> BoxFuture<Result<u64, StoreError>> {
        self.0.ask(|connection| Ok(desk::revision(connection)?))
    }
}

fn raise_revision(connection: &Connection) -> Result<(), Refusal> {
    let next = desk::revision(connection)? + 1;
    connection
        .prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?
        .execute((database::REVISION, next.to_string()))?;
    Ok(())
}

fn owner<T>(connection: &Connection, name: &str, parse: fn(&str) -> Option<T>) -> Result<T, Refusal> {
    let text = database::meta(connection, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    parse(&text).ok_or_else(|| Refusal::Sql(unreadable(0, NotUnderstood(text))))
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let hash: Vec<u8> = row.get(2)?;
    let hash =
        hash.try_into().map_err(|_| unreadable(2, NotUnderstood("a hash of another length".to_owned())))?;
    let key = NewKey {
        id: id(row, 0, KeyId::parse)?,
        name: row.get(1)?,
        hash,
        display: row.get(3)?,
        team: id(row, 4, TeamId::parse)?,
        project: match row.get::<_, Option<String>>(5)? {
            Some(text) => Some(ProjectId::parse(&text).ok_or_else(|| unreadable(5, NotUnderstood(text)))?),
            None => None,
        },
        environment: row.get(6)?,
        created_at: Micros(row.get(7)?),
        expires_at: row.get::<_, Option<i64>>(8)?.map(Micros),
    };
    Ok(KeyRecord { key, revoked_at: row.get::<_, Option<i64>>(9)?.map(Micros) })
}

fn id<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| unreadable(column, NotUnderstood(text)))
}
