//! The gateway's own options of a request, the same on every JSON surface (gateway-api §4).

/// `providerOptions.gateway` and the attribution headers, validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayOptions {
    /// Provider slugs to try first, in this order; the rest follow.
    pub order: Vec<String>,
    /// The only provider slugs that may be used; empty means all.
    pub only: Vec<String>,
    /// The end user that spend is attributed to, at most 256 characters.
    pub user: Option<String>,
    /// Labels that spend is attributed to: at most 10, of 1 to 64 characters each.
    pub tags: Vec<String>,
}

/// The most tags a request may carry (gateway-api §2.2).
pub const MAX_TAGS: usize = 10;
/// The longest tag, in characters.
pub const MAX_TAG_CHARS: usize = 64;
/// The longest user, in characters.
pub const MAX_USER_CHARS: usize = 256;
