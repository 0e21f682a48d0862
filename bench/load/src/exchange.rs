//! One request over one connection: write, read the head, undo the framing, find stream chunks.
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stats::{Stats, add, now, rec};

/// What every request of the run is.
pub struct Conf {
    pub addr: String,
    pub request: Vec<u8>,
    pub stream: bool,
    /// Latency counts from the scheduled arrival, not from the send.
    pub open_sched: bool,
}

pub struct Conn {
    s: TcpStream,
    r: Reader,
}

/// A response being read: raw bytes, the body freed of its framing, and how far its lines are read.
struct Reader {
    buf: Vec<u8>,
    body: Vec<u8>,
    line_start: usize,
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Head {
    status: u16,
    framing: Framing,
    keep: bool,
    len: usize,
}

/// What to do with the bytes of a body, and what its stream has shown so far.
struct Scan {
    streaming: bool,
    keep_body: bool,
    base: u64,
    t_first: u64,
    t_last: u64,
    done: bool,
    sse_error: bool,
}

pub async fn connect(c: &Conf, st: &Stats) -> std::io::Result<Conn> {
    let s = TcpStream::connect(&c.addr).await?;
    s.set_nodelay(true)?;
    add(&st.connects, 1);
    Ok(Conn { s, r: Reader { buf: Vec::with_capacity(32768), body: Vec::new(), line_start: 0 } })
}

impl Scan {
    /// Looks at every complete line of a stream body.
    fn lines(&mut self, r: &mut Reader, st: &Stats) {
        if !self.streaming {
            return;
        }
        let t = now();
        while let Some(nl) = memchr::memchr(b'\n', &r.body[r.line_start..]) {
            let line = &r.body[r.line_start..r.line_start + nl];
            r.line_start += nl + 1;
            if !line.starts_with(b"data:") {
                continue;
            }
            if let Some(at) = memchr::memmem::find(line, b"t=") {
                let mut v = 0u64;
                let mut n = 0;
                for &d in &line[at + 2..] {
                    if d.is_ascii_digit() {
                        v = v * 10 + u64::from(d - b'0');
                        n += 1
                    } else {
                        break;
                    }
                }
                if n >= 6 {
                    let m = st.measuring.get();
                    if self.t_first == 0 {
                        self.t_first = t;
                        if m {
                            rec(&st.ttft, t.saturating_sub(self.base));
                            rec(&st.first, t.saturating_sub(v));
                            add(&st.chunks, 1);
                        }
                    } else if m {
                        rec(&st.chunk, t.saturating_sub(v));
                        rec(&st.gap, t - self.t_last);
                        add(&st.chunks, 1);
                    }
                    self.t_last = t;
                    continue;
                }
            }
            if memchr::memmem::find(line, b"[DONE]").is_some()
                || memchr::memmem::find(line, b"\"message_stop\"").is_some()
                || memchr::memmem::find(line, b"\"response.completed\"").is_some()
            {
                self.done = true;
            }
            if line.starts_with(b"data: {\"error\"")
                || memchr::memmem::find(line, b"\"type\":\"error\"").is_some()
            {
                self.sse_error = true;
            }
        }
        if r.line_start > 65536 {
            r.body.drain(..r.line_start);
            r.line_start = 0;
        }
    }
}

async fn read_more(cn: &mut Conn, place: &'static str, eof: &'static str) -> Result<(), &'static str> {
    match cn.s.read_buf(&mut cn.r.buf).await {
        Ok(0) => Err(eof),
        Ok(_) => Ok(()),
        Err(_) => Err(place),
    }
}

async fn read_head(cn: &mut Conn) -> Result<Head, &'static str> {
    loop {
        read_more(cn, "read-head", "eof-head").await?;
        let mut hs = [httparse::EMPTY_HEADER; 64];
        let mut resp = httparse::Response::new(&mut hs);
        let Ok(parsed) = resp.parse(&cn.r.buf) else { return Err("bad-head") };
        let httparse::Status::Complete(len) = parsed else { continue };
        let mut framing = Framing::UntilClose;
        let mut keep = resp.version == Some(1);
        for hd in resp.headers.iter() {
            if hd.name.eq_ignore_ascii_case("content-length") {
                let n = std::str::from_utf8(hd.value).ok().and_then(|v| v.trim().parse().ok());
                framing = Framing::Length(n.ok_or("bad-length")?)
            } else if hd.name.eq_ignore_ascii_case("transfer-encoding") {
                framing = Framing::Chunked
            } else if hd.name.eq_ignore_ascii_case("connection") && hd.value.eq_ignore_ascii_case(b"close") {
                keep = false
            }
        }
        return Ok(Head { status: resp.code.unwrap_or(0), framing, keep, len });
    }
}

/// Reads a body of known length; gives the number of bytes.
async fn read_length(cn: &mut Conn, len: usize, sc: &mut Scan, st: &Stats) -> Result<usize, &'static str> {
    let mut total = 0;
    while total + cn.r.buf.len() < len {
        if sc.streaming {
            total += cn.r.buf.len();
            cn.r.body.append(&mut cn.r.buf);
            sc.lines(&mut cn.r, st);
        }
        read_more(cn, "read-body", "eof-body").await?;
    }
    total += cn.r.buf.len();
    if sc.keep_body {
        cn.r.body.append(&mut cn.r.buf);
        sc.lines(&mut cn.r, st);
    }
    Ok(total)
}

