//! `tollgate doctor`: looks at everything the gateway needs, and says what to do about each finding.

mod checks;

use serde_json::json;

use crate::cli::Doctor;
use crate::config::{Config, Environment, Flags};
use crate::failure::Failure;
use crate::{output, place};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    Warning,
    Bad,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "problem",
        }
    }
}

/// What a check found.
#[derive(Debug)]
pub(crate) struct Finding {
    subject: String,
    verdict: Verdict,
    found: String,
    to_do: Option<String>,
}

impl Finding {
    pub(crate) fn good(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Good, found: found.into(), to_do: None }
    }

    pub(crate) fn not_good(
        verdict: Verdict,
        subject: impl Into<String>,
        found: impl Into<String>,
        to_do: impl Into<String>,
    ) -> Self {
        Self { subject: subject.into(), verdict, found: found.into(), to_do: Some(to_do.into()) }
    }
}

/// `tollgate doctor`.
///
/// # Errors
/// When something is found that keeps the gateway from serving.
pub fn run(args: &Doctor, environment: &Environment) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    match Config::load(&Flags::from(&args.place), environment)
        .and_then(|config| config.start_logging().map(|()| config))
    {
        // Nothing else can be looked at without it.
        Err(failure) => findings.push(Finding::not_good(
            Verdict::Bad,
            "configuration",
            failure.to_string().trim_start_matches("error: "),
            "correct the configuration and run 'tollgate doctor' again",
        )),
        Ok(config) => place::small_runtime()?.block_on(checks::all(&config, environment, &mut findings)),
    }
    report(&findings, args.json)?;
    let bad = findings.iter().filter(|f| f.verdict == Verdict::Bad).count();
    if bad == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{bad} of {} checks found a problem", findings.len()))
        .next("see the lines above")
        .into())
}

fn report(findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let entry = |f: &Finding| json!({"check": f.subject, "result": f.verdict.word(), "found": f.found, "to_do": f.to_do});
        return output::json(&findings.iter().map(entry).collect());
    }
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!("{:<8} {}: {}\n", finding.verdict.word(), finding.subject, finding.found));
        if let Some(to_do) = &finding.to_do {
            text.push_str(&format!("         to do: {to_do}\n"));
        }
    }
    output::text(&text)
}
