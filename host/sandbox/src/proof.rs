//! Proofs: by shared secrets the key out of the configured text, the signature out of what was presented, and the
//! comparison; by public keys in the modules beneath.
//!
//! Owns the arithmetic and its strictness: encodings are taken literally, comparisons take constant time. Knows no
//! guest; never shows a secret, not even in part.

mod diagnose;
pub(crate) mod jws;
pub(crate) mod keys;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

pub use diagnose::FailedCheck;
pub(crate) use diagnose::Piece;
pub use keys::{KeysProblem, PublicKeys};

/// What stands before the base64 of a secret of the Standard Webhooks kind.
const WHSEC: &str = "whsec_";

/// How a secret's text becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// Its UTF-8.
    Text,
    /// Decoded from base64, after `whsec_` if that is there.
    Base64,
    /// Decoded from hexadecimal.
    Hex,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// What the sender presents.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Presented {
    Hex(String),
    Base64(String),
    Bytes(Vec<u8>),
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is right.
    Success,
    /// It is well-formed and wrong.
    Mismatch,
    /// What was presented is not of the stated encoding or length.
    Malformed,
    /// There is no such secret, or only empty ones.
    SecretMissing,
    /// None matched, and the text of one at least does not have the stated form.
    SecretMalformed,
}

impl Hash {
    /// Bytes of its output.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Is `signature` the HMAC of the pieces? Takes the same time wherever they differ.
    fn verify<'a>(self, key: &[u8], pieces: impl Iterator<Item = &'a [u8]>, signature: &[u8]) -> bool {
        fn check<'a, M: Mac + KeyInit>(key: &[u8], pieces: impl Iterator<Item = &'a [u8]>, signature: &[u8]) -> bool {
            let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
            pieces.for_each(|piece| mac.update(piece));
            mac.verify_slice(signature).is_ok()
        }
        match self {
            Self::Sha1 => check::<Hmac<Sha1>>(key, pieces, signature),
            Self::Sha256 => check::<Hmac<Sha256>>(key, pieces, signature),
            Self::Sha512 => check::<Hmac<Sha512>>(key, pieces, signature),
        }
    }
}

impl KeyForm {
    /// The key; none if the text does not have this form.
    fn key(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Base64 => STANDARD.decode(text.strip_prefix(WHSEC).unwrap_or(text)).ok(),
            Self::Hex => hex::decode(text).ok(),
        }
    }
}

impl Presented {
    /// Bytes as presented.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Hex(text) | Self::Base64(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// The signature; none if it is not literally of the stated encoding.
    pub(crate) fn decode(&self) -> Option<Vec<u8>> {
        match self {
            Self::Hex(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
            Self::Hex(text) => hex::decode(text).ok(),
            Self::Base64(text) => STANDARD.decode(text).ok(),
            Self::Bytes(bytes) => Some(bytes.clone()),
        }
    }
}

/// Checks an HMAC against each of the secrets.
pub(crate) fn check_hmac<'a>(
    secrets: &[SecretString],
    form: KeyForm,
    hash: Hash,
    pieces: impl Iterator<Item = &'a [u8]> + Clone,
    presented: &Presented,
) -> Outcome {
    if usable(secrets).next().is_none() {
        return Outcome::SecretMissing;
    }
    let Some(signature) = presented.decode().filter(|signature| signature.len() == hash.length()) else {
        return Outcome::Malformed;
    };
    let mut malformed = false;
    for secret in usable(secrets) {
        match form.key(secret).filter(|key| !key.is_empty()) {
            Some(key) if hash.verify(&key, pieces.clone(), &signature) => return Outcome::Success,
            Some(_) => {}
            None => malformed = true,
        }
    }
    if malformed { Outcome::SecretMalformed } else { Outcome::Mismatch }
}

/// Compares a key that the shop sends along with each of the secrets.
pub(crate) fn check_shared_key(secrets: &[SecretString], presented: &[u8]) -> Outcome {
    if usable(secrets).next().is_none() {
        return Outcome::SecretMissing;
    }
    // Digests are compared, so that the time does not tell the secret's length either.
    let presented = Sha256::digest(presented);
    let found = usable(secrets).fold(subtle::Choice::from(0), |found, secret| {
        found | Sha256::digest(secret.as_bytes()).as_slice().ct_eq(presented.as_slice())
    });
    if found.into() { Outcome::Success } else { Outcome::Mismatch }
}

