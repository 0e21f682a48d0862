//! A provider that the test moves by hand, so that nothing here depends on time.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::soon;

/// Where calls arrive.
pub struct Puppet {
    listener: TcpListener,
}

/// One connection to it.
pub struct Call {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Puppet {
    pub async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection, with its first request read.
    pub async fn call(&self) -> Call {
        let (stream, _) = soon("a connection to the provider", self.listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut call = Call { stream, held: Vec::new() };
        call.request().await.expect("a request");
        call
    }
}

impl Call {
    /// The next request on this connection: its head and JSON body. `None` when the gateway has hung up.
    pub async fn request(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.held.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.held[..end]).to_lowercase();
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
                let total = end + 4 + length.map_or(0, |l| l.trim().parse::<usize>().unwrap());
                if self.held.len() >= total {
                    let body = serde_json::from_slice(&self.held[end + 4..total]).unwrap_or_default();
                    self.held.drain(..total);
                    return Some((head, body));
                }
            }
            self.held.reserve(16 << 10);
            let read = self.stream.read_buf(&mut self.held);
            if !matches!(soon("a request at the provider", read).await, Ok(read) if read > 0) {
                return None;
            }
        }
    }

    pub async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The head of a stream.
    pub async fn begin(&mut self) {
        self.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await;
    }

    async fn data(&mut self, data: &str) {
        let event = format!("data: {data}\n\n");
        self.write(&format!("{:x}\r\n{event}\r\n", event.len())).await;
    }

    /// The chunk with the role.
    pub async fn role(&mut self) {
        self.data(&chunk(json!({"role": "assistant", "content": ""}), None)).await;
    }

    /// A chunk of text.
    pub async fn text(&mut self, text: &str) {
        self.data(&chunk(json!({"content": text}), None)).await;
    }

    /// Finish reason, usage, `[DONE]`, and the end of the body.
    pub async fn finish(&mut self) {
        self.data(&chunk(json!({}), Some("stop"))).await;
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
        self.data(
            &json!({"id": "chatcmpl-puppet", "object": "chat.completion.chunk", "created": 1,
            "model": "puppet", "choices": [], "usage": usage})
            .to_string(),
        )
        .await;
        self.data("[DONE]").await;
        self.write("0\r\n\r\n").await;
    }

    /// A whole answer with a length.
    pub async fn whole(&mut self, text: &str) {
        let body = json!({"id": "chatcmpl-puppet", "object": "chat.completion", "created": 1, "model": "puppet",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
        .to_string();
        self.write(&format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    }

    /// Waits until the gateway has hung up.
    pub async fn hung_up(&mut self) {
        let mut piece = [0; 1024];
        while matches!(soon("the gateway to hang up", self.stream.read(&mut piece)).await, Ok(read) if read > 0)
        {
        }
    }
}

fn chunk(delta: Value, finish: Option<&str>) -> String {
    json!({"id": "chatcmpl-puppet", "object": "chat.completion.chunk", "created": 1, "model": "puppet",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    .to_string()
}
