//! A world whose gateway knows a provider of every protocol, played by two further simulators.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};
use tollgate_catalog::overlay::{ModelOverlay, Overlay, ProviderOverlay};
use tollgate_catalog::{Catalog, Protocol};
use tollgate_crypto::Secret;
use tollgate_data_plane::lanes::{Connector, LaneSettings, Lanes};
use tollgate_data_plane::{Access, AccessConfig, Snapshot};
use tollgate_domain::Picodollars;
use tollgate_simulator::{Control, Options, Simulator};
use tollgate_telemetry::Metrics;

use crate::client::{Answer, Exchange, request};
use crate::world::{Setup, World, model};

/// What Cohere's rerank is given as the price of a search unit.
pub const SEARCH_UNIT: &str = "0.002";

/// The operator's key at every provider.
pub const OPERATORS_KEY: &str = "sk-not-a-real-key";

/// A world with all kinds of providers. Models `…-duo` have a second provider at the spare simulator.
pub struct Surfaces {
    world: World,
    pub main: Control,
    pub spare: Control,
    _simulators: [Simulator; 2],
}

impl Deref for Surfaces {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

fn of_kind(id: &str, kind: &str) -> ModelOverlay {
    ModelOverlay { kind: Some(serde_json::from_value(json!(kind)).unwrap()), ..model(id) }
}

fn able(id: &str, capabilities: &[&str]) -> ModelOverlay {
    ModelOverlay { capabilities: capabilities.iter().map(|&c| c.to_owned()).collect(), ..model(id) }
}

/// Slug, protocol, path of the base address, models of the main simulator. What is called `…-duo` is at the
/// spare one as well, by the slug `…-backup`: of two providers, the one whose slug sorts last goes first.
fn providers() -> Vec<(&'static str, Protocol, &'static str, Vec<ModelOverlay>)> {
    use Protocol as P;
    vec![
        (
            "chat",
            P::OpenaiChat,
            "/v1",
            vec![
                ModelOverlay { context_window: Some(1_000_000), ..model("test/chat") },
                model("test/chat-duo"),
                able("test/blind", &["reasoning"]),
            ],
        ),
        ("anthropic", P::AnthropicMessages, "/v1", vec![model("anthropic/claude-haiku-4.5")]),
        ("claude", P::AnthropicMessages, "/v1", vec![model("anthropic/claude-duo")]),
        ("other-messages", P::AnthropicMessages, "/v1", vec![model("test/other-messages")]),
        ("responses", P::OpenaiResponses, "/v1", vec![model("test/responses"), model("test/responses-duo")]),
        (
            "gemini",
            P::Gemini,
            "/v1beta",
            vec![
                model("test/gemini"),
                able("test/gemini-image", &["image-output", "vision"]),
                of_kind("test/gemini-embedding-001", "embedding"),
                of_kind("test/gemini-embedding-2", "embedding"),
            ],
        ),
        (
            "embed",
            P::OpenaiEmbeddings,
            "/v1",
            vec![of_kind("test/embed", "embedding"), of_kind("test/embed-duo", "embedding")],
        ),
        ("cohere-embed", P::CohereEmbed, "/v2", vec![of_kind("test/cohere-embed", "embedding")]),
        (
            "images",
            P::OpenaiImages,
            "/v1",
            ["test/image", "test/image-duo"]
                .map(|id| ModelOverlay { upstream: Some("gpt-image-1".to_owned()), ..of_kind(id, "image") })
                .into(),
        ),
        (
            "cohere",
            P::CohereRerank,
            "/v2",
            vec![of_kind("test/rerank", "reranking"), of_kind("test/rerank-duo", "reranking")],
        ),
        ("voyage", P::Rerank, "/v1", vec![of_kind("test/voyage", "reranking")]),
    ]
}

fn catalog(main: &str, spare: &str, puppet: &str) -> Catalog {
    let mut overlay = Overlay { providers: BTreeMap::new() };
    let by_hand = ProviderOverlay {
        protocol: Some(Protocol::OpenaiChat),
        base_url: Some(format!("{puppet}/v1")),
        models: vec![model("test/puppet")],
        ..ProviderOverlay::default()
    };
    overlay.providers.insert("puppet".to_owned(), by_hand);
    for (slug, protocol, path, models) in providers() {
        let mut add = |suffix: &str, base: &str, models: Vec<ModelOverlay>| {
            let entry = ProviderOverlay {
                protocol: Some(protocol),
                base_url: Some(format!("{base}{path}")),
                models,
                ..ProviderOverlay::default()
            };
            overlay.providers.insert(format!("{slug}{suffix}"), entry);
        };
        let duo: Vec<_> = models.iter().filter(|m| m.id.ends_with("-duo")).cloned().collect();
        if duo.is_empty() {
            add("", main, models);
        } else {
            add("-backup", spare, duo);
            add("-main", main, models);
        }
    }
    let empty = Catalog::new("2026-01-01".parse().unwrap(), Vec::new(), Vec::new()).unwrap();
    let catalog = empty.with_overlay(&overlay).unwrap();
    // Configuration has no word for the price of a search unit; the catalog has.
    let mut models = catalog.models().to_vec();
    for endpoint in models.iter_mut().flat_map(|m| &mut m.endpoints) {
        if endpoint.provider.starts_with("cohere-") && endpoint.model.starts_with("rerank") {
            let mut prices = endpoint.prices.take().unwrap();
            prices.standard.table.input = None;
            prices.standard.table.per_query = Some(Picodollars::parse(SEARCH_UNIT).unwrap());
            endpoint.prices = Some(prices);
        }
    }
    Catalog::new(catalog.date(), catalog.providers().to_vec(), models).unwrap()
}

fn access(catalog: &Catalog) -> HashMap<String, Arc<Access>> {
    let connector = Connector::with_roots(rustls::RootCertStore::empty());
    let lanes = Lanes::new(connector, LaneSettings::default(), Arc::new(Metrics::new()));
    let way = |provider: &tollgate_catalog::Provider| {
        let config = AccessConfig {
            slug: provider.slug.to_string(),
            protocols: vec![provider.protocol],
            base_url: provider.base_url.clone(),
            auth: provider.auth.clone(),
            secret: Some(Secret::new(OPERATORS_KEY)),
        };
        (provider.slug.to_string(), Arc::new(Access::new(&config, &lanes).unwrap()))
    };
    catalog.providers().iter().map(way).collect()
}

impl Surfaces {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let world = World::with(change).await;
        let simulators = [
            Simulator::start(Options::default()).await.unwrap(),
            Simulator::start(Options::default()).await.unwrap(),
        ];
        let [main, spare] = [simulators[0].base_url(), simulators[1].base_url()];
        let puppet = format!("http://{}", world.puppet.addr());
        let catalog = Arc::new(catalog(&main, &spare, &puppet));
        let access = Arc::new(access(&catalog));
        let callers = Arc::clone(&world.gateway.snapshot().callers);
        world.gateway.swap(Snapshot::new(catalog, callers, access));
        let [main, spare] = [simulators[0].control(), simulators[1].control()];
        Self { world, main, spare, _simulators: simulators }
    }

