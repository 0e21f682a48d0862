//! One file: what comes, and what is refused.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tollgate_telemetry::Metrics;

use super::server::{Answer, PNG, Server, fetcher, file, inside, status};
use crate::fetch::{Fault, FetchError, Fetcher, Trust};
use crate::lanes::{BaseUrl, Connector, Head, Origin};
use crate::settings::Settings;

fn origin(url: &str) -> Origin {
    BaseUrl::parse(url).unwrap().origin
}

/// The fault, after a look at what every message must have.
fn fault(error: &FetchError) -> Fault {
    let text = error.to_string();
    assert!(text.starts_with("The file at '") && text.ends_with('.') && text.contains("; "), "{text}");
    assert!(!text.contains("not-a-secret"), "{text}");
    error.fault.clone()
}

#[tokio::test]
async fn i29_a_file_comes_with_its_type_and_the_request_says_nothing_of_who_asks() {
    let server = Server::start(vec![
        ("/a.png?k=1", file("content-type: Image/PNG; x=y\r\n", PNG)),
        ("/bare", file("", b"?")),
        ("/empty", file("content-type: application/octet-stream\r\n", b"")),
        (
            "/chunked",
            Answer::Raw(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                    .to_vec(),
            ),
        ),
    ])
    .await;
    let fetcher = fetcher(inside());
    let got = fetcher.get(&server.url("/a.png?k=1#part"), Trust::Client).await.unwrap();
    assert_eq!((&got.bytes[..], got.media_type.as_deref()), (PNG, Some("image/png")));
    for (path, bytes) in [("/bare", &b"?"[..]), ("/empty", b""), ("/chunked", b"abcde")] {
        let got = fetcher.get(&server.url(path), Trust::Client).await.unwrap();
        assert_eq!((&got.bytes[..], got.media_type), (bytes, None), "{path}");
    }
    let heads = server.heads();
    let lines: Vec<&str> = heads[0].trim_end().split("\r\n").collect();
    assert_eq!(lines[0], "GET /a.png?k=1 HTTP/1.1");
    let mut names: Vec<&str> = lines[1..].iter().map(|l| l.split(':').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"], "{heads:?}");
    assert!(heads[0].contains(&format!("host: {}\r\n", server.addr)), "{heads:?}");
}

#[tokio::test]
async fn i29_nothing_private_is_fetched_in_whatever_notation() {
    let server = Server::start(vec![("/", file("", PNG))]).await;
    let port = server.addr.port();
    let fetcher = fetcher(Settings::default());
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "[::]",
    ] {
        let url = format!("http://{host}:{port}/?sig=not-a-secret");
        let error = fetcher.get(&url, Trust::Client).await.unwrap_err();
        assert!(matches!(fault(&error), Fault::Private(_)), "{error}");
        assert!(error.to_string().contains("allow_private = true under [fetch]"), "{error}");
    }
    for host in ["169.254.169.254", "[fd00:ec2::254]", "224.0.0.1", "[fe80::1]", "[2001:db8::1]"] {
        for settings in [Settings::default(), inside()] {
            let url = format!("http://{host}/latest/meta-data");
            let error = super::server::fetcher(settings).get(&url, Trust::Client).await.unwrap_err();
            assert!(matches!(fault(&error), Fault::Unusable(_)), "{error}");
            assert!(!error.to_string().contains("allow_private"), "{error}");
        }
    }
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn i29_a_provider_may_point_to_its_own_host_only() {
    let server = Server::start(vec![
        ("/", file("", PNG)),
        ("/away", status("302 Found", "location: http://127.0.0.2/\r\n")),
        ("/home", status("302 Found", "location: /\r\n")),
    ])
    .await;
    let fetcher = fetcher(Settings::default());
    let own = origin(&server.url(""));
    assert_eq!(&fetcher.get(&server.url("/home"), Trust::Provider(&own)).await.unwrap().bytes[..], PNG);
    for url in [server.url("/away"), "http://10.0.0.1/".to_owned()] {
        let error = fetcher.get(&url, Trust::Provider(&own)).await.unwrap_err();
        assert!(matches!(fault(&error), Fault::Private(_)), "{error}");
        assert!(error.to_string().contains("to which the provider's answer points"), "{error}");
    }
    for other in [origin("https://api.example.test"), origin("http://127.0.0.2")] {
        let error = fetcher.get(&server.url("/"), Trust::Provider(&other)).await.unwrap_err();
        assert!(matches!(fault(&error), Fault::Private(_)), "{error}");
    }
}

#[tokio::test]
async fn i29_a_connection_goes_to_the_addresses_that_were_judged() {
    let server = Server::start(vec![("/a", file("", PNG))]).await;
    let connector = Connector::with_roots(rustls::RootCertStore::empty());
    // A name that no resolver knows: it is not asked for again.
    let named = origin("http://files.invalid");
    let head = Head { target: "/a".parse().unwrap(), headers: http::HeaderMap::new() };
    let response = connector.get(&[server.addr], &named, &head, Duration::from_secs(5)).await.unwrap();
    assert_eq!(&response.into_body().collect().await.unwrap().to_bytes()[..], PNG);
    assert!(server.heads()[0].contains("host: files.invalid\r\n"));
}

#[tokio::test]
async fn i29_every_redirect_is_judged_again_and_their_number_is_bounded() {
    let server = Server::start(vec![
        ("/private", status("302 Found", "location: http://169.254.169.254/latest?k=not-a-secret\r\n")),
        ("/scheme", status("301 Moved Permanently", "location: file:///etc/passwd\r\n")),
        ("/nowhere", status("307 Temporary Redirect", "")),
        ("/round", status("303 See Other", "location: round\r\n")),
        ("/1", status("308 Permanent Redirect", "location: 2?x\r\n")),
        ("/2?x", status("302 Found", "location: /3\r\n")),
        ("/3", status("302 Found", "location: //127.0.0.1:PORT/4\r\n")),
        ("/4", file("", PNG)),
    ])
    .await;
    let fetcher = fetcher(inside());
    let failed = async |path: &str| fetcher.get(&server.url(path), Trust::Client).await.unwrap_err();
    let error = failed("/private").await;
    assert_eq!(fault(&error), Fault::Unusable("a link-local"));
    assert!(error.to_string().contains("redirects to 'http://169.254.169.254/latest?…'"), "{error}");
    assert!(matches!(fault(&failed("/scheme").await), Fault::BadUrl(_)));
    assert_eq!(fault(&failed("/nowhere").await), Fault::Status(307));
    assert_eq!(fault(&failed("/round").await), Fault::Redirects(3));
    assert_eq!(server.heads().iter().filter(|head| head.starts_with("GET /round ")).count(), 4);
    assert!(matches!(fault(&failed("/1").await), Fault::BadUrl(_)), "the third leads to no port");
    assert_eq!(fault(&failed("/gone").await), Fault::Status(404));
    let none = super::server::fetcher(Settings { max_fetch_redirects: 0, ..inside() });
    let error = none.get(&server.url("/2?x"), Trust::Client).await.unwrap_err();
    assert_eq!(fault(&error), Fault::Redirects(0));
}

#[tokio::test]
async fn i29_a_redirect_into_the_private_network_is_refused() {
    // The first host is public for the fetcher because it is the provider's own; the second is not.
    let inner = Server::start(vec![("/", file("", PNG))]).await;
    let location = format!("location: http://localhost:{}/\r\n", inner.addr.port());
    let outer = Server::start(vec![("/", status("302 Found", &location))]).await;
    let own = origin(&outer.url(""));
    let error = fetcher(Settings::default()).get(&outer.url("/"), Trust::Provider(&own)).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Private(_)), "{error}");
    assert!(inner.heads().is_empty(), "it was never asked");
    let got = fetcher(inside()).get(&outer.url("/"), Trust::Client).await.unwrap();
    assert_eq!(&got.bytes[..], PNG);
}

