//! Where a lane leads to.

use std::fmt;

use http::HeaderValue;
use http::uri::{Authority, Scheme};

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The host name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    authority: Authority,
}

/// An origin and a path prefix, as configured for a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// The origin.
    pub origin: Origin,
    /// The path prefix without a slash at its end; may be empty.
    pub prefix: String,
}

/// A base URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{url}' is not a usable base URL ({reason}); write it like https://api.example.com/v1")]
pub struct BadBaseUrl {
    url: String,
    reason: &'static str,
}

impl BaseUrl {
    /// Reads `http(s)://host[:port][/prefix]`.
    ///
    /// # Errors
    /// When it is no such URL, or holds placeholders, credentials, a query or a fragment.
    pub fn parse(url: &str) -> Result<Self, BadBaseUrl> {
        let bad = |reason| BadBaseUrl { url: url.to_owned(), reason };
        if url.contains(['{', '}']) {
            return Err(bad("it has placeholders that are not filled in"));
        }
        let uri: http::Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        let tls = match uri.scheme() {
            Some(s) if *s == Scheme::HTTPS => true,
            Some(s) if *s == Scheme::HTTP => false,
            _ => return Err(bad("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it holds credentials; put them into api_key"));
        }
        if uri.query().is_some() {
            return Err(bad("it has a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { origin: Origin { tls, host, port, authority }, prefix })
    }
}

impl Origin {
    /// The `host` header.
    #[must_use]
    pub fn host_header(&self) -> HeaderValue {
        HeaderValue::from_str(self.authority.as_str()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A path on this origin as an absolute URL.
    #[must_use]
    pub fn absolute(&self, target: &http::Uri) -> http::Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.tls { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = target.path_and_query().cloned();
        http::Uri::from_parts(parts).unwrap_or_default()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_read_or_refused_with_a_reason() {
        let base = BaseUrl::parse("https://api.groq.com/openai/v1/").unwrap();
        assert_eq!((base.origin.tls, base.origin.port, base.prefix.as_str()), (true, 443, "/openai/v1"));
        assert_eq!(base.origin.to_string(), "https://api.groq.com");
        let local = BaseUrl::parse("http://[::1]:9000").unwrap();
        assert_eq!((local.origin.host.as_str(), local.origin.port, local.prefix.as_str()), ("::1", 9000, ""));
        for bad in
            ["ftp://x", "https://{resource}.example.com", "https://u:p@h/v1", "/v1", "https://h/v1?x=1"]
        {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
