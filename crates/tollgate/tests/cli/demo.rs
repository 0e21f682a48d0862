//! What the demo leaves in the ledger, read beside the running gateway.

use std::sync::Arc;

use tollgate_domain::Micros;
use tollgate_store::Totals;
use tollgate_store_sqlite::{Options, Role, SqliteStore};

use crate::folder::Folder;
use crate::gateway::Gateway;

const DEMO_REQUESTS: u64 = 2_000;

fn totals(folder: &Folder) -> Totals {
    let path = folder.path().join("d/tollgate.db");
    let options = Options::new(path, Role::Tool, Arc::new(|| Micros(0)), Arc::new(|| 0));
    let store = SqliteStore::open(&options).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let (team, _) = store.keys().default_owner().await.unwrap();
        store.ledger().totals(team).await.unwrap()
    })
}

fn serve_once(folder: &Folder, args: &[&str], chat: Option<&str>) {
    let mut gateway = Gateway::serve(folder, args);
    if let Some(model) = chat {
        gateway.until_status(&gateway.key(), model, 200);
    }
    gateway.terminate();
    assert_eq!(gateway.ended(), 0);
}

#[test]
fn i10_a_day_of_traffic_is_played_once_beside_what_is_asked() {
    let folder = Folder::new();
    serve_once(&folder, &["--demo", "--data", "d"], Some("demo/swift"));
    let first = totals(&folder);
    assert_eq!(first.requests, DEMO_REQUESTS + 1);
    assert!(first.cost_nano > 0);
    serve_once(&folder, &["--demo", "--data", "d"], None);
    assert_eq!(totals(&folder), first);
}

#[test]
fn real_traffic_gets_no_demo_traffic_added() {
    let folder = Folder::new();
    let simulate = folder.command(&["simulate", "--listen", "127.0.0.1:0"]);
    let simulator = Gateway::start(simulate, "Simulating providers on http://");
    let provider = format!(
        "[providers.own]\nprotocol = \"openai-chat\"\nbase_url = \"http://{}/v1\"\napi_key = \"fake\"\nmodels = [{{ id = \"own/model\" }}]\n",
        simulator.address
    );
    folder.write("tollgate.toml", &provider);
    serve_once(&folder, &["--data", "d"], Some("own/model"));
    serve_once(&folder, &["--demo", "--data", "d"], None);
    assert_eq!(totals(&folder).requests, 1);
}
