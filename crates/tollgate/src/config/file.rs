//! The configuration file as written. Unknown keys are errors (I14).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use tollgate_catalog::{Auth, ModelOverlay, Protocol, ProviderOverlay};

use super::Credential;
use crate::durations::{DurationText, SizeText};
use crate::failure::Failure;

/// `tollgate.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// `[server]`.
    pub server: Server,
    /// `[limits]`.
    pub limits: LimitsSection,
    /// `[fetch]`.
    pub fetch: FetchSection,
    /// `[database]`.
    pub database: Database,
    /// `[providers.<slug>]`.
    pub providers: BTreeMap<String, ProviderSection>,
    /// `[catalog]`.
    pub catalog: CatalogSection,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// `[credits]`.
    pub credits: Credits,
    /// `[log]`.
    pub log: Log,
}

/// `[server]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub listen: Option<String>,
    /// The address that clients use.
    pub public_url: Option<String>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The largest request body.
    pub max_body: Option<SizeText>,
    /// How long requests may take to end at shutdown.
    pub grace: Option<DurationText>,
}

/// `[limits]`: what is not stated keeps its default (I26).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// The most requests at a time.
    pub open_requests: Option<usize>,
    /// The largest whole answer of a provider.
    pub max_reply: Option<SizeText>,
    /// How long a client may take for its request head.
    pub request_head: Option<DurationText>,
    /// The longest silence while a client sends its body.
    pub request_body: Option<DurationText>,
    /// How long connecting to a provider may take.
    pub connect: Option<DurationText>,
    /// From sending to the first content.
    pub first_content: Option<DurationText>,
    /// The longest silence between two events of a stream.
    pub event_gap: Option<DurationText>,
    /// The longest life of a request.
    pub total: Option<DurationText>,
    /// After how long a silence a comment is sent to the client of a stream.
    pub keep_alive: Option<DurationText>,
    /// How long an idle connection to a provider is kept.
    pub idle_connection: Option<DurationText>,
    /// Attempts on one target, the first included.
    pub attempts_per_target: Option<u32>,
    /// Attempts of one request in all.
    pub attempts: Option<u32>,
}

/// `[fetch]`: files that requests and answers give as addresses, where the gateway has to fetch them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchSection {
    /// Whether also from private addresses (I29).
    pub allow_private: bool,
    /// The largest file.
    pub max_bytes: Option<SizeText>,
    /// How long one file may take.
    pub timeout: Option<DurationText>,
    /// The most redirects to a file; zero follows none.
    pub max_redirects: Option<u32>,
    /// The most files of one request.
    pub max_files: Option<usize>,
}

/// `[database]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://…`.
    pub url: Option<String>,
}

/// `[catalog]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogSection {
    /// Where `tollgate catalog update` looks.
    pub url: Option<String>,
}

/// `[ledger]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// When a row counts as written.
    pub durability: Option<Durability>,
}

/// When a row counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// On this machine's disk.
    Local,
    /// In the shared database.
    Shared,
}

/// `[credits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credits {
    /// Whether teams have a balance.
    pub enabled: bool,
}

/// `[log]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: Option<LogFormat>,
    /// A level, or `target=level` pairs.
    pub level: Option<String>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[providers.<slug>]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSection {
    /// What people call it.
    pub name: Option<String>,
    /// What it speaks.
    pub protocol: Option<Protocol>,
    /// What it speaks besides.
    pub also: Vec<Protocol>,
    /// Where it is.
    pub base_url: Option<String>,
    /// How to authenticate.
    pub auth: Option<Auth>,
    /// Its key.
    pub api_key: Option<Credential>,
    /// Models it serves besides those of the catalog.
    pub models: Vec<ModelOverlay>,
}

impl ProviderSection {
    /// What of it concerns the catalog. `known`: the catalog has the slug. An own server that is named
    /// without a key needs none.
    pub fn overlay(&self, known: bool) -> ProviderOverlay {
        let keyless = (!known && self.api_key.is_none()).then_some(Auth::None);
        ProviderOverlay {
            name: self.name.clone(),
            protocol: self.protocol,
            also: self.also.clone(),
            base_url: self.base_url.clone(),
            auth: self.auth.clone().or(keyless),
            models: self.models.clone(),
        }
    }
}

impl File {
    /// Settings of the operating contract whose other values this version does not have.
    pub(super) fn refuse_what_is_not_there(&self) -> Result<(), Failure> {
        if self.ledger.durability == Some(Durability::Shared) {
            return Err(Failure::usage(
                "durability = \"shared\" needs Postgres, which is not supported in this version",
            )
            .next("write durability = \"local\" under [ledger], or leave it out"));
        }
        if self.credits.enabled {
            return Err(Failure::usage("credits are not supported in this version")
                .next("write enabled = false under [credits], or leave it out"));
        }
        Ok(())
    }
}
