//! Errors as people read them: what happened, what was expected, what to do next; and the exit codes
//! (operations "Commands").

use std::fmt;
use std::process::ExitCode;

/// How the process ends when it does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for could not be done: 1.
    Failed,
    /// What was asked for makes no sense, on the command line or in the configuration: 2.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::from(1),
            Exit::Usage => Self::from(2),
        }
    }
}

/// An error for a person.
#[derive(Debug)]
pub struct Failure {
    happened: String,
    expected: Option<String>,
    next: Option<String>,
    exit: Exit,
}

impl Failure {
    /// Something could not be done.
    pub fn new(happened: impl Into<String>) -> Self {
        Self { happened: happened.into(), expected: None, next: None, exit: Exit::Failed }
    }

    /// Something was written wrongly.
    pub fn usage(happened: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(happened) }
    }

    /// The same with what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// The same with what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same with the place put before what happened.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.happened = format!("{place}: {}", self.happened);
        self
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// From an error chain: a failure somewhere in it is taken as it is, anything else becomes one line.
    #[must_use]
    pub fn from_chain(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => failure,
            Err(other) => Self::new(format!("{other:#}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.happened)?;
        if let Some(expected) = &self.expected {
            write!(f, "\n  expected: {expected}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  to do:    {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The candidate that looks most like the text, when one does.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(text, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_block_with_what_to_do() {
        let failure = Failure::usage("unknown key 'lisen'")
            .expected("listen or grace")
            .next("write 'listen'")
            .at("a.toml");
        assert_eq!(
            failure.to_string(),
            "error: a.toml: unknown key 'lisen'\n  expected: listen or grace\n  to do:    write 'listen'"
        );
        assert_eq!(Failure::from_chain(anyhow::Error::new(failure)).exit(), Exit::Usage);
    }

    #[test]
    fn nothing_is_suggested_for_what_is_like_nothing() {
        assert_eq!(nearest("lisen", ["grace", "listen"]), Some("listen"));
        assert_eq!(nearest("xyzzy", ["grace", "listen"]), None);
    }
}
