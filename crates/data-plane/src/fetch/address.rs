//! An address of a file, taken apart.

use std::fmt::Write as _;

use http::Uri;
use http::uri::Authority;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::judge::{self, Host};
use crate::lanes::{BaseUrl, Origin};

/// The longest address, in bytes: signed addresses are long, but not longer.
const LONGEST: usize = 8192;

/// The most of an address that a message shows, in characters.
const SHOWN: usize = 200;

/// What people leave in paths and queries but HTTP does not carry. Signatures are computed over the encoded
/// form; `%` stays as it is.
const LOOSE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Where to ask, and what for.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub origin: Origin,
    /// Path and query.
    pub target: Uri,
    /// What the origin's host is; never [`Host::Neither`].
    pub host: Host,
}

impl Address {
    /// Reads an absolute http(s) URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let url = url.trim();
        if url.len() > LONGEST {
            return Err("it is longer than 8192 bytes");
        }
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
            _ => return Err("it does not begin with https:// or http://"),
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("it holds a user name or password");
        }
        let authority: Authority =
            authority.to_ascii_lowercase().parse().map_err(|_| "its host cannot be read")?;
        let port = match (authority.port_u16(), authority.as_str().len() > authority.host().len()) {
            (None, true) => return Err("its port is no number from 1 to 65535"),
            (port, _) => port,
        };
        let named = authority.host().trim_start_matches('[').trim_end_matches(']');
        let host = judge::host(named);
        let mut text = match host {
            Host::Neither => return Err("its host is neither a name nor an address"),
            Host::Name => format!("{scheme}://{named}"),
            Host::Address(std::net::IpAddr::V4(address)) => format!("{scheme}://{address}"),
            Host::Address(std::net::IpAddr::V6(address)) => format!("{scheme}://[{address}]"),
        };
        if let Some(port) = port.filter(|port| *port != if scheme == "https" { 443 } else { 80 }) {
            // Writing to a String does not fail.
            let _ = write!(text, ":{port}");
        }
        let origin = BaseUrl::parse(&text).map_err(|_| "its host cannot be read")?.origin;
        Ok(Self { origin, target: target(rest)?, host })
    }

    /// Where a redirect leads (RFC 3986 §5.2).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn join(&self, location: &str) -> Result<Self, &'static str> {
        let location = location.trim();
        let path = self.target.path();
        let to = match location.find([':', '/', '?', '#']) {
            Some(at) if location[at..].starts_with(':') => return Self::parse(location),
            _ if location.starts_with("//") => {
                let scheme = if self.origin.tls { "https" } else { "http" };
                return Self::parse(&format!("{scheme}:{location}"));
            }
            _ if location.starts_with('/') => location.to_owned(),
            _ if location.starts_with('?') => format!("{path}{location}"),
            _ if location.is_empty() || location.starts_with('#') => self.target.to_string(),
            _ => {
                let (relative, query) =
                    location.split_at(location.find(['?', '#']).unwrap_or(location.len()));
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{}{query}", without_dots(&format!("{folder}/{relative}")))
            }
        };
        if to.len() > LONGEST {
            return Err("it is longer than 8192 bytes");
        }
        Ok(Self { origin: self.origin.clone(), target: target(&to)?, host: self.host })
    }

    /// For messages: without the query.
    pub fn shown(&self) -> String {
        shown(&format!("{}{}", self.origin, self.target))
    }
}

/// Path and query as HTTP carries them.
fn target(text: &str) -> Result<Uri, &'static str> {
    let text = text.split('#').next().unwrap_or_default();
    let slash = if text.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", utf8_percent_encode(text, LOOSE)).parse().map_err(|_| "its path cannot be read")
}

/// Resolves `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let folder = path.ends_with("/.") || path.ends_with("/..");
    let slash = if folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}", kept.join("/"))
}

