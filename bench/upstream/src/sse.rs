//! Answers as a stream of server-sent events.
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

use crate::counts::{ERRORS, STREAMS_ABORTED, STREAMS_DONE, STREAMS_OPEN};
use crate::net::linger0;
use crate::params::Params;
use crate::replies::{FILLER, Kind, num, oai_head, oai_usage, responses_object};

fn now_ns() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// A server-sent-event body; every content delta holds `t=<CLOCK_MONOTONIC ns>;`, so that a reader on
/// the same machine can measure the one-way latency of each chunk.
pub struct Sse {
    kind: Kind,
    p: Params,
    i: u32,
    usage: bool,
    model: Bytes,
    fd: i32,
    state: u8,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    finished: bool,
}

impl Drop for Sse {
    fn drop(&mut self) {
        STREAMS_OPEN.fetch_sub(1, Relaxed);
        if self.finished { &STREAMS_DONE } else { &STREAMS_ABORTED }.fetch_add(1, Relaxed);
    }
}
impl Sse {
    /// A stream that counts as open from now on.
    pub fn new(kind: Kind, p: Params, usage: bool, model: Bytes, fd: i32) -> Self {
        STREAMS_OPEN.fetch_add(1, Relaxed);
        Sse { kind, p, i: 0, usage, model, fd, state: 0, sleep: None, finished: false }
    }
    fn head(&self) -> Bytes {
        let mut b = BytesMut::with_capacity(768);
        let m = &self.model;
        match self.kind {
            Kind::OpenAi => {
                oai_head(&mut b, m);
                b.extend_from_slice(br#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}"#);
                b.extend_from_slice(b"\n\n");
            }
            Kind::Anthropic => {
                b.extend_from_slice(br#"event: message_start
data: {"type":"message_start","message":{"id":"msg_mock0000000000000001","type":"message","role":"assistant","model":""#);
                b.extend_from_slice(m);
                b.extend_from_slice(
                    br#"","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":"#,
                );
                num(&mut b, self.p.prompt_tokens);
                b.extend_from_slice(br#","cache_creation_input_tokens":"#);
                num(&mut b, self.p.cache_write_tokens);
                b.extend_from_slice(br#","cache_read_input_tokens":"#);
                num(&mut b, self.p.cached_tokens);
                b.extend_from_slice(
                    br#","output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

"#,
                );
            }
            Kind::Responses => {
                b.extend_from_slice(br#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_mock1","object":"response","created_at":1700000000,"status":"in_progress","model":""#);
                b.extend_from_slice(m);
                b.extend_from_slice(br#"","output":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_mock1","type":"message","status":"in_progress","role":"assistant","content":[]}}

event: response.content_part.added
data: {"type":"response.content_part.added","sequence_number":2,"item_id":"msg_mock1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}

"#);
            }
        }
        b.freeze()
    }
    fn chunk(&self) -> Bytes {
        let mut b = BytesMut::with_capacity(320 + self.p.chunk_size);
        match self.kind {
            Kind::OpenAi => {
                oai_head(&mut b, &self.model);
                b.extend_from_slice(br#""choices":[{"index":0,"delta":{"content":"t="#);
            }
            Kind::Anthropic => b.extend_from_slice(b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"t="),
            Kind::Responses => {
                b.extend_from_slice(b"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":");
                num(&mut b, self.i + 3);
                b.extend_from_slice(b",\"item_id\":\"msg_mock1\",\"output_index\":0,\"content_index\":0,\"delta\":\"t=");
            }
        }
        let mut it = itoa::Buffer::new();
        b.extend_from_slice(it.format(now_ns()).as_bytes());
        b.extend_from_slice(b";");
        b.extend_from_slice(&FILLER[..self.p.chunk_size.min(FILLER.len())]);
        b.extend_from_slice(match self.kind {
            Kind::OpenAi => b"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n".as_slice(),
            Kind::Anthropic => b"\"}}\n\n",
            Kind::Responses => b"\"}\n\n",
        });
        b.freeze()
    }
    fn tail(&self) -> Bytes {
        let mut b = BytesMut::with_capacity(1024);
        let p = &self.p;
        match self.kind {
            Kind::OpenAi => {
                oai_head(&mut b, &self.model);
                b.extend_from_slice(b"\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
                if self.usage {
                    oai_head(&mut b, &self.model);
                    b.extend_from_slice(b"\"choices\":[],");
                    oai_usage(&mut b, p, p.chunks);
                    b.extend_from_slice(b"}\n\n");
                }
                b.extend_from_slice(b"data: [DONE]\n\n");
            }
            Kind::Anthropic => {
                b.extend_from_slice(br#"event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":"#);
                num(&mut b, p.chunks);
                b.extend_from_slice(b"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
            }
            Kind::Responses => {
                b.extend_from_slice(
                    b"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":",
                );
                num(&mut b, p.chunks + 3);
                b.extend_from_slice(b",\"response\":");
                responses_object(&mut b, &self.model, p, p.chunks, 12);
                b.extend_from_slice(b"}\n\n");
            }
        }
        b.freeze()
    }
    fn error_event(&self) -> Bytes {
        Bytes::from_static(match self.kind {
            Kind::OpenAi => b"data: {\"error\":{\"message\":\"mock: overloaded in mid stream\",\"type\":\"server_error\",\"code\":null}}\n\n",
            Kind::Anthropic => b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            Kind::Responses => b"event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"mock\"}\n\n",
        })
    }
}
impl Body for Sse {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        loop {
            if let Some(s) = self.sleep.as_mut() {
                if s.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.sleep = None;
            }
            match self.state {
                0 => {
                    self.state = 1;
                    return Poll::Ready(Some(Ok(Frame::data(self.head()))));
                }
                1 => {
                    if self.i == self.p.reset_after {
                        self.state = 3; // let what was written leave before the reset
                        self.sleep = Some(Box::pin(tokio::time::sleep(Duration::from_millis(5))));
                        continue;
                    }
                    if self.i == self.p.hang_after {
                        return Poll::Pending;
                    }
                    if self.i == self.p.error_after {
                        self.state = 4;
                        ERRORS.fetch_add(1, Relaxed);
                        return Poll::Ready(Some(Ok(Frame::data(self.error_event()))));
                    }
                    if self.i >= self.p.chunks {
                        self.state = 4;
                        return Poll::Ready(Some(Ok(Frame::data(self.tail()))));
                    }
                    let c = self.chunk();
                    self.i += 1;
                    if self.p.gap_ms > 0 && self.i < self.p.chunks {
                        self.sleep = Some(Box::pin(tokio::time::sleep(Duration::from_millis(self.p.gap_ms))));
                    }
                    return Poll::Ready(Some(Ok(Frame::data(c))));
                }
                3 => {
                    linger0(self.fd);
                    self.finished = true;
                    ERRORS.fetch_add(1, Relaxed);
                    return Poll::Ready(Some(Err(std::io::Error::new(
                        std::io::ErrorKind::ConnectionReset,
                        "mock",
                    ))));
                }
                _ => {
                    self.finished = true;
                    return Poll::Ready(None);
                }
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        false
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
