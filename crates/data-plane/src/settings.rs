//! Limits of the data plane (I23, I26): each has a default, and a metric when it is hit.

use std::time::Duration;

use tollgate_policy::retry::RetryPolicy;

/// Limits and deadlines.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// The largest whole answer of a provider, in bytes.
    pub max_reply_bytes: usize,
    /// The largest error body that is read for its sentence, in bytes.
    pub max_error_bytes: usize,
    /// The most requests between admission and settlement.
    pub max_open_requests: usize,
    /// How long a client may take for its request head.
    pub request_head_timeout: Duration,
    /// The longest silence while a client sends its body.
    pub request_body_timeout: Duration,
    /// From sending an attempt to its first content; for a whole answer, to its end (I23).
    pub first_content_timeout: Duration,
    /// The longest silence of a provider between two events of a stream (I23).
    pub event_gap_timeout: Duration,
    /// The longest life of a request, all attempts included (I23).
    pub total_timeout: Duration,
    /// A comment is sent to the client after this long a silence in a stream.
    pub keep_alive: Duration,
    /// Whether files are also fetched from private addresses (I29); where a provider's own answer points to
    /// its own host, they are in any case.
    pub allow_private_fetch: bool,
    /// The largest file that is fetched from an address in a request or a provider's answer, in bytes.
    pub max_fetch_bytes: usize,
    /// How long one such file may take, from its name to its last byte, redirects included.
    pub fetch_timeout: Duration,
    /// The most redirects that are followed to such a file.
    pub max_fetch_redirects: u32,
    /// The most such files of one request; of an answer, as many are fetched at a time.
    pub max_fetch_files: usize,
    /// What is tried again, and when.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            max_reply_bytes: 128 << 20,
            max_error_bytes: 256 << 10,
            max_open_requests: 50_000,
            request_head_timeout: Duration::from_secs(30),
            request_body_timeout: Duration::from_secs(30),
            first_content_timeout: Duration::from_secs(600),
            event_gap_timeout: Duration::from_secs(180),
            total_timeout: Duration::from_secs(3600),
            keep_alive: Duration::from_secs(15),
            allow_private_fetch: false,
            max_fetch_bytes: 20 << 20,
            fetch_timeout: Duration::from_secs(20),
            max_fetch_redirects: 3,
            max_fetch_files: 8,
            retry: RetryPolicy::default(),
        }
    }
}
