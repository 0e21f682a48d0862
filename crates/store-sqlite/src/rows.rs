//! Ledger rows in SQL: how they are written, found and read.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, ToSql};
use tollgate_domain::id::{KeyId, ProjectId, TeamId, Ulid};
use tollgate_domain::{GenerationId, Micros, Nanodollars, Usage};
use tollgate_store::{Intent, LedgerRow, RowStatus, Totals};

use crate::terms::Terms;

/// The columns in the order in which [`read`] reads them: those of the view `ledger`.
const SELECT: &str = "SELECT id, status, admitted_at, settled_at, team, project, \"key\", requested_model, model, \
    planned_provider, provider, provider_model, dialect, streamed, end_user, tags, response_id, input_uncached, \
    input_cache_read, input_cache_write_5m, input_cache_write_1h, input_audio, input_image, output_text, \
    output_reasoning, output_audio, output_image, images, searches, usage_anomaly, usage_estimated, cost_nano, \
    market_cost_nano, rates, price_version, byok, finish_reason, failure, client_status, ttft_us, duration_us, \
    overhead_us, attempts FROM ledger WHERE slot = ?1";

/// The columns in the order in which [`insert`] binds them. Does nothing when the slot is taken.
const INSERT: &str = "INSERT OR IGNORE INTO ledger_rows (slot, id, terms, admitted_at, settled_at, end_user, tags, \
    response_id, input_uncached, input_cache_read, input_cache_write_5m, input_cache_write_1h, input_audio, input_image, \
    output_text, output_reasoning, output_audio, output_image, images, searches, usage_anomaly, usage_estimated, \
    cost_nano, market_cost_nano, ttft_us, duration_us, overhead_us, attempts) \
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// What a transaction adds to the totals of teams (I11).
#[derive(Debug, Default)]
pub(crate) struct Deltas(HashMap<TeamId, Totals>);

/// Writes rows.
#[derive(Debug, Default)]
pub(crate) struct Inserter {
    terms: Terms,
}

impl Inserter {
    /// Writes rows into the transaction that is open, with what they add to totals. A row that is there already
    /// stays as it is (I10). Returns how many were new.
    pub(crate) fn insert_all<'a>(
        &mut self,
        connection: &Connection,
        rows: impl Iterator<Item = &'a LedgerRow>,
    ) -> rusqlite::Result<usize> {
        let mut deltas = Deltas::default();
        let mut inserted = 0;
        let mut statement = connection.prepare_cached(INSERT)?;
        for row in rows {
            let terms = self.terms.number(connection, row)?;
            let first = slot(row.intent.id);
            // Mostly the first slot is free. One that is not is this row's, or of one that came before it there.
            let new = insert(&mut statement, row, first, terms)?
                || match search(connection, row.intent.id)? {
                    Place::Here(_) => false,
                    Place::Free(slot) => insert(&mut statement, row, slot, terms)?,
                };
            if new {
                inserted += 1;
                deltas.add(row);
            }
        }
        deltas.apply(connection)?;
        Ok(inserted)
    }

    /// To be called when a transaction was rolled back.
    pub(crate) fn forget(&mut self) {
        self.terms.forget();
    }
}

/// Where a row belongs.
enum Place {
    /// It is there.
    Here(i64),
    /// It is not, and would be put there.
    Free(i64),
}

/// The slot where the search for an id begins.
fn slot(id: GenerationId) -> i64 {
    const BITS: u32 = 21;
    let ulid = id.0;
    // Times up to the year 2109; later ones begin again in front, where slots are free by then or searched over.
    let millis = ulid.millis() & ((1 << (63 - BITS)) - 1);
    let rest = u64::try_from((ulid.0 ^ (ulid.0 >> 64)) & u128::from(u64::MAX)).unwrap_or(0);
    let hash = rest.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS);
    i64::try_from((millis << BITS) | hash).unwrap_or(0)
}

