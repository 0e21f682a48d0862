//! Opening a connection: name, TCP, TLS with ALPN, HTTP/1.1 or HTTP/2.

use std::sync::Arc;

use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::exclusive::Exclusive;
use super::{Http2Sender, Origin};

/// Opens connections.
#[derive(Clone)]
pub struct Connector {
    tls: Arc<rustls::ClientConfig>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

pub(super) enum Connection {
    Http1(Exclusive),
    Http2(Http2Sender),
}

impl Connector {
    /// Trusts the machine's certificate authorities, and Mozilla's when the machine has none.
    #[must_use]
    pub fn with_system_roots() -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self::with_roots(roots)
    }

    /// Trusts the given certificate authorities only.
    #[must_use]
    pub fn with_roots(roots: rustls::RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let mut config = match builder.with_safe_default_protocol_versions() {
            Ok(versions) => versions.with_root_certificates(roots).with_no_client_auth(),
            // The provider above supports both default versions; a config without any is never built.
            Err(_) => rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { tls: Arc::new(config) }
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, String> {
        self.speak(dial(origin).await?, origin).await
    }

    /// TLS where the origin has it, and HTTP.
    pub(super) async fn speak(&self, stream: TcpStream, origin: &Origin) -> Result<Connection, String> {
        if !origin.tls {
            return handshake_http1(TokioIo::new(stream)).await;
        }
        let name = ServerName::try_from(origin.host.clone()).map_err(|_| {
            format!("'{}' is not a name that a certificate can be checked against", origin.host)
        })?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|e| format!("TLS: {e}"))?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            handshake_http2(TokioIo::new(stream)).await
        } else {
            handshake_http1(TokioIo::new(stream)).await
        }
    }
}

async fn dial(origin: &Origin) -> Result<TcpStream, String> {
    let addresses: Vec<_> = tokio::net::lookup_host((origin.host.as_str(), origin.port))
        .await
        .map_err(|e| format!("the name '{}' could not be resolved: {e}", origin.host))?
        .collect();
    let mut last = format!("the name '{}' has no address", origin.host);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Failing to set it costs only latency.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) => last = format!("{address}: {e}"),
        }
    }
    Err(last)
}

async fn handshake_http1<T>(io: TokioIo<T>) -> Result<Connection, String>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::Builder::new().handshake::<_, Full<bytes::Bytes>>(io).await.map_err(|e| e.to_string())?;
    Ok(Connection::Http1(Exclusive::new(sender, connection)))
}

async fn handshake_http2<T>(io: TokioIo<T>) -> Result<Connection, String>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(std::time::Duration::from_secs(20)))
        .keep_alive_timeout(std::time::Duration::from_secs(10))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(16 << 20)
        .handshake::<_, Full<bytes::Bytes>>(io)
        .await
        .map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Connection::Http2(sender))
}
