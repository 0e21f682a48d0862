//! What every store must do, as tests that an implementation runs over itself.
//!
//! An implementation gives a [`Place`], an empty place that can be opened again, and expands
//! [`contract_tests!`](crate::contract_tests) in its test binary. The functions assert; they need no
//! particular async runtime.

use std::sync::Arc;

use tollgate_domain::id::{KeyId, ProjectId, TeamId, Ulid};
use tollgate_domain::{GenerationId, Micros, Nanodollars, Usage};

use crate::ledger::BoxFuture;
use crate::{
    Intent, KeyStore, Ledger, LedgerRow, LedgerState, NewKey, ReportGroup, ReportQuery, ReportRow, RowStatus,
    StoreError, Totals,
};

/// Somewhere a store can be opened, closed and opened again; empty at first, one owner at a time.
pub trait Place: Send + Sync {
    /// The open store.
    type Store: Send + Sync;

    /// Opens the store as its owner.
    ///
    /// # Errors
    /// As the store has them.
    fn open(&self) -> Result<Self::Store, StoreError>;

    /// Its ledger.
    fn ledger(&self, store: &Self::Store) -> Arc<dyn Ledger>;

    /// Its keys.
    fn keys(&self, store: &Self::Store) -> Arc<dyn KeyStore>;

    /// Ends it in order.
    fn close(&self, store: Self::Store) -> BoxFuture<Result<(), StoreError>>;

    /// Ends it without any order, as a crash would as far as that is possible within a process.
    fn crash(&self, store: Self::Store);
}

/// Expands to one test for each function of the suite. `$place` makes a fresh [`Place`]; tests run on tokio.
#[macro_export]
macro_rules! contract_tests {
    ($place:expr) => {
        $crate::contract_tests!(@each $place;
            i08_an_open_request_has_no_row_yet
            i08_a_crash_leaves_interrupted_rows
            i08_an_orderly_end_keeps_open_requests_too
            i09_a_settled_row_is_there_after_a_crash
            i10_settling_twice_changes_nothing
            i10_recovery_happens_once
            i10_a_second_open_of_an_id_is_refused
            i11_totals_equal_the_sum_of_rows
            i11_reports_equal_the_sum_of_rows
            a_row_comes_back_as_it_was_written
            a_row_is_visible_as_soon_as_it_is_settled
            a_dropped_wait_does_not_lose_the_row
            many_threads_lose_nothing
            flush_waits_for_everything_settled
            the_default_owner_stays
            i27_keys_are_created_listed_and_revoked
            keys_and_rows_survive_reopening
        );
    };
    (@each $place:expr; $($name:ident)+) => {
        $(
            #[tokio::test]
            async fn $name() -> Result<(), $crate::StoreError> {
                $crate::contract::$name(&$place).await
            }
        )+
    };
}

/// A team for tests.
#[must_use]
pub fn team(number: u128) -> TeamId {
    TeamId(Ulid::from_parts(1, number))
}

/// An intent for tests; different numbers are different requests.
#[must_use]
pub fn intent(number: u128) -> Intent {
    Intent {
        id: GenerationId(Ulid::from_parts(1_700_000_000_000, number)),
        admitted_at: Micros(1_700_000_000_000_000),
        team: team(1),
        project: Some(ProjectId(Ulid::from_parts(1, 2))),
        key: KeyId(Ulid::from_parts(1, 3)),
        requested_model: "fast".to_owned(),
        canonical_model: "acme/fast-1".to_owned(),
        provider: "acme".to_owned(),
        dialect: "chat_completions".to_owned(),
        streamed: true,
        end_user: Some("user-7".to_owned()),
        tags: vec!["a \"quoted\" tag".to_owned(), "ü".to_owned()],
    }
}

/// A settled row of that intent with a cost.
#[must_use]
pub fn row(intent: Intent, cost: Option<i64>) -> LedgerRow {
    LedgerRow {
        status: RowStatus::Settled,
        settled_at: intent.admitted_at.plus_micros(900),
        provider: "other".to_owned(),
        provider_model: "fast-1-2026".to_owned(),
        response_id: Some("resp_1".to_owned()),
        usage: Usage {
            input_uncached: 1,
            input_cache_read: 2,
            input_cache_write_5m: 3,
            input_cache_write_1h: 4,
            input_audio: 5,
            input_image: 6,
            output_text: 7,
            output_reasoning: 8,
            output_audio: 9,
            output_image: 10,
            images: 11,
            searches: 12,
            anomaly: true,
            estimated: false,
        },
        cost: cost.map(Nanodollars),
        market_cost: Some(Nanodollars(17)),
        rates: r#"{"input":"0.000001"}"#.to_owned(),
        price_version: "2026-11-01".to_owned(),
        byok: true,
        finish_reason: "stop".to_owned(),
        failure: None,
        client_status: 200,
        ttft_micros: Some(300),
        duration_micros: 900,
        overhead_micros: 40,
        attempts: 2,
        intent,
    }
}

