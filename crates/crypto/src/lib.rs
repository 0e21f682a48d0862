//! The facade to cryptography: hashing, random numbers, secrets that cannot be printed, gateway keys.
//! No other crate of ours names a cryptographic library.

pub mod gateway_key;
pub mod random;
pub mod secret;

pub use gateway_key::{GatewayKey, KeyFormatError};
pub use secret::Secret;

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}
