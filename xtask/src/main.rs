//! Repository checks that neither rustc nor clippy makes: `cargo xtask tidy`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the checks report on the terminal")]

mod checks;
mod rust;
mod source;
mod tree;
mod typescript;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy\n  tidy   dependency directions, sizes, names, money, secrets and leftovers of every file git knows or would add";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    let sources = match tree::read() {
        Ok(sources) => sources,
        Err(error) => {
            eprintln!("tidy: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let findings = checks::all(&sources);
    for finding in &findings {
        println!("{finding}");
    }
    let missing = checks::invariants::without_test(&sources);
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|n| format!("I{n}")).collect();
        println!(
            "tidy: for information: no test is named after {} (a test says which it proves: i07_…)",
            names.join(" ")
        );
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to mend", sources.len());
        return ExitCode::SUCCESS;
    }
    println!("tidy: {} finding(s) in {} files", findings.len(), sources.len());
    ExitCode::FAILURE
}
