//! `tollgate agents setup`: what it prints, and what it does to a person's files.

use std::fs;

use serde_json::{Value, json};

use crate::folder::Folder;

fn home(folder: &Folder) -> String {
    folder.path().to_str().unwrap().to_owned()
}

/// Runs it in a home folder of its own.
fn setup(folder: &Folder, args: &[&str]) -> crate::folder::Ran {
    let mut all = vec!["agents", "setup"];
    all.extend(args);
    folder.run_with(&all, &[("HOME", &home(folder))])
}

fn read_json(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
}

#[test]
fn every_agent_is_told_its_address_and_nothing_is_written() {
    let folder = Folder::new();
    for (agent, address) in [
        ("claude-code", "https://gateway.example.com/claude-code"),
        ("codex", "https://gateway.example.com/codex/v1"),
        ("cline", "Base URL: https://gateway.example.com/v1"),
        ("caret", "Base URL: https://gateway.example.com/v1"),
        ("cursor", "https://gateway.example.com/cursor/v1"),
        ("opencode", "https://gateway.example.com/v3/ai"),
        ("kilo", "https://gateway.example.com/v3/ai"),
    ] {
        let url = ["--url", "https://gateway.example.com", "--model", "anthropic/claude-sonnet-4.5"];
        let text = setup(&folder, &[&[agent], &url[..]].concat()).good();
        assert!(text.contains(address) && text.contains("anthropic/claude-sonnet-4.5"), "{agent}: {text}");
        assert!(text.contains("tollgate key create"), "{agent}: {text}");
        let printed = setup(&folder, &[&[agent, "--print"], &url[..]].concat()).good();
        assert_eq!(printed, text, "printing is the default");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn settings_are_merged_into_a_file_and_a_copy_is_kept() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join(".claude")).unwrap();
    let before =
        r#"{"permissions": {"allow": ["Bash"]}, "env": {"ANTHROPIC_BASE_URL": "https://old.example.com"}}"#;
    folder.write(".claude/settings.json", before);
    let text = setup(&folder, &["claude-code", "--write"]).good();
    for told in [
        "settings.json.before-tollgate",
        "changed  env.ANTHROPIC_BASE_URL = http://127.0.0.1:8400/claude-code",
        "set      apiKeyHelper",
        "export TOLLGATE_KEY=",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let after = read_json(&folder, ".claude/settings.json");
    assert_eq!(after["permissions"], json!({"allow": ["Bash"]}));
    let copy = folder.path().join(".claude/settings.json.before-tollgate");
    assert_eq!(fs::read_to_string(&copy).unwrap(), before);

    let again = setup(&folder, &["claude-code", "--write"]).good();
    assert!(again.contains("nothing was written"), "{again}");
    let other = setup(&folder, &["claude-code", "--write", "--url", "http://127.0.0.1:9"]).good();
    assert!(other.contains("before-tollgate-2"), "{other}");
    assert_eq!(fs::read_to_string(&copy).unwrap(), before, "an earlier copy stays");
}

#[cfg(unix)]
#[test]
fn i27_a_written_key_is_for_its_owner_alone_and_is_not_shown() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let made = folder.run(&["key", "create", "--name", "agent", "--data", "d", "--json"]).json();
    let key = made["secret"].as_str().unwrap();
    for (agent, name) in
        [("claude-code", "settings.json"), ("codex", "config.toml"), ("opencode", "opencode.json")]
    {
        let dir = format!("of-{agent}");
        let text = setup(&folder, &[agent, "--write", "--key", key, "--dir", &dir]).good();
        assert!(text.contains("(the key)") && !text.contains(key), "{text}");
        let path = folder.path().join(dir).join(name);
        assert!(fs::read_to_string(&path).unwrap().contains(key), "{agent}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{agent}");
    }
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_a_link() {
    let folder = Folder::new();
    folder.write("dotfiles.toml", "# mine\napproval_policy = \"never\"\n");
    fs::create_dir(folder.path().join(".codex")).unwrap();
    let link = folder.path().join(".codex/config.toml");
    std::os::unix::fs::symlink(folder.path().join("dotfiles.toml"), &link).unwrap();
    setup(&folder, &["codex", "--write"]).good();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let written = fs::read_to_string(folder.path().join("dotfiles.toml")).unwrap();
    assert!(
        written.starts_with("# mine\napproval") && written.contains("[model_providers.tollgate]"),
        "{written}"
    );
}

#[test]
fn a_file_that_would_lose_something_is_left_alone() {
    let folder = Folder::new();
    let commented = "{\n  // my settings\n}\n";
    folder.write("opencode.jsonc", commented);
    let error = setup(&folder, &["opencode", "--write", "--dir", "."]).bad(1);
    assert!(error.contains("comments") && error.contains("without --write"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("opencode.jsonc")).unwrap(), commented);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no copy, no other file");
}

#[test]
fn wrong_usage_is_told_apart() {
    let folder = Folder::new();
    let error = setup(&folder, &["copilot"]).bad(2);
    assert!(error.contains("claude-code") && error.contains("opencode"), "{error}");
    let error = setup(&folder, &["cline", "--write"]).bad(2);
    assert!(error.contains("no settings file") && error.contains("without --write"), "{error}");
    let error = setup(&folder, &["codex", "--url", "gateway"]).bad(2);
    assert!(error.contains("http:// or https://"), "{error}");
    let error = setup(&folder, &["codex", "--key", "tgk_wrong"]).bad(2);
    assert!(error.contains("not a gateway key") && !error.contains("tgk_wrong"), "{error}");
    let error = setup(&folder, &["codex", "--model", "gpt-5"]).bad(2);
    assert!(error.contains("creator/model"), "{error}");
    setup(&folder, &["codex", "--write", "--print"]).bad(2);
    assert!(!folder.path().join(".codex").exists());
}