#[tokio::test]
async fn i26_a_file_is_cut_off_at_its_limit() {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    let chunk = [&b"400\r\n"[..], &[b'x'; 1024], b"\r\n"].concat();
    let server = Server::start(vec![
        ("/fits", file("", &[b'x'; 4096])),
        ("/stated", file("", &[b'x'; 4097])),
        ("/lies", Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\nx".to_vec())),
        ("/endless", Answer::Endless(CHUNKED, chunk)),
        ("/until-close", Answer::Endless(UNTIL_CLOSE, vec![b'x'; 1000])),
    ])
    .await;
    let metrics = Arc::new(Metrics::new());
    let connector = Connector::with_roots(rustls::RootCertStore::empty());
    let settings = Settings { max_fetch_bytes: 4096, ..inside() };
    let fetcher = Fetcher::new(connector, settings, Arc::clone(&metrics));
    assert_eq!(fetcher.get(&server.url("/fits"), Trust::Client).await.unwrap().bytes.len(), 4096);
    for path in ["/stated", "/lies", "/endless", "/until-close"] {
        let error = fetcher.get(&server.url(path), Trust::Client).await.unwrap_err();
        assert_eq!(fault(&error), Fault::TooLarge(4096), "{path}");
        assert!(error.to_string().contains("max_bytes"), "{error}");
    }
    assert!(metrics.encode().contains("tollgate_limit_hits_total{limit=\"fetch_bytes\"} 4"));
}

#[tokio::test]
async fn i26_a_file_that_does_not_come_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab";
    let server = Server::start(vec![
        ("/silent", Answer::Silence),
        ("/cut", Answer::Raw(head.to_vec())),
        ("/nonsense", Answer::Raw(b"SSH-2.0-x\r\n".to_vec())),
    ])
    .await;
    let limit = Duration::from_millis(300);
    let hasty = fetcher(Settings { fetch_timeout: limit, ..inside() });
    let error = hasty.get(&server.url("/silent"), Trust::Client).await.unwrap_err();
    assert_eq!(fault(&error), Fault::Timeout(limit));
    let fetcher = fetcher(inside());
    let error = fetcher.get(&server.url("/cut"), Trust::Client).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Cut(_)), "{error}");
    let error = fetcher.get(&server.url("/nonsense"), Trust::Client).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Unreachable(_)), "{error}");
    // A port that was free a moment ago: nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = fetcher.get(&format!("http://{free}/"), Trust::Client).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_file_is_told_apart() {
    let server = Server::start(vec![
        ("/gzip", file("content-encoding: gzip\r\n", b"\x1f\x8b")),
        ("/identity", file("content-encoding: identity\r\n", PNG)),
        ("/partial", Answer::Raw(b"HTTP/1.1 206 Partial Content\r\ncontent-length: 1\r\n\r\nx".to_vec())),
        ("/login", status("401 Unauthorized", "www-authenticate: Basic\r\n")),
    ])
    .await;
    let fetcher = fetcher(inside());
    for (url, expected) in [
        (server.url("/gzip"), Fault::Compressed),
        (server.url("/partial"), Fault::Status(206)),
        (server.url("/login"), Fault::Status(401)),
        ("http://127.0.0.1:6379/?k=not-a-secret".to_owned(), Fault::Port(6379)),
        ("http://u:not-a-secret@127.0.0.1/".to_owned(), Fault::BadUrl("it holds a user name or password")),
    ] {
        assert_eq!(fault(&fetcher.get(&url, Trust::Client).await.unwrap_err()), expected);
    }
    assert_eq!(&fetcher.get(&server.url("/identity"), Trust::Client).await.unwrap().bytes[..], PNG);
}

