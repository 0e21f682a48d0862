//! The Responses protocol (providers §3), spoken by OpenAI, Azure and, in parts, by others. What sets a
//! provider apart is data ([`Quirks`]); the code knows no provider by name.
//!
//! - [`encode`]: the neutral conversation as a request
//! - [`adapt`]: a client's own Responses body, spliced for the provider (I17)
//! - [`Decoder`]: a reply as neutral events
//! - [`ResponsesTap`]: a reply that is passed through, read along

mod adapt;
mod decode;
mod encode;
mod options;
mod quirks;
mod reasoning;
mod tap;
mod usage;

use std::borrow::Cow;

use tollgate_wire::json::{self, Object};

pub use adapt::{adapt, adapt_checked, adapt_compact};
pub use decode::Decoder;
pub use encode::{Encoded, encode};
pub use quirks::Quirks;
pub use tap::ResponsesTap;
pub use usage::{UsageReport, parse as parse_usage};

/// The namespace of opaque provider data that belongs to this protocol.
const NAMESPACE: &str = "openai";

/// The text of a string member that is not empty.
fn text<'o>(object: &'o Object<'_>, key: &str) -> Option<Cow<'o, str>> {
    json::string(object.get(key)?).filter(|text| !text.is_empty())
}