/// A key for tests.
#[must_use]
pub fn key(number: u8) -> NewKey {
    NewKey {
        id: KeyId(Ulid::from_parts(u64::from(number), 0)),
        name: format!("key {number}"),
        hash: [number; 32],
        display: "tgk_FaKe…".to_owned(),
        team: team(1),
        project: Some(ProjectId(Ulid::from_parts(1, 2))),
        environment: Some("preview".to_owned()),
        created_at: Micros(i64::from(number)),
        expires_at: Some(Micros(99)),
    }
}

type Outcome = Result<(), StoreError>;

/// The row is made when the request is settled, not before.
pub async fn i08_an_open_request_has_no_row_yet<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    assert_eq!(ledger.state(), LedgerState::Healthy);
    ledger.open(&intent(1))?;
    assert_eq!(ledger.open_count(), 1);
    assert_eq!(ledger.generation(intent(1).id).await?, None);
    ledger.settle(row(intent(1), Some(5))).await?;
    assert_eq!(ledger.open_count(), 0);
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 5, requests: 1 });
    place.close(store).await
}

/// What was open when the process died is shown, with an unknown cost (I5).
pub async fn i08_a_crash_leaves_interrupted_rows<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    for number in 0..20 {
        ledger.open(&intent(number))?;
    }
    for number in 0..10 {
        ledger.settle(row(intent(number), Some(1))).await?;
    }
    drop(ledger);
    place.crash(store);

    let store = place.open()?;
    let ledger = place.ledger(&store);
    for number in 0..20 {
        let found = ledger.generation(intent(number).id).await?;
        let Some(found) = found else {
            assert!(found.is_some(), "request {number} has vanished");
            continue;
        };
        assert_eq!(found.intent, intent(number));
        if number < 10 {
            assert_eq!(found, row(intent(number), Some(1)));
        } else {
            assert_eq!((found.status, found.cost), (RowStatus::Interrupted, None));
        }
    }
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 10, requests: 20 });
    assert_eq!(ledger.open_count(), 0);
    place.close(store).await
}

/// A shutdown that does not wait for a request does not hide it.
pub async fn i08_an_orderly_end_keeps_open_requests_too<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    place.ledger(&store).open(&intent(1))?;
    place.close(store).await?;
    let store = place.open()?;
    let found = place.ledger(&store).generation(intent(1).id).await?;
    assert_eq!(found.map(|row| row.status), Some(RowStatus::Interrupted));
    place.close(store).await
}

/// Once the future has resolved, nothing can take the row away.
pub async fn i09_a_settled_row_is_there_after_a_crash<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.open(&intent(1))?;
    ledger.settle(row(intent(1), None)).await?;
    drop(ledger);
    place.crash(store);
    let store = place.open()?;
    assert_eq!(place.ledger(&store).generation(intent(1).id).await?, Some(row(intent(1), None)));
    place.close(store).await
}

/// The first settlement stands, at once, after the commit and after reopening.
pub async fn i10_settling_twice_changes_nothing<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.open(&intent(1))?;
    let first = ledger.settle(row(intent(1), Some(5)));
    let second = ledger.settle(row(intent(1), Some(7)));
    first.await?;
    second.await?;
    ledger.settle(row(intent(1), Some(9))).await?;
    assert_eq!(ledger.generation(intent(1).id).await?, Some(row(intent(1), Some(5))));
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 5, requests: 1 });
    assert_eq!(ledger.open_count(), 0);
    place.close(store).await?;
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.settle(row(intent(1), Some(11))).await?;
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 5, requests: 1 });
    place.close(store).await
}

/// A second recovery finds nothing more, and a late settlement of the old process cannot overwrite it.
pub async fn i10_recovery_happens_once<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    place.ledger(&store).open(&intent(1))?;
    place.crash(store);
    for _ in 0..3 {
        let store = place.open()?;
        assert_eq!(place.ledger(&store).totals(team(1)).await?, Totals { cost_nano: 0, requests: 1 });
        place.crash(store);
    }
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.settle(row(intent(1), Some(5))).await?;
    let found = ledger.generation(intent(1).id).await?;
    assert_eq!(found.map(|row| row.status), Some(RowStatus::Interrupted));
    place.close(store).await
}

