//! The control surface over HTTP, for a simulator in another process. It is described in
//! `docs/http_control.md`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::control::SeenRequest;
use crate::delivery::{self, Delivery, Dressing, Manner};
use crate::fault::Pace;
use crate::reply::Reply;
use crate::request::Request;
use crate::script::Script;
use crate::state::{SCRIPTS_LIMIT, State};

/// Answers a request to the control surface; `None` when it is not one.
pub(crate) fn respond(state: &State, request: &Request) -> Option<Delivery> {
    let what = request.path().strip_prefix("/__sim/")?;
    let reply = match (request.method.as_str(), what) {
        ("POST", "script") => scripts(state, &request.body),
        ("POST", "default") => match serde_json::from_slice(&request.body) {
            Ok(behaviour) => {
                state.set_default(behaviour);
                Reply::json(200, &json!({"ok": true}))
            }
            Err(error) => refused(&format!("the behaviour cannot be read: {error}")),
        },
        ("POST", "reset") => {
            state.reset();
            Reply::json(200, &json!({"ok": true}))
        }
        ("GET", "stats") => Reply::json(200, &json!(state.counters.read())),
        ("GET", "requests") => {
            Reply::json(200, &state.entries().into_iter().map(|e| shown(&e.into())).collect())
        }
        ("GET", "seen") => seen(state, request.query()),
        _ => Reply::json(
            404,
            &json!({"error": "no such simulator control; use POST script, default, reset or GET requests, stats, seen"}),
        ),
    };
    let manner = Manner {
        pace: &Pace::default(),
        gap: Duration::ZERO,
        fault: None,
        dressing: Dressing::default(),
        keep_alive: request.keep_alive,
        join: true,
    };
    Some(delivery::plan(reply, &manner))
}

fn refused(why: &str) -> Reply {
    Reply::json(400, &json!({"error": why}))
}

fn scripts(state: &State, body: &[u8]) -> Reply {
    let scripts = match serde_json::from_slice::<Value>(body) {
        Err(error) => return refused(&format!("the body is not JSON: {error}")),
        // Read by shape, so that the error names what is wrong inside a script.
        Ok(Value::Array(list)) => list.into_iter().map(serde_json::from_value).collect::<Result<_, _>>(),
        Ok(one) => serde_json::from_value(one).map(|one| vec![one]),
    };
    let scripts: Vec<Script> = match scripts {
        Ok(scripts) => scripts,
        Err(error) => return refused(&format!("a script cannot be read: {error}")),
    };
    let mut added = 0;
    for script in scripts {
        if !state.push_script(script) {
            return refused(&format!(
                "{added} added, then {SCRIPTS_LIMIT} scripts were waiting; reset or use them up"
            ));
        }
        added += 1;
    }
    Reply::json(200, &json!({"added": added}))
}

fn seen(state: &State, query: &str) -> Reply {
    let field = query.split('&').find_map(|pair| pair.strip_prefix("field=")).unwrap_or("user");
    match state.seen(field) {
        Some(values) => Reply::json(200, &Value::Array(values)),
        None => refused(&format!(
            "the field \"{field}\" is not kept; kept are: {}. The option seen_fields decides",
            state.settings.seen_fields.join(", ")
        )),
    }
}

fn shown(request: &SeenRequest) -> Value {
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&request.body).into_owned()));
    json!({"order": request.order, "method": request.method, "target": request.target,
        "headers": request.headers, "body": body, "client_left": request.client_left(),
        "left_after_us": request.left_after().map(|d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX))})
}
