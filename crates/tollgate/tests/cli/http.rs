//! HTTP/1.1 by hand, so that what is sent and read is what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::gateway::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// An answer whose body is still to be read.
pub struct Open {
    pub status: u16,
    pub headers: String,
    reader: BufReader<TcpStream>,
}

impl Open {
    /// The next line of the body as it comes, framing included.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.reader.read_line(&mut line).unwrap() > 0).then_some(line)
    }

    /// All that is left of the body.
    pub fn rest(mut self) -> String {
        let mut raw = Vec::new();
        self.reader.read_to_end(&mut raw).unwrap();
        let raw = String::from_utf8(raw).unwrap();
        if self.headers.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            unchunk(&raw)
        } else {
            raw
        }
    }
}

fn unchunk(mut raw: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = raw.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        body.push_str(&rest[..size]);
        raw = rest[size..].strip_prefix("\r\n").unwrap_or_default();
    }
    body
}

pub fn get(address: &str, path: &str) -> Answer {
    finish(send(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")))
}

pub fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    finish(open(address, path, headers, body))
}

/// Sends and returns when the head of the answer is there.
pub fn open(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Open {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    send(address, &format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
}

fn send(address: &str, request: &str) -> Open {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut headers).unwrap() > 0, "the head of the answer was cut: {headers}");
    }
    let status = headers.split_whitespace().nth(1).unwrap().parse().unwrap();
    Open { status, headers, reader }
}

fn finish(open: Open) -> Answer {
    Answer { status: open.status, body: open.rest() }
}
