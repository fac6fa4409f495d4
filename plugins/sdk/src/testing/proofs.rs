//! Signature checks with a test's secrets, as strict as the real host's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};

use super::Run;
use super::host::signatures::{Hash, KeyForm, Part, Proof};
use super::host::types::{Problem, Remedy};

/// What a base64 key may begin with.
const BASE64_KEY_PREFIX: &str = "whsec_";

pub(super) fn hmac(
    run: &Run,
    name: &str,
    form: KeyForm,
    hash: Hash,
    signed: &[Part<'_>],
    proof: Proof<'_>,
) -> Result<(), Problem> {
    let presented = bytes_of(proof)?;
    if presented.len() != length(hash) {
        return Err(malformed());
    }
    let text = signed_text(run, signed);
    // Under an empty key anybody can sign.
    for secret in secrets(run, name)?.iter().filter(|secret| !secret.is_empty()) {
        let key = key(secret, form)?;
        let right = match hash {
            Hash::Sha1 => matches::<Hmac<sha1::Sha1>>(&key, &text, &presented),
            Hash::Sha256 => matches::<Hmac<sha2::Sha256>>(&key, &text, &presented),
            Hash::Sha512 => matches::<Hmac<sha2::Sha512>>(&key, &text, &presented),
        };
        if right {
            return Ok(());
        }
    }
    Err(problem(Remedy::None, "signature-mismatch", "no active secret gives this signature"))
}

pub(super) fn shared_key(run: &Run, name: &str, presented: &[u8]) -> Result<(), Problem> {
    if secrets(run, name)?.iter().any(|secret| !secret.is_empty() && secret.as_bytes() == presented) {
        return Ok(());
    }
    Err(problem(Remedy::None, "signature-mismatch", "the key is not an active one"))
}

pub(super) fn problem(remedy: Remedy, code: &str, message: &str) -> Problem {
    Problem { remedy, code: code.to_owned(), message: message.to_owned(), retry_after: None }
}

fn secrets<'r>(run: &'r Run, name: &str) -> Result<&'r [String], Problem> {
    run.shop
        .secrets
        .get(name)
        .map(Vec::as_slice)
        .ok_or_else(|| problem(Remedy::Operator, "secret-missing", &format!("the shop has no secret `{name}`")))
}

fn matches<M: Mac + KeyInit>(key: &[u8], text: &[u8], presented: &[u8]) -> bool {
    let Ok(mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.chain_update(text).verify_slice(presented).is_ok()
}

fn key(secret: &str, form: KeyForm) -> Result<Vec<u8>, Problem> {
    let wrong =
        || problem(Remedy::Operator, "secret-malformed", "the secret is not of the form that the adapter names");
    match form {
        KeyForm::Text => Ok(secret.as_bytes().to_vec()),
        KeyForm::Base64 => {
            STANDARD.decode(secret.strip_prefix(BASE64_KEY_PREFIX).unwrap_or(secret)).map_err(|_| wrong())
        }
        KeyForm::Hex => hex::decode(secret).map_err(|_| wrong()),
    }
}

fn length(hash: Hash) -> usize {
    match hash {
        Hash::Sha1 => 20,
        Hash::Sha256 => 32,
        Hash::Sha512 => 64,
    }
}

fn malformed() -> Problem {
    problem(Remedy::None, "signature-malformed", "the signature is not encoded as it should be")
}

fn bytes_of(proof: Proof<'_>) -> Result<Vec<u8>, Problem> {
    match proof {
        Proof::Hex(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(malformed()),
        Proof::Hex(text) => hex::decode(text).map_err(|_| malformed()),
        Proof::Base64(text) => STANDARD.decode(text).map_err(|_| malformed()),
        Proof::Bytes(bytes) => Ok(bytes.to_vec()),
    }
}

fn signed_text(run: &Run, signed: &[Part<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in signed {
        text.extend_from_slice(match part {
            Part::Body => &run.body,
            Part::Text(part) => part.as_bytes(),
            Part::Bytes(part) => part,
        });
    }
    text
}
