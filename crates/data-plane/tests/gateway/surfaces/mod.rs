//! Every surface that clients speak (gateway-api §7 to §17), over sockets.
//!
//! - [`setup`]: providers of every kind behind the gateway; [`table`]: the surfaces, each with a request, its
//!   envelope of errors and its words
//! - [`bad_requests`], [`provider_errors`], [`broken_streams`]: the table of errors (gateway-api §6), a test
//!   a row, over all surfaces
//! - [`messages`], [`responses`], [`websocket`], [`ai_sdk`], [`embeddings`], [`images`], [`rerank`],
//!   [`agents`], [`reports`]: what is particular to one surface

mod agents;
mod ai_sdk;
mod bad_requests;
mod broken_streams;
mod embeddings;
mod images;
mod messages;
mod provider_errors;
mod reports;
mod rerank;
mod responses;
mod setup;
mod table;
mod websocket;
