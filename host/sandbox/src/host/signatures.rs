//! `signatures`: proofs that a request is the shop's.
//!
//! Owns which outcome of a check is which problem, and that a success is remembered for the verdict. The arithmetic is
//! in [`proof`](crate::proof); nothing here sees a secret.

use std::sync::Arc;

use wasmtime::Result;

use super::{refusal, seconds};
use crate::{
    contract::bursar::adapter::{
        signatures::{self as wit, Host},
        types::{Problem, Remedy},
    },
    error::RunErrorKind,
    key_sets::KeysFault,
    limits,
    proof::{
        self, FailedCheck, Hash, KeyForm, Outcome, Piece, Presented, PublicKeys, jws::DetachedJws, keys::Algorithm,
    },
    run::{book, state::RunState},
    text,
};

/// Bytes of a signature by Ed25519 (RFC 8032).
const ED25519_SIGNATURE: usize = 64;

const MALFORMED: &str = "the signature does not have the encoding or length that it should have";

type Checked = std::result::Result<(), Problem>;

impl Host for RunState {
    fn hmac(
        &mut self,
        secret: String,
        form: wit::KeyForm,
        hash: wit::Hash,
        signed: Vec<wit::Part>,
        proof: wit::Proof,
    ) -> Result<Checked> {
        let presented = presented(proof);
        self.count_proof(secret.len(), &signed, Some(&presented))?;
        let (form, hash) = (form.into(), hash.into());
        let request = self.served()?.clone();
        let pieces = signed.iter().map(|part| match part {
            wit::Part::Body => request.body.as_ref(),
            wit::Part::Text(text) => text.as_bytes(),
            wit::Part::Bytes(bytes) => bytes.as_slice(),
        });
        let outcome = match presented.length() {
            0..=limits::PRESENTED => proof::check_hmac(self.secrets(&secret), form, hash, pieces, &presented),
            _ => Outcome::Malformed,
        };
        if outcome != Outcome::Success && presented.length() <= limits::PRESENTED {
            let pieces = signed.into_iter().map(Piece::from).collect();
            self.failed_check = Some(FailedCheck { secret: secret.clone(), form, hash, pieces, presented, request });
        }
        Ok(self.conclude(&secret, outcome))
    }

    fn shared_key(&mut self, secret: String, presented: Vec<u8>) -> Result<Checked> {
        self.count_proof(secret.len() + presented.len(), &[], None)?;
        let outcome = match presented.len() {
            0..=limits::PRESENTED => proof::check_shared_key(self.secrets(&secret), &presented),
            _ => Outcome::Malformed,
        };
        Ok(self.conclude(&secret, outcome))
    }

    async fn ed25519(&mut self, key_set: String, signed: Vec<wit::Part>, proof: wit::Proof) -> Result<Checked> {
        let presented = presented(proof);
        self.count_proof(key_set.len(), &signed, Some(&presented))?;
        let request = self.served()?.clone();
        let signature = presented.decode().filter(|signature| signature.len() == ED25519_SIGNATURE);
        let Some(signature) = signature else { return Ok(Err(malformed(MALFORMED))) };
        let pieces: Vec<&[u8]> = signed
            .iter()
            .map(|part| match part {
                wit::Part::Body => request.body.as_ref(),
                wit::Part::Text(text) => text.as_bytes(),
                wit::Part::Bytes(bytes) => bytes.as_slice(),
            })
            .collect();
        self.check_by_keys(&key_set, Algorithm::EdDsa, None, &pieces.concat(), &signature).await
    }

    async fn detached_jws(&mut self, key_set: String, algorithms: Vec<String>, jws: String) -> Result<Checked> {
        let named: usize = algorithms.iter().map(String::len).sum();
        self.count_proof(key_set.len() + named + jws.len(), &[wit::Part::Body], None)?;
        let request = self.served()?.clone();
        let parsed = match DetachedJws::parse(&jws, &algorithms) {
            Ok(parsed) => parsed,
            Err(words) => return Ok(Err(malformed(words))),
        };
        let message = parsed.message(&request.body);
        let key_id = parsed.key_id.as_deref();
        self.check_by_keys(&key_set, parsed.algorithm, key_id, &message, &parsed.signature).await
    }

    fn fresh(&mut self, at: u64, tolerance_seconds: u32) -> Result<Checked> {
        self.count_call(0)?;
        let tolerance = i128::from(tolerance_seconds.min(limits::FRESH_MAX)) * 1_000;
        let age = i128::from(self.served()?.received_at.as_millis()) - i128::from(at);
        Ok(if age > tolerance {
            Err(refusal(Remedy::None, "too-old", "the request was signed too long before it arrived"))
        } else if -age > tolerance {
            Err(refusal(Remedy::None, "too-new", "the request was signed later than it arrived"))
        } else {
            Ok(())
        })
    }
}

/// A proof that is not of the form that it must have.
fn malformed(words: &str) -> Problem {
    refusal(Remedy::None, "signature-malformed", words)
}

fn presented(proof: wit::Proof) -> Presented {
    match proof {
        wit::Proof::Hex(text) => Presented::Hex(text),
        wit::Proof::Base64(text) => Presented::Base64(text),
        wit::Proof::Bytes(bytes) => Presented::Bytes(bytes),
    }
}

