//! Starting, and answering.

use std::process::Command;

use crate::folder::Folder;
use crate::gateway::Gateway;
use crate::http;

const HELLO: &str = r#"{"model":"demo/swift","messages":[{"role":"user","content":"Hello"}]}"#;

#[test]
fn a_demo_answers_whole_and_streamed_on_every_model() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &["--demo"]);
    let key = gateway.key();
    assert_eq!(http::get(&gateway.address, "/healthz").status, 200);
    for model in ["demo/swift", "demo/atlas", "demo/thinker", "demo/claude"] {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello"}}]}}"#);
        let answer = gateway.chat(&key, &body);
        assert_eq!(answer.status, 200, "{model}: {}", answer.body);
        let answer = answer.json();
        assert!(!answer["choices"][0]["message"]["content"].as_str().unwrap().is_empty(), "{answer}");
        assert!(answer["usage"]["cost"].as_f64().unwrap() > 0.0, "{answer}");
        let streamed = gateway.chat(&key, &body.replace("{\"model\"", "{\"stream\":true,\"model\""));
        assert_eq!(streamed.status, 200, "{model}: {}", streamed.body);
        assert!(streamed.body.trim_end().ends_with("data: [DONE]"), "{model}: {}", streamed.body);
        assert!(streamed.body.matches("data: ").count() > 3, "{model}: {}", streamed.body);
    }
    assert!(folder.path().join("data/demo/tollgate.db").exists(), "demo data has its own folder");
}

#[test]
fn a_request_without_a_known_key_is_refused_with_the_way_to_one() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &["--demo"]);
    let answer = gateway.chat("tgk_typo", HELLO);
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("tollgate key create"), "{}", answer.body);
}

#[test]
fn the_printed_line_works_as_printed() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &["--demo"]);
    let line = gateway.line_with("curl ");
    // Taken apart as a shell does, since a machine that runs tests need not have curl.
    let print = format!("set -- {}; for word; do printf '%s\\n' \"$word\"; done", &line["curl ".len()..]);
    let words = Command::new("sh").args(["-c", &print]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let words: Vec<&str> = words.lines().collect();
    let [url, "-H", authorization, "-H", content_type, "-d", body] = words.as_slice() else {
        panic!("{line}")
    };
    let path = url.strip_prefix(&format!("http://{}", gateway.address)).unwrap();
    let headers: Vec<_> = [authorization, content_type].iter().map(|h| h.split_once(": ").unwrap()).collect();
    let answer = http::post(&gateway.address, path, &headers[..1], body);
    assert_eq!((answer.status, headers[1]), (200, ("Content-Type", "application/json")), "{}", answer.body);
}

#[test]
fn i27_a_later_start_shows_no_key_and_adds_no_traffic() {
    let folder = Folder::new();
    let mut first = Gateway::serve(&folder, &["--demo"]);
    let key = first.key();
    first.terminate();
    assert_eq!(first.ended(), 0);
    let second = Gateway::serve(&folder, &["--demo"]);
    let line = second.line_with("Key ");
    assert!(
        !line.contains("tgk_") && line.contains("tollgate key create --name NAME --data data/demo"),
        "{line}"
    );
    assert_eq!(second.chat(&key, HELLO).status, 200, "the key of the first start is still good");
    let list = folder.run(&["key", "list", "--data", "data/demo", "--json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
}

#[test]
fn without_a_provider_the_start_says_how_to_configure_one() {
    let folder = Folder::new();
    let gateway = Gateway::serve(&folder, &[]);
    let key = gateway.key();
    let line = gateway.line_with("Providers ");
    assert!(line.contains("OPENAI_API_KEY") && line.contains("ANTHROPIC_API_KEY"), "{line}");
    let answer = gateway.chat(&key, &HELLO.replace("demo/swift", "openai/gpt-5"));
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("set OPENAI_API_KEY"), "{}", answer.body);
    assert_eq!(http::get(&gateway.address, "/healthz").status, 200);
}

#[test]
fn a_second_gateway_on_the_same_data_says_that_it_is_taken() {
    let folder = Folder::new();
    let _first = Gateway::serve(&folder, &["--data", "d"]);
    let error = folder.run(&["serve", "--listen", "127.0.0.1:0", "--data", "d"]).bad(1);
    assert!(error.contains("another Tollgate") && error.contains("another data folder"), "{error}");
    assert!(!error.contains("migrat"), "{error}");
}

#[test]
fn an_address_in_use_is_named() {
    let folder = Folder::new();
    let first = Gateway::serve(&folder, &["--data", "d"]);
    let error = folder.run(&["serve", "--listen", &first.address, "--data", "e"]).bad(1);
    assert!(error.contains(&first.address) && error.contains("--listen"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_data_folder_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let _gateway = Gateway::serve(&folder, &["--data", "some/data"]);
    let mode = std::fs::metadata(folder.path().join("some/data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
