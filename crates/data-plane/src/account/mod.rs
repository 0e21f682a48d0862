//! Look-ups that cost nothing: models, one generation, credits (gateway-api §13, §14). Models are public;
//! the rest belongs to the caller's team.

mod generation;
mod models;
mod report;

pub(crate) use generation::{credits, generation};
pub(crate) use models::{ai_sdk_config, claude_code_list, codex_list, endpoints, list, one};
pub(crate) use report::report;