/// An id is made once.
pub async fn i10_a_second_open_of_an_id_is_refused<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.open(&intent(1))?;
    assert!(matches!(ledger.open(&intent(1)), Err(StoreError::Conflict(_))));
    assert_eq!(ledger.open_count(), 1);
    ledger.settle(row(intent(1), Some(1))).await?;
    place.close(store).await
}

/// Totals are of each team alone, do not overflow 64 bits, and count free and unpriced rows as requests.
pub async fn i11_totals_equal_the_sum_of_rows<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    assert_eq!(ledger.totals(team(1)).await?, Totals::default());
    let costs = [Some(i64::MAX), Some(i64::MAX), None, Some(0), Some(-3)];
    for (number, cost) in (0_u128..).zip(costs.iter().cycle().take(50)) {
        let intent = Intent { team: team(number % 3), ..intent(number) };
        ledger.open(&intent)?;
        drop(ledger.settle(row(intent, *cost)));
    }
    ledger.flush().await?;
    let mut sums = [Totals::default(); 3];
    for number in 0..50_u128 {
        if let Some(row) = ledger.generation(intent(number).id).await? {
            let sum = &mut sums[usize::try_from(number % 3).unwrap_or(0)];
            sum.cost_nano += i128::from(row.cost.unwrap_or_default().0);
            sum.requests += 1;
        }
    }
    assert_eq!(sums.iter().map(|sum| sum.requests).sum::<u64>(), 50);
    assert!(
        sums.iter().any(|sum| sum.cost_nano > i128::from(i64::MAX)),
        "the sums fit 64 bits: nothing was tested"
    );
    for (number, sum) in (0_u128..).zip(sums) {
        assert_eq!(ledger.totals(team(number)).await?, sum);
    }
    place.close(store).await
}

/// A report's groups add up to the rows that it asks for, and to no others.
pub async fn i11_reports_equal_the_sum_of_rows<P: Place>(place: &P) -> Outcome {
    const HOUR: i64 = 3_600_000_000;
    let store = place.open()?;
    let ledger = place.ledger(&store);
    let mut rows = Vec::new();
    for number in 0..40_u128 {
        let n = i64::try_from(number).unwrap_or(0);
        let tags = ["a", "b"].iter().take(usize::try_from(number % 3).unwrap_or(0));
        let intent = Intent {
            team: team(1 + number % 2),
            admitted_at: intent(0).admitted_at.plus_micros(n * HOUR),
            canonical_model: format!("acme/m{}", number % 4),
            end_user: (number % 5 > 0).then(|| format!("u{}", number % 5)),
            tags: tags.map(ToString::to_string).collect(),
            ..intent(number)
        };
        ledger.open(&intent)?;
        let byok = number % 7 == 0;
        let row = LedgerRow { byok, ..row(intent, (number % 6 > 0).then_some(n)) };
        drop(ledger.settle(row.clone()));
        rows.push(row);
    }
    ledger.flush().await?;
    let all = ReportQuery {
        team: team(1),
        from: Micros(rows[3].intent.admitted_at.0),
        until: Micros(rows[37].intent.admitted_at.0),
        group: ReportGroup::Model,
        user: None,
        model: None,
        provider: None,
        byok: None,
        tags: Vec::new(),
        any_tag: false,
    };
    let tagged = |tags: &[&str], any_tag| ReportQuery {
        tags: tags.iter().map(ToString::to_string).collect(),
        any_tag,
        ..all.clone()
    };
    let queries = [
        all.clone(),
        ReportQuery { group: ReportGroup::User, ..all.clone() },
        ReportQuery { group: ReportGroup::Tag, ..all.clone() },
        ReportQuery { group: ReportGroup::Credential, ..all.clone() },
        ReportQuery { group: ReportGroup::Provider, user: Some("u2".into()), ..all.clone() },
        ReportQuery { model: Some("acme/m2".into()), byok: Some(false), ..all.clone() },
        ReportQuery { provider: Some("nobody".into()), ..all.clone() },
        tagged(&["a", "b"], false),
        tagged(&["a", "b"], true),
    ];
    for query in queries {
        assert_eq!(ledger.report(query.clone()).await?, expected_report(&rows, &query), "{query:?}");
    }
    let days = ledger.report(ReportQuery { group: ReportGroup::Day, ..all.clone() }).await?;
    assert_eq!(days.iter().map(|d| d.group.as_str()).collect::<Vec<_>>(), ["2023-11-15", "2023-11-16"]);
    let hours = ledger.report(ReportQuery { group: ReportGroup::Hour, ..all }).await?;
    assert_eq!((hours.len(), hours[0].group.as_str()), (17, "2023-11-15T02"));
    place.close(store).await
}

