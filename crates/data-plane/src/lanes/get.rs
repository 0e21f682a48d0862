//! One GET on a connection of its own, to addresses that the caller has judged. No lane keeps the connection,
//! no name is resolved again, no redirect is followed, and nothing is sent but what the caller gives (I29).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::net::TcpStream;

use super::connect::Connection;
use super::{Connector, Head, LaneBody, Origin};

impl Connector {
    /// GETs and waits for response headers. The certificate is checked against the origin's name, whichever
    /// of the addresses answers; each of them has `patience` to accept a connection.
    ///
    /// # Errors
    /// Why there was no answer; no address is named.
    pub(crate) async fn get(
        &self,
        addresses: &[SocketAddr],
        origin: &Origin,
        head: &Head,
        patience: Duration,
    ) -> Result<http::Response<LaneBody>, String> {
        let stream = dial(addresses, patience).await?;
        let connection = tokio::time::timeout(patience, self.speak(stream, origin))
            .await
            .map_err(|_| format!("no TLS connection within {patience:?}"))??;
        let mut request = http::Request::new(Full::new(Bytes::new()));
        *request.headers_mut() = head.headers.clone();
        match connection {
            Connection::Http1(mut connection) => {
                *request.uri_mut() = head.target.clone();
                request.headers_mut().insert(http::header::HOST, origin.host_header());
                let response = connection.send(request).await.map_err(|e| e.to_string())?;
                Ok(response.map(|body| LaneBody::alone(body, Some(connection))))
            }
            Connection::Http2(mut sender) => {
                *request.uri_mut() = origin.absolute(&head.target);
                let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
                Ok(response.map(|body| LaneBody::alone(body, None)))
            }
        }
    }
}

async fn dial(addresses: &[SocketAddr], patience: Duration) -> Result<TcpStream, String> {
    let mut last = "its name has no address".to_owned();
    for address in addresses {
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => last = format!("no connection within {patience:?}"),
        }
    }
    Err(last)
}
