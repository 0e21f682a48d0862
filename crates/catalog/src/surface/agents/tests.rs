use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::overlay::Overlay;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap()
}

fn with(overlay: &str) -> Catalog {
    catalog().with_overlay(&toml::from_str::<Overlay>(overlay).unwrap()).unwrap()
}

fn claude(catalog: &Catalog) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&claude_code_models(catalog)).unwrap();
    body["data"].as_array().unwrap().clone()
}

/// As codex-cli 0.169.0 reads a model, with what earlier ones insist on besides.
#[derive(serde::Deserialize)]
struct Read {
    slug: String,
    display_name: String,
    description: Option<String>,
    default_reasoning_level: Option<String>,
    supported_reasoning_levels: Vec<ReadLevel>,
    shell_type: ShellType,
    visibility: Visibility,
    supported_in_api: bool,
    priority: i32,
    base_instructions: String,
    supports_reasoning_summaries: bool,
    default_reasoning_summary: Summary,
    support_verbosity: bool,
    truncation_policy: ReadTruncation,
    supports_parallel_tool_calls: bool,
    context_window: Option<i64>,
    experimental_supported_tools: Vec<String>,
    input_modalities: Vec<InputModality>,
}

#[derive(serde::Deserialize)]
struct ReadLevel {
    effort: String,
    description: String,
}

#[derive(serde::Deserialize)]
struct ReadTruncation {
    mode: Mode,
    limit: i64,
}

macro_rules! words {
    ($($name:ident { $($word:ident),* })*) => {$(
        #[derive(serde::Deserialize, Debug, PartialEq)]
        #[serde(rename_all = "snake_case")]
        enum $name { $($word),* }
    )*};
}

words! {
    ShellType { Default, Local, ShellCommand, UnifiedExec, Disabled }
    Visibility { List, Hide, None }
    Summary { Auto, Concise, Detailed, None }
    Mode { Bytes, Tokens }
    InputModality { Text, Image }
}

fn codex(catalog: &Catalog) -> Vec<Read> {
    #[derive(serde::Deserialize)]
    struct Body {
        models: Vec<Read>,
    }
    serde_json::from_slice::<Body>(&codex_models(catalog)).unwrap().models
}

#[test]
fn claude_code_gets_anthropics_list() {
    let body: Value = serde_json::from_slice(&claude_code_models(&catalog())).unwrap();
    let data = body["data"].as_array().unwrap();
    assert!(data.len() > 300, "{}", data.len());
    assert_eq!(body["has_more"], false);
    assert_eq!((&body["first_id"], &body["last_id"]), (&data[0]["id"], &data[data.len() - 1]["id"]));
    for model in data {
        assert_eq!(model["type"], "model");
        assert!(model["id"].as_str().unwrap().starts_with("claude-code/"));
        assert!(!model["display_name"].as_str().unwrap().is_empty());
        let time = model["created_at"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with("T00:00:00Z"), "{time}");
    }
    let haiku = data.iter().find(|m| m["id"] == "claude-code/anthropic/claude-haiku-4.5").unwrap();
    assert_eq!(
        *haiku,
        json!({"type":"model","id":"claude-code/anthropic/claude-haiku-4.5","display_name":"Claude Haiku 4.5","created_at":"2025-10-15T00:00:00Z"})
    );
}

#[test]
fn a_million_tokens_of_context_stand_behind_the_id() {
    let catalog = catalog();
    let ids: BTreeSet<String> =
        claude(&catalog).iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
    let (mut long, mut short) = (0, 0);
    for model in talking(&catalog) {
        let plain = format!("claude-code/{}", model.id);
        let marked = format!("{plain}[1m]");
        let million = model.context_window >= Some(1_000_000);
        assert_eq!((ids.contains(&marked), ids.contains(&plain)), (million, !million), "{plain}");
        if million { long += 1 } else { short += 1 }
    }
    assert!(long > 20 && short > 100, "{long} {short}");
}

