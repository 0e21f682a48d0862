//! The checks. Each takes the files and gives findings; none reads anything else.
mod dependencies;
pub mod invariants;
mod leftovers;
mod money;
mod names;
mod paths;
mod secrets;
mod size;

use std::fmt;

use crate::source::Source;

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// A finding at a byte of a file.
    pub fn at(source: &Source, at: usize, message: impl Into<String>) -> Finding {
        Finding { path: source.path.clone(), line: source.line(at), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Every finding of every check, in the order of the files.
pub fn all(sources: &[Source]) -> Vec<Finding> {
    let mut findings = dependencies::check(sources);
    findings.extend(size::check(sources));
    for source in sources {
        findings.extend(names::check(source));
        findings.extend(money::check(source));
        findings.extend(secrets::check(source));
        findings.extend(leftovers::check(source));
        findings.extend(paths::check(source));
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Runs one check on one in-memory file and gives the lines of its findings.
#[cfg(test)]
fn lines(check: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    check(&Source::new(path, text)).iter().map(|f| f.line).collect()
}