fn expected_report(rows: &[LedgerRow], query: &ReportQuery) -> Vec<ReportRow> {
    let mut found: std::collections::BTreeMap<String, ReportRow> = std::collections::BTreeMap::new();
    for row in rows {
        let intent = &row.intent;
        let time = intent.admitted_at.0 >= query.from.0 && intent.admitted_at.0 < query.until.0;
        let has = |tag: &String| intent.tags.contains(tag);
        let tags = if query.any_tag { query.tags.iter().any(has) } else { query.tags.iter().all(has) };
        let plain = query.user.as_ref().is_none_or(|u| intent.end_user.as_ref() == Some(u))
            && query.model.as_ref().is_none_or(|m| intent.canonical_model == *m)
            && query.provider.as_ref().is_none_or(|p| row.provider == *p)
            && query.byok.is_none_or(|b| row.byok == b);
        if intent.team != query.team || !time || !tags || !plain {
            continue;
        }
        let groups = match query.group {
            ReportGroup::User => intent.end_user.iter().cloned().collect(),
            ReportGroup::Tag => intent.tags.clone(),
            ReportGroup::Provider => vec![row.provider.clone()],
            ReportGroup::Credential => vec![if row.byok { "byok" } else { "system" }.to_owned()],
            _ => vec![intent.canonical_model.clone()],
        };
        for group in groups {
            let sum =
                found.entry(group.clone()).or_insert_with(|| ReportRow { group, ..ReportRow::default() });
            sum.cost.0 += row.cost.unwrap_or_default().0;
            sum.market_cost.0 += row.market_cost.unwrap_or_default().0;
            sum.input_tokens += row.usage.input_total();
            sum.output_tokens += row.usage.output_total();
            sum.cached_input_tokens += row.usage.input_cache_read;
            sum.cache_creation_input_tokens += row.usage.cache_write();
            sum.reasoning_tokens += row.usage.output_reasoning;
            sum.requests += 1;
        }
    }
    found.into_values().collect()
}

/// Every field, in both its forms where it has two.
pub async fn a_row_comes_back_as_it_was_written<P: Place>(place: &P) -> Outcome {
    let full = row(intent(1), Some(42));
    let statuses = [RowStatus::Settled, RowStatus::Estimated, RowStatus::Void];
    let mut rows: Vec<_> = (10_u128..)
        .zip(statuses)
        .map(|(number, status)| LedgerRow { intent: intent(number), status, ..full.clone() })
        .collect();
    rows.push(LedgerRow {
        intent: Intent { project: None, end_user: None, tags: Vec::new(), streamed: false, ..intent(2) },
        response_id: None,
        usage: Usage { estimated: true, ..Usage::default() },
        cost: None,
        market_cost: None,
        rates: String::new(),
        byok: false,
        finish_reason: String::new(),
        failure: Some("rate_limit".to_owned()),
        client_status: 429,
        ttft_micros: None,
        ..full.clone()
    });
    rows.push(full);
    let store = place.open()?;
    let ledger = place.ledger(&store);
    for row in &rows {
        ledger.open(&row.intent)?;
        ledger.settle(row.clone()).await?;
    }
    place.close(store).await?;
    let store = place.open()?;
    let ledger = place.ledger(&store);
    for row in &rows {
        assert_eq!(ledger.generation(row.intent.id).await?.as_ref(), Some(row));
    }
    place.close(store).await
}

/// Between settling and the commit, and after it.
pub async fn a_row_is_visible_as_soon_as_it_is_settled<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    for number in 0..200 {
        ledger.open(&intent(number))?;
        let durable = ledger.settle(row(intent(number), Some(1)));
        assert!(ledger.generation(intent(number).id).await?.is_some(), "row {number} before its commit");
        durable.await?;
        assert!(ledger.generation(intent(number).id).await?.is_some(), "row {number} after its commit");
    }
    place.close(store).await
}