#[test]
fn ids_of_both_lists_lead_back_to_the_catalog() {
    let catalog = catalog();
    for model in claude(&catalog) {
        assert!(catalog.model(strip_agent_id(model["id"].as_str().unwrap())).is_some());
    }
    for model in codex(&catalog) {
        assert!(catalog.model(strip_agent_id(&model.slug)).is_some());
    }
    for (sent, meant) in [
        ("claude-code/anthropic/claude-opus-4.6[1m]", "anthropic/claude-opus-4.6"),
        ("claude-code/openai/gpt-5", "openai/gpt-5"),
        ("anthropic/claude-opus-4.6[1m]", "anthropic/claude-opus-4.6"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("acme/claude-code/x", "acme/claude-code/x"),
        ("", ""),
    ] {
        assert_eq!(strip_agent_id(sent), meant);
    }
}

#[test]
fn only_language_models_that_answer_in_text_are_for_agents() {
    let builtin = catalog();
    let haiku = builtin.model("anthropic/claude-haiku-4.5").unwrap();
    let giving = |id: &str, output: &[Modality]| {
        let (id, aliases) = (tollgate_domain::ModelId::new(id), Vec::new());
        Model { id, aliases, output: output.to_vec(), ..haiku.clone() }
    };
    let mut models = builtin.models().to_vec();
    models.push(giving("house/painter", &[Modality::Image]));
    models.push(giving("house/both", &[Modality::Text, Modality::Image]));
    models.push(giving("house/unknown", &[]));
    let catalog = Catalog::new(builtin.date(), builtin.providers().to_vec(), models).unwrap();
    let listed: BTreeSet<String> = codex(&catalog).into_iter().map(|m| m.slug).collect();
    let of_claude: BTreeSet<String> =
        claude(&catalog).iter().map(|m| strip_agent_id(m["id"].as_str().unwrap()).to_owned()).collect();
    assert_eq!(listed, of_claude);
    assert!(listed.contains("house/both") && listed.contains("house/unknown"));
    for absent in ["house/painter", "openai/tts-1", "google/veo-3.1-generate-001", "callstack/apex"] {
        assert!(!listed.contains(absent), "{absent}");
    }
    for id in &listed {
        assert_eq!(catalog.model(id).unwrap().kind, ModelKind::Language);
    }
}

#[test]
fn codex_reads_every_entry() {
    let models = codex(&catalog());
    assert!(models.len() > 300, "{}", models.len());
    for (at, model) in models.iter().enumerate() {
        assert!(!model.slug.is_empty() && !model.display_name.is_empty() && model.supported_in_api);
        assert!(model.description.as_deref().is_some_and(|d| !d.is_empty()));
        assert!(!model.base_instructions.is_empty() && model.experimental_supported_tools.is_empty());
        assert!(model.context_window > Some(0));
        assert_eq!(model.shell_type, ShellType::Default);
        assert_eq!((&model.truncation_policy.mode, model.truncation_policy.limit), (&Mode::Tokens, 10_000));
        assert_eq!(usize::try_from(model.priority).unwrap(), at + 1);
        assert!(!model.support_verbosity);
        assert!(model.input_modalities.contains(&InputModality::Text));
        let efforts: Vec<_> = model.supported_reasoning_levels.iter().map(|l| l.effort.as_str()).collect();
        assert!(
            model
                .supported_reasoning_levels
                .iter()
                .all(|l| !l.effort.is_empty() && !l.description.is_empty())
        );
        match model.default_reasoning_level.as_deref() {
            Some(default) => assert!(efforts.contains(&default), "{default} of {}", model.slug),
            None => assert!(efforts.is_empty(), "{}", model.slug),
        }
    }
}

#[test]
fn codex_gets_what_is_known_of_a_model() {
    let models: BTreeMap<String, Read> = codex(&catalog()).into_iter().map(|m| (m.slug.clone(), m)).collect();
    let efforts =
        |m: &Read| -> Vec<String> { m.supported_reasoning_levels.iter().map(|l| l.effort.clone()).collect() };
    let mini = &models["openai/gpt-5.4-mini"];
    assert_eq!(efforts(mini), ["none", "low", "medium", "high", "xhigh"]);
    assert_eq!(mini.default_reasoning_level.as_deref(), Some("medium"));
    assert_eq!((&mini.visibility, &mini.default_reasoning_summary), (&Visibility::List, &Summary::Auto));
    assert!(mini.supports_parallel_tool_calls && mini.supports_reasoning_summaries);
    let haiku = &models["anthropic/claude-haiku-4.5"];
    assert_eq!(efforts(haiku), ["low", "medium", "high"], "its budget follows from the effort");
    assert_eq!(haiku.context_window, Some(200_000));
    assert_eq!(haiku.input_modalities, [InputModality::Text, InputModality::Image]);
}

#[test]
fn the_picker_has_only_models_that_can_drive_an_agent_newest_first() {
    let catalog = with(
        "[providers.vllm]\nmodels = [{ id = \"house/own\", capabilities = [\"tools\"] }, { id = \"house/mute\" }]",
    );
    let models = codex(&catalog);
    let mut last = None;
    let (mut listed, mut hidden) = (0, 0);
    for read in &models {
        let model = catalog.model(&read.slug).unwrap();
        assert!(last.is_none_or(|before| before >= model.released), "{}", read.slug);
        last = Some(model.released);
        let batch = model.variant.as_ref().is_some_and(|v| v.level == Level::Batch);
        if read.visibility == Visibility::List {
            assert!(model.can(Capability::ToolUse) && !batch && !model.deprecated, "{}", read.slug);
            listed += 1;
        } else {
            hidden += 1;
        }
    }
    assert!(listed > 100 && hidden > 10, "{listed} {hidden}");
    let find = |slug: &str| models.iter().find(|m| m.slug == slug).unwrap();
    let own = find("house/own");
    assert_eq!(own.visibility, Visibility::List);
    assert_eq!(own.context_window, i64::try_from(UNKNOWN_CONTEXT_WINDOW).ok());
    assert!(own.supported_reasoning_levels.is_empty() && own.default_reasoning_summary == Summary::None);
    assert_eq!(own.input_modalities, [InputModality::Text]);
    assert_eq!(find("house/mute").visibility, Visibility::Hide);
}

#[test]
fn an_empty_catalog_gives_empty_lists() {
    let catalog = Catalog::new(catalog().date(), Vec::new(), Vec::new()).unwrap();
    let body: Value = serde_json::from_slice(&claude_code_models(&catalog)).unwrap();
    assert_eq!(body, json!({"data":[],"has_more":false,"first_id":null,"last_id":null}));
    let body: Value = serde_json::from_slice(&codex_models(&catalog)).unwrap();
    assert_eq!(body, json!({"models":[]}));
}
