//! Proofs, and the moment they are judged at.

use super::types::{Problem, Remedy};
use crate::Instant;
use crate::testing::during;
use crate::testing::proofs::{self, problem};

/// A piece of the signed text.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// The request's body as it arrived.
    Body,
    /// UTF-8.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What the sender presents.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// Lower-case hexadecimal.
    Hex(&'a str),
    /// Standard alphabet, padded.
    Base64(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// The hash under an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the secret's configured text becomes the key's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// The UTF-8 of the text.
    Text,
    /// The text decoded from base64, after a leading `whsec_` if there is one.
    Base64,
    /// The text decoded from hexadecimal.
    Hex,
}

pub fn hmac(secret: &str, form: KeyForm, hash: Hash, signed: &[Part<'_>], proof: Proof<'_>) -> Result<(), Problem> {
    during(|run| {
        proofs::hmac(run, secret, form, hash, signed, proof)?;
        run.verified = true;
        Ok(())
    })
}

pub fn shared_key(secret: &str, presented: &[u8]) -> Result<(), Problem> {
    during(|run| {
        proofs::shared_key(run, secret, presented)?;
        run.verified = true;
        Ok(())
    })
}

pub fn ed25519(key_set: &str, _signed: &[Part<'_>], proof: Proof<'_>) -> Result<(), Problem> {
    match proof {
        Proof::Hex(text) | Proof::Base64(text) => accepted(key_set, text.as_bytes()),
        Proof::Bytes(bytes) => accepted(key_set, bytes),
    }
}

pub fn detached_jws(key_set: &str, _algorithms: &[&str], jws: &str) -> Result<(), Problem> {
    accepted(key_set, jws.as_bytes())
}

pub fn fresh(at: Instant, tolerance_seconds: u32) -> Result<(), Problem> {
    let received = during(|run| run.received_at);
    let tolerance = u64::from(tolerance_seconds.min(86_400)) * 1000;
    if at.saturating_add(tolerance) < received {
        return Err(problem(Remedy::None, "too-old", "it was signed too long ago"));
    }
    if at > received.saturating_add(tolerance) {
        return Err(problem(Remedy::None, "too-new", "it was signed in the future"));
    }
    Ok(())
}

/// Keys are not computed with here: a test says which proof its set accepts, and the real host is asked in fixtures.
fn accepted(key_set: &str, proof: &[u8]) -> Result<(), Problem> {
    during(|run| match run.shop.key_sets.get(key_set) {
        None => {
            let message = format!("the shop has no key set `{key_set}`");
            Err(problem(Remedy::Operator, "key-set-missing", &message))
        }
        Some(accepted) if accepted.iter().any(|accepted| accepted.as_bytes() == proof) => {
            run.verified = true;
            Ok(())
        }
        Some(_) => Err(problem(Remedy::None, "signature-mismatch", "no key of the set gives this signature")),
    })
}
