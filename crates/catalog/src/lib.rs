//! Models, the places that serve them, and what they cost. Pure: no I/O, no clock.
//!
//! - [`Catalog`]: everything known, immutable; [`Catalog::builtin`] is compiled in
//! - [`resolve`](Catalog::resolve): from what a client wrote to a model (gateway-api §3)
//! - [`price`]: the price book, and usage × price → cost (I4, I5, I6)
//! - [`overlay`]: what an operator's configuration adds (operations "Configuration")
//! - [`surface`]: the catalog as clients read it (gateway-api §13)
//! - [`import`] and [`format`]: the feed's form and our own compact one
//! - [`diff`]: what an update changes, in words

mod catalog;
pub mod date;
pub mod diff;
pub mod format;
pub mod import;
mod model;
mod named;
pub mod overlay;
pub mod price;
mod provider;
mod resolve;
pub mod surface;

pub use catalog::{Catalog, CatalogError};
pub use date::Date;
pub use diff::{Change, diff};
pub use format::to_compact;
pub use model::{
    Capabilities, Capability, Endpoint, EndpointStatus, Modality, Model, ModelKind, Reasoning,
    ReasoningBudget, Variant,
};
pub use overlay::{ModelOverlay, Overlay, OverlayError, PriceText, ProviderOverlay};
pub use price::{Level, LevelPrices, PriceTable, Prices, Rates, Tier, Units};
pub use provider::{Auth, AuthError, Protocol, Provider};
pub use resolve::{Match, Resolution, ResolveContext};
