//! The path of a request. [`pipeline`] is the table of contents; each stage is a folder, in the order in
//! which a request meets them:
//!
//! `listen` → `authenticate` → `decode` → `resolve` → `admit` → `attempt` → `relay` → `meter` → `settle`
//!
//! Typed values pass from stage to stage: `Caller`, `RequestIntent`, `Plan`, `Ticket`, `Live`, `Ending`. From
//! `admit` on, the ticket is a guard: exactly one settlement happens on success, error, panic, client loss
//! or shutdown. The request path needs no database (I25): it reads a [`Snapshot`] and writes the ledger.

mod account;
mod admit;
mod attempt;
mod authenticate;
mod clock;
mod continued;
mod count;
mod decode;
mod fetch;
mod gateway;
pub mod lanes;
mod listen;
mod meter;
mod pipeline;
mod refusal;
mod relay;
mod resolve;
mod settings;
mod settle;
mod snapshot;

pub use authenticate::Caller;
pub use clock::{Clock, IdSource, SystemClock};
pub use gateway::{Gateway, GatewayParts};
pub use listen::{Fallback, Server};
pub use relay::ReplyBody;
pub use resolve::{Access, AccessConfig, AccessError, UpstreamProtocol};
pub use settings::Settings;
pub use snapshot::Snapshot;
