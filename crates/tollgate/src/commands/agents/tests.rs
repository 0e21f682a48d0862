//! Settings as they end up in the agents' files.

use std::path::Path;

use tollgate_crypto::{GatewayKey, Secret};

use super::connection::Connection;
use super::document::{Change, alone, merge};
use super::plan::ClientFile;
use super::{Agent, folder};
use crate::cli::AgentsSetup;
use crate::config::Environment;

fn arguments(agent: Agent) -> AgentsSetup {
    AgentsSetup {
        agent,
        url: "http://127.0.0.1:8400".to_owned(),
        key: Secret::new("env"),
        model: None,
        print: false,
        write: false,
        dir: None,
    }
}

fn client_file(args: &AgentsSetup) -> ClientFile {
    args.agent.plan(&Connection::new(args).unwrap()).file.unwrap()
}

fn merged(args: &AgentsSetup, before: &str) -> String {
    merge(&client_file(args), Some(before), Path::new("settings")).unwrap().text
}

#[test]
fn an_address_is_taken_without_what_people_copy_with_it() {
    for (given, origin) in [
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("https://gateway.example.com/", "https://gateway.example.com"),
        (" https://gateway.example.com/v1/ ", "https://gateway.example.com"),
        ("http://[::1]:8400/v1", "http://[::1]:8400"),
    ] {
        let args = AgentsSetup { url: given.to_owned(), ..arguments(Agent::Codex) };
        assert_eq!(Connection::new(&args).unwrap().origin, origin);
    }
    for given in ["", "localhost", "ftp://a", "http://", "http://u:p@a", "http://a/prefix", "http://a?b=c"] {
        let args = AgentsSetup { url: given.to_owned(), ..arguments(Agent::Codex) };
        let refused = Connection::new(&args).unwrap_err().to_string();
        assert!(refused.contains("without a path"), "{given}: {refused}");
    }
}

#[test]
fn a_model_is_an_id_and_claude_code_has_names_of_its_own() {
    let with = |agent, model: &str| {
        Connection::new(&AgentsSetup { model: Some(model.to_owned()), ..arguments(agent) })
    };
    assert!(with(Agent::Codex, "openai/gpt-5.3-codex").is_ok());
    assert!(with(Agent::ClaudeCode, "claude-sonnet-4-5").is_ok());
    for model in ["", "gpt-5", "claude-sonnet-4-5", "/a", "a/", "a/b c"] {
        assert!(with(Agent::Codex, model).is_err(), "{model}");
    }
}

#[test]
fn i28_a_mistyped_key_is_not_repeated() {
    let args = AgentsSetup { key: Secret::new("tgk_mistyped"), ..arguments(Agent::Codex) };
    let refused = Connection::new(&args).unwrap_err().to_string();
    assert!(!refused.contains("mistyped") && refused.contains("tollgate key create"), "{refused}");
}

#[test]
fn json_keeps_what_it_does_not_know_and_its_order() {
    let before = r#"{"zebra":[1,2.50],"env":{"MINE":"1","ANTHROPIC_BASE_URL":"https://old"},"permissions":{"allow":["Bash"]}}"#;
    let after = merged(&arguments(Agent::ClaudeCode), before);
    let value: serde_json::Value = serde_json::from_str(&after).unwrap();
    let names: Vec<_> = value.as_object().unwrap().keys().collect();
    assert_eq!(names, ["zebra", "env", "permissions", "apiKeyHelper"]);
    assert_eq!(value["zebra"], serde_json::json!([1, 2.5]));
    assert_eq!(value["env"]["MINE"], "1");
    assert_eq!(value["env"]["ANTHROPIC_BASE_URL"], "http://127.0.0.1:8400/claude-code");
    assert_eq!(value["apiKeyHelper"], "printenv TOLLGATE_KEY");
}

#[test]
fn toml_keeps_its_comments_and_its_order() {
    let before = "# mine\nmodel = \"gpt-5\"  # the old one\napproval_policy = \"never\"\n\n[model_providers.other]\nname = \"Other\" # stays\n\n[tui]\ntheme = \"dark\"\n";
    let after = merged(&arguments(Agent::Codex), before);
    for kept in [
        "# mine\nmodel = \"openai/gpt-5.3-codex\"  # the old one\napproval_policy = \"never\"\n",
        "[model_providers.other]\nname = \"Other\" # stays\n",
        "[tui]\ntheme = \"dark\"\n",
        "[model_providers.tollgate]\nname = \"Tollgate\"\nbase_url = \"http://127.0.0.1:8400/codex/v1\"\n",
    ] {
        assert!(after.contains(kept), "{kept}\n---\n{after}");
    }
    let value: toml::Table = after.parse().unwrap();
    assert_eq!(value["model_provider"].as_str(), Some("tollgate"));
    assert_eq!(value["model_providers"]["tollgate"]["env_key"].as_str(), Some("TOLLGATE_KEY"));
}

