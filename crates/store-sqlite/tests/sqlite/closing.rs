//! An orderly end, and who may read what it leaves.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tollgate_store::StoreError;
use tollgate_store::contract::{intent, row};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata};

use crate::place::Folder;

/// Keeps what is logged on the thread of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{field}: {value:?} "));
    }
}

#[tokio::test]
async fn a_clean_end_is_no_error() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    ledger.settle(row(intent(1), Some(5))).await.unwrap();
    store.close().await.unwrap();
    let refused = ledger.open(&intent(2)).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Unavailable(why) if why.contains("shutting down")),
        "{refused}: what comes later is still told why"
    );
    let lines = log.0.lock().unwrap().clone();
    assert!(lines.iter().any(|(level, text)| *level == Level::INFO && text.contains("closes")), "{lines:?}");
    assert!(lines.iter().all(|(level, _)| *level > Level::WARN), "{lines:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn i27_only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    // A folder that others may enter: the files do not rely on it.
    std::fs::create_dir_all(folder.path()).unwrap();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    ledger.settle(row(intent(1), Some(5))).await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("tollgate.db") || name.starts_with("ledger.intents-") {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name} has mode {mode:o}");
            names.push(name);
        }
    }
    assert!(names.iter().any(|name| name == "tollgate.db"), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("ledger.intents-")), "{names:?}");
    store.close().await.unwrap();
}
