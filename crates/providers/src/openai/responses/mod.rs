//! The Responses protocol (providers §3).
