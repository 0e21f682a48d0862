//! Standard output: results for people and for programs. Logs and errors go to standard error.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes a text and flushes it. A reader that has gone away (`tollgate models | head`) is no error.
///
/// # Errors
/// When standard output cannot be written.
pub fn text(text: &str) -> Result<(), Failure> {
    write_all(&mut io::stdout().lock(), text.as_bytes())
}

/// Writes a value as indented JSON and a line end.
///
/// # Errors
/// When standard output cannot be written.
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    text(&format!("{value:#}\n"))
}

/// Writes an error block. Nobody can be told when that fails.
pub fn complain(message: &impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

fn write_all(out: &mut impl Write, bytes: &[u8]) -> Result<(), Failure> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output cannot be written: {error}"))
                .next("check the disk or the program that reads it"))
        }
        _ => Ok(()),
    }
}

/// Lays out rows in columns, the first row being the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["ID".to_owned(), "NAME".to_owned()], vec!["key…1".to_owned(), "a".to_owned()]];
        assert_eq!(super::table(&rows), "ID     NAME\nkey…1  a\n");
    }
}
