//! Decisions of the data plane as pure functions over (state, event, now), so that every case is tested
//! without a socket or a clock.

pub mod retry;
