//! A provider's stream, passed through: whatever the provider sends, clients get well-formed chunks.

use tollgate_dialects::chat_completions::StreamSplice;
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_wire::sse;

use crate::chunk_stream;

/// As `chat_decoder`; an odd first byte leaves reasoning out.
pub fn check(data: &[u8]) {
    let [what, _, reply @ ..] = data else { return };
    let mut splice = StreamSplice::new(chunk_stream::context(what % 2 == 1));
    let mut out = Vec::new();
    let mut decoder = sse::Decoder::default();
    let mut each = |event: sse::Event<'_>| splice.event(event.data, &mut out);
    decoder.feed(reply, &mut each).expect("far below the limit");
    decoder.finish(&mut each);
    if splice.finished() {
        splice.close(&chunk_stream::receipt(), &mut out);
    } else {
        splice.fail(&Failure::provider(FailureClass::Truncated, "The stream was cut."), &mut out);
    }
    let read = chunk_stream::read(&out);
    assert_ne!(read.done, read.failed, "one end");
}
