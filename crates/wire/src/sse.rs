//! Server-sent events as providers really send them (providers §0.4): LF, CRLF and mixed line ends,
//! comments, several `data:` lines, an optional space, events split anywhere, a last event without its
//! blank line. Where the bytes are split does not matter (I20).

use memchr::memchr;

/// One event. `data` is the `data:` lines joined by a line feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event:` field; empty when absent.
    pub name: &'a [u8],
    /// The data; empty when the event had none.
    pub data: &'a [u8],
}

/// An event grew beyond the limit (I26).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a stream event exceeds {limit} bytes")]
pub struct TooLarge {
    /// The limit that was passed, in bytes.
    pub limit: usize,
}

/// Finds events in a byte stream. An event that lies whole in one chunk is not copied.
#[derive(Debug)]
pub struct Decoder {
    pending: Vec<u8>,
    /// Where the last, unfinished line of `pending` begins.
    line_start: usize,
    joined: Vec<u8>,
    limit: usize,
    /// What the stream begins with is known.
    started: bool,
    /// Bytes of [`MARK`] held until then.
    mark: usize,
}

/// The byte-order mark, which may stand before the first line.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The default limit of one event: a whole image in base64 fits.
pub const DEFAULT_EVENT_LIMIT: usize = 32 << 20;

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DEFAULT_EVENT_LIMIT)
    }
}

