//! Models, and updates of the catalog.

use crate::folder::Folder;

/// A catalog of a later day with one provider and one model.
const LATER: &str = r#"{"format":"tollgate-catalog/1","date":"2099-01-01",
"providers":[{"slug":"openai","name":"OpenAI","base_url":"https://api.openai.com/v1","protocol":"openai-chat","auth":"bearer","env":["OPENAI_API_KEY"]}],
"models":[{"id":"openai/gpt-99","name":"GPT-99","type":"language","endpoints":[{"provider":"openai","model":"gpt-99","prices":{"input":"0.000001","output":"0.000002"}}]}]}"#;

#[test]
fn models_are_listed_for_programs_and_people() {
    let folder = Folder::new();
    let all = folder.run(&["models", "--json"]).json();
    assert_eq!(all["object"], "list");
    assert!(all["data"].as_array().unwrap().len() > 100);
    let some = folder.run(&["models", "--json", "CLAUDE-HAIKU"]).json();
    let ids: Vec<_> =
        some["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| id.contains("claude-haiku")), "{ids:?}");
    let text = folder.run_with(&["models", "claude-haiku"], &[("ANTHROPIC_API_KEY", "fake")]).good();
    assert!(text.contains("INPUT $/M") && text.contains("anthropic*"), "{text}");
    let none = folder.run(&["models", "no-such-model-anywhere"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("No model matches"), "{}", none.err);
    assert!(!folder.path().join("data").exists(), "reading leaves nothing behind");
}

#[test]
fn own_models_of_the_configuration_are_listed() {
    let folder = Folder::new();
    folder.write(
        "tollgate.toml",
        "[providers.my-vllm]\nprotocol = \"openai-chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [{ id = \"acme/tiny\", input = \"0\", output = \"0.000001\" }]\n",
    );
    let text = folder.run(&["models", "acme"]).good();
    assert!(text.contains("acme/tiny") && text.contains("my-vllm*"), "{text}");
}

#[test]
fn an_update_from_a_file_is_shown_then_taken_over() {
    let folder = Folder::new();
    folder.write("later.json", LATER);
    let diff = folder.run(&["catalog", "diff", "--from", "later.json"]).good();
    assert!(diff.contains("+ model openai/gpt-99") && diff.contains("1 models added"), "{diff}");
    assert!(folder.run(&["models", "--json", "gpt-99"]).json()["data"].as_array().unwrap().is_empty());
    let update = folder.run(&["catalog", "update", "--from", "later.json"]).good();
    assert!(update.contains("2099-01-01") && update.contains("catalog.json"), "{update}");
    let listed = folder.run(&["models", "--json"]).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["id"], "openai/gpt-99");
    let again = folder.run(&["catalog", "diff", "--from", "later.json", "--json"]).json();
    assert_eq!(again["changes"], serde_json::json!([]));
}

#[test]
fn sources_that_are_none_are_refused_and_change_nothing() {
    let folder = Folder::new();
    let error = folder.run(&["catalog", "update"]).bad(2);
    assert!(error.contains("--from URL|FILE") && error.contains("[catalog]"), "{error}");
    folder.write("old.json", &LATER.replace("2099", "2001"));
    let error = folder.run(&["catalog", "update", "--from", "old.json"]).bad(1);
    assert!(
        error.contains("older than the one compiled") && error.contains("nothing was changed"),
        "{error}"
    );
    folder.write("broken.json", "{\"format\":\"tollgate-catalog/1\"}");
    let error = folder.run(&["catalog", "update", "--from", "broken.json"]).bad(1);
    assert!(error.contains("broken.json: ") && error.contains("missing field"), "{error}");
    assert!(
        folder
            .run(&["catalog", "diff", "--from", "nowhere.json"])
            .bad(1)
            .contains("nowhere.json cannot be read")
    );
    assert!(folder.run(&["catalog", "diff", "--from", "ftp://h/c"]).bad(2).contains("http:// or https://"));
    assert!(!folder.path().join("data/catalog.json").exists());
}

#[test]
fn a_damaged_update_is_named_with_the_way_out() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    folder.write("data/catalog.json", "{");
    let error = folder.run(&["models"]).bad(1);
    assert!(error.contains("catalog.json cannot be used") && error.contains("delete the file"), "{error}");
    folder.write("later.json", LATER);
    folder.run(&["catalog", "update", "--from", "later.json"]).good();
    folder.run(&["models"]).good();
}

/// One answer to one connection.
fn server(answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{BufRead, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}/catalog.json?fresh=1")
}

#[test]
fn i29_an_update_from_a_url_is_taken_and_a_redirect_is_not_followed() {
    let folder = Folder::new();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{LATER}", LATER.len());
    let url = server(String::leak(answer));
    folder.write("tollgate.toml", &format!("[catalog]\nurl = \"{url}\"\n"));
    let diff = folder.run(&["catalog", "diff"]).good();
    assert!(diff.contains("+ model openai/gpt-99"), "{diff}");
    let url = server("HTTP/1.1 302 Found\r\nlocation: http://169.254.0.1/x\r\ncontent-length: 0\r\n\r\n");
    let error = folder.run(&["catalog", "update", "--from", &url]).bad(1);
    assert!(error.contains("redirects to http://169.254.0.1/x; redirects are not followed"), "{error}");
    let url = server("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    assert!(folder.run(&["catalog", "update", "--from", &url]).bad(1).contains("404"));
}
