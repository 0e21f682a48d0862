//! One record of the journal: length, checksum, payload. A record is written by one call, so a killed
//! process leaves whole records; a torn one can only come from a full disk or lost power, and is known
//! by its checksum.

use tollgate_domain::id::{KeyId, ProjectId, TeamId, Ulid};
use tollgate_domain::{GenerationId, Micros};
use tollgate_store::Intent;

/// What a segment begins with.
pub(super) const MAGIC: &[u8; 8] = b"TGINT01\n";

const HEAD: usize = 8;
const KIND_PADDING: u8 = 0;
const KIND_INTENT: u8 = 1;

const HAS_PROJECT: u8 = 1;
const HAS_END_USER: u8 = 2;
const STREAMED: u8 = 4;

/// What a segment holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Its intents, in the order they were written.
    pub(super) intents: Vec<Intent>,
    /// Bytes behind the last whole record.
    pub(super) torn: usize,
}

/// Makes `out` the record of an intent.
pub(super) fn encode(intent: &Intent, out: &mut Vec<u8>) {
    let texts = intent.requested_model.len()
        + intent.canonical_model.len()
        + intent.provider.len()
        + intent.dialect.len()
        + intent.end_user.as_deref().map_or(0, str::len)
        + intent.tags.iter().map(|tag| tag.len() + 4).sum::<usize>();
    out.clear();
    out.reserve(HEAD + 110 + texts);
    out.extend_from_slice(&[0; HEAD]);
    out.push(KIND_INTENT);
    let mut flags = 0;
    flags |= if intent.project.is_some() { HAS_PROJECT } else { 0 };
    flags |= if intent.end_user.is_some() { HAS_END_USER } else { 0 };
    flags |= if intent.streamed { STREAMED } else { 0 };
    out.push(flags);
    out.extend_from_slice(&intent.id.0.0.to_le_bytes());
    out.extend_from_slice(&intent.admitted_at.0.to_le_bytes());
    out.extend_from_slice(&intent.team.0.0.to_le_bytes());
    out.extend_from_slice(&intent.key.0.0.to_le_bytes());
    if let Some(project) = intent.project {
        out.extend_from_slice(&project.0.0.to_le_bytes());
    }
    for text in [&intent.requested_model, &intent.canonical_model, &intent.provider, &intent.dialect] {
        push_text(out, text);
    }
    if let Some(user) = &intent.end_user {
        push_text(out, user);
    }
    push_length(out, intent.tags.len());
    for tag in &intent.tags {
        push_text(out, tag);
    }
    seal(out);
}

/// A record of `size` bytes that says nothing, to find out whether the disk takes bytes again.
pub(super) fn padding(size: usize) -> Vec<u8> {
    let mut out = vec![0; HEAD + size.max(1)];
    out[HEAD] = KIND_PADDING;
    seal(&mut out);
    out
}

