use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::overlay::Overlay;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap()
}

fn list(catalog: &Catalog) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&models(catalog)).unwrap();
    assert_eq!(body["object"], "list");
    body["data"].as_array().unwrap().clone()
}

fn entry(id: &str) -> Value {
    let catalog = catalog();
    serde_json::from_slice(&model(&catalog, catalog.model(id).unwrap()).unwrap()).unwrap()
}

#[test]
fn what_is_always_there_is_there() {
    let entries = list(&catalog());
    assert!(entries.len() > 450, "{}", entries.len());
    for entry in &entries {
        for name in ["id", "owned_by", "name", "description", "type"] {
            assert!(entry[name].as_str().is_some_and(|t| !t.is_empty()), "{name} of {entry}");
        }
        assert_eq!(entry["object"], "model");
        assert!(entry["created"].is_i64() && entry["released"].is_i64());
        assert_eq!(entry["supported_specifications"], json!(["v2", "v3", "v4"]));
        assert!(entry["modalities"]["input"].is_array() && entry["modalities"]["output"].is_array());
        assert!(entry["pricing"].is_object());
        no_null(entry);
    }
}

fn no_null(value: &Value) {
    match value {
        Value::Null => panic!("null where a field should be left out"),
        Value::Array(items) => items.iter().for_each(no_null),
        Value::Object(map) => map.values().for_each(no_null),
        _ => {}
    }
}

/// Roo Code's schema, as clients §2 has it.
#[test]
fn every_language_entry_passes_a_strict_reader() {
    let entries = list(&catalog());
    let language: Vec<_> = entries.iter().filter(|e| e["type"] == "language").collect();
    assert!(language.len() > 300);
    for entry in language {
        for name in ["id", "object", "owned_by", "name", "description", "type"] {
            assert!(entry[name].is_string(), "{name}");
        }
        for name in ["created", "context_window", "max_tokens"] {
            assert!(entry[name].is_u64(), "{name} of {}", entry["id"]);
        }
        assert!(entry["context_window"].as_u64() > Some(0) && entry["max_tokens"].as_u64() > Some(0));
        for name in ["input", "output", "input_cache_read", "input_cache_write", "web_search", "image"] {
            let price = &entry["pricing"][name];
            assert!(
                price.is_null()
                    || price.as_str().is_some_and(|t| tollgate_domain::Picodollars::parse(t).is_ok())
            );
        }
    }
}

/// Zed rejects the whole list for one wrong type (clients §2).
#[derive(serde::Deserialize)]
struct ZedModel {
    id: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    context_window: Option<u64>,
    max_tokens: Option<u64>,
    #[serde(default)]
    supported_parameters: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    architecture: Option<ZedArchitecture>,
}

#[derive(serde::Deserialize)]
struct ZedArchitecture {
    input_modalities: Vec<String>,
}

#[test]
fn a_typed_reader_gets_tools_and_images() {
    #[derive(serde::Deserialize)]
    struct Body {
        data: Vec<ZedModel>,
    }
    let body: Body = serde_json::from_slice(&models(&catalog())).unwrap();
    let haiku = body.data.iter().find(|m| m.id == "anthropic/claude-haiku-4.5").unwrap();
    assert_eq!((haiku.context_window, haiku.max_tokens), (Some(200_000), Some(64_000)));
    assert_eq!((haiku.name.as_deref(), haiku.kind.as_deref()), (Some("Claude Haiku 4.5"), Some("language")));
    assert!(haiku.supported_parameters.iter().any(|p| p == "tools"));
    assert!(haiku.tags.iter().any(|t| t == "vision"));
    let input = &haiku.architecture.as_ref().unwrap().input_modalities;
    assert_eq!(input, &["text", "image", "file"]);
}

