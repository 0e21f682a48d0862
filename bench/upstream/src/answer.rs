//! From a request to its answer.
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};

use crate::counts::{CONNS, CONNS_TOTAL, ERRORS, REQUESTS, STREAMS_ABORTED, STREAMS_DONE, STREAMS_OPEN};
use crate::net::linger0;
use crate::params::Params;
use crate::replies::{Kind, chat_json, error_json, message_json, responses_object};
use crate::sse::Sse;

struct Last {
    head: String,
    body: Bytes,
}

/// The process default that `/__mock/set` changes.
pub static PARAMS: Mutex<Params> = Mutex::new(Params::DEFAULT);
static KEEP_LAST: AtomicU64 = AtomicU64::new(0);
static LAST: Mutex<Option<Last>> = Mutex::new(None);

pub type Out = UnsyncBoxBody<Bytes, std::io::Error>;
fn full(b: impl Into<Bytes>) -> Out {
    Full::new(b.into()).map_err(|e: Infallible| match e {}).boxed_unsync()
}
fn json(status: u16, b: impl Into<Bytes>) -> Response<Out> {
    let mut r = Response::new(full(b));
    *r.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    r
}

/// Value of a top-level-looking string or bool field, without parsing the whole body. A client that
/// writes `"model"` inside a message text (quotes escaped there) does not match.
fn field<'a>(body: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    for at in memchr::memmem::find_iter(body, key) {
        let mut r = &body[at + key.len()..];
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = r {
            r = rest;
        }
        let [b':', rest @ ..] = r else { continue };
        r = rest;
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = r {
            r = rest;
        }
        return Some(match r {
            [b'"', rest @ ..] => &rest[..memchr::memchr(b'"', rest)?],
            _ => &r[..memchr::memchr2(b',', b'}', r)?],
        });
    }
    None
}
fn is_true(v: Option<&[u8]>) -> bool {
    v.is_some_and(|v| v.trim_ascii() == b"true")
}

pub async fn handle(req: Request<Incoming>, fd: i32) -> Result<Response<Out>, std::io::Error> {
    let (parts, body) = req.into_parts();
    let path = parts.uri.path();
    if let Some(admin) = path.strip_prefix("/__mock/") {
        return Ok(control(admin, parts.uri.query().unwrap_or("")));
    }
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    REQUESTS.fetch_add(1, Relaxed);
    if KEEP_LAST.load(Relaxed) != 0 {
        let head = format!("{} {}\n{:?}", parts.method, parts.uri, parts.headers);
        *LAST.lock().unwrap() = Some(Last { head, body: body.clone() });
    }
    let (p, model) = settings(&parts, &body);
    let kind = if path.ends_with("/messages") {
        Kind::Anthropic
    } else if path.ends_with("/responses") {
        Kind::Responses
    } else {
        Kind::OpenAi
    };
    if let Some(faulty) = fault(&p, kind, fd).await {
        return faulty;
    }
    if path.ends_with("/chat/completions") || path.ends_with("/messages") || path.ends_with("/responses") {
        return Ok(generation(&body, p, kind, model, fd).await);
    }
    if path.ends_with("/embeddings") {
        let v = vec!["0.0123456"; p.dims].join(",");
        let model = String::from_utf8_lossy(&model);
        return Ok(json(
            200,
            format!(
                r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[{v}]}}],"model":"{model}","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#
            ),
        ));
    }
    if path.ends_with("/models") {
        return Ok(json(
            200,
            r#"{"object":"list","data":[{"id":"mock-1","object":"model","created":1700000000,"owned_by":"mock"},{"id":"mock-2","object":"model","created":1700000000,"owned_by":"mock"}]}"#,
        ));
    }
    Ok(json(404, error_json(kind, 404)))
}

/// The settings of this request and the model's name without its suffix.
fn settings(parts: &Parts, body: &Bytes) -> (Params, Bytes) {
    let mut p;
    {
        let mut d = PARAMS.lock().unwrap();
        p = *d;
        if d.times == 0 {
            p.clear_faults();
        } else if d.times != u32::MAX {
            d.times -= 1;
        }
    }
    let mut model: &[u8] = field(body, b"\"model\"").unwrap_or(b"mock-1");
    if let Some(at) = memchr::memchr(b'@', model) {
        if let Ok(s) = std::str::from_utf8(&model[at + 1..]) {
            p.parse(s);
        }
        model = &model[..at];
    }
    if let Some(h) = parts.headers.get("x-mock").and_then(|h| h.to_str().ok()) {
        p.parse(h);
    }
    if let Some(q) = parts.uri.query() {
        p.parse(q);
    }
    (p, body.slice_ref_or_copy(model))
}