/// Where a chunked body is: bytes left of the current chunk, and whether its line end is still due.
#[derive(Default)]
struct Chunked {
    left: usize,
    crlf: bool,
    total: usize,
}

impl Chunked {
    /// Takes what `r.buf` holds; true: the body has ended.
    fn take(&mut self, r: &mut Reader, keep_body: bool) -> Result<bool, &'static str> {
        let mut at = 0;
        let ended = loop {
            if self.left > 0 {
                let n = self.left.min(r.buf.len() - at);
                if keep_body {
                    r.body.extend_from_slice(&r.buf[at..at + n]);
                }
                at += n;
                self.left -= n;
                self.total += n;
                if self.left > 0 {
                    break false;
                }
                self.crlf = true;
            }
            if self.crlf {
                if r.buf.len() - at < 2 {
                    break false;
                }
                at += 2;
                self.crlf = false;
            }
            let Some(nl) = memchr::memchr(b'\n', &r.buf[at..]) else { break false };
            let line = &r.buf[at..at + nl];
            let hex = line.split(|b| *b == b';' || *b == b'\r').next().unwrap_or(b"");
            let size = usize::from_str_radix(std::str::from_utf8(hex).unwrap_or("").trim(), 16)
                .map_err(|_| "bad-chunk")?;
            if size == 0 {
                break r.buf.len() - at >= nl + 3;
            }
            at += nl + 1;
            self.left = size;
        };
        r.buf.drain(..at);
        Ok(ended)
    }
}

async fn read_chunked(cn: &mut Conn, sc: &mut Scan, st: &Stats) -> Result<usize, &'static str> {
    let mut state = Chunked::default();
    loop {
        let ended = state.take(&mut cn.r, sc.keep_body)?;
        sc.lines(&mut cn.r, st);
        if ended {
            return Ok(state.total);
        }
        read_more(cn, "read-body", "eof-body").await?;
    }
}

async fn read_until_close(cn: &mut Conn, sc: &mut Scan, st: &Stats) -> Result<usize, &'static str> {
    let mut total = 0;
    loop {
        total += cn.r.buf.len();
        cn.r.body.append(&mut cn.r.buf);
        sc.lines(&mut cn.r, st);
        if cn.s.read_buf(&mut cn.r.buf).await.map_err(|_| "read-body")? == 0 {
            return Ok(total);
        }
    }
}

/// One request; Ok(true): the connection can be used again.
async fn one(cn: &mut Conn, c: &Conf, st: &Stats, sched: u64) -> Result<bool, &'static str> {
    let t0 = now();
    cn.s.write_all(&c.request).await.map_err(|_| "write")?;
    cn.r.buf.clear();
    cn.r.body.clear();
    cn.r.line_start = 0;
    let head = read_head(cn).await?;
    let measured = st.measuring.get();
    if measured {
        rec(&st.ttfb, now() - t0);
    }
    cn.r.buf.drain(..head.len);
    let streaming = c.stream && head.status == 200;
    let base = if c.open_sched { sched } else { t0 };
    let keep_body = streaming || head.status != 200;
    let mut sc = Scan { streaming, keep_body, base, t_first: 0, t_last: 0, done: false, sse_error: false };
    let total = match head.framing {
        Framing::Length(len) => read_length(cn, len, &mut sc, st).await?,
        Framing::Chunked => read_chunked(cn, &mut sc, st).await?,
        Framing::UntilClose => read_until_close(cn, &mut sc, st).await?,
    };
    if measured && st.measuring.get() {
        if head.status != 200 {
            st.err(&format!("status-{}", head.status), &cn.r.body);
        } else if streaming && sc.sse_error {
            st.err("sse-error", &cn.r.body);
        } else if streaming && !sc.done {
            st.err("no-done", &cn.r.body);
        } else {
            let t = now();
            add(&st.ok, 1);
            add(&st.bytes, total as u64);
            rec(&st.total, t - t0);
            if sched != 0 {
                rec(&st.sched, t.saturating_sub(sched));
            }
        }
    }
    Ok(head.keep && !matches!(head.framing, Framing::UntilClose))
}

/// One request over the connection in `slot`, or over a new one; a connection that can be used again is
/// put back.
pub async fn attempt(slot: &mut Option<Conn>, c: &Conf, st: &Stats, sched: u64) {
    let mut cn = match slot.take() {
        Some(cn) => cn,
        None => match connect(c, st).await {
            Ok(cn) => cn,
            Err(e) => {
                st.err("connect", e.to_string().as_bytes());
                tokio::time::sleep(Duration::from_millis(5)).await;
                return;
            }
        },
    };
    match one(&mut cn, c, st, sched).await {
        Ok(true) => *slot = Some(cn),
        Ok(false) => {}
        Err(e) => {
            st.err(e, b"");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
