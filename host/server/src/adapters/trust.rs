//! Which files are trusted: pins and signatures.
//!
//! Owns the check of a file's bytes against what the operator wrote down. Both are optional; what is written down is never
//! passed over.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bursar_domain::AdapterName;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::config::AdaptersConfig;

/// What is appended to an adapter's file name for its signature.
pub const SIGNATURE: &str = "sig";

/// Bytes of a signature (RFC 8032).
const SIGNATURE_BYTES: usize = 64;

/// What the operator wrote down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    pins: BTreeMap<AdapterName, [u8; 32]>,
    signed_by: Vec<[u8; 32]>,
}

impl Trust {
    /// As configured.
    #[must_use]
    pub fn new(config: &AdaptersConfig) -> Self {
        Self { pins: config.pins.clone(), signed_by: config.signed_by.clone() }
    }

    /// Is the file signed by a trusted key, if there are any? Asked before anything of the file is looked at.
    ///
    /// # Errors
    /// With what is wrong and a hint.
    pub fn check_signature(&self, bytes: &[u8], signature: Option<&[u8]>) -> Result<(), String> {
        if self.signed_by.is_empty() {
            return Ok(());
        }
        let Some(signature) = signature else {
            return Err(format!(
                "has no signature, and [adapters] `signed_by` wants one\n\
                 hint: put the author's signature beside it, under the same name with .{SIGNATURE} appended"
            ));
        };
        let signature = raw(signature);
        if self.signed_by.iter().any(|key| UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature).is_ok()) {
            return Ok(());
        }
        Err("is not signed by a key of [adapters] `signed_by`\n\
             hint: get file and signature from the author again; add the author's key only if you know it is theirs"
            .to_owned())
    }

    /// Is it the file that its name is pinned to, if it is?
    ///
    /// # Errors
    /// With what is wrong and a hint.
    pub fn check_pin(&self, name: &AdapterName, sha256: &str) -> Result<(), String> {
        match self.pins.get(name) {
            Some(pin) if hex::encode(pin) != sha256 => Err(format!(
                "is not the {name} that [adapters.pins] names; its sha256 is {sha256}\n\
                 hint: put the pinned file back, or change the pin if you want this one"
            )),
            _ => Ok(()),
        }
    }
}

/// The bytes of a signature, written as they are or in base64.
fn raw(written: &[u8]) -> Vec<u8> {
    if written.len() == SIGNATURE_BYTES {
        return written.to_vec();
    }
    BASE64.decode(written.trim_ascii()).unwrap_or_default()
}

/// Where the signature of a file is.
#[must_use]
pub fn signature_of(file: &Path) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(SIGNATURE);
    name.into()
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn author(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn trusting(authors: &[&Ed25519KeyPair]) -> Trust {
        let key = |author: &&Ed25519KeyPair| author.public_key().as_ref().try_into().unwrap();
        Trust { signed_by: authors.iter().map(key).collect(), pins: BTreeMap::new() }
    }

    #[test]
    fn without_keys_nothing_need_be_signed() {
        assert_eq!(Trust::default().check_signature(b"adapter", None), Ok(()));
    }

    #[test]
    fn a_signature_of_any_trusted_key_will_do_raw_or_in_base64() {
        let (one, other) = (author(1), author(2));
        let trust = trusting(&[&one, &other]);
        let signature = other.sign(b"adapter");
        assert_eq!(trust.check_signature(b"adapter", Some(signature.as_ref())), Ok(()));
        let written = format!("{}\n", BASE64.encode(signature.as_ref()));
        assert_eq!(trust.check_signature(b"adapter", Some(written.as_bytes())), Ok(()));
    }

    #[test]
    fn another_key_another_file_and_no_signature_are_refused() {
        let (trusted, stranger) = (author(1), author(2));
        let trust = trusting(&[&trusted]);
        let signature = trusted.sign(b"adapter");
        assert!(trust.check_signature(b"adapteR", Some(signature.as_ref())).unwrap_err().contains("hint: "));
        assert!(trust.check_signature(b"adapter", Some(stranger.sign(b"adapter").as_ref())).is_err());
        assert!(trust.check_signature(b"adapter", Some(b"")).is_err());
        assert!(trust.check_signature(b"adapter", None).unwrap_err().contains(".sig"));
    }

    #[test]
    fn a_pin_binds_its_own_adapter_only() {
        let name = |name| AdapterName::parse(name).unwrap();
        let trust = Trust { pins: [(name("acme"), [7; 32])].into(), signed_by: Vec::new() };
        assert_eq!(trust.check_pin(&name("acme"), &hex::encode([7; 32])), Ok(()));
        assert!(trust.check_pin(&name("acme"), &hex::encode([8; 32])).unwrap_err().contains(&hex::encode([8; 32])));
        assert_eq!(trust.check_pin(&name("other"), &hex::encode([8; 32])), Ok(()));
    }
}
