//! Small pictures: valid PNG files drawn from a prompt, the same every time.

use super::text;
use crate::checksum::{adler32, crc32};

const SIDE: u32 = 8;

/// The picture of this number for a prompt.
pub(crate) fn drawn(prompt: &str, number: u64) -> Vec<u8> {
    let mut state = text::hash(prompt.as_bytes()) ^ number;
    let mut rows = Vec::new();
    for at in 0..SIDE * SIDE {
        if at % SIDE == 0 {
            // Each row begins with its filter: none.
            rows.push(0);
        }
        rows.extend_from_slice(&text::mix(&mut state).to_be_bytes()[..3]);
    }
    let mut header = Vec::new();
    header.extend_from_slice(&SIDE.to_be_bytes());
    header.extend_from_slice(&SIDE.to_be_bytes());
    // Eight bits a channel, three channels, and the only compression, filter and order there are.
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &stored(&rows));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    file.extend_from_slice(&(content.len() as u32).to_be_bytes());
    let checked = [kind, content].concat();
    file.extend_from_slice(&checked);
    file.extend_from_slice(&crc32(&checked).to_be_bytes());
}

/// A zlib stream of one block that is not compressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(bytes);
    stream.extend_from_slice(&adler32(bytes).to_be_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_framed_and_checked() {
        let file = drawn("a cat", 0);
        assert_eq!(file, drawn("a cat", 0));
        assert_ne!(file, drawn("a cat", 1));
        let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let mut kinds = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let (checked, after) = after.split_at(4 + length);
            let (sum, after) = after.split_first_chunk::<4>().unwrap();
            assert_eq!(u32::from_be_bytes(*sum), crc32(checked));
            kinds.push(String::from_utf8_lossy(&checked[..4]).into_owned());
            rest = after;
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
    }
}
