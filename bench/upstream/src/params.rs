//! The settings of one answer: flags, `/__mock/set`, `x-mock`, query and model-name suffix share them.

/// How one request is answered; README.md says what each setting does.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    pub size: usize,       // bytes of assistant text in a non-streaming answer
    pub delay_ms: u64,     // fixed delay before a non-streaming answer
    pub chunks: u32,       // content chunks of a stream
    pub chunk_size: usize, // padding bytes of text per chunk
    pub ttft_ms: u64,      // delay before response headers + first chunk of a stream
    pub gap_ms: u64,       // delay between content chunks (0: back to back)
    pub usage: u8,         // 0 as asked (include_usage), 1 always, 2 never
    pub status: u16,       // 200, or an error status with a provider-shaped error body
    pub retry_after: u32,  // seconds; 0: header absent
    pub fault: u8,         // 0 none, 1 reset before headers, 2 hang, 3 close (FIN) before headers
    pub reset_after: u32,  // RST after k content chunks; u32::MAX never
    pub hang_after: u32,   // stall for ever after k content chunks
    pub error_after: u32,  // SSE error event after k content chunks, then end
    pub times: u32,        // apply status/fault/..._after to this many requests, then stop (MAX: always)
    pub prompt_tokens: u32,
    pub cached_tokens: u32,
    pub cache_write_tokens: u32,
    pub dims: usize, // embedding length
}

impl Params {
    pub const DEFAULT: Params = Params {
        size: 1024,
        delay_ms: 0,
        chunks: 50,
        chunk_size: 12,
        ttft_ms: 0,
        gap_ms: 0,
        usage: 0,
        status: 200,
        retry_after: 0,
        fault: 0,
        reset_after: u32::MAX,
        hang_after: u32::MAX,
        error_after: u32::MAX,
        times: u32::MAX,
        prompt_tokens: 1234,
        cached_tokens: 1024,
        cache_write_tokens: 128,
        dims: 256,
    };
    pub fn set(&mut self, k: &str, v: &str) -> bool {
        macro_rules! n {
            ($f:ident) => {
                match v.parse() {
                    Ok(x) => {
                        self.$f = x;
                        true
                    }
                    Err(_) => false,
                }
            };
        }
        match k {
            "size" => n!(size),
            "delay_ms" => n!(delay_ms),
            "chunks" => n!(chunks),
            "chunk_size" => n!(chunk_size),
            "ttft_ms" => n!(ttft_ms),
            "gap_ms" => n!(gap_ms),
            "status" => n!(status),
            "retry_after" => n!(retry_after),
            "reset_after" => n!(reset_after),
            "hang_after" => n!(hang_after),
            "error_after" => n!(error_after),
            "times" => n!(times),
            "prompt_tokens" => n!(prompt_tokens),
            "cached_tokens" => n!(cached_tokens),
            "cache_write_tokens" => n!(cache_write_tokens),
            "dims" => n!(dims),
            "usage" => {
                self.usage = match v {
                    "always" => 1,
                    "never" => 2,
                    _ => 0,
                };
                true
            }
            "fault" => {
                self.fault = match v {
                    "reset" => 1,
                    "hang" => 2,
                    "close" => 3,
                    _ => 0,
                };
                true
            }
            "default" => {
                *self = Params::DEFAULT;
                true
            }
            _ => false,
        }
    }
    pub fn parse(&mut self, s: &str) {
        for kv in s.split('&') {
            let (k, v) = kv.split_once('=').unwrap_or((kv, ""));
            if !k.is_empty() {
                self.set(k, v);
            }
        }
    }
    pub fn clear_faults(&mut self) {
        self.status = 200;
        self.fault = 0;
        self.times = u32::MAX;
        self.reset_after = u32::MAX;
        self.hang_after = u32::MAX;
        self.error_after = u32::MAX;
    }
}
