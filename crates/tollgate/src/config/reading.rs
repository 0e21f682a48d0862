//! Reading the file, and saying where and what is wrong in it.

use std::path::Path;

use super::File;
use crate::failure::{Failure, nearest};

/// The file's text and content.
pub fn read(path: &Path) -> Result<(String, File), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("the configuration file {} cannot be read: {error}", path.display()))
            .next("check the path given by --config or TOLLGATE_CONFIG")
    })?;
    let file = parse(&text).map_err(|failure| failure.at(format_args!("{}", path.display())))?;
    Ok((text, file))
}

/// The content of a text.
pub fn parse(text: &str) -> Result<File, Failure> {
    toml::from_str(text).map_err(|error| explain(text, &error))
}

fn explain(text: &str, error: &toml::de::Error) -> Failure {
    let start = error.span().map(|span| span.start);
    let line = start.map(|at| line_of(text, at));
    let within = start.map(|at| table_of(text, at)).unwrap_or_default();
    let place = match (line, within.as_str()) {
        (Some(line), "") => format!("line {line}"),
        (Some(line), table) => format!("line {line}, in [{table}]"),
        (None, _) => "somewhere".to_owned(),
    };
    let failure = match unknown_field(error.message()) {
        Some((field, expected)) => unknown(&field, &expected),
        None => Failure::usage(without_value(error.message()).replace('\n', "; ")),
    };
    failure.at(place)
}

/// A text in the place of something else is not repeated: it may be a key that slipped (I28).
fn without_value(message: &str) -> String {
    let quoted =
        message.strip_prefix("invalid type: string \"").and_then(|rest| rest.rsplit_once("\", expected"));
    quoted.map_or_else(
        || message.to_owned(),
        |(_, expected)| format!("invalid type: a string, expected{expected}"),
    )
}

fn unknown(field: &str, expected: &[&str]) -> Failure {
    let failure = Failure::usage(format!("unknown key '{field}'")).expected(match expected {
        [] => "no key here".to_owned(),
        keys => format!("one of {}", keys.join(", ")),
    });
    match nearest(field, expected.iter().copied()) {
        Some(near) => failure.next(format!("did you mean '{near}'? Write that, or remove '{field}'")),
        None => failure.next("remove it, or correct its name"),
    }
}

/// Takes serde's sentence apart: "unknown field `a`, expected one of `b`, `c`", or of a variant.
fn unknown_field(message: &str) -> Option<(String, Vec<&str>)> {
    let rest =
        message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (field, rest) = rest.split_once('`')?;
    let expected = rest.split('`').skip(1).step_by(2).collect();
    Some((field.to_owned(), expected))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// The table whose heading stands last before a place.
fn table_of(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    // The heading's own line is not inside its table.
    let lines = before.lines().collect::<Vec<_>>();
    let whole = lines.len() - usize::from(!before.ends_with('\n') && !lines.is_empty());
    let heading = lines[..whole].iter().rev().map(|l| l.trim()).find(|l| l.starts_with('['));
    heading
        .map(|l| l.trim_start_matches('[').split(']').next().unwrap_or_default().trim().to_owned())
        .unwrap_or_default()
}
