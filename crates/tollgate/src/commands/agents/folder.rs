//! Where an agent keeps its settings.

use std::path::{Path, PathBuf};

use super::plan::{ClientFile, Home};
use crate::config::Environment;
use crate::failure::Failure;

/// The file to write: the first name that exists, else the last.
///
/// # Errors
/// When the home folder is not known.
pub fn file(file: &ClientFile, dir: Option<&Path>, environment: &Environment) -> Result<PathBuf, Failure> {
    let moved = || file.folder_variable.and_then(|name| environment.get(name));
    let folder = match (dir, moved()) {
        (Some(dir), _) => dir.to_owned(),
        (None, Some(moved)) => PathBuf::from(moved),
        (None, None) => usual(file.folder, environment)?,
    };
    let existing = file.names.iter().map(|name| folder.join(name)).find(|path| path.exists());
    Ok(existing.unwrap_or_else(|| folder.join(file.names.last().copied().unwrap_or_default())))
}

fn usual(folder: Home, environment: &Environment) -> Result<PathBuf, Failure> {
    let home = || {
        let home = environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
        home.map(PathBuf::from).ok_or_else(|| {
            Failure::new("the home folder is not known: HOME is not set")
                .next("set HOME, or name the agent's configuration folder with --dir")
        })
    };
    match folder {
        Home::Dot(name) => Ok(home()?.join(name)),
        Home::Config(name) => match environment.get("XDG_CONFIG_HOME") {
            Some(config) => Ok(Path::new(config).join(name)),
            None => Ok(home()?.join(".config").join(name)),
        },
    }
}
