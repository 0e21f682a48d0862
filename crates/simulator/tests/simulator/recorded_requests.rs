//! The checks are no stricter than the providers': what a provider answered with a 200, the simulator
//! answers too, unless the request carries what only that provider could have issued.

use serde_json::Value;

use crate::client::{BEARER, Client, GOOG_KEY, VERSION};
use crate::replays::fixtures;
use crate::simulator;

/// How the calls end that the simulator reads natively.
const CALLS: [&str; 13] = [
    "/responses",
    "/responses/compact",
    "/messages",
    "/messages/count_tokens",
    "/images/generations",
    "/v2/rerank",
    "/v2/embed",
    "/rerank",
    ":generateContent",
    ":streamGenerateContent",
    ":countTokens",
    ":embedContent",
    ":batchEmbedContents",
];
/// What is said of seals and of stored state that are another's.
const NOT_OURS: [&str; 5] = [
    "Invalid `signature`",
    "Invalid `data`",
    "Thought signature is not valid",
    "could not be verified",
    "Previous response with id",
];

/// The path and body of a recorded call that was answered with a 200.
fn call(fixture: &Value) -> Option<(&str, &Value)> {
    let request = &fixture["request"];
    let body = Some(&request["body"]).filter(|b| b.is_object() && b.get("_omitted").is_none())?;
    let (_, after) = request["url"].as_str()?.split_once("://")?;
    let path = after.find('/').map(|at| after[at..].split('?').next().unwrap_or_default())?;
    let native = CALLS.iter().any(|end| path.ends_with(end)) && !path.contains("bedrock");
    (native && fixture["response"]["status"] == 200).then_some((path, body))
}

#[tokio::test]
async fn requests_that_providers_accepted_are_accepted() {
    let Some(folder) = fixtures() else {
        println!("skipped: no folder of recorded exchanges (set TOLLGATE_FIXTURES to one)");
        return;
    };
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    let (mut accepted, mut refused) = (0, Vec::new());
    for provider in
        std::fs::read_dir(folder).unwrap().filter_map(|e| std::fs::read_dir(e.unwrap().path()).ok())
    {
        for path in provider.map(|e| e.unwrap().path()).filter(|p| !p.ends_with("index.json")) {
            let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let Some((target, body)) = call(&fixture) else { continue };
            let headers = [BEARER, VERSION, GOOG_KEY];
            client.send("POST", target, &headers, body.to_string().as_bytes()).await;
            let response = client.response().await;
            if response.status == 200 {
                accepted += 1;
            } else if !NOT_OURS.iter().any(|what| response.text().contains(what)) {
                refused.push(format!("{}: {} {}", path.display(), response.status, response.text()));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(accepted > 0, "the folder holds no call that the simulator reads");
}
