//! A small HTTP/1.1 client that shows what a response looked like on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A response as it came.
#[derive(Debug, Clone, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The HTTP chunks, when the body was chunked.
    pub chunks: Vec<Vec<u8>>,
    pub ending: Ending,
}

/// How the response ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Complete,
    /// FIN before the end.
    Closed,
    /// RST before the end.
    Reset,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The data of each server-sent event that is JSON, in order.
    pub fn events(&self) -> Vec<Value> {
        self.data().iter().filter_map(|d| serde_json::from_str(d).ok()).collect()
    }

    /// The data of each server-sent event.
    pub fn data(&self) -> Vec<String> {
        self.text().lines().filter_map(|l| l.strip_prefix("data: ").map(str::to_owned)).collect()
    }

    /// Checks that each event's name is its payload's type, as Anthropic has it.
    pub fn named_events(&self) -> Vec<Value> {
        let text = self.text();
        let events: Vec<Value> = text
            .split_terminator("\n\n")
            .map(|event| {
                let (name, data) = event.split_once('\n').expect("two lines");
                let data: Value =
                    serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
                assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
                data
            })
            .collect();
        events
    }
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.expect("connect"), buffer: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("write");
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: simulator\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.write(&[head.as_bytes(), body].concat()).await;
    }

    /// Reads more; the ending when there is none.
    async fn more(&mut self) -> Option<Ending> {
        let mut block = vec![0; 16 << 10];
        match self.stream.read(&mut block).await {
            Ok(0) => Some(Ending::Closed),
            Ok(n) => {
                self.buffer.extend_from_slice(&block[..n]);
                None
            }
            Err(_) => Some(Ending::Reset),
        }
    }

    /// Reads until this text has come, and leaves it.
    pub async fn read_past(&mut self, text: &str) {
        while !self.buffer.windows(text.len()).any(|w| w == text.as_bytes()) {
            assert_eq!(self.more().await, None, "{}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// The next line without its end, taken off.
    async fn line(&mut self) -> Result<String, Ending> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8(self.buffer[..at].to_vec()).expect("UTF-8");
                self.buffer.drain(..at + 2);
                return Ok(line);
            }
            if let Some(ending) = self.more().await {
                return Err(ending);
            }
        }
    }

    async fn take(&mut self, length: usize, into: &mut Vec<u8>) -> Result<(), Ending> {
        while self.buffer.len() < length {
            if let Some(ending) = self.more().await {
                into.append(&mut self.buffer);
                return Err(ending);
            }
        }
        into.extend(self.buffer.drain(..length));
        Ok(())
    }

    pub async fn response(&mut self) -> Response {
        let mut response = Response::default();
        let read = tokio::time::timeout(Duration::from_secs(30), self.read_response(&mut response)).await;
        response.ending = read.expect("a response within 30 s").err().unwrap_or(Ending::Complete);
        response
    }

    async fn read_response(&mut self, response: &mut Response) -> Result<(), Ending> {
        loop {
            let status = self.line().await?;
            response.status = status.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("status");
            loop {
                let line = self.line().await?;
                let Some((name, value)) = line.split_once(": ") else { break };
                response.headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
            if response.status != 100 {
                break;
            }
        }
        if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(&self.line().await?, 16).expect("chunk size");
                let mut chunk = Vec::new();
                let taken = self.take(size, &mut chunk).await;
                response.body.extend_from_slice(&chunk);
                taken?;
                assert_eq!(self.line().await?, "");
                if size == 0 {
                    return Ok(());
                }
                response.chunks.push(chunk);
            }
        }
        let length = response.header("content-length").map_or(0, |l| l.parse().expect("length"));
        self.take(length, &mut response.body).await
    }
}

pub const BEARER: (&str, &str) = ("authorization", "Bearer sk-not-a-key");
pub const X_API_KEY: (&str, &str) = ("x-api-key", "sk-ant-not-a-key");
pub const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// Posts JSON on a fresh connection.
pub async fn post(addr: SocketAddr, path: &str, body: &Value) -> Response {
    let mut client = Client::connect(addr).await;
    client.send("POST", path, &[BEARER, VERSION], body.to_string().as_bytes()).await;
    client.response().await
}

pub async fn get(addr: SocketAddr, path: &str) -> Response {
    let mut client = Client::connect(addr).await;
    client.send("GET", path, &[BEARER], b"").await;
    client.response().await
}

pub async fn chat(addr: SocketAddr, body: &Value) -> Response {
    post(addr, "/v1/chat/completions", body).await
}

pub async fn messages(addr: SocketAddr, body: &Value) -> Response {
    post(addr, "/v1/messages", body).await
}

pub const GOOG_KEY: (&str, &str) = ("x-goog-api-key", "not-a-google-key");

pub async fn responses(addr: SocketAddr, body: &Value) -> Response {
    post(addr, "/v1/responses", body).await
}

/// Calls a method of a Google model.
pub async fn google(addr: SocketAddr, model: &str, verb: &str, body: &Value) -> Response {
    let mut client = Client::connect(addr).await;
    let path = format!("/v1beta/models/{model}:{verb}");
    client.send("POST", &path, &[GOOG_KEY], body.to_string().as_bytes()).await;
    client.response().await
}

/// A chat request of one user message, with further members.
pub fn chat_body(model: &str, text: &str, more: Value) -> Value {
    merged(json!({"model": model, "messages": [{"role": "user", "content": text}]}), more)
}

/// A Messages request of one user message, with further members.
pub fn messages_body(model: &str, text: &str, more: Value) -> Value {
    merged(json!({"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": text}]}), more)
}

fn merged(mut body: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    body
}
