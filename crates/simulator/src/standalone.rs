//! A simulator as a program of its own, directed by a script file and over HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::script::Script;
use crate::{Options, Simulator};

/// Why a simulator could not run.
#[derive(Debug, Error)]
pub enum StandaloneError {
    /// The address cannot be bound.
    #[error("the simulator cannot listen on {address}: {source}; choose a free address such as 127.0.0.1:0")]
    Listen {
        /// The address of the options.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The script file cannot be read.
    #[error("the script file {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The script file is not a list of scripts.
    #[error("the script file {} is not a JSON list of scripts: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The script file has more scripts than may wait.
    #[error("the script file {} has more than 100,000 scripts; leave some out or use \"times\"", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a script file: a JSON list of [`Script`]s.
///
/// ```json
/// [
///   {"behaviour": "status=429,retry_after=1", "times": 2},
///   {"matches": {"path": "/messages", "model": "sim-1", "member": ["user", "ada"]},
///    "behaviour": {"answer": {"kind": "say", "text": "Hello"}, "pace": {"gap_ms": 20},
///                  "fault": {"kind": "cut", "after": 3, "how": "reset"}}},
///   {"behaviour": {"answer": {"kind": "replay", "fixture": {"response": {"status": 200,
///       "headers": {"content-type": "application/json"}, "body": {}}},
///       "chunking": {"split": {"every": 7}, "gap_ms": 5}}}}
/// ]
/// ```
///
/// # Errors
/// When the file cannot be read or is not such a list.
pub fn load_scripts(path: &Path) -> Result<Vec<Script>, StandaloneError> {
    let text =
        std::fs::read(path).map_err(|source| StandaloneError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| StandaloneError::Parse { path: path.to_owned(), source })
}

/// Runs a simulator until `stop` ends. `started` is told its address once it can be called.
///
/// # Errors
/// When the script file cannot be loaded or the address cannot be bound.
pub async fn run_standalone(
    options: Options,
    script_file: Option<&Path>,
    started: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), StandaloneError> {
    let scripts = script_file.map(load_scripts).transpose()?.unwrap_or_default();
    let address = options.listen;
    let simulator =
        Simulator::start(options).await.map_err(|source| StandaloneError::Listen { address, source })?;
    let control = simulator.control();
    for script in scripts {
        if !control.push_script(script) {
            let path = script_file.unwrap_or(Path::new("")).to_owned();
            return Err(StandaloneError::TooMany { path });
        }
    }
    started(simulator.addr());
    stop.await;
    simulator.shutdown().await;
    Ok(())
}