/// Reads a whole segment up to its first torn record.
pub(super) fn parse(segment: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let Some(mut rest) = segment.strip_prefix(MAGIC) else {
        parsed.torn = segment.len();
        return parsed;
    };
    while let Some((payload, behind)) = split(rest) {
        match Reader(payload).record() {
            Some(Some(intent)) => parsed.intents.push(intent),
            Some(None) => {}
            None => break,
        }
        rest = behind;
    }
    parsed.torn = rest.len();
    parsed
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let sum = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let (payload, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    // No record is empty; zeros, which a lost write leaves, are no record.
    (!payload.is_empty() && checksum(payload) == sum).then_some((payload, behind))
}

fn seal(record: &mut [u8]) {
    let payload = record.len() - HEAD;
    let sum = checksum(&record[HEAD..]);
    record[..4].copy_from_slice(&u32::try_from(payload).unwrap_or(u32::MAX).to_le_bytes());
    record[4..HEAD].copy_from_slice(&sum.to_le_bytes());
}

/// Multiply and rotate over words of eight bytes: some ten times cheaper than a table CRC, and what it
/// must find is a tail that was never written, not an adversary.
fn checksum(bytes: &[u8]) -> u32 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = K ^ u64::try_from(bytes.len()).unwrap_or(0);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(K).rotate_left(29);
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(K);
    hash ^= hash >> 32;
    u32::try_from(hash & 0xFFFF_FFFF).unwrap_or(0)
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Takes values off the front of a payload; `None` when it is too short or makes no sense.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// `Some(None)`: a record without an intent.
    fn record(&mut self) -> Option<Option<Intent>> {
        match self.chunk::<1>()?[0] {
            KIND_INTENT => self.intent().map(Some),
            KIND_PADDING => Some(None),
            _ => None,
        }
    }

    fn intent(&mut self) -> Option<Intent> {
        let flags = self.chunk::<1>()?[0];
        let id = GenerationId(self.ulid()?);
        let admitted_at = Micros(i64::from_le_bytes(self.chunk()?));
        let team = TeamId(self.ulid()?);
        let key = KeyId(self.ulid()?);
        let project = if flags & HAS_PROJECT == 0 { None } else { Some(ProjectId(self.ulid()?)) };
        let (requested_model, canonical_model) = (self.text()?, self.text()?);
        let (provider, dialect) = (self.text()?, self.text()?);
        let end_user = if flags & HAS_END_USER == 0 { None } else { Some(self.text()?) };
        let count = self.length()?;
        let tags = (0..count).map(|_| self.text()).collect::<Option<Vec<_>>>()?;
        self.0.is_empty().then_some(Intent {
            id,
            admitted_at,
            team,
            project,
            key,
            requested_model,
            canonical_model,
            provider,
            dialect,
            streamed: flags & STREAMED != 0,
            end_user,
            tags,
        })
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn ulid(&mut self) -> Option<Ulid> {
        self.chunk().map(|bytes| Ulid(u128::from_le_bytes(bytes)))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.chunk()?)).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn intent() -> impl Strategy<Value = Intent> {
        let ids = (any::<u128>(), any::<u128>(), any::<u128>(), proptest::option::of(any::<u128>()));
        let texts = (".*", ".*", "[a-z]{0,9}", "[a-z_]{0,9}");
        let rest =
            (any::<i64>(), any::<bool>(), proptest::option::of(".*"), proptest::collection::vec(".*", 0..4));
        (ids, texts, rest).prop_map(|(ids, texts, rest)| Intent {
            id: GenerationId(Ulid(ids.0)),
            admitted_at: Micros(rest.0),
            team: TeamId(Ulid(ids.1)),
            project: ids.3.map(|id| ProjectId(Ulid(id))),
            key: KeyId(Ulid(ids.2)),
            requested_model: texts.0,
            canonical_model: texts.1,
            provider: texts.2,
            dialect: texts.3,
            streamed: rest.1,
            end_user: rest.2,
            tags: rest.3,
        })
    }

    fn encoded(intent: &Intent) -> Vec<u8> {
        let mut record = vec![7; 50];
        encode(intent, &mut record);
        record
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_any_tear_loses_only_the_last(
            intents in proptest::collection::vec(intent(), 1..5),
            cut in any::<proptest::sample::Index>(),
        ) {
            let records: Vec<_> = intents.iter().map(encoded).collect();
            let mut whole = MAGIC.to_vec();
            whole.extend_from_slice(&padding(100));
            records.iter().for_each(|record| whole.extend_from_slice(record));
            let parsed = parse(&whole);
            prop_assert_eq!(&parsed.intents, &intents);
            prop_assert_eq!(parsed.torn, 0);

            let last = records.last().map_or(0, Vec::len);
            let torn = cut.index(last - 1) + 1;
            let parsed = parse(&whole[..whole.len() - torn]);
            prop_assert_eq!(&parsed.intents[..], &intents[..intents.len() - 1]);
            prop_assert_eq!(parsed.torn, last - torn);
        }

        #[test]
        fn a_changed_byte_is_found(intent in intent(), at in any::<proptest::sample::Index>(), bit in 0..8u32) {
            let mut record = encoded(&intent);
            let at = at.index(record.len());
            record[at] ^= 1 << bit;
            let whole = [&MAGIC[..], &record].concat();
            prop_assert!(parse(&whole).intents.is_empty());
        }
    }

    #[test]
    fn zeros_behind_the_records_are_no_records() {
        let whole = [&MAGIC[..], &padding(1), &[0; 64]].concat();
        let parsed = parse(&whole);
        assert_eq!((parsed.intents.len(), parsed.torn), (0, 64));
    }
}
