//! A server of files: each path of a table has its raw answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate_telemetry::Metrics;

use super::super::Fetcher;
use crate::lanes::Connector;
use crate::settings::Settings;

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really";

/// What a path is answered with.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes again and again, for as long as they are taken.
    Endless(&'static [u8], Vec<u8>),
    /// Nothing, ever.
    Silence,
}

/// 200 with a body and further header lines, each with its line end.
pub fn file(headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Answer::Raw([head.as_bytes(), body].concat())
}

/// A status without a body.
pub fn status(line: &str, headers: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n{headers}\r\n").into_bytes())
}

pub struct Server {
    pub addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the paths of the table; any other with 404.
    pub async fn start(table: Vec<(&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, table.clone(), Arc::clone(&seen)));
            }
        });
        Self { addr, heads }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    table: Vec<(&'static str, Answer)>,
    heads: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    heads.lock().unwrap().push(head);
    let answer = table.into_iter().find(|(known, _)| *known == path).map(|(_, answer)| answer);
    match answer.unwrap_or_else(|| status("404 Not Found", "")) {
        Answer::Raw(bytes) => stream.write_all(&bytes).await.ok(),
        Answer::Endless(head, bytes) => {
            stream.write_all(head).await.ok()?;
            loop {
                stream.write_all(&bytes).await.ok()?;
            }
        }
        Answer::Silence => std::future::pending().await,
    }
}

/// Settings under which this machine may be fetched from.
pub fn inside() -> Settings {
    Settings { allow_private_fetch: true, ..Settings::default() }
}

pub fn fetcher(settings: Settings) -> Fetcher {
    let connector = Connector::with_roots(rustls::RootCertStore::empty());
    Fetcher::new(connector, settings, Arc::new(Metrics::new()))
}
