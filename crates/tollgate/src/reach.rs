//! Opening a connection to a host, with TLS verified against the machine's certificate authorities; for
//! what is not model traffic: the catalog's source and the doctor.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long name, TCP and TLS may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects.
///
/// # Errors
/// Which step failed, for people.
pub async fn connect(host: &str, port: u16, tls: bool) -> Result<Box<dyn Stream>, String> {
    let steps = async {
        let tcp = TcpStream::connect((host, port))
            .await
            .map_err(|e| format!("no connection to {host} port {port}: {e}"))?;
        if !tls {
            return Ok(Box::new(tcp) as Box<dyn Stream>);
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("'{host}' is not a name that a certificate can be checked against"))?;
        let connector = TlsConnector::from(Arc::new(config()?));
        let stream = connector.connect(name, tcp).await.map_err(|e| format!("no TLS with {host}: {e}"))?;
        Ok(Box::new(stream) as Box<dyn Stream>)
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, steps).await {
        Ok(result) => result,
        Err(_) => {
            Err(format!("no connection to {host} port {port} within {} seconds", CONNECT_TIMEOUT.as_secs()))
        }
    }
}

fn config() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
