use std::path::Path;

use super::*;

fn load(toml: &str, flags: &Flags, environment: &Environment) -> Result<Config, String> {
    let file = reading::parse(toml).map_err(|f| f.to_string())?;
    let source = Some(Source { path: PathBuf::from("t.toml"), text: toml.to_owned() });
    Config::combine(flags, environment, source, file).map_err(|f| f.to_string())
}

fn plain(toml: &str) -> Result<Config, String> {
    load(toml, &Flags::default(), &Environment::default())
}

fn refused(toml: &str) -> String {
    plain(toml).map(|_| ()).unwrap_err()
}

#[test]
fn flag_goes_before_environment_before_file_before_default() {
    let file = "[server]\nlisten = \"127.0.0.1:3\"\n";
    let environment = Environment::from([("TOLLGATE_LISTEN", "127.0.0.1:2")]);
    let flags = Flags { listen: Some("localhost:1".to_owned()), ..Flags::default() };
    let port = |toml: &str, flags: &Flags, env: &Environment| load(toml, flags, env).unwrap().listen.port();
    assert_eq!(port(file, &flags, &environment), 1);
    assert_eq!(port(file, &Flags::default(), &environment), 2);
    assert_eq!(port(file, &Flags::default(), &Environment::default()), 3);
    assert_eq!(port("", &Flags::default(), &Environment::default()), 8400);
}

#[test]
fn i14_an_unknown_key_is_named_with_its_line_and_the_nearest() {
    let error = refused("\n[server]\nlisten = \"127.0.0.1:1\"\ngrase = \"3s\"\n");
    assert!(error.contains("line 4, in [server]: unknown key 'grase'"), "{error}");
    assert!(error.contains("did you mean 'grace'?") && error.contains("max_body"), "{error}");
    let error = refused("[sever]\nlisten = \"x\"\n");
    assert!(error.contains("line 1: unknown key 'sever'") && error.contains("'server'"), "{error}");
    let error = refused("[providers.openai]\napikey = \"sk-fake\"\n");
    assert!(error.contains("did you mean 'api_key'?") && !error.contains("sk-fake"), "{error}");
    let error = refused("[providers.openai]\napi_key = { enw = \"A\" }\n");
    assert!(
        error.contains("line 2, in [providers.openai]") && error.contains("did you mean 'env'?"),
        "{error}"
    );
}

#[test]
fn quantities_and_addresses_say_what_they_should_look_like() {
    let error = refused("[server]\ngrace = \"soon\"\n");
    assert!(
        error.contains("line 2") && error.contains("'soon' is not a duration") && error.contains("30s"),
        "{error}"
    );
    let error = refused("[limits]\ntotal = 30\n");
    assert!(error.contains("30 has no unit") && error.contains("\"30s\""), "{error}");
    let error = refused("[server]\nmax_body = \"64 elephants\"\n");
    assert!(error.contains("is not a size") && error.contains("64MiB"), "{error}");
    let error = refused("[server]\nlisten = \"8400\"\n");
    assert!(
        error.contains("t.toml: '8400' is not an address") && error.contains("127.0.0.1:8400"),
        "{error}"
    );
    let error = refused("[server]\npublic_url = \"gateway.example.com\"\n");
    assert!(error.contains("https://gateway.example.com"), "{error}");
}

#[test]
fn limits_reach_the_data_plane() {
    let config = plain(
        "[server]\nmax_body = \"1MiB\"\ngrace = \"5s\"\n[limits]\nfirst_content = \"7s\"\nconnect = \"250ms\"\nattempts = 1\nopen_requests = 12\n",
    )
    .unwrap();
    assert_eq!(config.grace, Duration::from_secs(5));
    assert_eq!(config.limits.settings.max_body_bytes, 1 << 20);
    assert_eq!(config.limits.settings.first_content_timeout, Duration::from_secs(7));
    assert_eq!(config.limits.lanes.connect_timeout, Duration::from_millis(250));
    assert_eq!(
        (config.limits.settings.retry.attempts_total, config.limits.settings.max_open_requests),
        (1, 12)
    );
}

