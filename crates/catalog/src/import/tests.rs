use super::*;
use crate::price::PriceTable;
use tollgate_domain::Picodollars;

const PROVIDERS: &str = r#"{"schema":1,"protocols":["openai-chat"],"providers":[
  {"slug":"acme","name":"Acme","base_url":"https://acme.example/v1","protocol":"openai-chat",
   "auth":{"type":"header","header":"x-acme-key"},"env":["ACME_KEY"],"quirks":["none"],"catalog_endpoints":1}]}"#;

fn models(entry: &str) -> String {
    format!(
        r#"{{"schema":1,"sources":[{{"repo":"x","date":"2026-05-01"}},{{"date":"2026-05-03"}}],"models":[{entry}]}}"#
    )
}

const MODEL: &str = r#"{"id":"acme/one","creator":"acme","name":"One","type":"language","listed":true,"status":"deprecated",
  "released":"2026-01-02","knowledge_cutoff":"2025-07","open_weights":false,"context_window":1000,"max_output_tokens":100,
  "modalities":{"input":["text","pdf"],"output":["text"]},
  "capabilities":{"reasoning":true,"tool_use":false,"temperature":false},
  "reasoning":{"toggle":true,"efforts":["low"],"budget_tokens":{"min":1}},
  "pricing":{"input":"9"},"gateway_list_price":{"input":"8"},"aliases":["old/one"],
  "endpoints":[{"provider":"acme","model":"one-1","sources":["x"],"context_window":900,"other_ids":["one"],
    "deprecated_on":"2026-12-31","status":"beta","region":"eu","request_patch":{"speed":"fast"},
    "price_conflict":{},"pricing":{"input":"0.000001","input_second":"0.000283333333333",
      "tiers":[{"above_input_tokens":500,"input":"0.000002"}],"flex":{"input":"0.0000005"}}}]}"#;

#[test]
fn the_feed_is_taken_over() {
    let catalog = from_feed(&models(MODEL), PROVIDERS).unwrap();
    assert_eq!(catalog.date().to_string(), "2026-05-03", "the latest source");
    let provider = catalog.provider("acme").unwrap();
    assert_eq!(
        (provider.auth.clone(), provider.env.as_slice()),
        (Auth::Header("x-acme-key".into()), &["ACME_KEY".to_owned()][..])
    );
    let model = catalog.model("acme/one").unwrap();
    assert!(
        model.deprecated
            && model.listed
            && model.can(Capability::Reasoning)
            && !model.can(Capability::ToolUse)
    );
    assert_eq!(model.capabilities.temperature(), Some(false));
    assert_eq!(model.aliases, ["old/one"]);
    let endpoint = &model.endpoints[0];
    assert_eq!((endpoint.context_window, endpoint.max_output_tokens), (Some(900), Some(100)));
    assert_eq!((endpoint.status, endpoint.region.as_deref()), (EndpointStatus::Beta, Some("eu")));
    let prices = endpoint.prices.as_ref().unwrap();
    assert_eq!(prices.standard.table.input_second, Some(Picodollars(283_333_333)), "rounded to a picodollar");
    assert_eq!(prices.level(Level::Flex).unwrap().table.input, Some(Picodollars(500_000)));
    assert_eq!(prices.standard.tiers[0].above_input_tokens, 500);
}

