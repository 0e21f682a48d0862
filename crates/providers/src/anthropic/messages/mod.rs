//! The Messages protocol (providers §4), spoken by Anthropic itself and, wrapped, by the clouds.
//!
//! - [`encode`]: the neutral conversation as a request body
//! - [`must_stream`]: whether an answer has to be asked for as a stream
//! - [`headers`]: the protocol's version and betas
//! - [`Decoder`]: a reply, whole or streamed, as neutral events
//! - [`MessagesTap`]: a reply that is passed through, read along
//! - [`adapt`]: a client's own body of this protocol, passed through; [`adapt_count`] for counting tokens

mod adapt;
mod block;
mod cache;
mod decode;
mod encode;
mod files;
mod model;
mod native;
mod open_block;
mod options;
mod prompt;
mod reasoning;
mod schema;
mod tap;
mod tool_ids;
mod tools;
mod usage;

#[cfg(test)]
mod tests;

pub use adapt::{adapt, adapt_checked, adapt_count, adapt_count_checked, option_betas, read_count};
pub use decode::Decoder;
pub use encode::{Encoded, encode, must_stream};
pub use tap::MessagesTap;

/// The version of the protocol that this codec speaks.
pub const VERSION: &str = "2023-06-01";

/// The namespace of opaque provider data that belongs to this protocol.
pub(crate) const NAMESPACE: &str = "anthropic";

/// The protocol's own headers. Each item of `betas` may be one name or a comma list (a client's own
/// `anthropic-beta`); names are merged in order, each once. Without any there is no `anthropic-beta`.
#[must_use]
pub fn headers<'a>(betas: impl IntoIterator<Item = &'a str>) -> Vec<(&'static str, String)> {
    let mut found = vec![("anthropic-version", VERSION.to_owned())];
    let mut names: Vec<&str> = Vec::new();
    for name in betas.into_iter().flat_map(|list| list.split(',')).map(str::trim) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        found.push(("anthropic-beta", names.join(",")));
    }
    found
}

/// Names of betas that a request needs, in order, each once.
#[derive(Debug, Default)]
pub(crate) struct Betas(Vec<String>);

impl Betas {
    /// Adds a name unless it is there.
    pub(crate) fn add(&mut self, name: &str) {
        if !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }
}
