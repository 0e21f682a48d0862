//! Replacing a person's file: a copy of what was there, then the whole new file at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// How many backups are kept side by side before another place has to be found for them.
const MOST_BACKUPS: u32 = 100;

/// The text of a file, when there is one.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{} cannot be read: {error}", path.display()))
            .expected("the agent's settings as text")
            .next("check the file, or name another folder with --dir; nothing was written")),
    }
}

/// Writes the new text; where the former one was kept, if there was one.
///
/// # Errors
/// When the folder cannot be written. The file then is as it was.
pub fn replace(path: &Path, before: Option<&str>, text: &str) -> Result<Option<PathBuf>, Failure> {
    steps(path, before, text).map_err(|error| {
        Failure::new(format!("{} cannot be written: {error}", path.display()))
            .expected("a folder that can be written")
            .next("make it writable or name another with --dir; the file is as it was")
    })
}

fn steps(path: &Path, before: Option<&str>, text: &str) -> io::Result<Option<PathBuf>> {
    // A link is followed: people keep such files elsewhere and link to them.
    let real = if before.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = match real.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let backup = match before {
        Some(before) => Some(keep(&real, before)?),
        None => None,
    };
    let temporary = beside(&real, &format!("tollgate-{}", std::process::id()));
    let written = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, &real));
    if written.is_err() {
        // It may not have come to be.
        let _ = fs::remove_file(&temporary);
    }
    written.map(|()| backup)
}

/// A copy under a name that is free: an earlier copy is never overwritten.
fn keep(path: &Path, text: &str) -> io::Result<PathBuf> {
    for number in 1..=MOST_BACKUPS {
        let ending =
            if number == 1 { "before-tollgate".to_owned() } else { format!("before-tollgate-{number}") };
        let backup = beside(path, &ending);
        match write_new(&backup, text) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| backup),
        }
    }
    Err(io::Error::other(format!("there are {MOST_BACKUPS} backups of it already")))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// A new file for its owner alone, since there may be a key in it (I27).
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
