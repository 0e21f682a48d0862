//! The page `docs/matrix.md`, written by the test itself.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Tried;
use super::axes::{Case, Dialect, Provider};
use super::cell::Cell;
use super::exceptions::EXCEPTIONS;

/// Writes the page instead of comparing it.
const WRITE: &str = "TOLLGATE_WRITE_DOCS";

const ABOUT: &str = "\
# The matrix

Every dialect that clients speak, to every protocol that conversations are carried to providers by. This page is
printed by a test of the data plane, which runs the whole gateway over sockets against the provider
simulator and fails when the page is out of date:

    cargo test -p tollgate-data-plane --test gateway what_comes_out                         # compares
    TOLLGATE_WRITE_DOCS=1 cargo test -p tollgate-data-plane --test gateway what_comes_out   # writes

In each cell, whole and streamed:

- text, reasoning, tool calls (name, arguments, order, ids) and finish are what the provider itself said;
- whole and streamed answers say the same;
- the counts (prompt, cached, written to the cache, generated) are the provider's own, and those of
  `GET /v1/generation`;
- tools: the second turn sends the results back as a client of the dialect does, and the model quotes them;
- reasoning: the second turn sends back what a client of the dialect keeps. The provider refuses state that it has
  not issued, and the test compares what reaches it with what it issued, byte for byte: OpenAI's
  `encrypted_content`, Anthropic's `signature` and redacted `data`, Gemini's `thoughtSignature`. Chat completions
  have no such state; where a provider of that family wants the text of its reasoning back (DeepSeek, while a turn
  with calls goes on), that text is compared;
- several steps: call, result, another call with a thought of its own, its result, the answer, and a further question:
  the state of every step is in every later request;
- image: the provider counts the bytes of the image it was sent;
- cached prompt: sent twice, the second time most of it is read from the cache;
- long stream: 2,000 chunks.

Clients of chat completions differ in what they keep of streamed `reasoning_details`: the entries as they came,
entries of one kind and index joined, or nothing but the text of the reasoning.

Other tests take a conversation with reasoning and tool calls from each provider to each other one and back, and let
the provider fail so that another one takes it over within the same request: state is dropped where it is foreign,
and only there.
";

/// Compares the page with what it should be, or writes it.
pub fn check(all: &[Tried]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/matrix.md");
    let page = page(all);
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/matrix.md is not what this test prints; run it with {WRITE}=1 and look at the difference:\n{page}"
    );
}

fn page(all: &[Tried]) -> String {
    let mut page = ABOUT.to_owned();
    for case in Case::ALL {
        let _ = write!(page, "\n## {}\n\n| |", capital(case.name()));
        for provider in Provider::ALL {
            let _ = write!(page, " {} |", provider.name());
        }
        page.push_str("\n|---|");
        page.push_str(&"---|".repeat(Provider::ALL.len()));
        page.push('\n');
        for dialect in Dialect::ALL {
            let _ = write!(page, "| {} |", dialect.name());
            for provider in Provider::ALL {
                let cell = Cell { dialect, provider, case };
                let _ =
                    write!(page, " {} |", if cell.differs() { mark(cell) } else { "as above".to_owned() });
            }
            page.push('\n');
        }
    }
    let cells = all.len();
    let held = all.iter().filter(|(_, failures)| failures.is_empty()).count();
    let _ = write!(page, "\n{held} of {cells} cells hold, each whole and streamed.\n");
    if !EXCEPTIONS.is_empty() {
        page.push_str("\n## What cannot hold\n\n");
        for (number, exception) in (1..).zip(EXCEPTIONS) {
            let _ = writeln!(page, "{number}. {}", exception.reason);
        }
    }
    page
}

/// All cells that are to be tried.
pub fn cells() -> impl Iterator<Item = Cell> {
    let dialects = Case::ALL.into_iter().flat_map(|case| Dialect::ALL.map(|dialect| (case, dialect)));
    let cells =
        dialects.flat_map(|(case, dialect)| Provider::ALL.map(|provider| Cell { dialect, provider, case }));
    cells.filter(Cell::differs)
}

fn mark(cell: Cell) -> String {
    let numbers: Vec<String> = (1..)
        .zip(EXCEPTIONS)
        .filter(|(_, exception)| exception.covers(cell))
        .map(|(number, _): (usize, _)| format!("[{number}]"))
        .collect();
    let no_state = cell.case.reasons() && !cell.provider.seals();
    match (numbers.is_empty(), no_state) {
        (true, true) => "✓ (no state)".to_owned(),
        (true, false) => "✓".to_owned(),
        (false, _) => numbers.join(" "),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
