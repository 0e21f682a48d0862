//! File names that say nothing about their subject.
use super::Finding;
use crate::source::Source;

const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "manager", "types"];

/// Checks the folders and the name of a source file.
pub fn check(source: &Source) -> Vec<Finding> {
    let is_source = [".rs", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".py", ".sh", ".sql"]
        .iter()
        .any(|e| source.path.ends_with(e));
    if !is_source {
        return Vec::new();
    }
    let folders = source.path.split('/').rev().skip(1);
    let empty = folders.chain([source.stem()]).find(|part| EMPTY_NAMES.contains(part));
    let finding = empty.map(|part| {
        Finding::at(
            source,
            0,
            format!(
                "\"{part}\" says nothing about what is inside; name the file or folder after its one subject"
            ),
        )
    });
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines;

    #[test]
    fn names_that_say_nothing_are_refused() {
        for path in [
            "crates/a/src/utils.rs",
            "crates/a/tests/common/mod.rs",
            "dashboard/src/types.ts",
            "e2e/helpers.py",
        ] {
            assert_eq!(lines(check, path, ""), [1], "{path}");
        }
        for path in ["crates/a/src/utility_bill.rs", "docs/common.md", "crates/a/src/typescript.rs"] {
            assert!(lines(check, path, "").is_empty(), "{path}");
        }
    }
}
