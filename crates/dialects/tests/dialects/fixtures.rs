//! Where recorded exchanges are, and how their streams are read.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of recordings: `TOLLGATE_FIXTURES`, else `../shared/fixtures` beside the checkout. `None`, and
/// a line that says so, when it is absent.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recorded exchanges at {} (set TOLLGATE_FIXTURES)", folder.display());
    None
}

/// The recordings of a folder whose file names begin with `prefix`, in order: (name, exchange).
pub fn load(folder: &Path, prefix: &str) -> Vec<(String, Value)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix)))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let parent = path.parent().and_then(Path::file_name).unwrap_or_default();
            let name = Path::new(parent).join(path.file_name().unwrap()).display().to_string();
            (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
        })
        .collect()
}

/// All recorded chat completions of providers: (name, exchange).
pub fn provider_chats(folder: &Path) -> Vec<(String, Value)> {
    let mut providers: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    providers.sort();
    providers.iter().flat_map(|p| load(p, "openai-chat")).collect()
}

/// The data of a recorded stream's events; `None` when it was no stream.
pub fn stream_data(response: &Value) -> Option<Vec<Vec<u8>>> {
    if let Some(events) = response["events"].as_array() {
        return Some(
            events
                .iter()
                .map(|e| e.as_str().map_or_else(|| e.to_string(), str::to_owned).into_bytes())
                .collect(),
        );
    }
    let mut found = Vec::new();
    let mut decoder = tollgate_wire::sse::Decoder::default();
    let mut each = |event: tollgate_wire::sse::Event<'_>| found.push(event.data.to_vec());
    decoder.feed(response["sse"].as_str()?.as_bytes(), &mut each).unwrap();
    decoder.finish(&mut each);
    Some(found)
}

/// The JSON chunks of our own output; whether it ended in `[DONE]`.
pub fn our_chunks(bytes: &[u8]) -> (Vec<Value>, bool) {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut chunks = Vec::new();
    let mut done = false;
    for event in text.split_terminator("\n\n") {
        match event.strip_prefix("data: ").expect("a data line") {
            "[DONE]" => done = true,
            data => chunks.push(serde_json::from_str(data).unwrap()),
        }
    }
    (chunks, done)
}