    /// POSTs with the world's key and further headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.begin_with(path, headers, body).await.answer().await
    }

    /// Begins such a request.
    pub async fn begin_with(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Exchange {
        let bearer = format!("Bearer {}", self.key);
        let headers: Vec<_> =
            std::iter::once(("authorization", bearer.as_str())).chain(headers.iter().copied()).collect();
        Exchange::send(self.addr, &request("POST", path, &headers, body)).await
    }

    /// POSTs JSON with the world's key.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body.to_string().as_bytes()).await
    }

    /// The ledger's row of the request that an answer's header names.
    pub async fn row_of(&self, answer: &Answer) -> tollgate_store::LedgerRow {
        self.settled().await;
        let id = answer.header("x-generation-id").unwrap_or_else(|| panic!("no id: {}", answer.text()));
        self.row(id).await.unwrap_or_else(|| panic!("no row of {id}"))
    }
}

/// The named events of a stream: name (empty without), data as JSON; `[DONE]` as a string.
pub fn events(body: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(body).unwrap();
    let mut found = Vec::new();
    for event in text.split_terminator("\n\n").filter(|e| !e.starts_with(':')) {
        let name = event.lines().find_map(|l| l.strip_prefix("event: ")).unwrap_or_default();
        let data = event.lines().find_map(|l| l.strip_prefix("data: "));
        let data = data.unwrap_or_else(|| panic!("no data: {event}"));
        let data = if data == "[DONE]" { json!("[DONE]") } else { serde_json::from_str(data).unwrap() };
        found.push((name.to_owned(), data));
    }
    found
}
