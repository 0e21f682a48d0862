//! Lanes over TLS, as every real provider is reached: HTTP/2 by ALPN on several connections, HTTP/1.1 where
//! the provider has nothing newer, and certificates that are checked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tollgate_data_plane::lanes::{BaseUrl, Connector, Head, Lane, LaneSettings, Lanes, SendError};
use tollgate_telemetry::Metrics;

struct Provider {
    address: SocketAddr,
    roots: rustls::RootCertStore,
    connections: Arc<AtomicUsize>,
    /// Answers are given while it has permits.
    gate: Arc<Semaphore>,
}

/// Answers every request with its HTTP version and body.
async fn provider(protocols: &[&[u8]], permits: usize) -> Provider {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(permits));
    let (count, hold) = (Arc::clone(&connections), Arc::clone(&gate));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, count, hold) = (acceptor.clone(), Arc::clone(&count), Arc::clone(&hold));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let hold = Arc::clone(&hold);
                    async move {
                        let version = format!("{:?} ", request.version());
                        let body =
                            request.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
                        let _permit = hold.acquire().await;
                        let answer = [version.as_bytes(), &body].concat();
                        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(answer))))
                    }
                });
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Provider { address, roots, connections, gate }
}

fn lane(provider: &Provider, roots: rustls::RootCertStore) -> Arc<Lane> {
    let lanes = Lanes::new(Connector::with_roots(roots), LaneSettings::default(), Arc::new(Metrics::new()));
    lanes.lane(&BaseUrl::parse(&format!("https://localhost:{}/v1", provider.address.port())).unwrap().origin)
}

async fn post(lane: &Arc<Lane>, text: &'static str) -> Result<String, SendError> {
    let head = Head { target: "/v1/echo".parse().unwrap(), headers: http::HeaderMap::new() };
    let response = lane.post(&head, Bytes::from_static(text.as_bytes())).await?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn http2_is_spoken_where_the_provider_has_it_on_one_connection() {
    let provider = provider(&[b"h2", b"http/1.1"], 1000).await;
    let lane = lane(&provider, provider.roots.clone());
    for _ in 0..5 {
        assert_eq!(post(&lane, "hello").await.unwrap(), "HTTP/2.0 hello");
    }
    assert_eq!(provider.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn more_streams_than_a_connection_carries_get_further_connections() {
    let provider = provider(&[b"h2"], 1).await;
    let lane = lane(&provider, provider.roots.clone());
    assert_eq!(post(&lane, "first").await.unwrap(), "HTTP/2.0 first");
    // Nothing answers now, so that all requests are open at once.
    let closed = Arc::clone(&provider.gate).acquire_owned().await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let lane = Arc::clone(&lane);
        running.spawn(async move { post(&lane, "x").await });
    }
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while provider.connections.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("200 streams need three connections of 90");
    drop(closed);
    while let Some(answer) = running.join_next().await {
        assert_eq!(answer.unwrap().unwrap(), "HTTP/2.0 x");
    }
}

#[tokio::test]
async fn http1_is_spoken_where_the_provider_has_nothing_newer() {
    let provider = provider(&[b"http/1.1"], 1000).await;
    let lane = lane(&provider, provider.roots.clone());
    for _ in 0..3 {
        assert_eq!(post(&lane, "hello").await.unwrap(), "HTTP/1.1 hello");
    }
    assert_eq!(provider.connections.load(Ordering::SeqCst), 1, "the connection is used again");
}

#[tokio::test]
async fn i29_a_certificate_that_nobody_vouches_for_is_refused() {
    let provider = provider(&[b"h2"], 1000).await;
    let lane = lane(&provider, rustls::RootCertStore::empty());
    let error = post(&lane, "secret").await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(provider.connections.load(Ordering::SeqCst), 0, "nothing was sent");
}
