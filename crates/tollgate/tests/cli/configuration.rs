//! What a wrong configuration is answered with: place, what was expected, what to do.

use crate::folder::Folder;

/// Serves with this configuration, which must be refused.
#[track_caller]
fn refused(toml: &str) -> String {
    let folder = Folder::new();
    folder.write("tollgate.toml", toml);
    folder.run(&["serve", "--listen", "127.0.0.1:0"]).bad(2)
}

#[test]
fn i14_an_unknown_key_is_named_with_line_and_nearest() {
    let error = refused("[server]\n\nlisten = \"127.0.0.1:0\"\nmaxbody = \"1MiB\"\n");
    assert!(error.contains("tollgate.toml: line 4, in [server]: unknown key 'maxbody'"), "{error}");
    assert!(error.contains("did you mean 'max_body'?"), "{error}");
    assert_eq!(error.matches("error:").count(), 1, "one block: {error}");
}

#[test]
fn a_bad_duration_is_shown_how_to_be_written() {
    let error = refused("[limits]\nfirst_content = \"half an hour\"\n");
    assert!(
        error.contains("line 2")
            && error.contains("'half an hour' is not a duration")
            && error.contains("30s, 5m"),
        "{error}"
    );
}

#[test]
fn an_unknown_provider_is_compared_with_the_known_ones() {
    let error = refused("\n[providers.opennai]\napi_key = \"sk-fake\"\n");
    assert!(error.contains("tollgate.toml line 2") && error.contains("did you mean 'openai'?"), "{error}");
    assert!(error.contains("needs protocol and base_url") && !error.contains("sk-fake"), "{error}");
    let error = refused("[providers.mine]\nprotocol = \"openai-caht\"\nbase_url = \"http://127.0.0.1:1\"\n");
    assert!(
        error.contains("line 2") && error.contains("'openai-caht'") && error.contains("openai-chat"),
        "{error}"
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    let error = refused("[server]\nlisten = \n");
    assert!(error.contains("tollgate.toml: line 2"), "{error}");
}

#[test]
fn a_missing_file_and_another_database_are_refused() {
    let folder = Folder::new();
    let error = folder.run(&["serve", "--config", "nowhere.toml"]).bad(2);
    assert!(error.contains("nowhere.toml cannot be read") && error.contains("--config"), "{error}");
    let error = folder.run_with(&["serve"], &[("TOLLGATE_DATABASE_URL", "postgres://u:hunter2@db/t")]).bad(2);
    assert!(error.contains("use sqlite://") && !error.contains("hunter2"), "{error}");
    let error = folder
        .run_with(&["serve", "--listen", "127.0.0.1:0"], &[("TOLLGATE_BOOTSTRAP_KEY", "tgk_short")])
        .bad(2);
    assert!(error.contains("TOLLGATE_BOOTSTRAP_KEY") && !error.contains("tgk_short"), "{error}");
}
