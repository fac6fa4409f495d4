//! What was signed with a moment, signed again as if it were sent today.
//!
//! A proof that was right in its time is replaced by the one that is right today, in the same spelling; one that was wrong stays
//! as it is. Every moment is moved by the same time, so that what came too late still does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};

pub(crate) type Headers = Vec<(String, String)>;

/// The seed of the private key that signs again what somebody else's private key signed.
const SEED: [u8; 32] = [0x42; 32];

fn sha256(key: &[u8], signed: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed).as_ref().to_vec()
}

/// Stripe's: `t=…,v1=…` in one header.
pub(crate) fn stripe(headers: &Headers, body: &[u8], secrets: &[String], later: i64) -> Headers {
    let renew = |value: &str| {
        let time = value.split(',').find_map(|pair| pair.strip_prefix("t=")?.parse::<i64>().ok());
        let Some(time) = time else { return value.to_owned() };
        let proof = |secret: &String, time: i64| {
            hex::encode(sha256(secret.as_bytes(), &[format!("{time}.").as_bytes(), body].concat()))
        };
        let renewed = |known: &str| {
            let secret = secrets.iter().find(|secret| proof(secret, time) == known.to_lowercase())?;
            let now = proof(secret, time + later);
            Some(if known == known.to_lowercase() { now } else { now.to_uppercase() })
        };
        let pairs = value.split(',').map(|pair| match pair.split_once('=') {
            Some(("t", _)) => format!("t={}", time + later),
            Some((name, known)) => renewed(known).map_or_else(|| pair.to_owned(), |now| format!("{name}={now}")),
            None => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join(",")
    };
    each(headers, |name, value| if name == "stripe-signature" { renew(value) } else { value.to_owned() })
}

/// What a shop of Standard Webhooks knows its sender by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Base64, after `whsec_` or not.
    pub(crate) secrets: Vec<String>,
    /// Ed25519.
    pub(crate) public_keys: Vec<Vec<u8>>,
}

impl Known {
    /// The proof over the text of today, if this one is right over the text of then.
    fn renewed(&self, version: &str, proof: &[u8], then: &[u8], today: &[u8]) -> Option<Vec<u8>> {
        let keys = self.secrets.iter().filter_map(|secret| STANDARD.decode(secret.trim_start_matches("whsec_")).ok());
        let is_of = |key: &&Vec<u8>| UnparsedPublicKey::new(&ED25519, key).verify(then, proof).is_ok();
        match version {
            "v1" => keys.into_iter().find(|key| sha256(key, then) == proof).map(|key| sha256(&key, today)),
            "v1a" => self.public_keys.iter().find(is_of).map(|_| pair().sign(today).as_ref().to_vec()),
            _ => None,
        }
    }
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap()
}

/// The set with the key that [`standard`] signs with in place of everybody's private keys.
pub(crate) fn key_set() -> Value {
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair().public_key()) }] })
}

/// A spelling of bytes: how to read it, and how to write it.
type Spelling = (fn(&str) -> Option<Vec<u8>>, fn(&[u8]) -> String);

/// Every spelling of a proof that senders have.
const SPELLINGS: [Spelling; 5] = [
    (|text| STANDARD.decode(text).ok(), |proof| STANDARD.encode(proof)),
    (|text| STANDARD_NO_PAD.decode(text).ok(), |proof| STANDARD_NO_PAD.encode(proof)),
    (|text| URL_SAFE.decode(text).ok(), |proof| URL_SAFE.encode(proof)),
    (|text| URL_SAFE_NO_PAD.decode(text).ok(), |proof| URL_SAFE_NO_PAD.encode(proof)),
    (|text| hex::decode(text).ok(), |proof| hex::encode(proof)),
];

/// Standard Webhooks': id, moment and proofs in headers of their own.
///
/// One proof in four reads the same in both alphabets of base64. Where the spelling is what the case is about, the moment is the
/// latest of the last minute whose proof still shows it.
pub(crate) fn standard(headers: &Headers, body: &[u8], known: &Known, later: i64) -> Headers {
    let value = |end: &str| {
        let named = headers.iter().find(|(name, _)| is(name, end));
        named.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (id, time) = (value("id"), value("timestamp").parse::<i64>());
    let Ok(time) = time else { return headers.clone() };
    let signed = |time: i64| [format!("{id}.{time}.").as_bytes(), body].concat();
    let then = signed(time);
    let renewed = |proof: &str, today: i64| {
        let (version, text) = proof.split_once(',')?;
        SPELLINGS.iter().enumerate().find_map(|(number, (read, write))| {
            let renewed = known.renewed(version, &read(text)?, &then, &signed(today))?;
            let text = write(&renewed);
            let is_common = SPELLINGS.iter().take(number).any(|(read, _)| read(&text).as_ref() == Some(&renewed));
            Some((format!("{version},{text}"), is_common))
        })
    };
    let signatures =
        || headers.iter().filter(|(name, _)| is(name, "signature")).flat_map(|(_, value)| value.split(' '));
    let keeps_its_spelling =
        |today: &i64| !signatures().filter_map(|proof| renewed(proof, *today)).any(|(_, common)| common);
    let today = (0..60).map(|earlier| time + later - earlier).find(keeps_its_spelling).unwrap();
    each(headers, |name, value| match value.parse::<i64>() {
        Ok(moment) if is(name, "timestamp") => (moment - time + today).to_string(),
        _ if is(name, "signature") => {
            let proofs =
                value.split(' ').map(|proof| renewed(proof, today).map_or_else(|| proof.to_owned(), |it| it.0));
            proofs.collect::<Vec<_>>().join(" ")
        }
        _ => value.to_owned(),
    })
}

fn is(name: &str, end: &str) -> bool {
    ["webhook", "svix"].iter().any(|family| name.to_lowercase() == format!("{family}-{end}"))
}

fn each(headers: &Headers, change: impl Fn(&str, &str) -> String) -> Headers {
    headers.iter().map(|(name, value)| (name.clone(), change(&name.to_lowercase(), value))).collect()
}