fn usable(secrets: &[SecretString]) -> impl Iterator<Item = &str> {
    secrets.iter().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    fn check(secrets: &[SecretString], form: KeyForm, hash: Hash, text: &str, presented: &Presented) -> Outcome {
        check_hmac(secrets, form, hash, [text.as_bytes()].into_iter(), presented)
    }

    const FOX: &str = "The quick brown fox jumps over the lazy dog";
    const FOX_SHA256: &str = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";

    #[test]
    fn known_vectors_of_each_hash_verify() {
        for (hash, mac) in [
            (Hash::Sha1, "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),
            (Hash::Sha256, FOX_SHA256),
            (
                Hash::Sha512,
                "b42af09057bac1e2d41708e48a902e09b5ff7f12ab428a4fe86653c73dd248fb82f948a549f7b791a5b41915ee4d1ec3935357e4e2317250d0372afa2ebeeb3a",
            ),
        ] {
            let hex = Presented::Hex(mac.to_owned());
            assert_eq!(check(&secrets(&["key"]), KeyForm::Text, hash, FOX, &hex), Outcome::Success);
            let bytes = hex::decode(mac).unwrap();
            let base64 = Presented::Base64(STANDARD.encode(&bytes));
            assert_eq!(check(&secrets(&["key"]), KeyForm::Text, hash, FOX, &base64), Outcome::Success);
            assert_eq!(check(&secrets(&["key"]), KeyForm::Text, hash, FOX, &Presented::Bytes(bytes)), Outcome::Success);
            assert_eq!(check(&secrets(&["kez"]), KeyForm::Text, hash, FOX, &hex), Outcome::Mismatch);
        }
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        let presented = Presented::Hex(FOX_SHA256.to_owned());
        let both = secrets(&["old", "key"]);
        assert_eq!(check(&both, KeyForm::Text, Hash::Sha256, FOX, &presented), Outcome::Success);
    }

    #[test]
    fn the_three_forms_of_a_key_are_one_key() {
        let presented = Presented::Hex(FOX_SHA256.to_owned());
        for (form, text) in [(KeyForm::Base64, "a2V5"), (KeyForm::Base64, "whsec_a2V5"), (KeyForm::Hex, "6b6579")] {
            assert_eq!(check(&secrets(&[text]), form, Hash::Sha256, FOX, &presented), Outcome::Success, "{text}");
        }
    }

    #[test]
    fn encodings_are_taken_literally() {
        let base64 = STANDARD.encode(hex::decode(FOX_SHA256).unwrap());
        for presented in [
            Presented::Hex(FOX_SHA256.to_uppercase()),
            Presented::Hex(format!("{FOX_SHA256}00")),
            Presented::Hex(format!(" {FOX_SHA256}")),
            Presented::Hex(String::new()),
            Presented::Base64(base64.trim_end_matches('=').to_owned()),
            Presented::Base64(format!("{base64}\n")),
            Presented::Base64(base64.replace('+', "-").replace('/', "_")),
            Presented::Bytes(vec![0; 31]),
        ] {
            assert_eq!(check(&secrets(&["key"]), KeyForm::Text, Hash::Sha256, FOX, &presented), Outcome::Malformed);
        }
    }

    #[test]
    fn an_empty_secret_never_verifies() {
        // The HMAC under an empty key, which anybody can compute.
        let presented = Presented::Hex("fb011e6154a19b9a4c767373c305275a5a69e8b68b0b4c9200c383dced19a416".to_owned());
        for (form, text) in [(KeyForm::Text, ""), (KeyForm::Base64, ""), (KeyForm::Hex, "")] {
            assert_eq!(check(&secrets(&[text]), form, Hash::Sha256, FOX, &presented), Outcome::SecretMissing);
        }
        let only_prefix = secrets(&["whsec_"]);
        assert_eq!(check(&only_prefix, KeyForm::Base64, Hash::Sha256, FOX, &presented), Outcome::SecretMalformed);
        assert_eq!(check(&[], KeyForm::Text, Hash::Sha256, FOX, &presented), Outcome::SecretMissing);
        assert_eq!(check_shared_key(&secrets(&[""]), b""), Outcome::SecretMissing);
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_the_operators_business() {
        let presented = Presented::Hex(FOX_SHA256.to_owned());
        let unreadable = secrets(&["not base64!"]);
        assert_eq!(check(&unreadable, KeyForm::Base64, Hash::Sha256, FOX, &presented), Outcome::SecretMalformed);
    }

    #[test]
    fn a_shared_key_is_compared_as_a_whole() {
        assert_eq!(check_shared_key(&secrets(&["one", "two"]), b"two"), Outcome::Success);
        assert_eq!(check_shared_key(&secrets(&["one"]), b"on"), Outcome::Mismatch);
        assert_eq!(check_shared_key(&secrets(&["one"]), b"one "), Outcome::Mismatch);
    }
}
