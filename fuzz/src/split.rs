//! Ways to cut bytes in pieces, as a network would.

/// The pieces of `data` by the pattern that `seed` names: byte by byte, in two, or of changing length.
pub fn pieces(data: &[u8], seed: u8) -> Vec<&[u8]> {
    match seed % 4 {
        0 => data.chunks(1).collect(),
        1 => {
            let at = usize::from(seed / 4).min(data.len());
            let (first, second) = data.split_at(at);
            vec![first, second]
        }
        2 => data.chunks(usize::from(seed / 4) + 2).collect(),
        _ => uneven(data, u32::from(seed)),
    }
}

/// Pieces of 0 to 31 bytes whose lengths look random.
fn uneven(mut data: &[u8], seed: u32) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    while !data.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = data.split_at(((state >> 24) as usize % 32).min(data.len()));
        found.push(piece);
        data = rest;
    }
    found
}
