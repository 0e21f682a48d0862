//! `GET /v1/report` (gateway-api §14.3).

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::civil::Date;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tollgate_domain::{InputError, Micros};
use tollgate_store::{ReportGroup, ReportQuery, ReportRow};

use super::generation::unreadable;
use crate::authenticate::Caller;
use crate::gateway::Gateway;
use crate::refusal::{Refusal, json as answer};
use crate::relay::ReplyBody;

const GROUPS: &str = "day, user, model, tag, provider, credential_type, zero_data_retention or api_key_name";

/// What the caller's team has spent.
pub(crate) async fn report(
    gateway: &Gateway,
    caller: &Caller,
    query: &str,
) -> Result<Response<ReplyBody>, Refusal> {
    let parameters = parameters(query);
    let asked = Asked::read(&parameters, caller)?;
    let rows = match asked.query {
        Some(query) => gateway.ledger.report(query).await.map_err(|e| unreadable(&e))?,
        None => Vec::new(),
    };
    let results: Vec<_> = rows.iter().map(|row| result(asked.name, row)).collect();
    let body = format!("{{\"results\":[{}]}}", results.join(","));
    Ok(answer(StatusCode::OK, Bytes::from(body)))
}

fn parameters(query: &str) -> HashMap<String, String> {
    let text = |raw: &str| percent_decode_str(&raw.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// What was asked for; without a query nothing can match.
struct Asked {
    name: &'static str,
    query: Option<ReportQuery>,
}

impl Asked {
    fn read(parameters: &HashMap<String, String>, caller: &Caller) -> Result<Self, Refusal> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        let (start, end) = (date(parameters, "start_date")?, date(parameters, "end_date")?);
        if end < start {
            let message = format!("'end_date' ({end}) is before 'start_date' ({start}); swap them.");
            return Err(InputError::invalid("end_date", message).into());
        }
        let hourly = match get("date_part") {
            None | Some("day") => false,
            Some("hour") => true,
            Some(other) => return Err(unknown("date_part", other, "day or hour")),
        };
        let group = get("group_by").unwrap_or("day");
        let (name, group) = match group {
            "day" if hourly => ("hour", ReportGroup::Hour),
            "day" => ("day", ReportGroup::Day),
            "user" => ("user", ReportGroup::User),
            "model" => ("model", ReportGroup::Model),
            "tag" => ("tag", ReportGroup::Tag),
            "provider" => ("provider", ReportGroup::Provider),
            "credential_type" => ("credential_type", ReportGroup::Credential),
            "zero_data_retention" => ("zero_data_retention", ReportGroup::ZeroDataRetention),
            "api_key_name" => ("api_key_name", ReportGroup::KeyName),
            other => return Err(unknown("group_by", other, GROUPS)),
        };
        let byok = match get("credential_type") {
            None => None,
            Some("byok") => Some(true),
            Some("system") => Some(false),
            Some(other) => return Err(unknown("credential_type", other, "byok or system")),
        };
        let retention = match get("zero_data_retention") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(unknown("zero_data_retention", other, "true or false")),
        };
        let any_tag = match get("tags_match") {
            None | Some("any") => true,
            Some("all") => false,
            Some(other) => return Err(unknown("tags_match", other, "any or all")),
        };
        let text = |name: &str| get(name).map(str::to_owned);
        let query = ReportQuery {
            team: caller.team,
            from: midnight(start),
            until: midnight(end.saturating_add(jiff::Span::new().days(1))),
            group,
            user: text("user_id"),
            model: text("model"),
            provider: text("provider"),
            byok,
            tags: get("tags").into_iter().flat_map(|t| t.split(',')).map(|t| t.trim().to_owned()).collect(),
            any_tag,
        };
        // No request has been held to zero data retention, so a report of those is empty.
        Ok(Self { name, query: (!retention).then_some(query) })
    }
}

fn date(parameters: &HashMap<String, String>, name: &str) -> Result<Date, Refusal> {
    let Some(text) = parameters.get(name) else {
        return Err(InputError::missing(name, "a date such as 2026-11-22 (UTC)").into());
    };
    text.parse().map_err(|_| {
        let message = format!("'{name}' is not a date; expected YYYY-MM-DD (UTC), such as 2026-11-22.");
        InputError::invalid(name, message).into()
    })
}

fn unknown(name: &str, found: &str, expected: &str) -> Refusal {
    let found: String = found.chars().take(40).collect();
    InputError::invalid(name, format!("'{name}' is \"{found}\"; expected {expected}.")).into()
}

fn midnight(day: Date) -> Micros {
    let zoned = day.to_zoned(jiff::tz::TimeZone::UTC);
    Micros(zoned.map_or(i64::MAX, |z| z.timestamp().as_microsecond()))
}

/// One row as JSON. Costs are numbers in dollars, written from exact decimal text (I4): a general JSON value
/// would make a float of them.
fn result(name: &str, row: &ReportRow) -> String {
    let group = if name == "zero_data_retention" { Value::Bool(false) } else { row.group.clone().into() };
    let mut found = format!("{{\"{name}\":{group}");
    let numbers: [(&str, &dyn std::fmt::Display); 10] = [
        ("total_cost", &row.cost),
        ("market_cost", &row.market_cost),
        ("surcharge_cost", &0),
        ("gateway_cost", &row.cost),
        ("input_tokens", &row.input_tokens),
        ("output_tokens", &row.output_tokens),
        ("cached_input_tokens", &row.cached_input_tokens),
        ("cache_creation_input_tokens", &row.cache_creation_input_tokens),
        ("reasoning_tokens", &row.reasoning_tokens),
        ("request_count", &row.requests),
    ];
    for (name, number) in numbers {
        // Writing to a string does not fail.
        let _ = write!(found, ",\"{name}\":{number}");
    }
    found.push('}');
    found
}
