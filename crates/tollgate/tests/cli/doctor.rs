//! The doctor finds what is wrong and says what to do.

use crate::folder::Folder;
use crate::gateway::Gateway;

fn find<'a>(findings: &'a serde_json::Value, check: &str) -> &'a serde_json::Value {
    let found = findings.as_array().unwrap().iter().find(|f| f["check"] == check);
    found.unwrap_or_else(|| panic!("no check '{check}': {findings}"))
}

#[test]
fn a_healthy_place_passes_and_its_provider_is_reached() {
    let folder = Folder::new();
    let simulator = Gateway::start(
        folder.command(&["simulate", "--listen", "127.0.0.1:0"]),
        "Simulating providers on http://",
    );
    let url = format!("http://{}/v1", simulator.address);
    let variables = [
        ("OPENAI_API_KEY", "sk-fake"),
        ("OPENAI_BASE_URL", url.as_str()),
        ("TOLLGATE_LISTEN", "127.0.0.1:0"),
    ];
    let findings = folder.run_with(&["doctor", "--json"], &variables).json();
    for check in
        ["configuration", "clock", "data folder", "database", "address", "catalog", "provider openai"]
    {
        assert_eq!(find(&findings, check)["result"], "ok", "{findings}");
    }
    assert!(!findings.to_string().contains("sk-fake"));
}

#[test]
fn what_is_wrong_is_found_with_what_to_do_and_exit_1() {
    let folder = Folder::new();
    // A port that was free a moment ago and that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    folder.write(
        "tollgate.toml",
        &format!("[server]\nlisten = \"127.0.0.1:0\"\n[providers.groq]\n[providers.openai]\nbase_url = \"http://{nobody}/v1\"\napi_key = \"sk-fake\"\n"),
    );
    let ran = folder.run(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("problem  provider groq") && ran.out.contains("set GROQ_API_KEY"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("problem  provider openai") && ran.out.contains("base_url"), "{}", ran.out);
    assert!(ran.err.contains("2 of") && !ran.out.contains("sk-fake"), "{}", ran.err);
    folder.write("tollgate.toml", "[sever]\n");
    let ran = folder.run(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("problem  configuration") && ran.out.contains("'server'"), "{}", ran.out);
}
