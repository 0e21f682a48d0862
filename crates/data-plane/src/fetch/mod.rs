//! Fetching of files that requests and providers' answers give as addresses: the gateway downloads what the
//! upstream cannot (gateway-api §17.4), and clients get bytes, never a provider's addresses (gateway-api §10).
//!
//! Addresses are strangers' words (I29). Each is judged after its name was resolved, and again at every
//! redirect; the connection goes to the addresses that were judged. No credentials, cookies or referrers are
//! sent, and size, time, redirects and number are bounded (I26).
//!
//! - [`address`]: a URL taken apart; [`judge`]: which addresses and ports are fetched from
//! - [`inline`]: requests and answers whose addresses are replaced by bytes
//! - [`fault`]: why not

mod address;
mod fault;
mod inline;
mod judge;
mod media_type;
#[cfg(test)]
mod tests;
mod together;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use tollgate_telemetry::Metrics;

pub(crate) use fault::{Fault, FetchError};

use crate::lanes::{Connector, Head, LaneBody, Origin};
use crate::settings::Settings;
use address::Address;
use fault::Asked;
use judge::{Host, Place};

/// The most addresses of one name.
const MOST_ADDRESSES: usize = 8;

/// Fetches files.
#[derive(Debug)]
pub(crate) struct Fetcher {
    connector: Connector,
    settings: Settings,
    metrics: Arc<Metrics>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Its bytes.
    pub(crate) bytes: Bytes,
    /// What its server says it is, without parameters; `None` when that says nothing.
    pub(crate) media_type: Option<String>,
}

/// Whose word an address is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trust<'a> {
    /// A request's: public addresses only.
    Client,
    /// An answer's of the provider at this origin: its own host as well, wherever it is, since the operator
    /// configured it.
    Provider(&'a Origin),
}

impl Trust<'_> {
    fn asked(self) -> Asked {
        match self {
            Self::Client => Asked::Client,
            Self::Provider(_) => Asked::Provider,
        }
    }

    fn owns(self, origin: &Origin) -> bool {
        matches!(self, Self::Provider(own) if own.host.eq_ignore_ascii_case(&origin.host))
    }

    fn owns_port(self, origin: &Origin) -> bool {
        matches!(self, Self::Provider(own) if self.owns(origin) && own.port == origin.port)
    }
}

enum Step {
    File(Fetched),
    Elsewhere(String),
}

impl Fetcher {
    /// A fetcher with the limits of the settings; certificates are checked as the connector does.
    pub(crate) fn new(connector: Connector, settings: Settings, metrics: Arc<Metrics>) -> Self {
        Self { connector, settings, metrics }
    }

    /// GETs a file.
    ///
    /// # Errors
    /// Why it could not be had, or was not allowed to be.
    pub(crate) async fn get(&self, url: &str, trust: Trust<'_>) -> Result<Fetched, FetchError> {
        let mut hop = None;
        let limit = self.settings.fetch_timeout;
        let fault = match tokio::time::timeout(limit, self.follow(url, trust, &mut hop)).await {
            Ok(Ok(file)) => return Ok(file),
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Timeout(limit),
        };
        Err(self.failed(fault, url, trust.asked()).via(hop))
    }

    fn failed(&self, fault: Fault, url: &str, asked: Asked) -> FetchError {
        if let Some(limit) = fault.limit() {
            self.metrics.limit_hit(limit);
        }
        FetchError::new(fault, url, asked)
    }

    async fn follow(&self, url: &str, trust: Trust<'_>, hop: &mut Option<String>) -> Result<Fetched, Fault> {
        let mut at = Address::parse(url).map_err(Fault::BadUrl)?;
        let mut redirects = 0;
        loop {
            match self.step(&at, trust).await? {
                Step::File(file) => return Ok(file),
                Step::Elsewhere(location) => {
                    if redirects == self.settings.max_fetch_redirects {
                        return Err(Fault::Redirects(redirects));
                    }
                    redirects += 1;
                    *hop = Some(address::shown(&location));
                    at = at.join(&location).map_err(Fault::BadUrl)?;
                    *hop = Some(at.shown());
                }
            }
        }
    }

    /// One request.
    async fn step(&self, at: &Address, trust: Trust<'_>) -> Result<Step, Fault> {
        let port = at.origin.port;
        if !judge::is_usable(port) && !trust.owns_port(&at.origin) {
            return Err(Fault::Port(port));
        }
        let addresses = self.resolve(at, trust).await?;
        let head = Head { target: at.target.clone(), headers: headers() };
        // An address that does not answer leaves time for the next.
        let patience = self.settings.fetch_timeout / 4;
        let response =
            self.connector.get(&addresses, &at.origin, &head, patience).await.map_err(Fault::Unreachable)?;
        let (parts, body) = response.into_parts();
        match parts.status {
            StatusCode::OK => {}
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                return match parts.headers.get(header::LOCATION) {
                    Some(to) => Ok(Step::Elsewhere(String::from_utf8_lossy(to.as_bytes()).into_owned())),
                    None => Err(Fault::Status(parts.status.as_u16())),
                };
            }
            other => return Err(Fault::Status(other.as_u16())),
        }
        let text = |name| parts.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        if text(header::CONTENT_ENCODING).is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity")) {
            return Err(Fault::Compressed);
        }
        let media_type = text(header::CONTENT_TYPE).and_then(media_type::essence);
        let bytes = whole(body, self.settings.max_fetch_bytes).await?;
        Ok(Step::File(Fetched { bytes, media_type }))
    }

    /// The addresses of a host, all of them judged (I29): one that is not allowed condemns the name.
    async fn resolve(&self, at: &Address, trust: Trust<'_>) -> Result<Vec<SocketAddr>, Fault> {
        let Origin { host, port, .. } = &at.origin;
        let found: Vec<SocketAddr> = match at.host {
            Host::Address(address) => vec![SocketAddr::new(address, *port)],
            Host::Name | Host::Neither => tokio::net::lookup_host((host.as_str(), *port))
                .await
                .map_err(|_| Fault::Unreachable("its name could not be resolved".to_owned()))?
                .take(MOST_ADDRESSES)
                .collect(),
        };
        let inside = self.settings.allow_private_fetch || trust.owns(&at.origin);
        for address in &found {
            match judge::place(address.ip()) {
                Place::Public => {}
                Place::Inside(_) if inside => {}
                Place::Inside(kind) => return Err(Fault::Private(kind)),
                Place::Never(kind) => return Err(Fault::Unusable(kind)),
            }
        }
        Ok(found)
    }
}

/// No credentials, no cookies, no referrer: nothing that says who asks.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// The whole body, within its limit (I26); a body that says it is larger is not read at all.
async fn whole(mut body: LaneBody, limit: usize) -> Result<Bytes, Fault> {
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if stated > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(stated);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::Cut(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Fault::TooLarge(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from(bytes))
}
