//! `generateContent` and `streamGenerateContent` (providers §5).
//!
//! - [`encode`]: the neutral conversation as a request body, [`path`]: where it goes
//! - [`Decoder`]: a reply, whole or streamed, as neutral events
//!
//! # Thought signatures (I19)
//! Gemini signs parts of its answer and wants each signature back on exactly the part that it came on. The
//! neutral form has no place for it there, so that it travels as a reasoning item of the same message, of the
//! format `FORMAT_GEMINI`:
//! - of a call: an encrypted item whose id is the call's id, right before the call;
//! - of a visible text or a file: an encrypted item without an id right behind it;
//! - of a text without any content: an encrypted item without an id;
//! - of a visible thought: the signature of the thought's own item.
//!
//! Where a client's dialect lost the place of an item without an id (chat completions lists all reasoning
//! first), it goes to the first call behind it if no call of the message has a signature, else to the last
//! unsigned text or file behind it, else to the thought before it, else into an empty text part where it stood.
//!
//! # Ids of calls
//! The provider often gives none. The decoder then makes one, `call_gem` and sixteen hexadecimal digits;
//! such an id is not sent back.

mod call;
mod call_id;
mod decode;
mod encode;
mod ending;
mod files;
mod grounding;
mod part;
mod request_options;
mod signatures;
mod thinking;
mod tools;
mod turns;
mod usage;

#[cfg(test)]
mod tests;

pub use decode::Decoder;
pub use encode::{Encoded, encode, path};
pub(crate) use files::inline as file_part;