impl Decoder {
    /// A decoder that refuses events beyond `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), line_start: 0, joined: Vec::new(), limit, started: false, mark: 0 }
    }

    /// Takes the next bytes and calls `each` for every event that they complete, comments left out.
    ///
    /// # Errors
    /// When an event exceeds the limit; the decoder is then of no further use.
    pub fn feed(&mut self, chunk: &[u8], each: &mut impl FnMut(Event<'_>)) -> Result<(), TooLarge> {
        let chunk = if self.started { chunk } else { self.begin(chunk) };
        if self.pending.is_empty() {
            let used = scan(chunk, 0, 0, &mut self.joined, each);
            self.pending.extend_from_slice(&chunk[used..]);
            self.line_start = last_line(&self.pending);
        } else {
            let searched = self.pending.len();
            self.pending.extend_from_slice(chunk);
            if memchr(b'\n', chunk).is_some() {
                let used = scan(&self.pending, self.line_start, searched, &mut self.joined, each);
                self.pending.drain(..used);
                self.line_start = last_line(&self.pending);
            }
        }
        if self.pending.len() > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Leaves out a byte-order mark, which may come in pieces (I20); gives the rest of the chunk.
    fn begin<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let same = MARK[self.mark..].iter().zip(chunk).take_while(|(mark, byte)| mark == byte).count();
        if self.mark + same == MARK.len() {
            self.started = true;
            self.mark = 0;
            return &chunk[same..];
        }
        if same == chunk.len() {
            self.mark += same;
            return &[];
        }
        // It was none: what was held begins the first line.
        self.started = true;
        self.pending.extend_from_slice(&MARK[..std::mem::take(&mut self.mark)]);
        chunk
    }

    /// The bytes have ended: a last event that lacks its blank line still counts.
    pub fn finish(&mut self, each: &mut impl FnMut(Event<'_>)) {
        let rest = std::mem::take(&mut self.pending);
        self.line_start = 0;
        // A piece of a byte-order mark is no field.
        self.mark = 0;
        emit(&rest, &mut self.joined, each);
    }

    /// Whether an unfinished event is held.
    #[must_use]
    pub fn has_partial(&self) -> bool {
        self.mark > 0 || self.pending.iter().any(|b| !b.is_ascii_whitespace())
    }
}

/// Where the last line begins.
fn last_line(pending: &[u8]) -> usize {
    memchr::memrchr(b'\n', pending).map_or(0, |i| i + 1)
}

/// Emits the events that end in `bytes`. `line_start` is where the first line that may be blank begins; bytes
/// before `searched` hold no line end from there on, so that a long line is looked at once however it is cut.
/// Returns how many bytes belong to complete events.
fn scan(
    bytes: &[u8],
    line_start: usize,
    searched: usize,
    joined: &mut Vec<u8>,
    each: &mut impl FnMut(Event<'_>),
) -> usize {
    let (mut event_start, mut line_start) = (0, line_start);
    let mut search_from = searched.max(line_start);
    while let Some(offset) = memchr(b'\n', &bytes[search_from..]) {
        let line_end = search_from + offset;
        let line = &bytes[line_start..line_end];
        if line.is_empty() || line == b"\r" {
            emit(&bytes[event_start..line_start], joined, each);
            event_start = line_end + 1;
        }
        line_start = line_end + 1;
        search_from = line_start;
    }
    event_start
}

fn emit(block: &[u8], joined: &mut Vec<u8>, each: &mut impl FnMut(Event<'_>)) {
    let (mut name, mut data): (&[u8], &[u8]) = (b"", b"");
    let mut data_lines = 0usize;
    joined.clear();
    for line in block.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (field, value) = match memchr(b':', line) {
            Some(0) => continue,
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => name = value,
            b"data" => {
                data_lines += 1;
                if data_lines == 1 {
                    data = value;
                } else {
                    if data_lines == 2 {
                        joined.extend_from_slice(data);
                    }
                    joined.push(b'\n');
                    joined.extend_from_slice(value);
                }
            }
            _ => {}
        }
    }
    if data_lines > 0 || !name.is_empty() {
        each(Event { name, data: if data_lines > 1 { joined } else { data } });
    }
}

/// Appends `data: …` and the blank line. `data` must hold no line feed.
pub fn write_data(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

/// Appends `event: …`, `data: …` and the blank line. `data` must hold no line feed.
pub fn write_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    write_data(out, data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let mut push = |e: Event<'_>| {
            events.push((
                String::from_utf8_lossy(e.name).into_owned(),
                String::from_utf8_lossy(e.data).into_owned(),
            ));
        };
        let mut decoder = Decoder::default();
        for chunk in chunks {
            decoder.feed(chunk, &mut push).unwrap();
        }
        decoder.finish(&mut push);
        events
    }

    fn data(text: &str) -> (String, String) {
        (String::new(), text.to_owned())
    }

    const MIXED: &[u8] = b"\xEF\xBB\xBF: hello\n\ndata: {\"a\":1}\r\n\r\nevent: ping\ndata:x\r\n\n: OPENROUTER PROCESSING\n\n\ndata: one\ndata:  two\n\nid: 3\nretry: 5\n\ndata\n\ndata: \xC3\xA4\n\ndata: [DONE]";

    #[test]
    fn mixed_line_ends_comments_and_a_last_event_without_blank_line() {
        let expected = vec![
            data("{\"a\":1}"),
            ("ping".into(), "x".into()),
            data("one\n two"),
            data(""),
            data("ä"),
            data("[DONE]"),
        ];
        assert_eq!(decode(&[MIXED]), expected);
    }

    #[test]
    fn i20_a_byte_order_mark_may_come_in_pieces() {
        for (text, expected) in [
            (&b"\xEF\xBB\xBFdata: x\n\ndata: y\n\n"[..], vec![data("x"), data("y")]),
            (b"\xEF\xBBdata: x\n\ndata: y\n\n", vec![data("y")]),
            (b"\xEF\n\ndata: y\n\n", vec![data("y")]),
            (b"\xEF\xBB\xBF\xEF\xBB\xBFdata: x\n\ndata: y\n\n", vec![data("y")]),
            (b"\xEF\xBB", vec![]),
        ] {
            assert_eq!(decode(&[text]), expected, "{text:x?}");
            let pieces: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(decode(&pieces), expected, "{text:x?}");
            assert_eq!(decode(&[&text[..2], b"", &text[2..]]), expected, "{text:x?}");
        }
    }

    #[test]
    fn a_piece_of_a_byte_order_mark_is_held() {
        let mut decoder = Decoder::default();
        decoder.feed(b"\xEF\xBB", &mut |_| {}).unwrap();
        assert!(decoder.has_partial());
        decoder.feed(b"\xBF", &mut |_| {}).unwrap();
        assert!(!decoder.has_partial(), "a mark alone is nothing");
    }

    #[test]
    fn i26_an_oversized_event_is_refused() {
        let mut decoder = Decoder::new(8);
        assert_eq!(decoder.feed(b"data: 123456789", &mut |_| {}), Err(TooLarge { limit: 8 }));
    }

    proptest::proptest! {
        #[test]
        fn i20_splits_do_not_matter(cuts in proptest::collection::vec(0..MIXED.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut at = 0;
            for cut in cuts {
                chunks.push(&MIXED[at..cut]);
                at = cut;
            }
            chunks.push(&MIXED[at..]);
            proptest::prop_assert_eq!(decode(&chunks), decode(&[MIXED]));
        }

        #[test]
        fn any_bytes_are_survived(
            mark in 0usize..4,
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            cut in 0usize..200,
        ) {
            let bytes = [&b"\xEF\xBB\xBF"[..mark], &bytes].concat();
            let cut = cut.min(bytes.len());
            proptest::prop_assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]]), decode(&[&bytes]));
        }
    }
}
