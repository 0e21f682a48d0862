//! Over real sockets on this machine; nothing leaves it.
//!
//! - [`server`]: answers by path; [`getting`]: one file; [`replacing`]: whole requests and answers

mod getting;
mod replacing;
mod server;
