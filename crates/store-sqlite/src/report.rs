//! Reports, computed from the ledger's rows themselves.

use std::fmt::Write;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tollgate_domain::Nanodollars;
use tollgate_store::{ReportGroup, ReportQuery, ReportRow};

const SUMS: &str = "COALESCE(SUM(cost_nano), 0), COALESCE(SUM(market_cost_nano), 0), \
    SUM(input_uncached + input_cache_read + input_cache_write_5m + input_cache_write_1h + input_audio + input_image), \
    SUM(output_text + output_reasoning + output_audio + output_image), SUM(input_cache_read), \
    SUM(input_cache_write_5m + input_cache_write_1h), SUM(output_reasoning), COUNT(*)";

/// Counts the rows of a query.
pub(crate) fn report(connection: &Connection, query: &ReportQuery) -> rusqlite::Result<Vec<ReportRow>> {
    let (group, from) = match query.group {
        ReportGroup::Day => ("strftime('%Y-%m-%d', admitted_at / 1000000, 'unixepoch')", "ledger"),
        ReportGroup::Hour => ("strftime('%Y-%m-%dT%H', admitted_at / 1000000, 'unixepoch')", "ledger"),
        ReportGroup::User => ("end_user", "ledger"),
        ReportGroup::Model => ("model", "ledger"),
        ReportGroup::Tag => ("label.value", "ledger, json_each(ledger.tags) AS label"),
        ReportGroup::Provider => ("provider", "ledger"),
        ReportGroup::Credential => ("CASE byok WHEN 0 THEN 'system' ELSE 'byok' END", "ledger"),
        ReportGroup::ZeroDataRetention => ("'false'", "ledger"),
        ReportGroup::KeyName => {
            ("COALESCE(keys.name, ledger.\"key\")", "ledger LEFT JOIN keys ON keys.id = ledger.\"key\"")
        }
    };
    let (conditions, values) = conditions(query);
    let sql = format!(
        "SELECT {group} AS grouped, {SUMS} FROM {from} WHERE {conditions} AND grouped IS NOT NULL \
         GROUP BY grouped ORDER BY grouped"
    );
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(ReportRow {
            group: row.get(0)?,
            cost: Nanodollars(row.get(1)?),
            market_cost: Nanodollars(row.get(2)?),
            input_tokens: count(row.get(3)?),
            output_tokens: count(row.get(4)?),
            cached_input_tokens: count(row.get(5)?),
            cache_creation_input_tokens: count(row.get(6)?),
            reasoning_tokens: count(row.get(7)?),
            requests: count(row.get(8)?),
        })
    })?;
    rows.collect()
}

/// The conditions, each value bound and never part of the text.
fn conditions(query: &ReportQuery) -> (String, Vec<Value>) {
    let mut sql = "ledger.team = ? AND admitted_at >= ? AND admitted_at < ?".to_owned();
    let mut values: Vec<Value> =
        vec![query.team.to_string().into(), query.from.0.into(), query.until.0.into()];
    for (column, wanted) in
        [("end_user", &query.user), ("model", &query.model), ("ledger.provider", &query.provider)]
    {
        if let Some(wanted) = wanted {
            // Writing into memory cannot fail.
            let _ = write!(sql, " AND {column} = ?");
            values.push(wanted.clone().into());
        }
    }
    if let Some(byok) = query.byok {
        sql.push_str(" AND byok = ?");
        values.push(i64::from(byok).into());
    }
    if !query.tags.is_empty() {
        let each = "EXISTS (SELECT 1 FROM json_each(ledger.tags) AS tag WHERE tag.value = ?)";
        let glue = if query.any_tag { " OR " } else { " AND " };
        let _ = write!(sql, " AND ({})", vec![each; query.tags.len()].join(glue));
        values.extend(query.tags.iter().map(|tag| Value::from(tag.clone())));
    }
    (sql, values)
}