/// The client may be gone; what it cost is not.
pub async fn a_dropped_wait_does_not_lose_the_row<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    for number in 0..50 {
        ledger.open(&intent(number))?;
        drop(ledger.settle(row(intent(number), Some(1))));
    }
    place.close(store).await?;
    let store = place.open()?;
    assert_eq!(place.ledger(&store).totals(team(1)).await?, Totals { cost_nano: 50, requests: 50 });
    place.close(store).await
}

/// 200 requests on eight threads at once, each settled twice.
pub async fn many_threads_lose_nothing<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    let settled = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let ledger = Arc::clone(&ledger);
                scope.spawn(move || -> Result<Vec<_>, StoreError> {
                    let mut waiting = Vec::new();
                    for number in (0..200).filter(|number| number % 8 == thread) {
                        ledger.open(&intent(number))?;
                        waiting.push(ledger.settle(row(intent(number), Some(3))));
                        waiting.push(ledger.settle(row(intent(number), Some(4))));
                    }
                    Ok(waiting)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| Err(StoreError::Corrupt("a thread panicked".to_owned())))
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    for durable in settled.into_iter().flatten() {
        durable.await?;
    }
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 600, requests: 200 });
    assert_eq!(ledger.open_count(), 0);
    place.close(store).await
}

/// For shutdown: after a flush a crash takes nothing that was settled.
pub async fn flush_waits_for_everything_settled<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let ledger = place.ledger(&store);
    ledger.flush().await?;
    for number in 0..30 {
        ledger.open(&intent(number))?;
        drop(ledger.settle(row(intent(number), Some(1))));
    }
    ledger.flush().await?;
    assert_eq!(ledger.totals(team(1)).await?, Totals { cost_nano: 30, requests: 30 });
    drop(ledger);
    place.crash(store);
    let store = place.open()?;
    assert_eq!(place.ledger(&store).totals(team(1)).await?, Totals { cost_nano: 30, requests: 30 });
    place.close(store).await
}

/// Team and project of the first start are those of every later one.
pub async fn the_default_owner_stays<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let first = place.keys(&store).default_owner().await?;
    place.close(store).await?;
    let store = place.open()?;
    assert_eq!(place.keys(&store).default_owner().await?, first);
    place.close(store).await
}

/// With the revision rising at each change and only then.
pub async fn i27_keys_are_created_listed_and_revoked<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    let keys = place.keys(&store);
    assert_eq!(keys.keys().await?, []);
    let before = keys.revision().await?;
    keys.create_key(key(2)).await?;
    let plain = NewKey { project: None, environment: None, expires_at: None, ..key(1) };
    keys.create_key(plain.clone()).await?;
    let created = keys.revision().await?;
    assert!(created > before);

    let listed: Vec<_> =
        keys.keys().await?.into_iter().map(|record| (record.key, record.revoked_at)).collect();
    assert_eq!(listed, [(plain.clone(), None), (key(2), None)], "oldest first");

    for same in [NewKey { hash: [9; 32], ..key(1) }, NewKey { id: key(9).id, ..key(1) }] {
        assert!(
            matches!(keys.create_key(same).await, Err(StoreError::Conflict(_))),
            "same id or same secret"
        );
    }
    assert_eq!(keys.revision().await?, created);

    let revoked = keys.revoke_key(plain.id, Micros(50)).await?;
    assert_eq!(revoked.revoked_at, Some(Micros(50)));
    let after = keys.revision().await?;
    assert!(after > created);
    assert_eq!(keys.revoke_key(plain.id, Micros(60)).await?, revoked, "a second time changes nothing");
    assert_eq!(keys.revision().await?, after);
    assert!(matches!(keys.revoke_key(key(77).id, Micros(50)).await, Err(StoreError::Conflict(_))));
    assert_eq!(keys.keys().await?.iter().filter(|record| record.revoked_at.is_some()).count(), 1);
    place.close(store).await
}

/// Nothing is kept in memory only.
pub async fn keys_and_rows_survive_reopening<P: Place>(place: &P) -> Outcome {
    let store = place.open()?;
    place.keys(&store).create_key(key(1)).await?;
    let revision = place.keys(&store).revision().await?;
    place.ledger(&store).open(&intent(1))?;
    place.ledger(&store).settle(row(intent(1), Some(1))).await?;
    place.close(store).await?;
    let store = place.open()?;
    assert_eq!(place.keys(&store).keys().await?.len(), 1);
    assert_eq!(place.keys(&store).revision().await?, revision);
    assert!(place.ledger(&store).generation(intent(1).id).await?.is_some());
    place.close(store).await
}
