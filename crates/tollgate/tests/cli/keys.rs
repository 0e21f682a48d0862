//! Keys while the gateway runs.

use std::time::Duration;

use crate::folder::Folder;
use crate::gateway::Gateway;

/// What operations promises.
const SECOND: Duration = Duration::from_secs(1);

const MODEL: &str = "demo/swift";

fn create(folder: &Folder, args: &[&str]) -> (String, String) {
    let mut all = vec!["key", "create", "--data", "d", "--json"];
    all.extend(args);
    let made = folder.run(&all).json();
    (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

#[test]
fn a_key_made_or_revoked_by_another_process_counts_within_a_second() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &["--demo", "--data", "d"]);
    let (id, key) = create(&folder, &["--name", "laptop", "--environment", "development"]);
    let (took, _) = gateway.until_status(&key, MODEL, 200);
    assert!(took < SECOND, "accepted after {took:?}");
    let revoked = folder.run(&["key", "revoke", &id, "--data", "d"]).good();
    assert!(revoked.contains("laptop") && revoked.contains(&id), "{revoked}");
    let (took, answer) = gateway.until_status(&key, MODEL, 401);
    assert!(took < SECOND, "refused after {took:?}");
    assert!(answer.body.contains("'laptop' has been revoked"), "{}", answer.body);
}

#[test]
fn an_expired_key_is_refused_as_such() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &["--demo", "--data", "d"]);
    let (_, key) = create(&folder, &["--name", "short", "--expires", "2s"]);
    gateway.until_status(&key, MODEL, 200);
    let (_, answer) = gateway.until_status(&key, MODEL, 401);
    assert!(answer.body.contains("'short' has expired"), "{}", answer.body);
}

#[test]
fn i27_a_list_shows_every_key_and_no_secret() {
    let folder = Folder::new();
    let (first, secret) = create(&folder, &["--name", "one"]);
    create(&folder, &["--name", "two", "--expires", "90d", "--environment", "production"]);
    folder.run(&["key", "revoke", &first, "--data", "d", "--json"]).json();
    let list = folder.run(&["key", "list", "--data", "d", "--json"]).json();
    let states: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|k| (k["name"].as_str().unwrap(), k["status"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("one", "revoked"), ("two", "active")]);
    assert!(list[1]["expires_at"].as_str().unwrap().ends_with('Z'));
    let text = folder.run(&["key", "list", "--data", "d"]).good();
    assert!(text.contains("production") && !text.contains(&secret), "{text}");
    let missing = folder.run(&["key", "revoke", "key_00000000000000000000000000", "--data", "d"]).bad(1);
    assert!(missing.contains("there is no key") && missing.contains("tollgate key list"), "{missing}");
}

#[test]
fn a_bootstrap_key_works_and_stays_one_key() {
    let folder = Folder::new();
    let (_, key) = create(&Folder::new(), &["--name", "elsewhere"]);
    for _ in 0..2 {
        let mut command = folder.command(&["serve", "--demo", "--data", "d", "--listen", "127.0.0.1:0"]);
        command.env("TOLLGATE_BOOTSTRAP_KEY", &key);
        let mut gateway = Gateway::start(command, "Listening on http://");
        let line = gateway.line_with("Key ");
        assert!(line.contains("TOLLGATE_BOOTSTRAP_KEY") && !line.contains(&key), "{line}");
        gateway.until_status(&key, MODEL, 200);
        gateway.terminate();
        assert_eq!(gateway.ended(), 0);
    }
    let list = folder.run(&["key", "list", "--data", "d", "--json"]).json();
    assert_eq!(list.as_array().unwrap().iter().filter(|k| k["name"] == "bootstrap").count(), 1);
}
