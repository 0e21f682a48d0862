//! A day of made-up requests. They are written as real ones are, priced by the demo models' prices, and
//! labelled: a key of their own, the tag `demo`, the demo's providers.

use std::sync::Arc;

use tollgate_catalog::{Catalog, Level};
use tollgate_crypto::random;
use tollgate_domain::id::{GenerationId, KeyId, ProjectId, TeamId, Ulid};
use tollgate_domain::{Micros, Nanodollars, Usage};
use tollgate_store::{Durable, Intent, Ledger, LedgerRow, NewKey, RowStatus};
use tollgate_store_sqlite::SqliteStore;

use crate::failure::Failure;
use crate::new_key::{self, Wish};
use crate::place::refused;
use crate::times;

/// The name of the key that the traffic is booked on. Nobody has its secret, and it is revoked.
pub const TRAFFIC_KEY: &str = "demo traffic";

const REQUESTS: u64 = 2_000;
const DAY: i64 = 86_400_000_000;

/// How much of the traffic a model has, in hundredths, and how talkative it is.
const MIX: [(&str, u64, u64); 4] =
    [("demo/swift", 48, 220), ("demo/atlas", 22, 420), ("demo/claude", 20, 520), ("demo/thinker", 10, 900)];

/// Requests an hour of the day, as an office has them, in hundredths of the busiest.
const HOURS: [u64; 24] =
    [12, 8, 6, 5, 6, 10, 20, 38, 66, 88, 97, 100, 84, 90, 98, 95, 86, 70, 52, 44, 38, 32, 24, 17];

/// Writes the traffic unless the ledger holds something already.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn play(catalog: &Catalog, store: &SqliteStore) -> Result<(), Failure> {
    let (ledger, keys) = (store.ledger(), store.keys());
    let owner = keys.default_owner().await.map_err(|e| refused(&e))?;
    let known = keys.keys().await.map_err(|e| refused(&e))?;
    let known = known.into_iter().map(|r| r.key).find(|k| k.name == TRAFFIC_KEY);
    let written = ledger.totals(owner.0).await.map_err(|e| refused(&e))?.requests;
    if written > 0 {
        if known.is_none() {
            tracing::warn!("the data folder holds real traffic: no demo traffic is added to it");
        }
        return Ok(());
    }
    let key = match known {
        Some(key) => key,
        None => traffic_key(store).await?,
    };
    let seed = random::number().map_err(|e| Failure::new(e.to_string()))?;
    let day = Day { catalog, owner, key: key.id, end: times::now(), seed };
    // Settled first, waited for afterwards: the ledger commits them in groups.
    let mut waiting: Vec<Durable> = Vec::new();
    for number in 0..REQUESTS {
        waiting.extend(write(&ledger, day.row(number))?);
    }
    for durable in waiting {
        durable.await.map_err(|e| refused(&e))?;
    }
    tracing::info!(requests = REQUESTS, "a day of demo traffic is in the ledger, tagged 'demo'");
    Ok(())
}

fn write(ledger: &Arc<dyn Ledger>, row: Option<LedgerRow>) -> Result<Option<Durable>, Failure> {
    let Some(row) = row else { return Ok(None) };
    ledger.open(&row.intent).map_err(|e| refused(&e))?;
    Ok(Some(ledger.settle(row)))
}

async fn traffic_key(store: &SqliteStore) -> Result<NewKey, Failure> {
    let wish = Wish { environment: Some("demo".to_owned()), ..Wish::named(TRAFFIC_KEY) };
    let key = new_key::store(&*store.keys(), &new_key::generate()?, wish).await?;
    store.keys().revoke_key(key.id, times::now()).await.map_err(|e| refused(&e))?;
    Ok(key)
}

/// What all rows of the day have in common.
struct Day<'a> {
    catalog: &'a Catalog,
    owner: (TeamId, ProjectId),
    key: KeyId,
    end: Micros,
    seed: u128,
}