#[test]
fn a_model_with_cache_marks_has_both_cache_prices() {
    let catalog = catalog();
    let entries: BTreeMap<String, Value> =
        list(&catalog).into_iter().map(|e| (e["id"].as_str().unwrap().to_owned(), e)).collect();
    let mut seen = 0;
    for model in catalog.models().iter().filter(|m| m.can(crate::Capability::ExplicitCaching)) {
        let Some(pricing) = entries.get(model.id.as_str()).map(|e| &e["pricing"]) else { continue };
        if pricing.get("input").is_some() {
            assert!(
                pricing["input_cache_read"].is_string() && pricing["input_cache_write"].is_string(),
                "{}",
                model.id
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn prices_are_the_text_of_the_data() {
    let source: Value = serde_json::from_str(include_str!("../../data/catalog.json")).unwrap();
    let catalog = catalog();
    let entries: BTreeMap<String, Value> =
        list(&catalog).into_iter().map(|e| (e["id"].as_str().unwrap().to_owned(), e)).collect();
    let mut compared = 0;
    for line in source["models"].as_array().unwrap() {
        let Some(entry) = entries.get(line["id"].as_str().unwrap()) else { continue };
        let callable = |e: &&Value| catalog.provider(e["provider"].as_str().unwrap()).is_some();
        let endpoints = line["endpoints"].as_array().unwrap();
        let Some(prices) = endpoints.iter().filter(callable).find_map(|e| e.get("prices")) else {
            assert_eq!(entry["pricing"], json!({}));
            continue;
        };
        for (ours, source) in [
            ("input", "input"),
            ("output", "output"),
            ("input_cache_read", "cache_read"),
            ("input_cache_write", "cache_write_5m"),
            ("image", "image"),
        ] {
            if let Some(price) = prices.get(source) {
                assert_eq!(entry["pricing"].get(ours), Some(price), "{ours} of {}", line["id"]);
                compared += 1;
            }
        }
    }
    assert!(compared > 900, "{compared}");
}

#[test]
fn an_entry_tells_what_is_known() {
    let haiku = entry("anthropic/claude-haiku-4.5");
    assert_eq!(haiku["created"], 1_760_486_400);
    assert_eq!(haiku["knowledge"], "2025-02-28");
    assert_eq!(haiku["reasoning_options"], json!([{"type":"toggle"},{"type":"budget_tokens","min":1024}]));
    assert_eq!(
        haiku["tags"],
        json!(["explicit-caching", "file-input", "reasoning", "tool-use", "vision", "web-search"])
    );
    assert_eq!(haiku["regions"], json!(["eu", "us"]));
    assert_eq!(haiku["temperature"], true);
    assert_eq!(
        haiku["pricing"]["service_tiers"]["batch"],
        json!({"input":"0.0000005","output":"0.0000025","input_cache_read":"0.00000005","input_cache_write":"0.000000625"})
    );
    let mini = entry("openai/gpt-5.4-mini");
    assert_eq!(mini["pricing"]["web_search"], "10", "by the thousand");
    assert_eq!(mini["reasoning_options"][0]["values"], json!(["none", "low", "medium", "high", "xhigh"]));
    let speech = entry("openai/tts-1");
    assert_eq!(speech["pricing"]["speech_input_character_cost"], "0.000015");
    assert!(speech.get("max_tokens").is_none());
    let video = entry("google/veo-3.1-generate-001");
    assert_eq!(video["pricing"]["video_duration_pricing"], json!([{"cost_per_second":"0.4"}]));
    assert_eq!(video["tags"], json!(["video-generation"]));
}

#[test]
fn long_prompts_have_steps() {
    let catalog = catalog();
    let sonnet = catalog.model("anthropic/claude-sonnet-4").unwrap();
    let body: Value = serde_json::from_slice(&endpoints(&catalog, sonnet, &|_| None)).unwrap();
    let bedrock = body["data"]["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["provider_name"] == "bedrock")
        .unwrap();
    assert_eq!(
        bedrock["pricing"]["prompt_tiers"],
        json!([{"cost":"0.000003","min":0,"max":200_001},{"cost":"0.000006","min":200_001}])
    );
}

#[test]
fn only_models_that_can_be_called_are_listed() {
    let catalog = catalog();
    let nobody = catalog.model("callstack/apex").unwrap();
    assert!(model(&catalog, nobody).is_none());
    assert!(!list(&catalog).iter().any(|e| e["id"] == "callstack/apex"));
    let body: Value = serde_json::from_slice(&models_where(&catalog, &|e| &*e.provider == "groq")).unwrap();
    let ids: Vec<_> = body["data"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"meta/llama-3.3-70b") && ids.len() == 8, "{ids:?}");
}

#[test]
fn an_own_model_without_facts_is_listed_with_the_numbers_clients_need() {
    let overlay: Overlay =
        toml::from_str("[providers.vllm]\nmodels = [{ id = \"house/own\", capabilities = [\"tools\"] }]")
            .unwrap();
    let catalog = catalog().with_overlay(&overlay).unwrap();
    let own = list(&catalog).into_iter().find(|e| e["id"] == "house/own").unwrap();
    assert_eq!(
        (&own["context_window"], &own["max_tokens"]),
        (&json!(UNKNOWN_CONTEXT_WINDOW), &json!(UNKNOWN_MAX_TOKENS))
    );
    assert_eq!(
        (&own["pricing"], &own["tags"], &own["created"]),
        (&json!({}), &json!(["tool-use"]), &json!(0))
    );
}

#[test]
fn endpoints_carry_what_was_measured_and_nothing_else() {
    let catalog = catalog();
    let haiku = catalog.model("anthropic/claude-haiku-4.5").unwrap();
    let live = |e: &Endpoint| {
        (&*e.provider == "anthropic").then(|| LiveStats {
            uptime_last_1h: Some(99.5),
            latency_last_1h: Some(Percentiles { p50: 400.0, p95: 900.0 }),
            ..LiveStats::default()
        })
    };
    let body: Value = serde_json::from_slice(&endpoints(&catalog, haiku, &live)).unwrap();
    let data = &body["data"];
    assert_eq!(data["id"], "anthropic/claude-haiku-4.5");
    assert_eq!(data["architecture"]["modality"], "text+image+file→text");
    assert!(data["architecture"]["tokenizer"].is_null());
    assert_eq!(data["reasoning"], json!({"mandatory":false,"supports_max_tokens":true}));
    let list = data["endpoints"].as_array().unwrap();
    assert_eq!(list.len(), haiku.endpoints.len());
    let first = &list[0];
    assert_eq!(first["name"], "anthropic | anthropic/claude-haiku-4.5");
    assert_eq!((&first["status"], &first["context_length"]), (&json!(0), &json!(200_000)));
    assert_eq!(
        (&first["pricing"]["prompt"], &first["pricing"]["request"]),
        (&json!("0.000001"), &json!("0"))
    );
    assert_eq!((&first["uptime_last_1h"], &first["latency_last_1h"]["p95"]), (&json!(99.5), &json!(900.0)));
    assert!(first.get("uptime_last_15m").is_none());
    let eu = list.iter().find(|e| e["inference_regions"][0]["geo_region"] == "eu").unwrap();
    assert!(eu["deprecated_at"].is_i64() && eu.get("uptime_last_1h").is_none());
}
