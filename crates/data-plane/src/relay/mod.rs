//! Provider bytes → client bytes, until the true end.

mod body;
mod translation;

pub use body::ReplyBody;
pub(crate) use body::StreamParts;
pub(crate) use translation::{Step, Translation, Whole};
