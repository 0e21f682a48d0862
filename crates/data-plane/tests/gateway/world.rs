//! A gateway on a free port, two simulated providers and one moved by hand before it, a ledger in a folder of
//! its own behind it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tollgate_catalog::overlay::{ModelOverlay, Overlay, ProviderOverlay};
use tollgate_catalog::{Catalog, Protocol};
use tollgate_crypto::{GatewayKey, Secret};
use tollgate_data_plane::lanes::{Connector, LaneSettings, Lanes};
use tollgate_data_plane::{
    Access, AccessConfig, Caller, Clock, Gateway, GatewayParts, IdSource, Server, Settings, Snapshot,
    SystemClock,
};
use tollgate_domain::Micros;
use tollgate_domain::id::{GenerationId, KeyId, TeamId, Ulid};
use tollgate_policy::retry::RetryPolicy;
use tollgate_simulator::{Control, Options, Simulator};
use tollgate_store::{Ledger, LedgerRow};
use tollgate_store_sqlite::{Role, SqliteStore};
use tollgate_telemetry::Metrics;

use crate::client::{Answer, Exchange, request, soon};
use crate::puppet::Puppet;

static FOLDERS: AtomicU64 = AtomicU64::new(1);

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Wrap = Box<dyn FnOnce(Arc<dyn Ledger>) -> Arc<dyn Ledger> + Send>;

