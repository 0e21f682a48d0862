//! The wire of the whole gateway against that of the recorded service: the recorded request is sent, a provider
//! says what the recorded answer must have come from, and the answer has the recording's members, types, nesting,
//! order and content, but for [`crate::wire_differences`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tollgate_catalog::{ModelOverlay, Protocol};
use tollgate_simulator::{Chunking, Script};

use crate::chunks::Chunks;
use crate::recorded_upstream::{chunks, exchange};
use crate::wire_differences::{Meant, by_type, is_empty, meant, meant_order, unsaid};
use crate::world::{World, model};

/// `TOLLGATE_FIXTURES`, else `../shared/fixtures` beside the checkout; `None` when it is absent.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"), PathBuf::from)
        .join("gateway");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recorded exchanges at {} (set TOLLGATE_FIXTURES)", folder.display());
    None
}

fn load(folder: &Path) -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.file_name().unwrap().to_string_lossy().starts_with("gateway-chat"));
    files.sort();
    let name = |p: &PathBuf| p.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|p| (name(p), serde_json::from_slice(&std::fs::read(p).unwrap()).unwrap())).collect()
}

/// A gateway with the providers that the recorded service tried. Those that failed do so again, so that the next
/// one is asked: under another status, since this gateway takes a provider's 400 for the client's own.
async fn world(response: &Value, model_id: &str, claude: bool) -> World {
    let recorded =
        chunks(response).map_or_else(|| response["body"].clone(), |chunks| chunks.last().unwrap().clone());
    let choice = &recorded["choices"][0];
    let held = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
    let attempts = held["provider_metadata"]["gateway"]["routing"]["attempts"].as_array().unwrap();
    let protocol = if claude { Protocol::AnthropicMessages } else { Protocol::OpenaiChat };
    let provider = |attempt: &Value| {
        let slug =
            ["anthropic", "openai", "vertex", "google"].into_iter().find(|slug| attempt["provider"] == *slug);
        let upstream = attempt["providerApiModelId"].as_str().map(str::to_owned);
        let capabilities = ["reasoning", "tool-use", "vision"].map(str::to_owned).to_vec();
        (slug.unwrap(), protocol, vec![ModelOverlay { upstream, capabilities, ..model(model_id) }])
    };
    let world = World::with(|setup| setup.providers = attempts.iter().map(provider).collect()).await;
    for failed in attempts.iter().filter(|a| a["success"] == false) {
        let body = json!({"error": {"message": failed["error"]}});
        let headers = json!({"content-type": "application/json", "x-should-retry": "false"});
        let answer = json!({"response": {"status": 500, "headers": headers, "body": body}});
        // One for each of the chunkings below.
        let script = Script::replay(&answer, Chunking::whole()).unwrap().times(3);
        world.primary.push_script(script.on_model(failed["providerApiModelId"].as_str().unwrap()));
    }
    world
}

struct Comparison {
    claude: bool,
    used: BTreeSet<Meant>,
    wrong: Vec<String>,
}

impl Comparison {
    fn differ(&mut self, path: &str, expected: Option<&Value>, found: Option<&Value>) {
        match meant(path, self.claude, expected, found) {
            Some(reason) => _ = self.used.insert(reason),
            None => self.wrong.push(format!("{path}: {found:?}, recorded {expected:?}")),
        }
    }

    fn values(&mut self, path: &str, expected: &Value, found: &Value) {
        match (expected, found) {
            (Value::Object(e), Value::Object(f)) => {
                for (key, value) in e.iter().filter(|(key, _)| !f.contains_key(*key)) {
                    self.differ(&format!("{path}.{key}"), Some(value), None);
                }
                for (key, value) in f.iter().filter(|(key, _)| !e.contains_key(*key)) {
                    self.differ(&format!("{path}.{key}"), None, Some(value));
                }
                let common = |a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>| {
                    a.keys().filter(|k| b.contains_key(*k)).cloned().collect::<Vec<_>>()
                };
                if common(e, f) != common(f, e) {
                    match meant_order(path, self.claude) {
                        Some(reason) => _ = self.used.insert(reason),
                        None => self.wrong.push(format!(
                            "{path}: order {:?}, recorded {:?}",
                            common(f, e),
                            common(e, f)
                        )),
                    }
                }
                for (key, value) in e.iter().filter(|(key, _)| f.contains_key(*key)) {
                    self.values(&format!("{path}.{key}"), value, &f[key]);
                }
            }
            (Value::Array(_), Value::Array(_)) if by_type(path) => {}
            (Value::Array(e), Value::Array(f)) => {
                for at in 0..e.len().max(f.len()) {
                    let path = format!("{path}[{at}]");
                    match (e.get(at), f.get(at)) {
                        (Some(e), Some(f)) => self.values(&path, e, f),
                        (e, f) => self.differ(&path, e, f),
                    }
                }
            }
            (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) if by_type(path) => {}
            (e, f) if e == f => {}
            (e, f) => self.differ(path, Some(e), Some(f)),
        }
    }

    fn stream(&mut self, name: &str, recorded: &[Value], found: &Chunks) {
        let mut expected = Vec::new();
        for chunk in recorded {
            let delta = &chunk["choices"][0]["delta"];
            match unsaid(delta, self.claude) {
                Some(reason) => _ = self.used.insert(reason),
                None => expected.push(chunk),
            }
        }
        if expected.len() > found.all.len() && expected.iter().any(|chunk| is_empty(chunk)) {
            self.used.insert(Meant::EmptyContent);
            expected.retain(|chunk| !is_empty(chunk));
        }
        if expected.len() != found.all.len() || !found.done {
            self.wrong.push(format!(
                "{name}: {} chunks, recorded {}; done {}",
                found.all.len(),
                expected.len(),
                found.done
            ));
        }
        for (at, (expected, found)) in expected.into_iter().zip(&found.all).enumerate() {
            self.values(&format!("{name} {at}"), expected, found);
        }
    }
}

#[tokio::test]
async fn the_wire_is_that_of_the_recorded_service() {
    let Some(folder) = folder() else { return };
    let recordings = load(&folder);
    assert_eq!(recordings.len(), 23);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, recording) in &recordings {
        let (request, response) = (&recording["request"]["body"], &recording["response"]);
        let model_id = request["model"].as_str().unwrap();
        let claude = model_id.starts_with("anthropic/");
        let world = world(response, model_id, claude).await;
        for chunking in [Chunking::whole(), Chunking::events(), Chunking::every(100)] {
            let upstream = exchange(response, claude);
            world.primary.push_script(Script::replay(&upstream, chunking).unwrap());
            let answer = world.chat(request).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            let mut comparison = Comparison { claude, used: BTreeSet::new(), wrong: Vec::new() };
            match chunks(response) {
                Some(recorded) => comparison.stream(name, &recorded, &Chunks::read(&answer.body)),
                None => comparison.values(name, &response["body"], &answer.json()),
            }
            used.append(&mut comparison.used);
            wrong.append(&mut comparison.wrong);
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    let listed = BTreeSet::from(Meant::ALL);
    assert_eq!(used, listed, "a listed difference that no longer occurs must leave the list");
}
