//! Public keys and what they prove.
//!
//! Owns reading a JSON Web Key Set (RFC 7517) and which key may check which algorithm: a key serves only what its kind and
//! its own words allow. The arithmetic is `ring`'s.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use crate::limits;

/// An algorithm of a signature by a key pair. There is none with a shared secret, and no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// The algorithm that a JWS calls so (RFC 7518, RFC 8037).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A set of public keys, of which one at least can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys(Vec<PublicKey>);

/// A set of keys that cannot be used, and why: lower-case words that follow "the key set".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeysProblem(String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    id: Option<String>,
    /// The only algorithm that the key says it is for; any that its kind can serve where it says nothing.
    only: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// A key as it stands in a set (RFC 7517, 7518, 8037). Words that are not here do not matter.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl PublicKeys {
    /// Reads a JSON Web Key Set. Keys of kinds that are not known here are left out, as RFC 7517 has it; a private key makes
    /// the whole set worthless.
    ///
    /// # Errors
    /// When it is too large, is no key set, gives a private key away, or holds no key that can be used.
    pub fn from_jwks(text: &str) -> Result<Self, KeysProblem> {
        let problem = |words: String| Err(KeysProblem(words));
        if text.len() > limits::KEY_SET {
            return problem(format!("has more than {} bytes", limits::KEY_SET));
        }
        let Ok(set) = serde_json::from_str::<Set>(text) else {
            return problem("is not a json web key set: an object with a list `keys`".to_owned());
        };
        if set.keys.len() > limits::KEYS {
            return problem(format!("has more than {} keys", limits::KEYS));
        }
        if set.keys.iter().any(|key| key.get("d").is_some()) {
            return problem(
                "holds a private key, so that whoever read it can sign; only public ones belong there".to_owned(),
            );
        }
        let keys: Vec<_> = set.keys.into_iter().filter_map(PublicKey::from_jwk).collect();
        if keys.is_empty() {
            return problem("holds no key that can be used: rsa from 2048 bits, p-256 or ed25519".to_owned());
        }
        Ok(Self(keys))
    }

    /// A set of one Ed25519 key by its 32 bytes.
    #[must_use]
    pub fn ed25519(key: [u8; 32]) -> Self {
        Self(vec![PublicKey { id: None, only: None, material: Material::Ed25519(key.to_vec()) }])
    }

    /// The keys that can have made such a signature. A signature that names its key fits keys of that id and keys without
    /// one; a signature that does not fits every key of the kind.
    pub(crate) fn fitting(&self, algorithm: Algorithm, id: Option<&str>) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(move |key| {
            key.serves(algorithm)
                && match (id, &key.id) {
                    (Some(named), Some(own)) => named == own,
                    _ => true,
                }
        })
    }
}

impl PublicKey {
    fn from_jwk(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if jwk.purpose.is_some_and(|purpose| purpose != "sig")
            || jwk.key_ops.is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
        {
            return None;
        }
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let of_length = |text, length| bytes(text).filter(|bytes| bytes.len() == length);
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let modulus: Vec<u8> = bytes(jwk.n)?.into_iter().skip_while(|byte| *byte == 0).collect();
                // 2048 bits are 256 bytes whose first bit is set.
                let long_enough = modulus.len() > *limits::RSA_MODULUS.start()
                    || modulus.first().is_some_and(|first| first & 0x80 != 0);
                if !long_enough || !limits::RSA_MODULUS.contains(&modulus.len()) {
                    return None;
                }
                Material::Rsa { modulus, exponent: bytes(jwk.e)? }
            }
            ("EC", Some("P-256")) => {
                let mut point = vec![4];
                point.extend(of_length(jwk.x, 32)?);
                point.extend(of_length(jwk.y, 32)?);
                Material::P256(point)
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(of_length(jwk.x, 32)?),
            _ => return None,
        };
        Some(Self { id: jwk.kid, only: jwk.alg, material })
    }

    fn serves(&self, algorithm: Algorithm) -> bool {
        let kind_fits = match self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        let allowed = self.only.as_deref().is_none_or(|only| match (&self.material, only) {
            // The name of the curve is a name of the algorithm too (RFC 9864).
            (Material::Ed25519(_), "Ed25519") => true,
            _ => Algorithm::from_name(only) == Some(algorithm),
        });
        kind_fits && allowed
    }

    /// Did this key make the signature?
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let rsa = |parameters: &signature::RsaParameters| match &self.material {
            Material::Rsa { modulus, exponent } => {
                signature::RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature)
            }
            _ => Err(ring::error::Unspecified),
        };
        match (&self.material, algorithm) {
            (Material::Rsa { .. }, Algorithm::Rs256) => rsa(&RSA_PKCS1_2048_8192_SHA256),
            (Material::Rsa { .. }, Algorithm::Ps256) => rsa(&RSA_PSS_2048_8192_SHA256),
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Material::Ed25519(key), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            _ => return false,
        }
        .is_ok()
    }
}
