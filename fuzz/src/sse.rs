//! Server-sent events: how the bytes are split changes nothing (I20).

use tollgate_wire::sse::{self, Decoder, Event};

use crate::split;

type Events = Vec<(Vec<u8>, Vec<u8>)>;

/// One byte that names a split, then the stream.
pub fn check(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else { return };
    let whole = decode(&[stream]);
    assert_eq!(decode(&split::pieces(stream, *seed)), whole, "split by {seed}");
    assert_eq!(decode(&split::pieces(stream, 0)), whole, "split into single bytes");
    for (name, data) in &whole {
        written_is_read(name, data);
    }
}

/// The events that the pieces give; the held bytes stay below what was sent.
fn decode(pieces: &[&[u8]]) -> Events {
    let mut found = Events::new();
    let mut each = |event: Event<'_>| found.push((event.name.to_vec(), event.data.to_vec()));
    let mut decoder = Decoder::default();
    for piece in pieces {
        decoder.feed(piece, &mut each).expect("far below the limit");
    }
    decoder.finish(&mut each);
    assert!(!decoder.has_partial(), "something is held after the end");
    decoder.finish(&mut each);
    let total: usize = pieces.iter().map(|piece| piece.len()).sum();
    let given: usize = found.iter().map(|(name, data)| name.len() + data.len()).sum();
    assert!(given <= total && found.len() <= total, "more came out than went in");
    found
}

/// What is written is read back, as far as one line can carry it.
fn written_is_read(name: &[u8], data: &[u8]) {
    let one_line = |text: &[u8]| !text.contains(&b'\n') && !text.ends_with(b"\r");
    let Ok(name) = std::str::from_utf8(name) else { return };
    if !one_line(data) || !one_line(name.as_bytes()) {
        return;
    }
    let mut out = Vec::new();
    sse::write_event(&mut out, name, data);
    sse::write_data(&mut out, data);
    let expected = vec![(name.as_bytes().to_vec(), data.to_vec()), (Vec::new(), data.to_vec())];
    assert_eq!(decode(&[&out]), expected);
}
