//! Text: prose made from a question, its cutting into stream events, its count in tokens. All of it
//! depends on its input alone.

const FILLER: &str = "the quick brown fox jumps over the lazy dog and writes some ordinary words. ";

/// Tokens of a text of so many bytes: a quarter, rounded up.
pub(crate) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// The next number of a splitmix64 sequence.
pub(crate) fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A 64-bit FNV-1a hash, the same on every machine.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    extend_hash(0xCBF2_9CE4_8422_2325, bytes)
}

/// Continues [`hash`] over more bytes.
pub(crate) fn extend_hash(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// Ordinary words of exactly this many bytes.
pub(crate) fn filler(bytes: usize) -> String {
    let mut text = FILLER.repeat(bytes / FILLER.len() + 1);
    text.truncate(bytes);
    text
}

/// At most `limit` bytes of a text, on one line, with an ellipsis where it was cut.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(limit + 8);
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > limit {
            line.truncate(line.floor_char_boundary(limit));
            line.truncate(line.trim_end().len());
            line.push('…');
            break;
        }
    }
    line
}

/// A plausible paragraph or two in answer to a question.
pub(crate) fn prose(question: &str) -> String {
    const OPENINGS: [&str; 4] = [
        "Here is a short answer to",
        "Let us look at",
        "That is worth a careful answer:",
        "To begin with, this is how I read",
    ];
    const BODIES: [&str; 4] = [
        "The main point is to separate what is known from what is assumed, and to start with the part that \
         can be checked. Most of the difficulty goes away once the terms are fixed.",
        "There are two things to keep apart here: what the question says, and what it takes for granted. \
         The first is easy to answer; the second decides whether the answer is useful.",
        "It helps to take it in steps. First state the goal, then list what stands in its way, then remove \
         the largest obstacle and look again.",
        "In practice a simple approach works well: begin with a small example, see that it holds, and only \
         then go on to the general case.",
    ];
    const CLOSINGS: [&str; 4] = [
        "If you tell me more about the setting, I can be more exact.",
        "I can go into any of these points in more detail.",
        "A next step would be to try this on a real case and compare.",
        "Let me know which part matters most to you.",
    ];
    let question = question.trim();
    if question.is_empty() {
        return "Hello! I am a simulated model. Ask me something, and I will answer in my own way."
            .to_owned();
    }
    let mut state = hash(question.as_bytes());
    let mut pick = |list: &[&'static str; 4]| list[(mix(&mut state) % 4) as usize];
    let (opening, body, more, closing) = (pick(&OPENINGS), pick(&BODIES), pick(&BODIES), pick(&CLOSINGS));
    let quoted = excerpt(question, 160);
    if body == more {
        format!("{opening} \"{quoted}\".\n\n{body} {closing}")
    } else {
        format!("{opening} \"{quoted}\". {body}\n\n{more} {closing}")
    }
}

/// Cuts a text into stream events: one to three words each, long runs without a space at 24 bytes; or
/// pieces of a fixed size. Joined, they are the text.
pub(crate) fn pieces(text: &str, piece_bytes: Option<usize>) -> Vec<&str> {
    const LONGEST: usize = 24;
    let limit = piece_bytes.unwrap_or(LONGEST).max(1);
    let mut pieces = Vec::with_capacity(text.len() / 8 + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let wanted = if piece_bytes.is_some() { limit } else { words_end(rest, 1 + pieces.len() % 3) };
        let mut end = rest.floor_char_boundary(wanted.min(limit));
        if end == 0 {
            end = rest.ceil_char_boundary(1);
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Where so many words end, with the space behind them.
fn words_end(text: &str, words: usize) -> usize {
    let mut seen = 0;
    let mut in_space = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            in_space = true;
        } else if in_space {
            seen += 1;
            in_space = false;
            if seen == words {
                return at;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_and_join_to_the_text() {
        for text in ["", "a", "one two  three four\n\nfive six", "ümläut ⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙⚙ end", &filler(700)]
        {
            for size in [None, Some(1), Some(5)] {
                let pieces = pieces(text, size);
                assert_eq!(pieces.concat(), text);
                assert!(pieces.iter().all(|p| !p.is_empty() && p.len() <= size.unwrap_or(24).max(4)));
            }
        }
        assert_eq!(pieces("one two three four five six ", None), ["one ", "two three ", "four five six "]);
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_is_quoted() {
        assert_eq!(prose("why is the sky blue?"), prose("why is the sky blue?"));
        assert!(prose("why is the sky blue?").contains("why is the sky blue?"));
        assert_ne!(prose("a"), prose("b"));
        assert_eq!(filler(1000).len(), 1000);
        assert_eq!((tokens(0), tokens(1), tokens(8)), (0, 1, 2));
    }
}
