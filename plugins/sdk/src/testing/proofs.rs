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
    let secrets = secrets(run, name)?;
    let presented = bytes_of(proof)?;
    if presented.len() != length(hash) {
        return Err(malformed());
    }
    let text = signed_text(run, signed);
    let mut unreadable = false;
    for secret in secrets {
        // Under an empty key anybody can sign.
        let Some(key) = key(secret, form).filter(|key| !key.is_empty()) else {
            unreadable = true;
            continue;
        };
        let right = match hash {
            Hash::Sha1 => matches::<Hmac<sha1::Sha1>>(&key, &text, &presented),
            Hash::Sha256 => matches::<Hmac<sha2::Sha256>>(&key, &text, &presented),
            Hash::Sha512 => matches::<Hmac<sha2::Sha512>>(&key, &text, &presented),
        };
        if right {
            return Ok(());
        }
    }
    Err(if unreadable {
        problem(Remedy::Operator, "secret-malformed", "a secret is not of the form that the adapter names")
    } else {
        problem(Remedy::None, "signature-mismatch", "no active secret gives this signature")
    })
}

pub(super) fn shared_key(run: &Run, name: &str, presented: &[u8]) -> Result<(), Problem> {
    if secrets(run, name)?.iter().any(|secret| secret.as_bytes() == presented) {
        return Ok(());
    }
    Err(problem(Remedy::None, "signature-mismatch", "the key is not an active one"))
}

pub(super) fn problem(remedy: Remedy, code: &str, message: &str) -> Problem {
    Problem { remedy, code: code.to_owned(), message: message.to_owned(), retry_after: None }
}

/// Those that are not empty; there is one at least.
fn secrets<'r>(run: &'r Run, name: &str) -> Result<Vec<&'r str>, Problem> {
    let given = run.shop.secrets.get(name).map(Vec::as_slice).unwrap_or_default();
    let usable: Vec<&str> = given.iter().map(String::as_str).filter(|secret| !secret.is_empty()).collect();
    if usable.is_empty() {
        return Err(problem(Remedy::Operator, "secret-missing", &format!("the shop has no secret `{name}`")));
    }
    Ok(usable)
}

fn matches<M: Mac + KeyInit>(key: &[u8], text: &[u8], presented: &[u8]) -> bool {
    let Ok(mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.chain_update(text).verify_slice(presented).is_ok()
}

fn key(secret: &str, form: KeyForm) -> Option<Vec<u8>> {
    match form {
        KeyForm::Text => Some(secret.as_bytes().to_vec()),
        KeyForm::Base64 => STANDARD.decode(secret.strip_prefix(BASE64_KEY_PREFIX).unwrap_or(secret)).ok(),
        KeyForm::Hex => hex::decode(secret).ok(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shop;

    /// HMAC-SHA256 of nothing under the key of nothing, which anybody can compute.
    const OF_NOTHING: &str = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";

    /// HMAC-SHA256 of nothing under the key `key`.
    const OF_KEY: &str = "5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0";

    fn judged(shop: Shop, form: KeyForm, proof: &str) -> Result<(), String> {
        let run = Run { shop, ..Run::default() };
        hmac(&run, "webhook", form, Hash::Sha256, &[Part::Body], Proof::Hex(proof)).map_err(|problem| problem.code)
    }

    #[test]
    fn a_secret_without_a_key_behind_its_prefix_proves_nothing() {
        let shop = Shop::new().secret("webhook", "whsec_");
        assert_eq!(judged(shop, KeyForm::Base64, OF_NOTHING), Err("secret-malformed".to_owned()));
    }

    #[test]
    fn a_secret_that_does_not_read_keeps_no_other_from_being_tried() {
        let shop = Shop::new().secret("webhook", "not base64!").secret("webhook", "a2V5");
        assert_eq!(judged(shop.clone(), KeyForm::Base64, OF_KEY), Ok(()));
        assert_eq!(judged(shop, KeyForm::Base64, OF_NOTHING), Err("secret-malformed".to_owned()));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let shop = Shop::new().secret("webhook", "");
        assert_eq!(judged(shop, KeyForm::Text, OF_NOTHING), Err("secret-missing".to_owned()));
    }
}
