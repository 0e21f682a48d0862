//! Reading requests: HTTP/1.1 with keep-alive, `content-length` and chunked bodies, `Expect: 100-continue`.

use std::io;
use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEAD_LIMIT: usize = 64 << 10;
const HEADER_COUNT: usize = 128;
const BODY_LIMIT: usize = 64 << 20;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    head: Bytes,
    headers: Vec<(Range<usize>, Range<usize>)>,
    pub body: Bytes,
    pub keep_alive: bool,
}

impl Request {
    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| self.head[n.clone()].eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|(_, v)| std::str::from_utf8(&self.head[v.clone()]).ok())
    }

    /// All headers, names in lower case, in order.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let text = |range: &Range<usize>| String::from_utf8_lossy(&self.head[range.clone()]).into_owned();
        self.headers.iter().map(|(n, v)| (text(n).to_ascii_lowercase(), text(v))).collect()
    }
}

/// Why a request could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The client went away, or the socket failed.
    Gone,
    /// It is not HTTP as this server speaks it: a status and what was wrong.
    Refused(u16, &'static str),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

enum Length {
    Known(usize),
    Chunked,
}

/// Reads the next request. `buffer` keeps what was read beyond it.
pub(crate) async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Request, ReadError> {
    let (mut request, length, expects) = loop {
        if let Some(parsed) = parse_head(buffer)? {
            break parsed;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(ReadError::Refused(431, "the request's headers are larger than 64 KiB"));
        }
        fill(stream, buffer).await?;
    };
    if expects && buffer.is_empty() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    request.body = match length {
        Length::Known(length) => {
            while buffer.len() < length {
                buffer.reserve(length - buffer.len());
                fill(stream, buffer).await?;
            }
            buffer.split_to(length).freeze()
        }
        Length::Chunked => chunked(stream, buffer).await?,
    };
    Ok(request)
}

async fn fill(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<(), ReadError> {
    buffer.reserve(4096);
    if stream.read_buf(buffer).await? == 0 {
        return Err(ReadError::Gone);
    }
    Ok(())
}

fn parse_head(buffer: &mut BytesMut) -> Result<Option<(Request, Length, bool)>, ReadError> {
    let mut slots = [httparse::EMPTY_HEADER; HEADER_COUNT];
    let mut parsed = httparse::Request::new(&mut slots);
    let end = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(ReadError::Refused(431, "the request has more than 128 headers"));
        }
        Err(_) => return Err(ReadError::Refused(400, "the request is not HTTP/1.1")),
    };
    let base = buffer.as_ptr() as usize;
    let range = |part: &[u8]| {
        let start = part.as_ptr() as usize - base;
        start..start + part.len()
    };
    let headers: Vec<_> = parsed.headers.iter().map(|h| (range(h.name.as_bytes()), range(h.value))).collect();
    let (method, target) =
        (parsed.method.unwrap_or_default().to_owned(), parsed.path.unwrap_or_default().to_owned());
    let newer = parsed.version == Some(1);
    let head = buffer.split_to(end).freeze();
    let mut request = Request { method, target, head, headers, body: Bytes::new(), keep_alive: newer };
    let says = |name: &str, word: &str| {
        request.header(name).is_some_and(|v| v.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let keep_alive = if newer { !says("connection", "close") } else { says("connection", "keep-alive") };
    let expects = says("expect", "100-continue");
    let length = if says("transfer-encoding", "chunked") {
        Length::Chunked
    } else {
        match request.header("content-length").map(str::parse::<usize>) {
            None => Length::Known(0),
            Some(Ok(length)) if length <= BODY_LIMIT => Length::Known(length),
            Some(Ok(_)) => return Err(ReadError::Refused(413, "the request's body is larger than 64 MiB")),
            Some(Err(_)) => {
                return Err(ReadError::Refused(400, "the request's content-length is not a number"));
            }
        }
    };
    request.keep_alive = keep_alive;
    Ok(Some((request, length, expects)))
}

async fn chunked(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Bytes, ReadError> {
    const BAD: ReadError = ReadError::Refused(400, "the request's chunked body is malformed");
    let mut body = BytesMut::new();
    loop {
        let (skip, size) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((skip, size))) => {
                    break (skip, usize::try_from(size).unwrap_or(usize::MAX));
                }
                Ok(httparse::Status::Partial) => fill(stream, buffer).await?,
                Err(_) => return Err(BAD),
            }
        };
        if size > BODY_LIMIT || body.len() + size > BODY_LIMIT {
            return Err(ReadError::Refused(413, "the request's body is larger than 64 MiB"));
        }
        buffer.advance(skip);
        if size == 0 {
            skip_trailers(stream, buffer).await?;
            return Ok(body.freeze());
        }
        while buffer.len() < size + 2 {
            fill(stream, buffer).await?;
        }
        body.extend_from_slice(&buffer[..size]);
        if &buffer[size..size + 2] != b"\r\n" {
            return Err(BAD);
        }
        buffer.advance(size + 2);
    }
}

async fn skip_trailers(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<(), ReadError> {
    let mut skipped = 0;
    loop {
        match buffer.windows(2).position(|w| w == b"\r\n") {
            Some(0) => {
                buffer.advance(2);
                return Ok(());
            }
            Some(at) => {
                skipped += at + 2;
                buffer.advance(at + 2);
            }
            None => {
                skipped += 1;
                fill(stream, buffer).await?;
            }
        }
        if skipped > HEAD_LIMIT {
            return Err(ReadError::Refused(431, "the request's trailers are larger than 64 KiB"));
        }
    }
}