#[test]
fn toml_groups_written_inline_are_kept_inline() {
    let after = merged(&arguments(Agent::Codex), "model_providers = { other = { name = \"Other\" } }\n");
    let value: toml::Table = after.parse().unwrap();
    assert_eq!(value["model_providers"]["other"]["name"].as_str(), Some("Other"));
    assert_eq!(value["model_providers"]["tollgate"]["wire_api"].as_str(), Some("responses"));
}

#[test]
fn a_second_run_changes_nothing() {
    for agent in [Agent::ClaudeCode, Agent::Codex, Agent::Opencode, Agent::Kilo] {
        let args = AgentsSetup { model: Some("openai/gpt-5.4-mini".to_owned()), ..arguments(agent) };
        let file = client_file(&args);
        let first = merge(&file, None, Path::new("settings")).unwrap();
        assert_eq!(first.changes.len(), file.settings.len());
        assert_eq!(first.text, alone(&file));
        let second = merge(&file, Some(&first.text), Path::new("settings")).unwrap();
        assert_eq!((second.changes.as_slice(), second.text), (&[][..], first.text));
    }
}

#[test]
fn i28_a_key_is_written_and_not_shown_and_another_form_of_it_goes() {
    for (agent, other) in [
        (Agent::ClaudeCode, "apiKeyHelper"),
        (Agent::Codex, "model_providers.tollgate.env_key"),
        (Agent::Opencode, ""),
    ] {
        let from_environment = alone(&client_file(&arguments(agent)));
        let key = GatewayKey::generate().unwrap();
        let literal = AgentsSetup { key: key.secret().clone(), ..arguments(agent) };
        let after = merge(&client_file(&literal), Some(&from_environment), Path::new("settings")).unwrap();
        assert!(after.text.contains(key.secret().expose()), "{agent:?}");
        assert!(!after.text.contains("TOLLGATE_KEY"), "{agent:?}: {}", after.text);
        assert!(!format!("{:?}", after.changes).contains(key.secret().expose()), "{agent:?}");
        let gone: Vec<_> = after.changes.iter().filter(|(_, c)| *c == Change::Removed).collect();
        assert_eq!(gone.first().map_or("", |(path, _)| path.as_str()), other);
        let back = merge(&client_file(&arguments(agent)), Some(&after.text), Path::new("settings")).unwrap();
        assert!(!back.text.contains(key.secret().expose()), "{agent:?}");
    }
}

#[test]
fn what_would_be_lost_is_refused_without_repeating_it() {
    let refused = |agent, before: &str| {
        let file = client_file(&arguments(agent));
        merge(&file, Some(before), Path::new("the-file")).unwrap_err().to_string()
    };
    let comments = refused(Agent::Opencode, "{\n  // sk-fake-secret\n  \"a\": 1\n}");
    assert!(comments.contains("line 2") && comments.contains("comments"), "{comments}");
    let broken = refused(Agent::Codex, "a = 1\nb = sk-fake-secret\n");
    assert!(broken.contains("the-file") && broken.contains("line 2"), "{broken}");
    for message in [comments, broken] {
        assert!(!message.contains("sk-fake") && message.contains("nothing was written"), "{message}");
    }
    assert!(refused(Agent::ClaudeCode, "[]").contains("not an object"));
    assert!(refused(Agent::ClaudeCode, r#"{"env":"none"}"#).contains("'env' is not a group"));
    assert!(refused(Agent::Codex, "model_providers = 1").contains("'model_providers' is not a group"));
}

#[test]
fn another_makers_model_is_also_the_small_one_of_claude_code() {
    let with = |model: &str| {
        let args = AgentsSetup { model: Some(model.to_owned()), ..arguments(Agent::ClaudeCode) };
        alone(&client_file(&args)).contains("ANTHROPIC_DEFAULT_HAIKU_MODEL")
    };
    assert!(with("openai/gpt-5.3-codex"));
    assert!(!with("anthropic/claude-sonnet-4.5"));
}

#[test]
fn a_file_is_looked_for_where_its_agent_looks() {
    let at = |agent, environment: &Environment, dir: Option<&str>| {
        let file = client_file(&arguments(agent));
        folder::file(&file, dir.map(Path::new), environment).map(|p| p.to_string_lossy().into_owned())
    };
    let home = Environment::from([("HOME", "/h")]);
    assert_eq!(at(Agent::ClaudeCode, &home, None).unwrap(), "/h/.claude/settings.json");
    assert_eq!(at(Agent::Codex, &home, None).unwrap(), "/h/.codex/config.toml");
    assert_eq!(at(Agent::Opencode, &home, None).unwrap(), "/h/.config/opencode/opencode.json");
    assert_eq!(at(Agent::Kilo, &home, Some("here")).unwrap(), "here/kilo.json");
    let moved = Environment::from([("CODEX_HOME", "/c"), ("XDG_CONFIG_HOME", "/x")]);
    assert_eq!(at(Agent::Codex, &moved, None).unwrap(), "/c/config.toml");
    assert_eq!(at(Agent::Kilo, &moved, None).unwrap(), "/x/kilo/kilo.json");
    let unknown = at(Agent::ClaudeCode, &Environment::default(), None).unwrap_err().to_string();
    assert!(unknown.contains("--dir"), "{unknown}");
}
