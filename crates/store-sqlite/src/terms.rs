//! What many requests have in common (who asked, for what, whom, at which rates, how it ended) is stored once and
//! numbered, so that a row of the ledger is a third as long. The same terms may be stored more than once, by
//! later processes; nothing depends on their being stored only once.

use std::collections::HashMap;

use rusqlite::{Connection, ToSql};
use tollgate_domain::id::{KeyId, ProjectId, TeamId, Ulid};
use tollgate_store::LedgerRow;

use crate::rows::{Text, status_word};

/// The columns, in the order in which [`insert`] binds them.
const INSERT: &str = "INSERT INTO ledger_terms (status, team, project, \"key\", requested_model, model, planned_provider, \
    provider, provider_model, dialect, streamed, rates, price_version, byok, finish_reason, failure, client_status) \
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// How many are remembered; when there are more, remembering begins anew.
const REMEMBERED: usize = 4096;

/// The numbers of terms that are stored.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    numbers: HashMap<Box<[u8]>, i64>,
    /// Those of the last row: most rows are like the one before.
    last: Option<(Vec<u8>, i64)>,
    /// Memory that is used again.
    key: Vec<u8>,
}

impl Terms {
    /// The number of a row's terms, which are stored when they are new.
    pub(crate) fn number(&mut self, connection: &Connection, row: &LedgerRow) -> rusqlite::Result<i64> {
        write_key(row, &mut self.key);
        if let Some((key, number)) = &self.last
            && *key == self.key
        {
            return Ok(*number);
        }
        let number = match self.numbers.get(self.key.as_slice()) {
            Some(number) => *number,
            None => {
                let number = insert(connection, row)?;
                if self.numbers.len() >= REMEMBERED {
                    self.numbers.clear();
                }
                self.numbers.insert(self.key.as_slice().into(), number);
                number
            }
        };
        let (mut last, _) = self.last.take().unwrap_or_default();
        last.clone_from(&self.key);
        self.last = Some((last, number));
        Ok(number)
    }

    /// Forgets all: a transaction that stored some was rolled back.
    pub(crate) fn forget(&mut self) {
        self.numbers.clear();
        self.last = None;
    }
}

/// Everything that [`insert`] binds, so that different terms have different keys.
fn write_key(row: &LedgerRow, key: &mut Vec<u8>) {
    let intent = &row.intent;
    key.clear();
    let flags = [
        u8::from(intent.project.is_some()),
        u8::from(intent.streamed),
        u8::from(row.byok),
        u8::from(row.failure.is_some()),
    ];
    key.extend_from_slice(&flags);
    key.extend_from_slice(&row.client_status.to_le_bytes());
    for id in [Some(intent.team.0), Some(intent.key.0), intent.project.map(|project| project.0)]
        .into_iter()
        .flatten()
    {
        key.extend_from_slice(&id.0.to_le_bytes());
    }
    let texts = [
        status_word(row.status),
        &intent.requested_model,
        &intent.canonical_model,
        &intent.provider,
        &row.provider,
        &row.provider_model,
        &intent.dialect,
        &row.rates,
        &row.price_version,
        &row.finish_reason,
        row.failure.as_deref().unwrap_or_default(),
    ];
    for text in texts {
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
}

fn insert(connection: &Connection, row: &LedgerRow) -> rusqlite::Result<i64> {
    let intent = &row.intent;
    let id = |prefix: &str, ulid: Ulid| Text::id(prefix, ulid);
    let (team, key) = (id(TeamId::PREFIX, intent.team.0), id(KeyId::PREFIX, intent.key.0));
    let project = intent.project.map(|project| id(ProjectId::PREFIX, project.0));
    let values: [&dyn ToSql; 17] = [
        &status_word(row.status),
        &team,
        &project,
        &key,
        &intent.requested_model,
        &intent.canonical_model,
        &intent.provider,
        &row.provider,
        &row.provider_model,
        &intent.dialect,
        &intent.streamed,
        &row.rates,
        &row.price_version,
        &row.byok,
        &row.finish_reason,
        &row.failure,
        &row.client_status,
    ];
    connection.prepare_cached(INSERT)?.insert(values)
}

#[cfg(test)]
mod tests {
    use tollgate_store::RowStatus;
    use tollgate_store::contract::{intent, row, team};

    use super::*;

    /// Each with another value, also where values of neighbours run together.
    #[test]
    fn different_terms_have_different_keys() {
        let base = || row(intent(1), Some(1));
        let changes: &[fn(&mut LedgerRow)] = &[
            |_| {},
            |row| row.status = RowStatus::Void,
            |row| row.intent.team = team(2),
            |row| row.intent.project = None,
            |row| row.intent.key = KeyId(Ulid(1)),
            |row| row.intent.requested_model.push('x'),
            |row| row.intent.canonical_model.push('x'),
            |row| row.intent.provider.push('x'),
            |row| row.provider.push('x'),
            |row| row.provider.insert(0, row.intent.provider.pop().unwrap()),
            |row| row.provider_model.push('x'),
            |row| row.intent.dialect.push('x'),
            |row| row.intent.streamed = false,
            |row| row.rates.push('x'),
            |row| row.price_version.push('x'),
            |row| row.byok = false,
            |row| row.finish_reason.push('x'),
            |row| row.failure = Some(String::new()),
            |row| row.failure = Some("x".to_owned()),
            |row| row.client_status += 1,
        ];
        let keys: std::collections::HashSet<Vec<u8>> = changes
            .iter()
            .map(|change| {
                let (mut changed, mut key) = (base(), Vec::new());
                change(&mut changed);
                write_key(&changed, &mut key);
                key
            })
            .collect();
        assert_eq!(keys.len(), changes.len());
    }
}
