//! The way to a provider: where, with which protocol and credential.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use tollgate_catalog::{Auth, Protocol};
use tollgate_crypto::Secret;
use tollgate_telemetry::metrics::ProviderCounters;

use super::protocol::UpstreamProtocol;
use crate::lanes::{BadBaseUrl, BaseUrl, Lane, Lanes};

/// A provider as configured.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// Its slug.
    pub slug: String,
    /// What it speaks, its main protocol first.
    pub protocols: Vec<Protocol>,
    /// Where it is.
    pub base_url: String,
    /// How it is authenticated.
    pub auth: Auth,
    /// The operator's credential.
    pub secret: Option<Secret>,
}

/// A provider cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Its protocol is not spoken.
    #[error("provider '{slug}' speaks {protocols}, which this version does not serve yet")]
    UnsupportedProtocol {
        /// The provider.
        slug: String,
        /// Its protocols.
        protocols: String,
    },
    /// Its way to authenticate is not known.
    #[error("provider '{slug}' authenticates by {auth}, which this version does not serve yet")]
    UnsupportedAuth {
        /// The provider.
        slug: String,
        /// Its way.
        auth: Auth,
    },
    /// Its credential is missing.
    #[error(
        "provider '{slug}' has no credential; set api_key in the configuration or its environment variable"
    )]
    NoCredential {
        /// The provider.
        slug: String,
    },
    /// Its credential cannot be sent.
    #[error(
        "the credential of provider '{slug}' has characters that cannot be sent in a header; check for line breaks"
    )]
    BadCredential {
        /// The provider.
        slug: String,
    },
    /// Its address is wrong.
    #[error("provider '{slug}': {source}")]
    BadUrl {
        /// The provider.
        slug: String,
        /// What is wrong.
        source: BadBaseUrl,
    },
}

/// The way to a provider.
#[derive(Debug)]
pub struct Access {
    /// The provider's slug.
    pub slug: Arc<str>,
    /// What is spoken.
    pub protocols: Vec<UpstreamProtocol>,
    pub(crate) lane: Arc<Lane>,
    /// The path prefix of its base address.
    pub(crate) prefix: String,
    /// Headers of every request, the credential among them, marked sensitive (I28).
    pub(crate) headers: HeaderMap,
    pub(crate) counters: ProviderCounters,
}

impl Access {
    /// Makes the way; its lane is shared with other uses of the same origin.
    ///
    /// # Errors
    /// What cannot be used, and what to do about it.
    pub fn new(config: &AccessConfig, lanes: &Lanes) -> Result<Self, AccessError> {
        let slug = || config.slug.clone();
        let protocols = UpstreamProtocol::all_of(&config.protocols);
        if protocols.is_empty() {
            let named: Vec<_> = config.protocols.iter().map(ToString::to_string).collect();
            return Err(AccessError::UnsupportedProtocol { slug: slug(), protocols: named.join(", ") });
        }
        let base = BaseUrl::parse(&config.base_url)
            .map_err(|source| AccessError::BadUrl { slug: slug(), source })?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some((name, value)) = credential(config)? {
            headers.insert(name, value);
        }
        if protocols.contains(&UpstreamProtocol::AnthropicMessages) {
            let version = tollgate_providers::anthropic::messages::VERSION;
            headers.insert("anthropic-version", HeaderValue::from_static(version));
        }
        Ok(Self {
            slug: Arc::from(config.slug.as_str()),
            protocols,
            lane: lanes.lane(&base.origin),
            prefix: base.prefix,
            headers,
            counters: lanes.metrics().provider(&config.slug),
        })
    }
}

impl Access {
    /// A path behind the base address, as a request target.
    pub(crate) fn target(&self, path: &str) -> Uri {
        format!("{}{path}", self.prefix).parse().unwrap_or_default()
    }
}

fn credential(config: &AccessConfig) -> Result<Option<(HeaderName, HeaderValue)>, AccessError> {
    let slug = || config.slug.clone();
    let bad = |_| AccessError::BadCredential { slug: slug() };
    let secret = config.secret.as_ref().filter(|s| !s.is_empty());
    let (name, text) = match (&config.auth, secret) {
        (Auth::None, None) => return Ok(None),
        (Auth::Bearer | Auth::Header(_), None) => return Err(AccessError::NoCredential { slug: slug() }),
        (Auth::Bearer | Auth::None, Some(secret)) => {
            (header::AUTHORIZATION, format!("Bearer {}", secret.expose().trim()))
        }
        (Auth::Header(name), Some(secret)) => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| AccessError::UnsupportedAuth { slug: slug(), auth: config.auth.clone() })?;
            (name, secret.expose().trim().to_owned())
        }
        (auth, _) => return Err(AccessError::UnsupportedAuth { slug: slug(), auth: auth.clone() }),
    };
    let mut value = HeaderValue::from_str(&text).map_err(bad)?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}