/// An address for messages: cut, and without what may be secret: user, password, query (I28).
pub(super) fn shown(url: &str) -> String {
    let url = url.trim();
    let (plain, cut) = match url.find(['?', '#']) {
        Some(at) => (&url[..at], "?…"),
        None => (url, ""),
    };
    let Some((scheme, rest)) = plain.split_once("://") else {
        // `data:` and the like: no more than what it is.
        let kind: String = plain.chars().take_while(|c| c.is_ascii_alphanumeric()).take(20).collect();
        return format!("{kind}…");
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let whole = format!("{scheme}://{host}{path}");
    let mut text: String = whole.chars().take(SHOWN).filter(|c| !c.is_control()).collect();
    if whole.chars().count() > SHOWN {
        text.push('…');
    }
    text + cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> String {
        Address::parse(url).map_or_else(str::to_owned, |a| format!("{} {}", a.origin, a.target))
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (url, expected) in [
            ("https://x.test/a.png?k=1#part", "https://x.test /a.png?k=1"),
            (" HTTPS://X.Test:443 ", "https://x.test /"),
            ("http://x.test:8080?q", "http://x.test:8080 /?q"),
            ("http://x.test/a b/\u{fc}%20|", "http://x.test /a%20b/%C3%BC%20%7C"),
            ("http://x.test/a\r\nb", "http://x.test /a%0D%0Ab"),
            ("http://2130706433/", "http://127.0.0.1 /"),
            ("http://[::FFFF:127.0.0.1]:81/", "http://[::ffff:127.0.0.1]:81 /"),
        ] {
            assert_eq!(read(url), expected, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_of_a_file_is_refused_with_a_reason() {
        for (url, reason) in [
            ("file:///etc/passwd", "it does not begin"),
            ("gopher://x.test/", "it does not begin"),
            ("//x.test/a", "it does not begin"),
            ("https://u:p@x.test/", "user name or password"),
            ("https://x.test@10.0.0.1/", "user name or password"),
            ("https://x.test:99999/", "port"),
            ("https://x.test:/", "port"),
            ("https:///a", "host"),
            ("https://x.test\\.other.test/", "host"),
            ("https://127.0.0.256/", "host"),
            ("https://[::1/", "host"),
            ("https://[fe80::1%25eth0]/", "host"),
            ("https://%31.test/", "host"),
        ] {
            let found = Address::parse(url).map(|a| a.origin).unwrap_err();
            assert!(found.contains(reason), "{url}: {found}");
        }
        assert!(Address::parse(&format!("https://x.test/{}", "a".repeat(9000))).is_err());
    }

    #[test]
    fn redirects_are_resolved_against_the_address_that_sent_them() {
        let at = Address::parse("https://x.test:8443/a/b/c?q=1").unwrap();
        for (location, expected) in [
            ("http://other.test/y", "http://other.test /y"),
            ("//other.test/y", "https://other.test /y"),
            ("/y?z#f", "https://x.test:8443 /y?z"),
            ("d", "https://x.test:8443 /a/b/d"),
            ("../d/./e?x=/../", "https://x.test:8443 /a/d/e?x=/../"),
            ("../../../..", "https://x.test:8443 /"),
            ("..", "https://x.test:8443 /a/"),
            ("?r", "https://x.test:8443 /a/b/c?r"),
            ("", "https://x.test:8443 /a/b/c?q=1"),
        ] {
            let found = at.join(location).unwrap();
            assert_eq!(format!("{} {}", found.origin, found.target), expected, "{location}");
        }
        assert!(at.join("file:///etc/passwd").is_err());
        assert!(at.join("mailto:a@x.test").is_err());
    }

    #[test]
    fn i28_what_may_be_secret_is_not_shown() {
        for (url, expected) in [
            ("https://x.test/a.png?X-Signature=not-a-secret", "https://x.test/a.png?…"),
            ("https://user:not-a-secret@x.test/a#not-a-secret", "https://x.test/a?…"),
            ("https://u@v:not-a-secret@x.test", "https://x.test"),
            ("data:image/png;base64,not-a-secret", "data…"),
            ("https://x.test/\u{7}a", "https://x.test/a"),
        ] {
            assert_eq!(shown(url), expected);
        }
        assert_eq!(shown(&format!("https://x.test/{}", "a".repeat(500))).chars().count(), SHOWN + 1);
        let at = Address::parse("https://x.test/a?token=not-a-secret").unwrap();
        assert_eq!(at.shown(), "https://x.test/a?…");
    }
}