/// Rows are never removed, so an id is in the first slot, or behind it without a gap, or nowhere.
fn search(connection: &Connection, id: GenerationId) -> rusqlite::Result<Place> {
    let text = Text::id(GenerationId::PREFIX, id.0);
    let mut slot = slot(id);
    let mut statement = connection.prepare_cached("SELECT id = ?1 FROM ledger_rows WHERE slot = ?2")?;
    loop {
        match statement.query_row((&text, slot), |row| row.get(0)).optional()? {
            None => return Ok(Place::Free(slot)),
            Some(true) => return Ok(Place::Here(slot)),
            Some(false) => slot = slot.checked_add(1).unwrap_or(0),
        }
    }
}

fn insert(statement: &mut Statement<'_>, row: &LedgerRow, slot: i64, terms: i64) -> rusqlite::Result<bool> {
    let intent = &row.intent;
    let mut bind = Binder { statement, next: 0 };
    bind.value(slot)?;
    bind.value(Text::id(GenerationId::PREFIX, intent.id.0))?;
    bind.value(terms)?;
    bind.value(intent.admitted_at.0)?;
    bind.value(row.settled_at.0)?;
    bind.value(intent.end_user.as_deref())?;
    if intent.tags.is_empty() {
        bind.value(rusqlite::types::Null)?;
    } else {
        bind.value(serde_json::Value::from(intent.tags.as_slice()).to_string())?;
    }
    bind.value(row.response_id.as_deref())?;
    bind_usage(&mut bind, &row.usage)?;
    bind.value(row.cost.map(|cost| cost.0))?;
    bind.value(row.market_cost.map(|cost| cost.0))?;
    bind.value(row.ttft_micros)?;
    bind.value(row.duration_micros)?;
    bind.value(row.overhead_micros)?;
    bind.value(row.attempts)?;
    Ok(statement.raw_execute()? == 1)
}

fn bind_usage(bind: &mut Binder<'_, '_>, usage: &Usage) -> rusqlite::Result<()> {
    let counts = [
        usage.input_uncached,
        usage.input_cache_read,
        usage.input_cache_write_5m,
        usage.input_cache_write_1h,
        usage.input_audio,
        usage.input_image,
        usage.output_text,
        usage.output_reasoning,
        usage.output_audio,
        usage.output_image,
        usage.images,
        usage.searches,
    ];
    for count in counts {
        // SQLite has no unsigned integers. A count beyond 2^63 is nonsense that must not hold up all other rows.
        bind.value(i64::try_from(count).unwrap_or(i64::MAX))?;
    }
    bind.value(usage.anomaly)?;
    bind.value(usage.estimated)
}

/// Binds one column after another.
struct Binder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
}

impl Binder<'_, '_> {
    fn value(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.next += 1;
        self.statement.raw_bind_parameter(self.next, value)
    }
}

/// The textual form of an id, made without allocating.
pub(crate) struct Text {
    bytes: [u8; 32],
    length: usize,
}

impl Text {
    /// `prefix` and the ULID's 26 characters.
    pub(crate) fn id(prefix: &str, ulid: Ulid) -> Self {
        let mut bytes = [0u8; 32];
        let (head, tail) = bytes.split_at_mut(prefix.len());
        head.copy_from_slice(prefix.as_bytes());
        tail[..26].copy_from_slice(&ulid.encode());
        Self { bytes, length: prefix.len() + 26 }
    }
}

impl ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.bytes[..self.length])))
    }
}

impl Deltas {
    fn add(&mut self, row: &LedgerRow) {
        let totals = self.0.entry(row.intent.team).or_default();
        totals.cost_nano += i128::from(row.cost.unwrap_or(Nanodollars::ZERO).0);
        totals.requests += 1;
    }

    fn apply(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (team, delta) in &self.0 {
            let old = totals(connection, *team)?;
            let requests = i64::try_from(old.requests + delta.requests).unwrap_or(i64::MAX);
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO team_totals (team, cost_nano, requests) VALUES (?1, ?2, ?3)",
                )?
                .execute((team.to_string(), (old.cost_nano + delta.cost_nano).to_string(), requests))?;
        }
        Ok(())
    }
}

