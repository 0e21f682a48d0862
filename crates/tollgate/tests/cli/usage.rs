//! The command line itself.

use crate::folder::Folder;

#[test]
fn help_names_the_commands_that_exist() {
    let help = Folder::new().run(&["--help"]).good();
    for command in ["serve", "key", "models", "catalog", "simulate", "agents", "doctor", "serve --demo"] {
        assert!(help.contains(command), "{command}: {help}");
    }
    for later in ["explain", "usage ", "compare", "apply", "secrets"] {
        assert!(!help.contains(&format!("  {later}")), "{later} is offered: {help}");
    }
    assert!(Folder::new().run(&["--version"]).good().starts_with("tollgate 0."));
}

#[test]
fn wrong_usage_exits_with_2_and_says_so_on_standard_error() {
    let folder = Folder::new();
    let error = folder.run(&["sevre"]).bad(2);
    assert!(error.contains("unrecognized subcommand 'sevre'") && error.contains("serve"), "{error}");
    assert!(folder.run(&[]).bad(2).contains("Usage"));
    assert!(folder.run(&["key", "create"]).bad(2).contains("--name"));
    assert!(folder.run(&["key", "create", "--name", " "]).bad(2).contains("1 to 200 characters"));
    let error = folder.run(&["key", "create", "--name", "a", "--expires", "soon"]).bad(2);
    assert!(error.contains("90d"), "{error}");
    let error = folder.run(&["key", "revoke", "nonsense"]).bad(2);
    assert!(error.contains("key_ and 26 characters") && error.contains("tollgate key list"), "{error}");
    let error = folder.run(&["simulate", "--listen", "here"]).bad(2);
    assert!(error.contains("127.0.0.1:8400"), "{error}");
    assert!(!folder.path().join("data").exists(), "wrong usage leaves nothing behind");
}
