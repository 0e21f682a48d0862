//! Byte formats, pure: server-sent events ([`sse`]) and JSON that is looked at and spliced without
//! being parsed as a whole ([`json`]), so that what the gateway does not own stays as it was written (I17).

pub mod json;
pub mod sse;
