//! Why a signature did not match, for the operator: the usual mistakes, tried one after the other.
//!
//! Owns the list of mistakes and their words. Runs off the hot path, at a person's request; it changes no decision, and
//! its words never hold a secret or a part of the request.

use std::{fmt, sync::Arc};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use bursar_domain::Request;
use bytes::Bytes;

use super::{Hash, KeyForm, Outcome, Presented, WHSEC, check_hmac, usable};
use crate::shop::ShopContext;

/// Over this many bytes of body only the body as it is gets tried: a re-encoded body of megabytes would take seconds.
const BODY_VARIANTS_MAX: usize = 256 << 10;

/// Standard alphabet, with padding or without.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// URL-safe alphabet, with padding or without.
const LAX_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A piece of a signed text, kept.
#[derive(Clone)]
pub(crate) enum Piece {
    Body,
    Bytes(Vec<u8>),
}

/// An HMAC check that failed, with what is needed to look for the mistake. Holds parts of the request; shows none.
#[derive(Clone)]
pub struct FailedCheck {
    pub(crate) secret: String,
    pub(crate) form: KeyForm,
    pub(crate) hash: Hash,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) presented: Presented,
    pub(crate) request: Arc<Request>,
}

impl fmt::Debug for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedCheck")
            .field("secret", &self.secret)
            .field("form", &self.form)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl FailedCheck {
    /// The name of the secret that it was checked against.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// What would have to be otherwise for the check to succeed, in one sentence; none if no usual mistake explains it.
    /// May take some hundred milliseconds of CPU; call it off the hot path.
    #[must_use]
    pub fn diagnose(&self, shop: &ShopContext) -> Option<String> {
        let secrets = shop.secrets.get(&self.secret)?;
        let as_it_is = self.signed(&self.request.body);
        if check_hmac(secrets, self.form, self.hash, as_it_is, &self.presented) == Outcome::Success {
            return Some(format!("the signature matches the secret `{}` as it is configured now", self.secret));
        }
        let signatures = self.signatures();
        if signatures.is_empty() {
            return None;
        }
        let bodies = self.bodies();
        for secret in usable(secrets) {
            for (key_words, key) in keys(secret, self.form) {
                for (body_words, body) in &bodies {
                    for (signature_words, signature) in &signatures {
                        if self.hash.verify(&key, self.signed(body), signature) {
                            return Some(self.sentence(&[key_words, body_words, signature_words]));
                        }
                    }
                }
            }
        }
        None
    }

    fn sentence(&self, words: &[&str]) -> String {
        let words: Vec<_> = words.iter().filter(|words| !words.is_empty()).copied().collect();
        format!("the signature would match the secret `{}` if {}", self.secret, words.join(" and "))
    }

    fn signed<'a>(&'a self, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.pieces.iter().map(move |piece| match piece {
            Piece::Body => body,
            Piece::Bytes(bytes) => bytes.as_slice(),
        })
    }

    fn signatures(&self) -> Vec<(&'static str, Vec<u8>)> {
        let text = match &self.presented {
            Presented::Bytes(bytes) => return fitting(vec![("", Some(bytes.clone()))], self.hash),
            Presented::Hex(text) | Presented::Base64(text) => text.trim(),
        };
        let exact = self.presented.decode();
        let lower = hex::decode(text.to_ascii_lowercase()).ok();
        fitting(
            vec![
                ("", exact),
                ("it were read as hexadecimal", lower),
                ("it were read as base64", LAX.decode(text).ok()),
                ("it were read as URL-safe base64", LAX_URL.decode(text).ok()),
            ],
            self.hash,
        )
    }

    fn bodies(&self) -> Vec<(&'static str, Bytes)> {
        let body = &self.request.body;
        let mut bodies = vec![("", body.clone())];
        if !self.pieces.iter().any(|piece| matches!(piece, Piece::Body)) || body.len() > BODY_VARIANTS_MAX {
            return bodies;
        }
        let trimmed = body.trim_ascii();
        bodies.push(("the blanks or line breaks around the body were left out", Bytes::copy_from_slice(trimmed)));
        bodies.push(("the body ended in a line feed", [trimmed, b"\n"].concat().into()));
        bodies.push(("the body ended in a carriage return and line feed", [trimmed, b"\r\n"].concat().into()));
        let unix = replace(body, b"\r\n", b"\n");
        bodies.push(("the body's lines ended as on Windows", replace(&unix, b"\n", b"\r\n").into()));
        bodies.push(("the body's lines did not end as on Windows", unix.into()));
        bodies.retain({
            let body = body.clone();
            move |(words, variant)| words.is_empty() || variant != &body
        });
        bodies
    }
}

