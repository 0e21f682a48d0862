//! Configuration: flag, environment, file, default, in this order (operations "Configuration").

mod credential;
mod environment;
mod file;
mod limits;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tollgate_crypto::Secret;
use tollgate_telemetry::logs::Format;

pub use credential::Credential;
pub use environment::Environment;
pub use file::{File, ProviderSection};
pub use limits::Limits;

use crate::cli::PlaceArgs;
use crate::failure::Failure;

const DEFAULT_FILE: &str = "tollgate.toml";
const DEFAULT_LISTEN: &str = "127.0.0.1:8400";
const DEFAULT_DATA: &str = "data";
const DEMO_DATA: &str = "data/demo";
const DEFAULT_GRACE: Duration = Duration::from_secs(30);
const DEFAULT_LOG: &str = "warn,tollgate=info";

/// What is set on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Configuration file and data folder.
    pub place: PlaceArgs,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--demo`.
    pub demo: bool,
}

impl From<&PlaceArgs> for Flags {
    fn from(place: &PlaceArgs) -> Self {
        Self { place: place.clone(), ..Self::default() }
    }
}

/// The configuration in force.
#[derive(Debug)]
pub struct Config {
    /// The file that was read, for messages.
    pub source: Option<Source>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address that clients use, where that is another one.
    pub public_url: Option<String>,
    /// The data folder.
    pub data: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// How long requests may take to end at shutdown.
    pub grace: Duration,
    /// Deadlines and sizes.
    pub limits: Limits,
    /// `[providers.<slug>]`.
    pub providers: BTreeMap<String, ProviderSection>,
    /// Where `tollgate catalog update` looks.
    pub catalog_url: Option<String>,
    /// What is logged.
    pub log_filter: String,
    /// How it is logged.
    pub log_format: Format,
    /// A gateway key to create.
    pub bootstrap_key: Option<Secret>,
}

/// A configuration file with its text, so that errors found late can name a line. The text may hold
/// secrets: it does not print (I28).
pub struct Source {
    /// The file.
    pub path: PathBuf,
    text: String,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    /// The file, and the line at which the table of a provider begins.
    pub fn place_of_provider(&self, slug: &str) -> String {
        let heads = [format!("[providers.{slug}]"), format!("[providers.\"{slug}\"]")];
        let line = self.text.lines().position(|l| heads.iter().any(|head| l.trim_start().starts_with(head)));
        match line {
            Some(line) => format!("{} line {}", self.path.display(), line + 1),
            None => self.path.display().to_string(),
        }
    }
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When the file cannot be read, or anything in it, in the environment or in the flags is wrong.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, Failure> {
        let (source, file) = match find_file(flags, environment) {
            Some(path) => {
                let (text, file) = reading::read(&path)?;
                (Some(Source { path, text }), file)
            }
            None => (None, File::default()),
        };
        Self::combine(flags, environment, source, file)
    }

    fn combine(
        flags: &Flags,
        environment: &Environment,
        source: Option<Source>,
        file: File,
    ) -> Result<Self, Failure> {
        let file_place = source.as_ref().map(|s| s.path.display().to_string()).unwrap_or_default();
        file.refuse_what_is_not_there().map_err(|failure| failure.at(&file_place))?;
        let data = data_folder(flags, environment, &file);
        Ok(Self {
            listen: listen_address(flags, environment, &file, &file_place)?,
            database: database_file(flags, environment, &file, &data)?,
            public_url: public_url(&file, &file_place)?,
            grace: file.server.grace.map_or(DEFAULT_GRACE, |d| d.0),
            limits: Limits::new(&file).map_err(|failure| failure.at(&file_place))?,
            catalog_url: file.catalog.url,
            log_filter: environment
                .get("TOLLGATE_LOG")
                .map(str::to_owned)
                .or(file.log.level)
                .unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            log_format: file.log.format.map_or(Format::Text, Format::from),
            bootstrap_key: environment.get("TOLLGATE_BOOTSTRAP_KEY").map(Secret::new),
            providers: file.providers,
            data,
            source,
        })
    }

    /// Sends log lines to standard error as configured.
    ///
    /// # Errors
    /// When the filter text is wrong.
    pub fn start_logging(&self) -> Result<(), Failure> {
        tollgate_telemetry::logs::init(&self.log_filter, self.log_format)
            .map_err(|e| Failure::usage(e.to_string()).next("correct TOLLGATE_LOG or level under [log]"))
    }
}

fn find_file(flags: &Flags, environment: &Environment) -> Option<PathBuf> {
    let named = flags.place.config.clone().or_else(|| environment.get("TOLLGATE_CONFIG").map(PathBuf::from));
    named.or_else(|| Path::new(DEFAULT_FILE).exists().then(|| PathBuf::from(DEFAULT_FILE)))
}

fn listen_address(
    flags: &Flags,
    environment: &Environment,
    file: &File,
    file_place: &str,
) -> Result<SocketAddr, Failure> {
    let (text, from) = if let Some(text) = &flags.listen {
        (text.as_str(), "--listen")
    } else if let Some(text) = environment.get("TOLLGATE_LISTEN") {
        (text, "TOLLGATE_LISTEN")
    } else if let Some(text) = &file.server.listen {
        (text.as_str(), file_place)
    } else {
        (DEFAULT_LISTEN, "default")
    };
    address(text).map_err(|failure| failure.at(from))
}

/// Reads an address to listen on.
///
/// # Errors
/// When it is none.
pub fn address(text: &str) -> Result<SocketAddr, Failure> {
    let plain = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    plain.parse().map_err(|_| {
        Failure::usage(format!("'{text}' is not an address to listen on"))
            .expected("an IP address and a port, such as 127.0.0.1:8400, 0.0.0.0:8400 or [::1]:0")
    })
}

fn data_folder(flags: &Flags, environment: &Environment, file: &File) -> PathBuf {
    let stated = flags.place.data.clone().or_else(|| environment.get("TOLLGATE_DATA").map(PathBuf::from));
    // The file's folder holds real data: a demo goes elsewhere unless it is told to.
    match stated {
        Some(folder) => folder,
        None if flags.demo => PathBuf::from(DEMO_DATA),
        None => file.server.data.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DATA)),
    }
}

fn database_file(
    flags: &Flags,
    environment: &Environment,
    file: &File,
    data: &Path,
) -> Result<PathBuf, Failure> {
    let (url, from) = match environment.get("TOLLGATE_DATABASE_URL") {
        Some(url) => (Some(url), "TOLLGATE_DATABASE_URL"),
        None => (file.database.url.as_deref(), "url under [database]"),
    };
    let configured = url.map(database_path).transpose().map_err(|failure| failure.at(from))?;
    // Demo traffic is never written into a database that was configured for real traffic.
    Ok(configured.filter(|_| !flags.demo).unwrap_or_else(|| data.join("tollgate.db")))
}

fn database_path(url: &str) -> Result<PathBuf, Failure> {
    let how =
        "sqlite:// and a file, such as sqlite://data/tollgate.db or sqlite:///var/lib/tollgate/tollgate.db";
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Err(Failure::usage("Postgres is not supported in this version")
            .expected(how)
            .next("use sqlite://"));
    }
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() && !path.ends_with('/') && !path.contains('?') => {
            Ok(PathBuf::from(path))
        }
        // The text is not repeated: URLs of databases hold passwords (I28).
        _ => Err(Failure::usage("this is not the URL of a database that Tollgate can use").expected(how)),
    }
}

fn public_url(file: &File, file_place: &str) -> Result<Option<String>, Failure> {
    let Some(url) = &file.server.public_url else { return Ok(None) };
    tollgate_data_plane::lanes::BaseUrl::parse(url).map_err(|_| {
        Failure::usage(format!("public_url '{url}' is not an address"))
            .expected("http:// or https:// and a host, such as https://gateway.example.com")
            .at(file_place)
    })?;
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

impl From<file::LogFormat> for Format {
    fn from(format: file::LogFormat) -> Self {
        match format {
            file::LogFormat::Text => Self::Text,
            file::LogFormat::Json => Self::Json,
        }
    }
}