/// The answer of a request that is to fail before its first byte of content.
async fn fault(p: &Params, kind: Kind, fd: i32) -> Option<Result<Response<Out>, std::io::Error>> {
    match p.fault {
        1 => {
            linger0(fd);
            ERRORS.fetch_add(1, Relaxed);
            return Some(Err(std::io::ErrorKind::ConnectionReset.into()));
        }
        2 => {
            ERRORS.fetch_add(1, Relaxed);
            poll_fn(|_| Poll::<()>::Pending).await;
        }
        3 => {
            ERRORS.fetch_add(1, Relaxed);
            return Some(Err(std::io::ErrorKind::ConnectionAborted.into()));
        }
        _ => {}
    }
    if p.status == 200 {
        return None;
    }
    pause(p.delay_ms).await;
    ERRORS.fetch_add(1, Relaxed);
    let mut r = json(p.status, error_json(kind, p.status));
    if p.retry_after > 0 {
        r.headers_mut().insert(RETRY_AFTER, HeaderValue::from(p.retry_after));
    }
    Some(Ok(r))
}

/// An answer with text, plain or as a stream.
async fn generation(body: &[u8], p: Params, kind: Kind, model: Bytes, fd: i32) -> Response<Out> {
    if is_true(field(body, b"\"stream\"")) {
        let usage = match p.usage {
            1 => true,
            2 => false,
            _ => is_true(field(body, b"\"include_usage\"")),
        };
        pause(p.ttft_ms).await;
        let mut r = Response::new(Sse::new(kind, p, usage, model, fd).boxed_unsync());
        r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        r.headers_mut().insert("cache-control", HeaderValue::from_static("no-cache"));
        return r;
    }
    pause(p.delay_ms).await;
    let whole = match kind {
        Kind::OpenAi => chat_json(&model, &p),
        Kind::Anthropic => message_json(&model, &p),
        Kind::Responses => {
            let mut b = BytesMut::new();
            responses_object(&mut b, &model, &p, (p.size / 4) as u32, p.size);
            b.freeze()
        }
    };
    json(200, whole)
}

async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

trait SliceOrCopy {
    fn slice_ref_or_copy(&self, s: &[u8]) -> Bytes;
}
impl SliceOrCopy for Bytes {
    fn slice_ref_or_copy(&self, s: &[u8]) -> Bytes {
        let (a, b) = (self.as_ptr() as usize, s.as_ptr() as usize);
        if b >= a && b + s.len() <= a + self.len() {
            self.slice(b - a..b - a + s.len())
        } else {
            Bytes::copy_from_slice(s)
        }
    }
}

/// `/__mock/set?k=v&...` changes the process default (`default` resets it first); `/__mock/stats` counts;
/// `/__mock/keep?n=1` starts to keep the last request, `/__mock/last` shows it.
fn control(what: &str, query: &str) -> Response<Out> {
    match what {
        "set" => {
            let mut d = PARAMS.lock().unwrap();
            d.parse(query);
            json(200, format!("{:?}\n", *d))
        }
        "keep" => {
            KEEP_LAST.store(u64::from(!query.ends_with('0')), Relaxed);
            json(200, "{}")
        }
        "last" => match &*LAST.lock().unwrap() {
            Some(l) => {
                let mut b = BytesMut::from(l.head.as_bytes());
                b.extend_from_slice(b"\n\n");
                b.extend_from_slice(&l.body);
                json(200, b.freeze())
            }
            None => json(404, "{}"),
        },
        "stats" => json(
            200,
            format!(
                "{{\"requests\":{},\"errors\":{},\"conns_open\":{},\"conns_total\":{},\"streams_open\":{},\"streams_done\":{},\"streams_aborted\":{}}}\n",
                REQUESTS.load(Relaxed),
                ERRORS.load(Relaxed),
                CONNS.load(Relaxed),
                CONNS_TOTAL.load(Relaxed),
                STREAMS_OPEN.load(Relaxed),
                STREAMS_DONE.load(Relaxed),
                STREAMS_ABORTED.load(Relaxed)
            ),
        ),
        _ => json(404, "{}"),
    }
}