/// How a world is set up.
pub struct Setup {
    pub settings: Settings,
    /// Puts something in front of the ledger.
    pub ledger: Option<Wrap>,
    /// Further providers, all played by the primary simulator.
    pub providers: Vec<(&'static str, Protocol, Vec<ModelOverlay>)>,
}

impl Default for Setup {
    fn default() -> Self {
        let retry = RetryPolicy {
            backoff_base: Duration::from_millis(2),
            backoff_max: Duration::from_millis(4),
            ..RetryPolicy::default()
        };
        // Long enough that a busy machine does not trip over them; tests of a deadline set their own.
        let settings = Settings {
            first_content_timeout: Duration::from_secs(25),
            event_gap_timeout: Duration::from_secs(25),
            total_timeout: Duration::from_secs(28),
            retry,
            ..Settings::default()
        };
        Self { settings, ledger: None, providers: Vec::new() }
    }
}

pub struct World {
    pub addr: SocketAddr,
    /// Where the primary simulator is.
    pub primary_addr: SocketAddr,
    pub gateway: Arc<Gateway>,
    pub primary: Control,
    pub backup: Control,
    pub puppet: Puppet,
    pub store: SqliteStore,
    /// Keys of two teams, a revoked and an expired one.
    pub key: String,
    pub foreign_key: String,
    pub revoked_key: String,
    pub expired_key: String,
    pub shutdown: CancellationToken,
    pub served: Option<JoinHandle<usize>>,
    _simulators: [Simulator; 2],
    folder: Folder,
}

/// A model of a test provider, at the prices that all of them have.
pub fn model(id: &str) -> ModelOverlay {
    let price = |text: &str| Some(serde_json::from_value(json!(text)).unwrap());
    ModelOverlay {
        input: price("0.000001"),
        output: price("0.000003"),
        cache_read: price("0.0000001"),
        cache_write: price("0.00000125"),
        ..bare(id)
    }
}

/// The cost at those prices, in nanodollars.
pub fn cost(uncached: u64, cached: u64, output: u64) -> i64 {
    i64::try_from(uncached * 1000 + cached * 100 + output * 3000).unwrap()
}

fn bare(id: &str) -> ModelOverlay {
    serde_json::from_value(json!({ "id": id })).unwrap()
}

/// Of the providers of one model, the one whose slug sorts last is tried first.
fn providers(
    primary: &str,
    backup: &str,
    puppet: SocketAddr,
    closed: SocketAddr,
) -> Vec<(&'static str, Protocol, String, Vec<ModelOverlay>)> {
    let (chat, claude) = (Protocol::OpenaiChat, Protocol::AnthropicMessages);
    let blind = ModelOverlay { capabilities: vec!["reasoning".to_owned()], ..model("test/blind") };
    let embedder = serde_json::from_value(json!({"id": "test/embedder", "type": "embedding"})).unwrap();
    let v1 = |base: &str| format!("{base}/v1");
    vec![
        (
            "primary",
            chat,
            v1(primary),
            vec![
                model("test/solo"),
                model("test/duo"),
                model("test/mixed"),
                bare("test/unpriced"),
                blind,
                embedder,
            ],
        ),
        ("backup", chat, v1(backup), vec![model("test/duo"), model("test/refused-duo")]),
        (
            "closed",
            chat,
            format!("http://{closed}/v1"),
            vec![model("test/refused"), model("test/refused-duo")],
        ),
        ("claude-primary", claude, v1(primary), vec![model("test/claude"), model("test/claude-duo")]),
        (
            "claude-backup",
            claude,
            v1(backup),
            vec![model("test/claude-duo"), model("test/claude-refused-duo"), model("test/mixed")],
        ),
        (
            "claude-closed",
            claude,
            format!("http://{closed}/v1"),
            vec![model("test/claude-refused"), model("test/claude-refused-duo")],
        ),
        ("mistral", chat, v1(primary), vec![model("test/mistral")]),
        ("puppet", chat, format!("http://{puppet}/v1"), vec![model("test/puppet")]),
    ]
}

fn catalog(providers: Vec<(&'static str, Protocol, String, Vec<ModelOverlay>)>) -> Catalog {
    let mut overlay = Overlay { providers: BTreeMap::new() };
    for (slug, protocol, base_url, models) in providers {
        let entry = ProviderOverlay {
            protocol: Some(protocol),
            base_url: Some(base_url),
            models,
            ..ProviderOverlay::default()
        };
        overlay.providers.insert(slug.to_owned(), entry);
    }
    let empty = Catalog::new("2026-01-01".parse().unwrap(), Vec::new(), Vec::new()).unwrap();
    empty.with_overlay(&overlay).unwrap()
}

fn access(catalog: &Catalog, metrics: &Arc<Metrics>) -> HashMap<String, Arc<Access>> {
    let connector = Connector::with_roots(rustls::RootCertStore::empty());
    let lanes = Lanes::new(connector, LaneSettings::default(), Arc::clone(metrics));
    let way = |provider: &tollgate_catalog::Provider| {
        let config = AccessConfig {
            slug: provider.slug.to_string(),
            protocols: std::iter::once(provider.protocol).chain(provider.also.iter().copied()).collect(),
            base_url: provider.base_url.clone(),
            auth: provider.auth.clone(),
            secret: Some(Secret::new("sk-not-a-real-key")),
        };
        (provider.slug.to_string(), Arc::new(Access::new(&config, &lanes).unwrap()))
    };
    catalog.providers().iter().map(way).collect()
}

/// A key, and its caller.
fn key(number: u128, team: u128, change: impl FnOnce(&mut Caller)) -> (String, [u8; 32], Arc<Caller>) {
    let key = GatewayKey::generate().unwrap();
    let mut caller = Caller {
        key: KeyId(Ulid(number)),
        name: format!("key {number}"),
        team: TeamId(Ulid(team)),
        project: None,
        environment: None,
        expires_at: None,
        revoked_at: None,
    };
    change(&mut caller);
    (key.secret().expose().to_owned(), key.hash(), Arc::new(caller))
}

fn open_store(folder: &Folder) -> SqliteStore {
    let counter = AtomicU64::new(1);
    let entropy = Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed)));
    let clock = Arc::new(|| SystemClock.now());
    SqliteStore::open(&tollgate_store_sqlite::Options {
        busy_timeout: Duration::from_millis(5),
        retry_interval: Duration::from_millis(5),
        patience: Duration::from_millis(100),
        ..tollgate_store_sqlite::Options::new(folder.0.join("tollgate.db"), Role::Server, clock, entropy)
    })
    .unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let simulators = [
            Simulator::start(Options::default()).await.unwrap(),
            Simulator::start(Options::default()).await.unwrap(),
        ];
        let puppet = Puppet::start().await;
        // Bound and never listening: connections are refused, and nobody else gets the port.
        let reserved = tokio::net::TcpSocket::new_v4().unwrap();
        reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let closed = reserved.local_addr().unwrap();
        let mut all = providers(&simulators[0].base_url(), &simulators[1].base_url(), puppet.addr(), closed);
        let base = format!("{}/v1", simulators[0].base_url());
        all.extend(
            setup
                .providers
                .into_iter()
                .map(|(slug, protocol, models)| (slug, protocol, base.clone(), models)),
        );
        let catalog = Arc::new(catalog(all));
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder =
            Folder(std::env::temp_dir().join(format!("tollgate-gateway-{}-{number}", std::process::id())));
        let store = open_store(&folder);
        let mut ledger = store.ledger();
        if let Some(wrap) = setup.ledger {
            ledger = wrap(ledger);
        }
        let metrics = Arc::new(Metrics::new());
        let access = access(&catalog, &metrics);
        let keys = [
            key(1, 1, |_| {}),
            key(2, 2, |_| {}),
            key(3, 1, |caller| caller.revoked_at = Some(Micros(1))),
            key(4, 1, |caller| caller.expires_at = Some(Micros(1))),
        ];
        let callers = keys.iter().map(|(_, hash, caller)| (*hash, Arc::clone(caller))).collect();
        let gateway = Gateway::new(GatewayParts {
            snapshot: Snapshot::new(catalog, Arc::new(callers), Arc::new(access)),
            ledger,
            settings: setup.settings,
            connector: Connector::with_roots(rustls::RootCertStore::empty()),
            clock: Arc::new(SystemClock),
            ids: IdSource::new(u128::from(number)),
            metrics,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = Server::new(Arc::clone(&gateway));
        let token = shutdown.clone();
        let served = tokio::spawn(async move {
            let count = server.serve(listener, token, Duration::from_secs(20)).await;
            drop(reserved);
            count
        });
        let [key, foreign_key, revoked_key, expired_key] = keys.map(|(text, _, _)| text);
        let [primary, backup] = [simulators[0].control(), simulators[1].control()];
        Self {
            addr,
            primary_addr: simulators[0].addr(),
            gateway,
            primary,
            backup,
            puppet,
            store,
            key,
            foreign_key,
            revoked_key,
            expired_key,
            shutdown,
            served: Some(served),
            _simulators: simulators,
            folder,
        }
    }

    /// Sends any request without credential.
    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        Exchange::send(self.addr, &request(method, path, headers, body)).await.answer().await
    }

    /// A chat request as text, with the world's key.
    pub fn chat_text(&self, body: &Value) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.key);
        request("POST", "/v1/chat/completions", &[("authorization", &bearer)], body.to_string().as_bytes())
    }

    /// Begins a chat.
    pub async fn begin(&self, body: &Value) -> Exchange {
        Exchange::send(self.addr, &self.chat_text(body)).await
    }

    /// A chat, all of it.
    pub async fn chat(&self, body: &Value) -> Answer {
        self.begin(body).await.answer().await
    }

    /// GETs with the world's key.
    pub async fn get(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        self.raw("GET", path, &[("authorization", &bearer)], b"").await
    }

    /// The row of a request as the ledger gives it.
    pub async fn row(&self, id: &str) -> Option<LedgerRow> {
        let id = GenerationId::parse(id).unwrap_or_else(|| panic!("no id: {id}"));
        self.store.ledger().generation(id).await.unwrap()
    }

    /// Another program's connection to the ledger's database.
    pub fn stranger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.0.join("tollgate.db")).unwrap()
    }

    /// The row as another program sees it on the disk: status, cost, prompt and completion tokens.
    pub fn row_on_disk(&self, id: &str) -> Option<(String, Option<i64>, i64, i64)> {
        self.stranger()
            .query_row(
                "SELECT status, cost_nano, input_uncached + input_cache_read + input_cache_write_5m + \
                 input_cache_write_1h, output_text + output_reasoning FROM ledger WHERE id = ?1",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .ok()
    }

    /// All rows on the disk, once every request is settled: id, status, provider, failure.
    pub async fn rows(&self) -> Vec<Row> {
        self.settled().await;
        self.store.ledger().flush().await.unwrap();
        let stranger = self.stranger();
        let mut query = stranger
            .prepare("SELECT id, status, provider, failure, cost_nano, attempts, client_status FROM ledger ORDER BY id")
            .unwrap();
        let rows = query.query_map([], |row| {
            Ok(Row {
                id: row.get(0)?,
                status: row.get(1)?,
                provider: row.get(2)?,
                failure: row.get(3)?,
                cost: row.get(4)?,
                attempts: row.get(5)?,
                client_status: row.get(6)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Waits until no request is open.
    pub async fn settled(&self) {
        until("all requests to be settled", || self.gateway.open_requests() == 0).await;
    }
}

/// A row of the ledger, as far as tests look at it.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub status: String,
    pub provider: String,
    pub failure: Option<String>,
    pub cost: Option<i64>,
    pub attempts: i64,
    pub client_status: i64,
}

/// Waits for a condition that another task brings about.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    soon(what, async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A question to a model.
pub fn question(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "What is a tollgate?"}]})
}
