//! Random numbers of the operating system.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The operating system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random numbers; check that /dev/urandom or getrandom works")]
pub struct NoEntropy;

/// Fills a buffer.
///
/// # Errors
/// When the operating system has none to give.
pub fn fill(buffer: &mut [u8]) -> Result<(), NoEntropy> {
    SystemRandom::new().fill(buffer).map_err(|_| NoEntropy)
}

/// A random 128-bit number.
///
/// # Errors
/// When the operating system has none to give.
pub fn number() -> Result<u128, NoEntropy> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}
