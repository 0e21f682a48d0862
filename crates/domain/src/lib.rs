//! The words of the problem. Everything here is pure: no I/O, no async, no HTTP.
//!
//! - [`id`]: identifiers (`gen_…`, `key_…`) and model ids (`creator/model`)
//! - [`money`]: integer money, prices in picodollars per unit and costs in nanodollars (I4)
//! - [`usage`]: what a request consumed, in disjoint buckets (I1)
//! - [`conversation`]: the neutral form of a request between any dialect and any provider
//! - [`reply`]: the neutral form of an answer, an ordered stream of events
//! - [`task`]: embeddings, images and rerank: one question, one answer
//! - [`failure`]: what went wrong, whose fault it is and what may be retried
//! - [`receipt`]: what happened to a request, as clients and the ledger are told
//! - [`json_text`]: JSON that is handed on as it came
//! - [`needs`]: what a model must be able to take to serve a request
//! - [`warning`]: what could not be done exactly as asked
//! - [`options`]: the gateway options of a request (`providerOptions.gateway`)

pub mod conversation;
pub mod failure;
pub mod id;
pub mod input_error;
pub mod json_text;
pub mod money;
pub mod needs;
pub mod options;
pub mod receipt;
pub mod reply;
pub mod task;
pub mod time;
pub mod usage;
pub mod warning;

pub use conversation::Conversation;
pub use failure::Failure;
pub use id::{GenerationId, ModelId};
pub use input_error::InputError;
pub use json_text::JsonText;
pub use money::{Nanodollars, Picodollars};
pub use needs::Needs;
pub use receipt::Receipt;
pub use reply::ReplyEvent;
pub use time::Micros;
pub use usage::Usage;
pub use warning::Warning;