impl Day<'_> {
    /// One request; `None` when the catalog does not have its model.
    fn row(&self, number: u64) -> Option<LedgerRow> {
        let mut dice = Dice::new(number);
        let admitted_at = self.moment(&mut dice);
        let (id, talk) = model(&mut dice);
        let model = self.catalog.model(id)?;
        let endpoint = model.endpoints.first()?;
        let fate = dice.below(1000);
        let usage = if fate < 18 { Usage::default() } else { usage(id, talk, &mut dice) };
        let prices = endpoint.prices.as_ref()?;
        let rates = prices.rates(&usage, Level::Standard);
        let cost = if fate < 18 { Some(Nanodollars::ZERO) } else { rates.cost(&usage) };
        let ttft = i64::try_from(180_000 + dice.below(400_000) + usage.output_reasoning * 9_000).ok()?;
        let duration = if fate < 18 {
            ttft
        } else {
            ttft + i64::try_from(usage.output_text * (9_000 + dice.below(9_000))).ok()?
        };
        let end = Ending::of(fate);
        Some(LedgerRow {
            intent: self.intent(number, admitted_at, id, &endpoint.provider, &mut dice),
            status: end.row,
            settled_at: admitted_at.plus_micros(duration),
            provider: endpoint.provider.to_string(),
            provider_model: endpoint.model.clone(),
            response_id: (fate >= 18).then(|| format!("demo-{number}")),
            usage,
            cost,
            market_cost: cost,
            rates: serde_json::to_string(&rates).ok()?,
            price_version: self.catalog.price_version().to_owned(),
            byok: false,
            finish_reason: end.finish.to_owned(),
            failure: end.failure.map(str::to_owned),
            client_status: end.status,
            ttft_micros: (fate >= 18).then_some(ttft),
            duration_micros: duration,
            overhead_micros: i64::try_from(120 + dice.below(260)).ok()?,
            attempts: if fate.is_multiple_of(37) { 2 } else { 1 },
        })
    }

    fn intent(
        &self,
        number: u64,
        admitted_at: Micros,
        model: &str,
        provider: &str,
        dice: &mut Dice,
    ) -> Intent {
        let millis = u64::try_from(admitted_at.millis()).unwrap_or(0);
        Intent {
            id: GenerationId(Ulid::from_parts(millis, self.seed.wrapping_add(u128::from(number)))),
            admitted_at,
            team: self.owner.0,
            project: Some(self.owner.1),
            key: self.key,
            requested_model: model.to_owned(),
            canonical_model: model.to_owned(),
            provider: provider.to_owned(),
            dialect: "chat_completions".to_owned(),
            streamed: dice.below(100) < 70,
            end_user: Some(format!("demo-user-{}", 1 + dice.below(25))),
            tags: vec!["demo".to_owned()],
        }
    }

    /// A moment of the last 24 hours, busy hours having more of them.
    fn moment(&self, dice: &mut Dice) -> Micros {
        // At most a few throws: the average hour takes one in two.
        let mut back = 0;
        for _ in 0..16 {
            back = i64::try_from(dice.below(DAY.unsigned_abs())).unwrap_or(0);
            let hour = self.end.plus_micros(-back).seconds().rem_euclid(86_400) / 3_600;
            let busy = usize::try_from(hour).ok().and_then(|h| HOURS.get(h)).copied().unwrap_or(50);
            if dice.below(100) < busy {
                break;
            }
        }
        self.end.plus_micros(-back)
    }
}

/// How a request ended.
struct Ending {
    row: RowStatus,
    status: u16,
    finish: &'static str,
    failure: Option<&'static str>,
}

impl Ending {
    /// Of a number under 1000: two in a hundred fail, some are cut by their length or call tools.
    fn of(fate: u64) -> Self {
        let (status, finish, failure) = match fate {
            0..6 => (429, "", Some("rate_limit")),
            6..12 => (502, "", Some("server")),
            12..18 => (400, "", Some("invalid_request")),
            18..60 => (200, "length", None),
            60..240 => (200, "tool-calls", None),
            _ => (200, "stop", None),
        };
        // What failed cost nothing (I7).
        let row = if failure.is_some() { RowStatus::Void } else { RowStatus::Settled };
        Self { row, status, finish, failure }
    }
}

fn model(dice: &mut Dice) -> (&'static str, u64) {
    let mut throw = dice.below(100);
    for (id, share, talk) in MIX {
        if throw < share {
            return (id, talk);
        }
        throw -= share;
    }
    (MIX[0].0, MIX[0].2)
}

fn usage(id: &str, talk: u64, dice: &mut Dice) -> Usage {
    let prompt = 150 + dice.below(700) + if dice.below(10) < 3 { dice.below(9_000) } else { 0 };
    let cached = if prompt > 1_024 && dice.below(10) < 6 { prompt / 2 } else { 0 };
    let claude = id == "demo/claude";
    let written = if claude && cached == 0 && prompt > 1_024 { prompt / 2 } else { 0 };
    Usage {
        input_uncached: prompt - cached - written,
        input_cache_read: cached,
        input_cache_write_5m: written,
        output_text: 20 + dice.below(talk),
        output_reasoning: if id == "demo/thinker" { 100 + dice.below(1_500) } else { 0 },
        ..Usage::default()
    }
}

/// Numbers that look random and are the same for the same row.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED)
    }

    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<LedgerRow> {
        let catalog = crate::catalog_file::builtin().unwrap();
        let catalog = catalog.with_overlay(&super::super::models::overlay("http://127.0.0.1:1/v1")).unwrap();
        let ulid = Ulid::from_parts(1, 1);
        let day = Day {
            catalog: &catalog,
            owner: (TeamId(ulid), ProjectId(ulid)),
            key: KeyId(ulid),
            end: Micros(1_760_486_400_000_000),
            seed: 7,
        };
        (0..REQUESTS).filter_map(|n| day.row(n)).collect()
    }

    #[test]
    fn a_day_is_plausible_and_labelled() {
        let rows = rows();
        assert_eq!(rows.len(), usize::try_from(REQUESTS).unwrap());
        let ids: std::collections::HashSet<_> = rows.iter().map(|r| r.intent.id).collect();
        assert_eq!(ids.len(), rows.len());
        for row in &rows {
            assert_eq!(row.intent.tags, ["demo"]);
            assert!(row.provider.starts_with("demo"));
            let age = Micros(1_760_486_400_000_000).since(row.intent.admitted_at);
            assert!(age <= DAY);
        }
        let failed = rows.iter().filter(|r| r.failure.is_some()).count();
        assert!((10..100).contains(&failed), "{failed}");
    }

    #[test]
    fn i07_failed_demo_requests_cost_nothing_and_the_others_something() {
        for row in rows() {
            assert_eq!(row.cost.unwrap().0 == 0, row.failure.is_some(), "{row:?}");
        }
    }
}