fn no_keys(set: &str, fault: KeysFault) -> Problem {
    let set = text::words(set, limits::CODE);
    match fault {
        KeysFault::Missing => refusal(Remedy::Operator, "key-set-missing", format!("the shop has no key set `{set}`")),
        KeysFault::Misconfigured(words) => {
            refusal(Remedy::Operator, "key-set-malformed", format!("the key set `{set}` cannot be used: {words}"))
        }
        KeysFault::Unreachable { message, retry_after } => Problem {
            retry_after: retry_after.map(seconds),
            ..refusal(Remedy::Later, "keys-unreachable", format!("the key set `{set}` is out of reach: {message}"))
        },
    }
}

impl From<wit::Part> for Piece {
    fn from(part: wit::Part) -> Self {
        match part {
            wit::Part::Body => Self::Body,
            wit::Part::Text(text) => Self::Bytes(text.into_bytes()),
            wit::Part::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

impl From<wit::KeyForm> for KeyForm {
    fn from(form: wit::KeyForm) -> Self {
        match form {
            wit::KeyForm::Text => Self::Text,
            wit::KeyForm::Base64 => Self::Base64,
            wit::KeyForm::Hex => Self::Hex,
        }
    }
}

impl From<wit::Hash> for Hash {
    fn from(hash: wit::Hash) -> Self {
        match hash {
            wit::Hash::Sha1 => Self::Sha1,
            wit::Hash::Sha256 => Self::Sha256,
            wit::Hash::Sha512 => Self::Sha512,
        }
    }
}

impl RunState {
    /// Counts a check and what was handed over for it. The body counts once for each time it is hashed, as bytes
    /// handed over: hashing is work that no epoch interrupts.
    fn count_proof(
        &mut self,
        bytes: usize,
        signed: &[wit::Part],
        presented: Option<&Presented>,
    ) -> std::result::Result<(), RunErrorKind> {
        self.count_check()?;
        if signed.len() > limits::SIGNED_PARTS {
            return Err(book::over("pieces of a signed text", limits::SIGNED_PARTS));
        }
        let copied: usize = signed
            .iter()
            .map(|part| match part {
                wit::Part::Body => 0,
                wit::Part::Text(text) => text.len(),
                wit::Part::Bytes(bytes) => bytes.len(),
            })
            .sum();
        if copied > limits::SIGNED_BYTES {
            return Err(book::over("bytes of a signed text beside the body", limits::SIGNED_BYTES));
        }
        let bodies = signed.iter().filter(|part| matches!(part, wit::Part::Body)).count();
        let body = self.request.as_ref().map_or(0, |request| request.body.len());
        self.count_call(bytes + copied + bodies * body + presented.map_or(0, Presented::length))
    }

    fn secrets(&self, name: &str) -> &[secrecy::SecretString] {
        self.shop.as_ref().and_then(|shop| shop.secrets.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Checks a signature by the keys of a set; by newer ones once more, if there are any.
    async fn check_by_keys(
        &mut self,
        set: &str,
        algorithm: Algorithm,
        key_id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<Checked> {
        let Some(shop) = self.shop.clone() else { return Ok(Err(no_keys(set, KeysFault::Missing))) };
        let mut unfit: Option<Arc<PublicKeys>> = None;
        loop {
            let keys = match self.outside(shop.key_sets.keys(set, unfit.as_ref())).await {
                Ok(keys) => keys,
                Err(fault) => return Ok(Err(no_keys(set, fault))),
            };
            let same = unfit.as_ref().is_some_and(|unfit| Arc::ptr_eq(unfit, &keys) || *unfit == keys);
            if !same {
                for (tried, key) in keys.fitting(algorithm, key_id).enumerate() {
                    // The first is counted with the check itself.
                    self.count_bytes(if tried == 0 { 0 } else { message.len() })?;
                    if key.verifies(algorithm, message, signature) {
                        self.verified = true;
                        self.failed_check = None;
                        return Ok(Ok(()));
                    }
                }
            }
            if same || unfit.is_some() {
                let set = text::words(set, limits::CODE);
                let words = format!("the signature is by none of the keys of the set `{set}`");
                return Ok(Err(refusal(Remedy::None, "signature-mismatch", words)));
            }
            unfit = Some(keys);
        }
    }

    fn conclude(&mut self, secret: &str, outcome: Outcome) -> Checked {
        let secret = text::words(secret, limits::CODE);
        match outcome {
            Outcome::Success => {
                self.verified = true;
                self.failed_check = None;
                Ok(())
            }
            Outcome::Mismatch => Err(refusal(
                Remedy::None,
                "signature-mismatch",
                format!("the signature does not match the secret `{secret}`"),
            )),
            Outcome::Malformed => Err(malformed(MALFORMED)),
            Outcome::SecretMissing => {
                Err(refusal(Remedy::Operator, "secret-missing", format!("the shop has no secret `{secret}`")))
            }
            Outcome::SecretMalformed => Err(refusal(
                Remedy::Operator,
                "secret-malformed",
                format!("a configured secret `{secret}` does not have the form that the platform gives it"),
            )),
        }
    }
}