/// More than one HTTP/2 window.
const LARGE: usize = 3 << 20;

/// Answers over TLS with the HTTP version that was spoken, and much more.
async fn tls(protocols: &[&[u8]]) -> (u16, rustls::RootCertStore) {
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
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service = service_fn(async |request: http::Request<hyper::body::Incoming>| {
                let mut text = format!("{:?} {} ", request.version(), request.uri().path());
                text.push_str(&"x".repeat(LARGE));
                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(text))))
            });
            let served = auto::Builder::new(TokioExecutor::new());
            let _ = served.serve_connection(TokioIo::new(stream), service).await;
        }
    });
    (port, roots)
}

#[tokio::test]
async fn tls_is_spoken_with_either_http_and_certificates_are_checked() {
    for (protocols, version) in [(&[&b"h2"[..]][..], "HTTP/2.0"), (&[b"http/1.1"], "HTTP/1.1")] {
        let (port, roots) = tls(protocols).await;
        let url = format!("https://localhost:{port}/a");
        let trusting = Fetcher::new(Connector::with_roots(roots), inside(), Arc::new(Metrics::new()));
        let got = trusting.get(&url, Trust::Client).await.unwrap();
        let start = format!("{version} /a ");
        assert_eq!((&got.bytes[..start.len()], got.bytes.len()), (start.as_bytes(), start.len() + LARGE));
        let error = fetcher(inside()).get(&url, Trust::Client).await.unwrap_err();
        assert!(matches!(fault(&error), Fault::Unreachable(reason) if reason.contains("TLS")), "{error}");
    }
}
