//! What the fuzz targets reach of the insides: pure functions that otherwise only an adapter reaches, from within.
//!
//! Owns nothing but the words by which they are called from outside. No part of the crate's interface.

use std::sync::Arc;

use bursar_domain::Request;
use secrecy::SecretString;

use crate::proof::{
    self, FailedCheck, Hash, KeyForm, Outcome, Piece, Presented, PublicKeys, jws::DetachedJws, keys::Algorithm,
};

/// An HMAC that somebody presents.
#[derive(Debug, Clone, Copy)]
pub struct Hmac<'a> {
    /// `text`, `base64` or `hex`.
    pub form: &'a str,
    /// `sha1`, `sha256` or `sha512`.
    pub hash: &'a str,
    /// `hex`, `base64` or `bytes`.
    pub encoding: &'a str,
    /// The proof; what is no text in an encoding of text is presented with marks in place of what does not read.
    pub proof: &'a [u8],
}

impl Hmac<'_> {
    /// Is it the HMAC of `before` and the body, by one of the secrets? The error is the code of the problem.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, secrets: &[SecretString], before: &[u8], body: &[u8]) -> Result<(), &'static str> {
        let pieces = [before, body].into_iter();
        match proof::check_hmac(secrets, self.form(), self.hash(), pieces, &self.presented()) {
            Outcome::Success => Ok(()),
            Outcome::Mismatch => Err("signature-mismatch"),
            Outcome::Malformed => Err("signature-malformed"),
            Outcome::SecretMissing => Err("secret-missing"),
            Outcome::SecretMalformed => Err("secret-malformed"),
        }
    }

    /// The check as one that failed.
    #[must_use]
    pub fn failed(&self, secret: &str, before: &[u8], request: Arc<Request>) -> FailedCheck {
        FailedCheck {
            secret: secret.to_owned(),
            form: self.form(),
            hash: self.hash(),
            pieces: vec![Piece::Bytes(before.to_vec()), Piece::Body],
            presented: self.presented(),
            request,
        }
    }

    fn form(&self) -> KeyForm {
        match self.form {
            "base64" => KeyForm::Base64,
            "hex" => KeyForm::Hex,
            _ => KeyForm::Text,
        }
    }

    fn hash(&self) -> Hash {
        match self.hash {
            "sha1" => Hash::Sha1,
            "sha512" => Hash::Sha512,
            _ => Hash::Sha256,
        }
    }

    fn presented(&self) -> Presented {
        let text = || String::from_utf8_lossy(self.proof).into_owned();
        match self.encoding {
            "base64" => Presented::Base64(text()),
            "bytes" => Presented::Bytes(self.proof.to_vec()),
            _ => Presented::Hex(text()),
        }
    }
}

/// Is it one of the secrets?
#[must_use]
pub fn shared_key(secrets: &[SecretString], presented: &[u8]) -> bool {
    proof::check_shared_key(secrets, presented) == Outcome::Success
}

/// Did a key of the set sign the message?
#[must_use]
pub fn ed25519(keys: &PublicKeys, message: &[u8], signature: &[u8]) -> bool {
    proves(keys, Algorithm::EdDsa, None, message, signature)
}

/// Did a key of the set sign the body? The error is a sentence about the signature's form.
///
/// # Errors
/// When it is no such signature.
pub fn detached_jws(keys: &PublicKeys, algorithms: &[String], jws: &str, body: &[u8]) -> Result<bool, &'static str> {
    let parsed = DetachedJws::parse(jws, algorithms)?;
    let message = parsed.message(body);
    Ok(proves(keys, parsed.algorithm, parsed.key_id.as_deref(), &message, &parsed.signature))
}

fn proves(keys: &PublicKeys, algorithm: Algorithm, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
    keys.fitting(algorithm, id).any(|key| key.verifies(algorithm, message, signature))
}