#[test]
fn both_forms_are_recognised_and_have_one_version() {
    let catalog = from_feed(&models(MODEL), PROVIDERS).unwrap();
    let own = read(&format::to_compact(&catalog), None, &catalog).unwrap();
    assert_eq!((own.models(), own.price_version()), (catalog.models(), catalog.price_version()));
    let alone = read(&models(MODEL), None, &catalog).unwrap();
    assert_eq!(alone.price_version(), catalog.price_version(), "providers of the catalog in use");
    let both = read(&models(MODEL), Some(PROVIDERS), &Catalog::builtin().unwrap()).unwrap();
    assert_eq!(both.providers().len(), 1);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let message = |models: &str| from_feed(models, PROVIDERS).map(|_| ()).unwrap_err().to_string();
    assert!(message("[]").contains("models feed"));
    assert!(message(r#"{"schema":2,"models":[]}"#).contains("schema 2"));
    assert!(message(r#"{"schema":1,"models":[]}"#).contains("no date"));
    let bad_price = MODEL.replace("\"0.0000005\"", "0.5");
    let told = message(&models(&bad_price));
    assert!(told.contains("model acme/one at acme: pricing") && told.contains("string"), "{told}");
    let unknown = MODEL.replace("tool_use", "telepathy");
    assert!(message(&models(&unknown)).contains("capabilities.telepathy"));
    let twice = format!("{MODEL},{MODEL}");
    assert!(message(&models(&twice)).contains("twice"));
    let bad_auth = PROVIDERS.replace("\"header\",", "\"magic\",");
    let told = from_feed(&models(MODEL), &bad_auth).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("provider acme: auth") && told.contains("magic"), "{told}");
}

#[test]
fn rounding_is_half_even_and_only_where_needed() {
    assert_eq!(rounded("0.000001"), None);
    assert_eq!(rounded("0.0000000000005").as_deref(), Some("0.000000000000"));
    assert_eq!(rounded("0.0000000000015").as_deref(), Some("0.000000000002"));
    assert_eq!(rounded("0.00000000000251").as_deref(), Some("0.000000000003"));
    assert_eq!(rounded("1.9999999999999").as_deref(), Some("2.000000000000"));
    assert_eq!(rounded("x.0000000000000001"), None, "left for the parser to refuse");
}

/// With `TOLLGATE_CATALOG_FEED` naming a folder with the feed's two documents, the compiled catalog is
/// checked against all of it: what was converted is what is compiled, and every price is the feed's text.
#[test]
fn the_compiled_catalog_is_the_feed() {
    let Ok(folder) = std::env::var("TOLLGATE_CATALOG_FEED") else {
        println!("skipped: TOLLGATE_CATALOG_FEED does not name a folder with models.json and providers.json");
        return;
    };
    let file = |name: &str| std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    let (models, providers) = (file("models.json"), file("providers.json"));
    let catalog = from_feed(&models, &providers).unwrap();
    let builtin = Catalog::builtin().unwrap();
    assert_eq!(catalog.price_version(), builtin.price_version(), "run the convert example again");
    let feed: Value = serde_json::from_str(&models).unwrap();
    let mut compared = 0;
    for entry in feed["models"].as_array().unwrap() {
        let model = builtin.model(entry["id"].as_str().unwrap()).unwrap();
        let endpoints = entry["endpoints"].as_array().unwrap();
        assert_eq!(endpoints.len(), model.endpoints.len());
        for (feed, endpoint) in endpoints.iter().zip(&model.endpoints) {
            let written = serde_json::to_value(&endpoint.prices).unwrap();
            compared += same_prices(&feed["pricing"], &written);
        }
    }
    assert!(compared > 6000, "{compared} prices compared");
}

fn same_prices(feed: &Value, ours: &Value) -> usize {
    let Some(feed) = feed.as_object() else { return 0 };
    let mut compared = 0;
    for (name, value) in feed {
        match value {
            Value::Object(_) => compared += same_prices(value, &ours[name]),
            Value::Array(tiers) => {
                // The feed's order of tiers is not promised, ours is ascending.
                for tier in tiers {
                    let at = &tier["above_input_tokens"];
                    let own = ours[name]
                        .as_array()
                        .unwrap()
                        .iter()
                        .find(|t| t["above_input_tokens"] == *at)
                        .unwrap();
                    compared += same_prices(tier, own);
                }
            }
            Value::String(text) if PriceTable::NAMES.contains(&name.as_str()) => {
                let text = rounded(text).unwrap_or_else(|| text.clone());
                let text =
                    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
                assert_eq!(ours[name].as_str(), Some(text), "{name}");
                compared += 1;
            }
            _ => assert_eq!(ours[name], *value, "{name}"),
        }
    }
    compared
}
