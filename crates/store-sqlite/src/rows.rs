//! Ledger rows in SQL: one statement writes them, one reads them, one list of columns serves both.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Statement, ToSql};
use tollgate_domain::id::{KeyId, ProjectId, TeamId, Ulid};
use tollgate_domain::{GenerationId, Micros, Nanodollars, Usage};
use tollgate_store::{Intent, LedgerRow, RowStatus, Totals};

/// The columns, in the order in which [`insert`] binds and [`read`] reads them.
macro_rules! columns {
    () => {
        "id, status, admitted_at, settled_at, team, project, \"key\", requested_model, model, planned_provider, \
         provider, provider_model, dialect, streamed, end_user, tags, response_id, input_uncached, input_cache_read, \
         input_cache_write_5m, input_cache_write_1h, input_audio, input_image, output_text, output_reasoning, \
         output_audio, output_image, images, searches, usage_anomaly, usage_estimated, cost_nano, market_cost_nano, \
         rates, price_version, byok, finish_reason, failure, client_status, ttft_us, duration_us, overhead_us, attempts"
    };
}

/// A row that is there already stays as it is (I10).
const INSERT: &str = concat!(
    "INSERT OR IGNORE INTO ledger (",
    columns!(),
    ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
);
const SELECT: &str = concat!("SELECT ", columns!(), " FROM ledger WHERE id = ?1");

/// What a transaction adds to the totals of teams (I11).
#[derive(Debug, Default)]
pub(crate) struct Deltas(HashMap<TeamId, Totals>);

/// Writes rows into the transaction that is open, with what they add to totals. Returns how many were new.
pub(crate) fn insert_all<'a>(
    connection: &Connection,
    rows: impl Iterator<Item = &'a LedgerRow>,
) -> rusqlite::Result<usize> {
    let mut deltas = Deltas::default();
    let mut inserted = 0;
    let mut statement = connection.prepare_cached(INSERT)?;
    for row in rows {
        if insert(&mut statement, row)? {
            inserted += 1;
            deltas.add(row);
        }
    }
    deltas.apply(connection)?;
    Ok(inserted)
}

fn insert(statement: &mut Statement<'_>, row: &LedgerRow) -> rusqlite::Result<bool> {
    let intent = &row.intent;
    let mut bind = Binder { statement, next: 0 };
    bind.id(GenerationId::PREFIX, intent.id.0)?;
    bind.text(status_word(row.status))?;
    bind.integer(intent.admitted_at.0)?;
    bind.integer(row.settled_at.0)?;
    bind.id(TeamId::PREFIX, intent.team.0)?;
    match intent.project {
        Some(project) => bind.id(ProjectId::PREFIX, project.0)?,
        None => bind.optional::<i64>(None)?,
    }
    bind.id(KeyId::PREFIX, intent.key.0)?;
    bind.text(&intent.requested_model)?;
    bind.text(&intent.canonical_model)?;
    bind.text(&intent.provider)?;
    bind.text(&row.provider)?;
    bind.text(&row.provider_model)?;
    bind.text(&intent.dialect)?;
    bind.integer(i64::from(intent.streamed))?;
    bind.optional(intent.end_user.as_deref())?;
    if intent.tags.is_empty() {
        bind.optional::<&str>(None)?;
    } else {
        bind.text(&serde_json::Value::from(intent.tags.as_slice()).to_string())?;
    }
    bind.optional(row.response_id.as_deref())?;
    bind_usage(&mut bind, &row.usage)?;
    bind.optional(row.cost.map(|cost| cost.0))?;
    bind.optional(row.market_cost.map(|cost| cost.0))?;
    bind.text(&row.rates)?;
    bind.text(&row.price_version)?;
    bind.integer(i64::from(row.byok))?;
    bind.text(&row.finish_reason)?;
    bind.optional(row.failure.as_deref())?;
    bind.integer(i64::from(row.client_status))?;
    bind.optional(row.ttft_micros)?;
    bind.integer(row.duration_micros)?;
    bind.integer(row.overhead_micros)?;
    bind.integer(i64::from(row.attempts))?;
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
        bind.integer(i64::try_from(count).unwrap_or(i64::MAX))?;
    }
    bind.integer(i64::from(usage.anomaly))?;
    bind.integer(i64::from(usage.estimated))
}

/// Binds one column after another.
struct Binder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
}

impl Binder<'_, '_> {
    fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.next += 1;
        self.statement.raw_bind_parameter(self.next, value)
    }

    fn text(&mut self, value: &str) -> rusqlite::Result<()> {
        self.bind(value)
    }

    fn integer(&mut self, value: i64) -> rusqlite::Result<()> {
        self.bind(value)
    }

    fn optional<T: ToSql>(&mut self, value: Option<T>) -> rusqlite::Result<()> {
        self.bind(value)
    }

    /// The textual form, made without allocating.
    fn id(&mut self, prefix: &str, ulid: Ulid) -> rusqlite::Result<()> {
        let mut text = [0u8; 32];
        let (head, tail) = text.split_at_mut(prefix.len());
        head.copy_from_slice(prefix.as_bytes());
        tail[..26].copy_from_slice(&ulid.encode());
        self.bind(std::str::from_utf8(&text[..prefix.len() + 26])?)
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
    connection.prepare_cached(SELECT)?.query_row([id.to_string()], read).optional()
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

fn status_word(status: RowStatus) -> &'static str {
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
