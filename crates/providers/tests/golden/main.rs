//! Golden tests of the provider codecs: every example and every recorded exchange must decode to what was
//! expected of it, however its bytes are split.

mod anthropic;
mod fixture;
mod openai_chat;
