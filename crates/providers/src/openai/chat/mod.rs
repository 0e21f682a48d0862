//! Chat completions (providers §1, §2): one codec for OpenAI and every server that follows it. What sets a
//! provider apart is data ([`Quirks`]); the code knows no provider by name.
//!
//! - [`encode`]: the neutral conversation as a request
//! - [`adapt`]: a client's own chat-completions body, spliced for the provider (I17)
//! - [`must_stream`]: whether an answer has to be asked for as a stream
//! - [`Decoder`]: a reply as neutral events
//! - [`ChatTap`]: a reply that is passed through, read along

mod adapt;
mod chunk;
mod decode;
mod encode;
mod ending;
mod long_answer;
mod quirks;
mod tap;
mod tool_repair;
mod usage;

pub use adapt::{adapt, adapt_checked};
pub use decode::Decoder;
pub use encode::encode;
pub use long_answer::must_stream;
pub use quirks::{
    FileForm, Quirks, ReasoningBack, ReasoningStyle, SchemaRule, SystemRole, TokenLimit, ToolChoiceRule,
    ToolIds, UsageConvention,
};
pub(in crate::openai) use quirks::{family, knows_tier, openai_reasons, samples_without_effort};
pub use tap::ChatTap;
pub use usage::{UsageReport, parse as parse_usage};
