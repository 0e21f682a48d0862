//! An HTTP/1.1 client on a bare socket: it sees pieces as they come, sees how a body ends, and can leave
//! at any moment.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes: what exceeds it hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never came: {what}"))
}

/// A request as text.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: gateway.test\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A connection whose request is out.
pub struct Exchange {
    stream: TcpStream,
    held: Vec<u8>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    framing: Framing,
}

enum Framing {
    Length(usize),
    Chunked,
    Over { clean: bool },
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The body ended as its framing says.
    pub clean: bool,
}

impl Exchange {
    /// Connects and sends; the answer is not waited for.
    pub async fn send(addr: SocketAddr, raw: &[u8]) -> Self {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(raw).await.unwrap();
        Self {
            stream,
            held: Vec::new(),
            status: 0,
            headers: Vec::new(),
            framing: Framing::Over { clean: false },
        }
    }

    /// Sends another request on the same connection.
    pub async fn again(&mut self, raw: &[u8]) {
        self.stream.write_all(raw).await.unwrap();
    }

    async fn more(&mut self) -> bool {
        self.held.reserve(16 << 10);
        let read = self.stream.read_buf(&mut self.held);
        matches!(soon("bytes of the answer", read).await, Ok(read) if read > 0)
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.held.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8(self.held.drain(..end + 2).collect()).unwrap();
                return Some(line.trim_end().to_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Reads the status and the headers.
    pub async fn head(&mut self) {
        let first = self.line().await.expect("an answer");
        self.status = first.split(' ').nth(1).unwrap().parse().unwrap();
        self.headers.clear();
        while let Some(line) = self.line().await.filter(|l| !l.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            self.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        self.framing = if self.header("transfer-encoding") == Some("chunked") {
            Framing::Chunked
        } else {
            Framing::Length(self.header("content-length").map_or(0, |l| l.parse().unwrap()))
        };
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        match self.framing {
            Framing::Over { .. } => None,
            Framing::Length(0) => {
                self.framing = Framing::Over { clean: true };
                None
            }
            Framing::Length(left) => {
                if self.held.is_empty() && !self.more().await {
                    self.framing = Framing::Over { clean: false };
                    return None;
                }
                let take = left.min(self.held.len());
                self.framing = Framing::Length(left - take);
                Some(self.held.drain(..take).collect())
            }
            Framing::Chunked => self.chunk().await,
        }
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        self.framing = Framing::Over { clean: false };
        let size = usize::from_str_radix(&self.line().await?, 16).unwrap();
        while self.held.len() < size + 2 {
            if !self.more().await {
                return None;
            }
        }
        let data = self.held.drain(..size).collect();
        self.held.drain(..2);
        self.framing = if size == 0 { Framing::Over { clean: true } } else { Framing::Chunked };
        (size > 0).then_some(data)
    }

    /// Reads pieces until the text so far contains `needle`, and gives that text.
    pub async fn until(&mut self, needle: &str) -> String {
        let mut text = String::new();
        while !text.contains(needle) {
            let piece = self.piece().await.unwrap_or_else(|| panic!("'{needle}' never came after {text:?}"));
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
        text
    }

    /// Reads the rest.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await {
            body.extend_from_slice(&piece);
        }
        (body, matches!(self.framing, Framing::Over { clean: true }))
    }

    /// Reads all of it.
    pub async fn answer(&mut self) -> Answer {
        self.head().await;
        let (body, clean) = self.rest().await;
        Answer { status: self.status, headers: self.headers.clone(), body, clean }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The request's id, wherever the answer has it.
    pub fn generation(&self) -> Option<String> {
        if let Some(id) = self.header("x-generation-id") {
            return Some(id.to_owned());
        }
        serde_json::from_slice::<Value>(&self.body).ok()?["generationId"].as_str().map(str::to_owned)
    }

    /// The error's `message`.
    pub fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message: {}", self.text()))
            .to_owned()
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}