/// What a team has spent.
pub(crate) fn totals(connection: &Connection, team: TeamId) -> rusqlite::Result<Totals> {
    let found = connection
        .prepare_cached("SELECT cost_nano, requests FROM team_totals WHERE team = ?1")?
        .query_row([team.to_string()], |row| {
            let cost: String = row.get(0)?;
            let requests: i64 = row.get(1)?;
            let cost_nano = cost.parse().map_err(|error| unreadable(0, error))?;
            Ok(Totals { cost_nano, requests: u64::try_from(requests).unwrap_or(0) })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// One row.
pub(crate) fn find(connection: &Connection, id: GenerationId) -> rusqlite::Result<Option<LedgerRow>> {
    match search(connection, id)? {
        Place::Here(slot) => connection.prepare_cached(SELECT)?.query_row([slot], read).optional(),
        Place::Free(_) => Ok(None),
    }
}

/// The row of an intent whose process died (I8). What it cost is not known, so it is NULL (I5).
pub(crate) fn interrupted(intent: Intent, now: Micros) -> LedgerRow {
    LedgerRow {
        status: RowStatus::Interrupted,
        settled_at: now,
        provider: intent.provider.clone(),
        provider_model: String::new(),
        response_id: None,
        usage: Usage::default(),
        cost: None,
        market_cost: None,
        rates: String::new(),
        price_version: String::new(),
        byok: false,
        finish_reason: String::new(),
        failure: None,
        client_status: 0,
        ttft_micros: None,
        duration_micros: now.since(intent.admitted_at),
        overhead_micros: 0,
        attempts: 0,
        intent,
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let mut column = Columns { row, next: 0 };
    let id = column.parsed(GenerationId::parse)?;
    let status = column.parsed(status_of)?;
    let admitted_at = Micros(column.get()?);
    let settled_at = Micros(column.get()?);
    let team = column.parsed(TeamId::parse)?;
    let project = column.parsed_optional(ProjectId::parse)?;
    let key = column.parsed(KeyId::parse)?;
    let (requested_model, canonical_model, planned_provider) = (column.get()?, column.get()?, column.get()?);
    let (provider, provider_model) = (column.get()?, column.get()?);
    let (dialect, streamed, end_user) = (column.get()?, column.get()?, column.get()?);
    let tags = column.parsed_optional(|text| serde_json::from_str(text).ok())?.unwrap_or_default();
    let intent = Intent {
        id,
        admitted_at,
        team,
        project,
        key,
        requested_model,
        canonical_model,
        provider: planned_provider,
        dialect,
        streamed,
        end_user,
        tags,
    };
    Ok(LedgerRow {
        intent,
        status,
        settled_at,
        provider,
        provider_model,
        response_id: column.get()?,
        usage: read_usage(&mut column)?,
        cost: column.get::<Option<i64>>()?.map(Nanodollars),
        market_cost: column.get::<Option<i64>>()?.map(Nanodollars),
        rates: column.get()?,
        price_version: column.get()?,
        byok: column.get()?,
        finish_reason: column.get()?,
        failure: column.get()?,
        client_status: column.get()?,
        ttft_micros: column.get()?,
        duration_micros: column.get()?,
        overhead_micros: column.get()?,
        attempts: column.get()?,
    })
}

fn read_usage(column: &mut Columns<'_, '_>) -> rusqlite::Result<Usage> {
    Ok(Usage {
        input_uncached: column.count()?,
        input_cache_read: column.count()?,
        input_cache_write_5m: column.count()?,
        input_cache_write_1h: column.count()?,
        input_audio: column.count()?,
        input_image: column.count()?,
        output_text: column.count()?,
        output_reasoning: column.count()?,
        output_audio: column.count()?,
        output_image: column.count()?,
        images: column.count()?,
        searches: column.count()?,
        anomaly: column.get()?,
        estimated: column.get()?,
    })
}

/// Takes one column after another.
struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl Columns<'_, '_> {
    fn get<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    fn count(&mut self) -> rusqlite::Result<u64> {
        self.get::<i64>().map(|count| u64::try_from(count).unwrap_or(0))
    }

    fn parsed<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        let text: String = self.get()?;
        parse(&text).ok_or_else(|| unreadable(self.next - 1, NotUnderstood(text)))
    }

    fn parsed_optional<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
        let Some(text) = self.get::<Option<String>>()? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| unreadable(self.next - 1, NotUnderstood(text)))
    }
}

/// A stored text that is none of those that Tollgate writes.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not understood")]
pub(crate) struct NotUnderstood(pub(crate) String);

/// The error for a column whose text cannot be read.
pub(crate) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

pub(crate) fn status_word(status: RowStatus) -> &'static str {
    match status {
        RowStatus::Settled => "settled",
        RowStatus::Estimated => "estimated",
        RowStatus::Void => "void",
        RowStatus::Interrupted => "interrupted",
    }
}