fn fitting(candidates: Vec<(&'static str, Option<Vec<u8>>)>, hash: Hash) -> Vec<(&'static str, Vec<u8>)> {
    let mut fitting: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (words, signature) in candidates {
        if let Some(signature) = signature.filter(|signature| signature.len() == hash.length())
            && !fitting.iter().any(|(_, known)| known == &signature)
        {
            fitting.push((words, signature));
        }
    }
    fitting
}

/// The keys that a secret's text may have been meant to be, the stated one first.
fn keys(text: &str, form: KeyForm) -> Vec<(&'static str, Vec<u8>)> {
    let escaped = escape(text, "&#039;");
    let escaped_otherwise = escape(text, "&#39;");
    let bare = text.strip_prefix(WHSEC).unwrap_or(text);
    let candidates = [
        ("", form.key(text)),
        ("the secret were HTML-escaped (the shop keeps & as &amp;, < as &lt;)", form.key(&escaped)),
        ("the secret were HTML-escaped (the shop keeps & as &amp;, < as &lt;)", form.key(&escaped_otherwise)),
        ("the secret were not HTML-escaped (& where the configuration has &amp;)", form.key(&unescape(text))),
        ("the blanks around the secret were left out", form.key(text.trim())),
        ("the secret ended in a line feed", form.key(&format!("{}\n", text.trim_end()))),
        ("the secret were taken as plain text", KeyForm::Text.key(text)),
        ("the secret were taken as plain text without its whsec_", KeyForm::Text.key(bare)),
        ("the secret began with whsec_ and were taken as plain text", KeyForm::Text.key(&format!("{WHSEC}{bare}"))),
        ("the secret were taken as base64", LAX.decode(bare.trim()).ok()),
        ("the secret were taken as URL-safe base64", LAX_URL.decode(bare.trim()).ok()),
        ("the secret were taken as hexadecimal", hex::decode(bare.trim()).ok()),
        ("the secret were encoded in base64", Some(STANDARD.encode(text).into_bytes())),
    ];
    let mut keys: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (words, key) in candidates {
        if let Some(key) = key.filter(|key| !key.is_empty())
            && !keys.iter().any(|(_, known)| known == &key)
        {
            keys.push((words, key));
        }
    }
    keys
}

fn escape(text: &str, apostrophe: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', apostrophe)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#039;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                replaced.extend_from_slice(to);
                rest = after;
            }
            None => {
                replaced.push(first);
                rest = tail;
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use bursar_domain::{ShopName, Timestamp};
    use hmac::{Hmac, KeyInit, Mac};
    use secrecy::SecretString;
    use sha2::Sha256;

    use super::*;
    use crate::key_sets::FixedKeySets;

    fn shop(secret: &str) -> ShopContext {
        ShopContext {
            name: ShopName::parse("campus").unwrap(),
            secrets: BTreeMap::from([("webhook".to_owned(), vec![SecretString::from(secret)])]),
            key_sets: Arc::new(FixedKeySets::default()),
            settings_json: "{}".to_owned(),
            unsigned: false,
            permissions: BTreeSet::new(),
        }
    }

    fn mac(key: &[u8], body: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(body);
        mac.finalize().into_bytes().to_vec()
    }

    fn failed(body: &'static [u8], presented: Presented) -> FailedCheck {
        FailedCheck {
            secret: "webhook".to_owned(),
            form: KeyForm::Text,
            hash: Hash::Sha256,
            pieces: vec![Piece::Bytes(b"v1:".to_vec()), Piece::Body],
            presented,
            request: Arc::new(Request {
                method: "POST".to_owned(),
                path: String::new(),
                query: String::new(),
                headers: Vec::new(),
                body: Bytes::from_static(body),
                received_at: Timestamp::from_millis(0),
            }),
        }
    }

    fn base64(key: &[u8], body: &[u8]) -> Presented {
        Presented::Base64(STANDARD.encode(mac(key, &[b"v1:", body].concat())))
    }

    #[test]
    fn the_usual_mistakes_are_recognised() {
        let body = b"{\"a\":1}";
        for (configured, used, word) in [
            ("a & b <c>", "a &amp; b &lt;c&gt;", "were HTML-escaped"),
            ("a &amp; b", "a & b", "not HTML-escaped"),
            ("it's", "it&#039;s", "HTML-escaped"),
            (" key ", "key", "blanks around the secret"),
            ("key", "key\n", "ended in a line feed"),
            ("a2V5", "key", "taken as base64"),
            ("6b6579", "key", "taken as hexadecimal"),
            ("whsec_a2V5", "a2V5", "without its whsec_"),
            ("a2V5", "whsec_a2V5", "began with whsec_"),
        ] {
            let words = failed(body, base64(used.as_bytes(), body)).diagnose(&shop(configured)).unwrap_or_default();
            assert!(words.contains(word), "{configured:?} for {used:?}: {words:?}");
            assert!(!words.contains(configured.trim()), "the secret shows in {words:?}");
        }
    }

    #[test]
    fn a_signature_in_another_encoding_is_recognised() {
        let body = b"{}";
        let bytes = mac(b"key", b"v1:{}");
        let hex = failed(body, Presented::Base64(hex::encode(&bytes))).diagnose(&shop("key")).unwrap();
        assert!(hex.contains("hexadecimal"), "{hex}");
        let base64 = failed(body, Presented::Hex(STANDARD.encode(&bytes))).diagnose(&shop("key")).unwrap();
        assert!(base64.contains("base64"), "{base64}");
    }

    #[test]
    fn a_body_that_was_encoded_again_is_recognised() {
        for (arrived, signed, word) in [
            (&b"{\r\n}"[..], &b"{\n}"[..], "did not end as on Windows"),
            (b"{\n}", b"{\r\n}", "ended as on Windows"),
            (b"{}\n", b"{}", "left out"),
            (b"{}", b"{}\n", "ended in a line feed"),
        ] {
            let words = failed(arrived, base64(b"key", signed)).diagnose(&shop("key")).unwrap_or_default();
            assert!(words.contains(word), "{arrived:?}: {words:?}");
        }
    }

    #[test]
    fn a_secret_that_fits_as_it_is_comes_before_a_mistake_in_another() {
        let mut shop = shop("\n");
        shop.secrets.get_mut("webhook").unwrap().push(SecretString::from("0a"));
        let check = FailedCheck { form: KeyForm::Hex, ..failed(b"{}", base64(b"\n", b"{}")) };
        let words = check.diagnose(&shop).unwrap();
        assert!(words.contains("as it is configured now"), "{words}");
    }

    #[test]
    fn what_no_mistake_explains_stays_unexplained() {
        assert_eq!(failed(b"{}", base64(b"other", b"{}")).diagnose(&shop("key")), None);
        assert_eq!(failed(b"{}", Presented::Hex("zz".to_owned())).diagnose(&shop("key")), None);
    }

    #[test]
    fn a_failed_check_shows_nothing_of_the_request() {
        let shown = format!("{:?}", failed(b"private", Presented::Hex("proof".to_owned())));
        assert!(!shown.contains("private") && !shown.contains("proof"), "{shown}");
    }
}
