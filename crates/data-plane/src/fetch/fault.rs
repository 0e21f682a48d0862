//! Why a file was not fetched, for the person who gave its address.

use std::fmt;
use std::time::Duration;

use super::address::shown;

/// A file was not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchError {
    /// What happened.
    pub(crate) fault: Fault,
    /// The address as given, fit to be shown.
    url: String,
    /// Where redirects had led, if anywhere.
    via: Option<String>,
    asked: Asked,
}

/// Where an address came from; decides what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Client,
    Provider,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The address cannot be read.
    #[error("the address cannot be used because {0}; expected one like https://example.com/file.png")]
    BadUrl(&'static str),
    /// A private address (I29), which an operator may allow.
    #[error("its host has {0} address; expected a public one")]
    Private(&'static str),
    /// An address from which nothing is fetched.
    #[error("its host has {0} address, where no files are; expected a public one")]
    Unusable(&'static str),
    /// A port from which nothing is fetched.
    #[error(
        "its port is {0}; expected 80, 443, or one from 1024 on that is no usual port of another service"
    )]
    Port(u16),
    /// No answer.
    #[error("its server could not be reached ({0}); expected one that the gateway can reach")]
    Unreachable(String),
    /// The answer ended early.
    #[error("the connection broke before the file was complete ({0}); expected the whole file")]
    Cut(String),
    /// Another status.
    #[error("its server answered with status {0}; expected 200 and the file, without signing in")]
    Status(u16),
    /// Too many redirects.
    #[error("it redirects more than {0} times; expected the address at which the file is")]
    Redirects(u32),
    /// One file is too large; the limit in bytes.
    #[error("it is larger than {0} bytes; expected at most these")]
    TooLarge(usize),
    /// All files are too large together; the limit in bytes of base64.
    #[error("the files fetched make more than {0} bytes of base64 together; expected at most these")]
    TooLargeTogether(usize),
    /// Too many files.
    #[error("it is one of more than {0} files to be fetched; expected at most these")]
    TooMany(usize),
    /// Too slow.
    #[error("it did not arrive within {0:?}; expected a server that is faster")]
    Timeout(Duration),
    /// Compressed although that was not asked for.
    #[error("its server sent it compressed; expected the bytes as they are")]
    Compressed,
    /// A page about the file, or one to sign in.
    #[error("a web page came; expected the file itself")]
    WebPage,
}

impl Fault {
    /// The limit that was hit, as the metric calls it (I26).
    pub(super) fn limit(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge(_) | Self::TooLargeTogether(_) => Some("fetch_bytes"),
            Self::TooMany(_) => Some("fetch_files"),
            Self::Redirects(_) => Some("fetch_redirects"),
            Self::Timeout(_) => Some("fetch_time"),
            _ => None,
        }
    }
}

impl FetchError {
    pub(super) fn new(fault: Fault, url: &str, asked: Asked) -> Self {
        Self { fault, url: shown(url), via: None, asked }
    }

    /// Redirects had led elsewhere.
    pub(super) fn via(mut self, hop: Option<String>) -> Self {
        self.via = hop;
        self
    }

    fn next(&self) -> &'static str {
        match (self.asked, &self.fault) {
            (Asked::Client, Fault::Private(_)) => {
                "Use a public address, or send the file's bytes in base64; where files live inside the network, the gateway's operator can set allow_private = true under [fetch]."
            }
            (Asked::Client, Fault::TooLarge(_)) => {
                "Give a smaller file, or have the gateway's operator raise max_bytes under [fetch]."
            }
            (Asked::Client, Fault::TooLargeTogether(_)) => "Give smaller files, or fewer.",
            (Asked::Client, Fault::TooMany(_)) => {
                "Send the bytes of the others in base64, or have the gateway's operator raise max_files under [fetch]."
            }
            (Asked::Client, _) => "Check the address, or send the file's bytes in base64 instead.",
            (Asked::Provider, Fault::Private(_)) => {
                "Have the gateway's operator set allow_private = true under [fetch], or choose another provider."
            }
            (Asked::Provider, Fault::TooLarge(_)) => {
                "Ask for a smaller image, or have the gateway's operator raise max_bytes under [fetch]."
            }
            (Asked::Provider, Fault::TooLargeTogether(_) | Fault::TooMany(_)) => "Ask for fewer images.",
            (Asked::Provider, _) => "Try again, or choose another model or provider.",
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.asked {
            Asked::Client => "",
            Asked::Provider => ", to which the provider's answer points,",
        };
        write!(f, "The file at '{}'{whose} could not be fetched", self.url)?;
        if let Some(via) = &self.via {
            write!(f, " (it redirects to '{via}')")?;
        }
        write!(f, ": {}. {}", self.fault, self.next())
    }
}

impl std::error::Error for FetchError {}