#[test]
fn i29_files_are_fetched_from_private_addresses_only_where_the_operator_says_so() {
    assert!(!plain("").unwrap().limits.settings.allow_private_fetch);
    let file = "[fetch]\nallow_private = true\nmax_bytes = \"3MiB\"\ntimeout = \"4s\"\nmax_redirects = 0\nmax_files = 2\n";
    let settings = plain(file).unwrap().limits.settings;
    assert!(settings.allow_private_fetch);
    assert_eq!((settings.max_fetch_bytes, settings.fetch_timeout), (3 << 20, Duration::from_secs(4)));
    assert_eq!((settings.max_fetch_redirects, settings.max_fetch_files), (0, 2));
    assert_eq!(plain("[fetch]\nmax_files = 2\n").unwrap().limits.settings.max_fetch_redirects, 3);
    let error = refused("[fetch]\nallow_privat = true\n");
    assert!(error.contains("did you mean 'allow_private'?"), "{error}");
}

#[test]
fn i26_a_limit_of_zero_is_refused() {
    assert!(refused("[fetch]\nmax_bytes = 0\n").contains("fetch.max_bytes is zero"));
    let error = refused("[limits]\nkeep_alive = \"0s\"\n");
    assert!(error.contains("t.toml: limits.keep_alive is zero"), "{error}");
    assert!(refused("[server]\nmax_body = 0\n").contains("server.max_body is zero"));
    assert!(plain("[server]\ngrace = \"0s\"\n").unwrap().grace.is_zero(), "to cut at once is a choice");
}

#[test]
fn a_demo_keeps_away_from_real_data() {
    let file = "[server]\ndata = \"real\"\n[database]\nurl = \"sqlite://real/real.db\"\n";
    let demo = Flags { demo: true, ..Flags::default() };
    let config = load(file, &demo, &Environment::default()).unwrap();
    assert_eq!(
        (config.data.as_path(), config.database.as_path()),
        (Path::new("data/demo"), Path::new("data/demo/tollgate.db"))
    );
    let config = plain(file).unwrap();
    assert_eq!(
        (config.data.as_path(), config.database.as_path()),
        (Path::new("real"), Path::new("real/real.db"))
    );
    let stated = load(file, &demo, &Environment::from([("TOLLGATE_DATA", "elsewhere")])).unwrap();
    assert_eq!(stated.database, Path::new("elsewhere/tollgate.db"));
}

#[test]
fn i28_a_database_url_is_refused_without_being_repeated() {
    let environment = Environment::from([("TOLLGATE_DATABASE_URL", "postgres://u:hunter2@db/tollgate")]);
    let error = load("", &Flags::default(), &environment).map(|_| ()).unwrap_err();
    assert!(
        error.contains("Postgres is not supported in this version") && error.contains("use sqlite://"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
    let environment = Environment::from([("TOLLGATE_DATABASE_URL", "mysql://u:hunter2@db/tollgate")]);
    let error = load("", &Flags::default(), &environment).map(|_| ()).unwrap_err();
    assert!(error.contains("sqlite://data/tollgate.db") && !error.contains("hunter2"), "{error}");
}

#[test]
fn the_example_of_the_operating_contract_is_read() {
    let config = plain(
        r#"
[server]
listen = "127.0.0.1:8400"
public_url = "https://gateway.example.com"
[database]
url = "sqlite://data/tollgate.db"
[providers.openai]
base_url = "http://127.0.0.1:9100/v1"
api_key  = { env = "OPENAI_API_KEY" }
[providers.my-vllm]
protocol = "openai-chat"
base_url = "http://10.0.0.5:8000/v1"
models   = [{ id = "meta/llama-4-maverick", upstream = "llama-4", input = "0", output = "0", context_window = 1000000 }]
[ledger]
durability = "local"
[credits]
enabled = false
"#,
    )
    .unwrap();
    assert_eq!(config.providers.len(), 2);
    assert!(matches!(config.providers["openai"].api_key, Some(Credential::Env(_))));
    assert!(refused("[ledger]\ndurability = \"shared\"\n").contains("Postgres"));
    assert!(refused("[credits]\nenabled = true\n").contains("not supported in this version"));
}

#[test]
fn i28_secrets_do_not_print() {
    let config = plain("[providers.openai]\napi_key = \"sk-fake-literal\"\n").unwrap();
    let environment = Environment::from([("OPENAI_API_KEY", "sk-fake-env")]);
    assert!(!format!("{config:?}{environment:?}").contains("sk-fake"));
    let error = refused("[providers]\nopenai = \"sk-fake\"\n");
    assert!(error.contains("line 2") && !error.contains("sk-fake"), "{error}");
}
