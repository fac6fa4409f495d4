//! Proofs that a request is the shop's. The host checks them; no secret enters the adapter.

use crate::host::signatures as host;
use crate::{Instant, Result};

pub use host::{Hash, KeyForm, Part, Proof};

/// An HMAC of the parts, joined without anything between them.
///
/// # Errors
///
/// `signature-mismatch`, `signature-malformed`, `secret-missing`.
pub fn hmac(secret: &str, form: KeyForm, hash: Hash, signed: &[Part<'_>], proof: Proof<'_>) -> Result<()> {
    Ok(host::hmac(secret, form, hash, signed, proof)?)
}

/// A key that the shop sends along as it is.
///
/// # Errors
///
/// `signature-mismatch`, `secret-missing`.
pub fn shared_key(secret: &str, presented: &[u8]) -> Result<()> {
    Ok(host::shared_key(secret, presented)?)
}

/// An Ed25519 signature by one of the set's keys.
///
/// # Errors
///
/// `signature-mismatch`, `signature-malformed`, `keys-unreachable`, `key-set-missing`.
pub fn ed25519(key_set: &str, signed: &[Part<'_>], proof: Proof<'_>) -> Result<()> {
    Ok(host::ed25519(key_set, signed, proof)?)
}

/// A compact JWS with a detached payload over the body as it is.
///
/// # Errors
///
/// `signature-mismatch`, `signature-malformed`, `keys-unreachable`, `key-set-missing`.
pub fn detached_jws(key_set: &str, algorithms: &[&str], jws: &str) -> Result<()> {
    Ok(host::detached_jws(key_set, algorithms, jws)?)
}

/// Lies `at` within the tolerance of the moment of receipt, before or after?
///
/// # Errors
///
/// `too-old`, `too-new`.
pub fn fresh(at: Instant, tolerance_seconds: u32) -> Result<()> {
    Ok(host::fresh(at, tolerance_seconds)?)
}
