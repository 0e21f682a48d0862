//! Two processes on one data folder, and databases of other versions.

use std::time::Duration;

use tollgate_domain::Micros;
use tollgate_store::contract::{intent, key};
use tollgate_store::{LedgerState, StoreError};
use tollgate_store_sqlite::{Role, SqliteStore};

use crate::place::Folder;

#[tokio::test]
async fn a_second_owner_is_refused_with_the_way_out() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let error = folder.server().unwrap_err().to_string();
    let owner = format!("process {}", std::process::id());
    assert!(error.contains("another Tollgate") && error.contains(&owner), "{error}");
    assert!(error.contains("Stop it, or give this one another data folder"), "{error}");
    store.close().await.unwrap();
    store.close().await.unwrap();
    folder.server().unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_tool_changes_keys_beside_a_server_which_notices() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let mut revisions = store.revisions();
    revisions.mark_unchanged();
    let before = *revisions.borrow();

    let tool = SqliteStore::open(&folder.options(Role::Tool)).unwrap();
    assert_eq!(tool.keys().default_owner().await.unwrap(), store.keys().default_owner().await.unwrap());
    tool.keys().create_key(key(1)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), revisions.changed()).await.unwrap().unwrap();
    assert!(*revisions.borrow_and_update() > before);
    assert_eq!(store.keys().keys().await.unwrap().len(), 1);

    store.keys().revoke_key(key(1).id, Micros(9)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), revisions.changed()).await.unwrap().unwrap();
    assert_eq!(*revisions.borrow(), tool.keys().revision().await.unwrap());

    assert!(matches!(tool.ledger().open(&intent(1)), Err(StoreError::Unavailable(_))));
    assert!(matches!(tool.ledger().state(), LedgerState::Unavailable { .. }));
    tool.close().await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let folder = Folder::new();
    folder.server().unwrap().close().await.unwrap();
    folder.stranger().pragma_update(None, "user_version", 99).unwrap();
    for role in [Role::Server, Role::Tool] {
        let error = SqliteStore::open(&folder.options(role)).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)));
        let text = error.to_string();
        assert!(text.contains("schema version 99") && text.contains("newer Tollgate"), "{text}");
    }
}

#[tokio::test]
async fn something_that_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    std::fs::write(folder.database(), "this is no database, whatever its name says. ".repeat(100)).unwrap();
    let error = folder.server().unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(text) if text.contains("is no SQLite database")), "{error}");
}

#[tokio::test]
async fn i27_only_the_hash_of_a_secret_is_on_disk() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    store.keys().create_key(key(7)).await.unwrap();
    store.close().await.unwrap();
    let stored: (Vec<u8>, String) = folder
        .stranger()
        .query_row("SELECT hash, display FROM keys", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(stored, (vec![7; 32], "tgk_FaKe…".to_owned()));
}
