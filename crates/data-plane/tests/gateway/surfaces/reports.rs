//! `/v1/report` and `/v1/generation` over requests of every surface (gateway-api §14): the ledger's own
//! numbers.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use serde_json::value::RawValue;

use super::setup::Surfaces;
use super::table::answered;

/// An object whose numbers are still text, so that no digit of them is lost here.
type Exact = HashMap<String, Box<RawValue>>;

/// A cost in nanodollars, from its exact decimal number.
fn nanos(dollars: &RawValue) -> i64 {
    let text = dollars.get();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= 9 && !text.contains(['e', 'E']), "{text}");
    format!("{whole}{part:0<9}").parse().unwrap()
}

fn count(number: &RawValue) -> u64 {
    number.get().parse().unwrap()
}

fn text(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap()
}

fn sum(rows: &[Exact]) -> i64 {
    rows.iter().map(|r| nanos(&r["total_cost"])).sum()
}

async fn report(at: &Surfaces, query: &str) -> Vec<Exact> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    // A day before: midnight may have passed since the requests were made.
    let before = today.yesterday().unwrap();
    let answer = at.get(&format!("/v1/report?start_date={before}&end_date={today}{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut body: HashMap<String, Vec<Exact>> = serde_json::from_str(answer.text()).unwrap();
    body.remove("results").unwrap()
}

#[tokio::test]
async fn i03_the_report_equals_the_ledger() {
    let at = Surfaces::start().await;
    let mut models: BTreeMap<String, (i64, u64, u64)> = BTreeMap::new();
    for surface in answered() {
        for (tag, user) in [("team:a", "ada"), ("team:b", "bob")] {
            let mut headers = surface.headers(surface.model(), false);
            headers.extend([("ai-reporting-tags", tag), ("ai-reporting-user", user)]);
            let body = surface.request(surface.model(), false).to_string();
            let answer = at.post_with(surface.path, &headers, body.as_bytes()).await;
            assert_eq!(answer.status, 200, "{}: {}", surface.name, answer.text());
            let row = at.row_of(&answer).await;
            assert_eq!(
                (row.intent.tags.as_slice(), row.intent.end_user.as_deref()),
                ([tag.to_owned()].as_slice(), Some(user)),
                "{}",
                surface.name
            );
            let sums = models.entry(surface.model().to_owned()).or_default();
            sums.0 += row.cost.unwrap().0;
            sums.1 += row.usage.input_total();
            sums.2 += 1;
            // One generation says the same.
            let id = answer.header("x-generation-id").unwrap();
            let answer = at.get(&format!("/v1/generation?id={id}")).await;
            let body: HashMap<String, Exact> = serde_json::from_str(answer.text()).unwrap();
            let data = &body["data"];
            assert_eq!(nanos(&data["total_cost"]), row.cost.unwrap().0, "{}: {data:?}", surface.name);
            assert_eq!(count(&data["tokens_prompt"]), row.usage.input_total(), "{}", surface.name);
            assert!(data.values().all(|v| v.get() != "null"), "{}: {data:?}", surface.name);
        }
    }
    at.store.ledger().flush().await.unwrap();
    let by_model = report(&at, "&group_by=model").await;
    let told: BTreeMap<_, _> = by_model
        .iter()
        .map(|r| {
            let sums = (nanos(&r["total_cost"]), count(&r["input_tokens"]), count(&r["request_count"]));
            (text(&r["model"]), sums)
        })
        .collect();
    assert_eq!(told, models);
    let all: i64 = models.values().map(|(cost, ..)| cost).sum();
    let on_disk: i64 = at.rows().await.iter().map(|r| r.cost.unwrap()).sum();
    assert_eq!(all, on_disk);
    for group in ["day", "provider", "credential_type"] {
        let rows = report(&at, &format!("&group_by={group}")).await;
        assert_eq!(sum(&rows), all, "{group}: {rows:?}");
    }
    for (group, values) in [("tag", ["team:a", "team:b"]), ("user", ["ada", "bob"])] {
        let rows = report(&at, &format!("&group_by={group}")).await;
        let told: Vec<_> = rows.iter().map(|r| text(&r[group])).collect();
        assert_eq!(told, values, "{group}");
        assert_eq!(sum(&rows), all, "{group}");
    }
    let one = report(&at, "&tags=team:a&user_id=ada&model=test/chat").await;
    assert_eq!((one.len(), count(&one[0]["request_count"])), (1, 2), "chat and the AI SDK: {one:?}");
}

/// What a subscription paid for is no cost, but is seen.
#[tokio::test]
async fn a_subscriptions_use_is_told_apart() {
    let at = Surfaces::start().await;
    let key = format!("Bearer {}", at.key);
    let headers = [("authorization", "Bearer sk-ant-oat01-not-real"), ("x-ai-gateway-api-key", &key)];
    let body = json!({"model": "anthropic/claude-haiku-4.5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
    let raw = crate::client::request("POST", "/v1/messages", &headers, body.to_string().as_bytes());
    let answer = crate::client::Exchange::send(at.addr, &raw).await.answer().await;
    let market = at.row_of(&answer).await.market_cost.unwrap().0;
    at.post("/v1/messages", &body).await;
    at.settled().await;
    at.store.ledger().flush().await.unwrap();
    let rows = report(&at, "&group_by=credential_type").await;
    let of = |kind: &str| {
        rows.iter().find(|r| text(&r["credential_type"]) == kind).unwrap_or_else(|| panic!("{rows:?}"))
    };
    assert_eq!((nanos(&of("byok")["total_cost"]), nanos(&of("byok")["market_cost"])), (0, market));
    assert!(market > 0 && nanos(&of("system")["total_cost"]) == market, "{rows:?}");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_explained() {
    let at = Surfaces::start().await;
    for (query, path) in [
        ("", "start_date"),
        ("?start_date=2026-01-01", "end_date"),
        ("?start_date=yesterday&end_date=2026-01-01", "start_date"),
        ("?start_date=2026-01-02&end_date=2026-01-01", "end_date"),
        ("?start_date=2026-01-01&end_date=2026-01-02&group_by=colour", "group_by"),
        ("?start_date=2026-01-01&end_date=2026-01-02&date_part=week", "date_part"),
        ("?start_date=2026-01-01&end_date=2026-01-02&credential_type=mine", "credential_type"),
    ] {
        let answer = at.get(&format!("/v1/report{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["param"]),
            (400, &json!(path)),
            "{}",
            answer.text()
        );
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    let refused = at.raw("GET", "/v1/report", &[], b"").await;
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (401, &json!("authentication_error")));
}
