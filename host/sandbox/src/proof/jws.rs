//! A JSON Web Signature in compact form with a detached, unencoded payload (RFC 7515, RFC 7797).
//!
//! Owns its form and what of it is refused. What it is signed over is the request's body as it arrived and nothing else:
//! a payload within the signature, or rules of encoding that somebody else reads differently, would make two messages of
//! one signature.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::keys::Algorithm;
use crate::limits;

/// The one extension that is understood.
const UNENCODED: &str = "b64";

/// A signature of the right form, not checked yet.
#[derive(Debug)]
pub(crate) struct DetachedJws<'a> {
    header: &'a str,
    /// How it was made.
    pub(crate) algorithm: Algorithm,
    /// The id of the key, if it says so.
    pub(crate) key_id: Option<String>,
    /// The signature itself.
    pub(crate) signature: Vec<u8>,
}

/// The header. A member that stands there twice makes it unreadable; members that are not here do not matter, unless
/// `crit` says that they do.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    b64: Option<bool>,
    crit: Option<Vec<String>>,
}

impl<'a> DetachedJws<'a> {
    /// Reads `header..signature`. The error is a sentence about the form.
    pub(crate) fn parse(jws: &'a str, algorithms: &[String]) -> Result<Self, &'static str> {
        if jws.len() > limits::PRESENTED {
            return Err("the signature is too long");
        }
        let mut pieces = jws.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (pieces.next(), pieces.next(), pieces.next(), pieces.next())
        else {
            return Err("the signature is not a compact jws: header..signature");
        };
        if !payload.is_empty() {
            return Err("the jws holds a payload of its own");
        }
        let read = URL_SAFE_NO_PAD.decode(header).ok().and_then(|json| serde_json::from_slice::<Header>(&json).ok());
        let Some(read) = read else { return Err("the header of the jws cannot be read") };
        if !algorithms.contains(&read.alg) {
            return Err("the jws is made by an algorithm that the adapter does not allow");
        }
        let Some(algorithm) = Algorithm::from_name(&read.alg) else {
            return Err("the jws is made by an algorithm that this host never accepts");
        };
        if read.crit.is_some_and(|critical| critical != [UNENCODED]) {
            return Err("the jws has a `crit` other than [\"b64\"]");
        }
        if read.b64 != Some(false) {
            return Err("the jws is not over the body as it is: its header does not say `b64: false`");
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the signature of the jws is not base64url")?;
        Ok(Self { header, algorithm, key_id: read.kid, signature })
    }

    /// What was signed.
    pub(crate) fn message(&self, body: &[u8]) -> Vec<u8> {
        [self.header.as_bytes(), b".", body].concat()
    }
}
