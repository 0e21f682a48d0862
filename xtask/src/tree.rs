//! Which files are checked: what git tracks, and what it would add.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::source::{self, Source};

/// Every text file of the repository, by path.
pub fn read() -> Result<Vec<Source>> {
    let top = git(Path::new("."), &["rev-parse", "--show-toplevel"])?;
    let root = Path::new(top.trim_end());
    let mut paths = BTreeSet::new();
    for args in [&["ls-files", "-z"][..], &["ls-files", "-z", "--others", "--exclude-standard"][..]] {
        paths.extend(git(root, args)?.split('\0').filter(|p| !p.is_empty()).map(str::to_owned));
    }
    let mut texts = Vec::new();
    for path in paths {
        let full = root.join(&path);
        // A deleted file is still listed until the deletion is staged; a link or a submodule is not a file.
        if !full.is_file() || full.is_symlink() {
            continue;
        }
        let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            texts.push((path, text));
        }
    }
    Ok(source::load(texts))
}

fn git(folder: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .output()
        .context("cannot start git, which lists the files to check; install git")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("git {} failed: {}; run this in a git checkout", args.join(" "), said.trim());
    }
    String::from_utf8(output.stdout).context("git listed a file name that is not UTF-8; rename the file")
}