fn status_of(word: &str) -> Option<RowStatus> {
    [RowStatus::Settled, RowStatus::Estimated, RowStatus::Void, RowStatus::Interrupted]
        .into_iter()
        .find(|status| status_word(*status) == word)
}

#[cfg(test)]
mod tests {
    use tollgate_store::contract::{intent, row};

    use super::*;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::database::migrate(std::path::Path::new("memory"), &mut connection).unwrap();
        connection
    }

    /// All begin at the same slot: their times are 2^42 ms apart, and the random parts make up for it in the hash.
    fn crowded(number: u64) -> LedgerRow {
        let id = GenerationId(Ulid::from_parts(
            1_700_000_000_000 + (number << 42),
            u128::from(7 ^ (number << 58)),
        ));
        row(Intent { id, ..intent(0) }, Some(i64::try_from(number).unwrap()))
    }

    #[test]
    fn i10_rows_that_want_the_same_slot_are_all_there_once() {
        let connection = database();
        let rows: Vec<_> = (0..6).map(crowded).collect();
        assert!(rows.iter().all(|row| slot(row.intent.id) == slot(rows[0].intent.id)));
        let mut inserter = Inserter::default();
        for part in [&rows[..3], &rows[1..5], &rows[..5]] {
            inserter.insert_all(&connection, part.iter()).unwrap();
        }
        for row in &rows[..5] {
            assert_eq!(find(&connection, row.intent.id).unwrap().as_ref(), Some(row));
            let late = LedgerRow { cost: Some(Nanodollars(99)), ..row.clone() };
            assert_eq!(inserter.insert_all(&connection, std::iter::once(&late)).unwrap(), 0);
        }
        assert_eq!(find(&connection, rows[5].intent.id).unwrap(), None);
        let sum = totals(&connection, rows[0].intent.team).unwrap();
        assert_eq!(sum, Totals { cost_nano: 10, requests: 5 });
    }

    #[test]
    fn slots_follow_time_and_spread_within_a_millisecond() {
        let at = |millis, random| slot(GenerationId(Ulid::from_parts(millis, random)));
        let slots: std::collections::HashSet<_> =
            (0..1000).map(|random| at(1_700_000_000_000, random)).collect();
        assert!(slots.len() > 990, "{}", slots.len());
        assert!(slots.iter().all(|slot| *slot < at(1_700_000_000_001, 0)));
        assert!(at(u64::MAX, u128::MAX) >= 0);
    }

    #[test]
    fn terms_of_a_transaction_that_was_rolled_back_are_stored_again() {
        let connection = database();
        let mut inserter = Inserter::default();
        connection.execute_batch("BEGIN").unwrap();
        assert_eq!(inserter.insert_all(&connection, std::iter::once(&crowded(1))).unwrap(), 1);
        connection.execute_batch("ROLLBACK").unwrap();
        inserter.forget();
        assert_eq!(inserter.insert_all(&connection, [crowded(1), crowded(2)].iter()).unwrap(), 2);
        assert_eq!(find(&connection, crowded(1).intent.id).unwrap(), Some(crowded(1)));
        let terms: i64 =
            connection.query_row("SELECT count(*) FROM ledger_terms", [], |row| row.get(0)).unwrap();
        assert_eq!(terms, 1, "stored once for both rows");
    }
}
