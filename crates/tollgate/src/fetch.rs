//! Fetching a catalog: a file, or one GET. Redirects are not followed (I29) and the size is capped (I26).

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;

use crate::failure::Failure;
use crate::reach;

/// The largest catalog, in bytes.
const LARGEST: usize = 64 << 20;

/// How long one may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The text at a URL or in a file.
///
/// # Errors
/// When it cannot be had, is too large or no text.
pub async fn text(from: &str) -> Result<String, Failure> {
    let bytes = if from.starts_with("http://") || from.starts_with("https://") {
        match tokio::time::timeout(TIMEOUT, get(from)).await {
            Ok(result) => result?,
            Err(_) => {
                return Err(Failure::new(format!(
                    "{from} did not arrive within {} seconds",
                    TIMEOUT.as_secs()
                )));
            }
        }
    } else if from.contains("://") {
        return Err(Failure::usage(format!("'{from}' cannot be fetched"))
            .expected("an http:// or https:// URL, or a file"));
    } else {
        file(Path::new(from))?
    };
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{from} is not text in UTF-8")).expected("a catalog in JSON"))
}

fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(format!("{} cannot be read: {error}", path.display()))
            .expected("a file, or an http:// or https:// URL")
    };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if usize::try_from(length).is_ok_and(|length| length > LARGEST) {
        return Err(too_large(&path.display().to_string()));
    }
    std::fs::read(path).map_err(unreadable)
}

fn too_large(from: &str) -> Failure {
    Failure::new(format!("{from} is larger than {} MiB", LARGEST >> 20)).expected("a catalog")
}

async fn get(url: &str) -> Result<Vec<u8>, Failure> {
    let failed = |reason: String| {
        Failure::new(format!("{url} could not be fetched: {reason}")).next("check the URL and the network")
    };
    let uri: Uri = url.parse().map_err(|_| Failure::usage(format!("'{url}' is not a URL")))?;
    let tls = uri.scheme_str() == Some("https");
    let authority = uri.authority().ok_or_else(|| Failure::usage(format!("'{url}' has no host")))?;
    if authority.as_str().contains('@') {
        // Not repeated: it may hold a password (I28).
        return Err(Failure::usage("the URL holds credentials, which are not supported here")
            .next("use a URL without them"));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = reach::connect(host, port, tls).await.map_err(failed)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| failed(e.to_string()))?;
    // Its errors reach the request.
    let driver = tokio::spawn(connection);
    let request = http::Request::get(uri.path_and_query().map_or("/", |p| p.as_str()))
        .header(http::header::HOST, authority.as_str())
        .header(http::header::USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        .header(http::header::ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|e| failed(e.to_string()))?;
    let response = sender.send_request(request).await.map_err(|e| failed(e.to_string()))?;
    if response.status().is_redirection() {
        let to = response
            .headers()
            .get(http::header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("elsewhere");
        return Err(Failure::new(format!("{url} redirects to {to}; redirects are not followed"))
            .next("if you trust that address, give it to --from"));
    }
    if !response.status().is_success() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    driver.abort();
    match body {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(url)),
        Err(error) => Err(failed(error.to_string())),
    }
}
