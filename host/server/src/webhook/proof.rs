//! Proofs that a request is the shop's, as shops make them.
//!
//! Owns the arithmetic that several platforms share. What is signed, and where the proof stands, is each platform's own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::ImitationError;

/// HMAC-SHA256 over these parts, one after the other.
///
/// # Errors
/// Never for a key that there can be; it is the algorithm's to say.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], ImitationError> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.map_err(|error| ImitationError::Unwritable(error.to_string()))?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

/// Base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
