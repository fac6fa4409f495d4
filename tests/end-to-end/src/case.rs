//! The fixtures of an adapter, read as requests that can be sent (`docs/fixtures.md` has the format).
//!
//! Written a second time and not taken from the host, so that the two can disagree.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::places;

/// A fixture.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// `shop.json`: its own keys over those of all cases.
    pub shop: Map<String, Value>,
    /// What follows the shop's address, with the query.
    pub path: String,
    /// When it arrived, in seconds since 1970.
    pub received_unix: i64,
    /// In the order of their names, which nothing here depends on.
    pub headers: Vec<(String, String)>,
    /// Byte for byte.
    pub body: Vec<u8>,
    /// `shop-api.json`: the calls and their answers.
    pub calls: Vec<Value>,
    /// Must the ledger know something before, or is it no first try of a webhook? Then what is stated depends on more than the request.
    pub is_later: bool,
    /// `expected.json`.
    pub expected: Value,
}

impl Case {
    /// Every fixture of an adapter, by name.
    #[must_use]
    pub fn all_of(adapter: &str) -> Vec<Self> {
        let folder = places::project("plugins").join(adapter).join("fixtures");
        let shared = json(&folder.join("shop.json")).unwrap_or_default();
        let mut cases: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| Self::read(&path, &shared))
            .collect();
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        cases
    }

    fn read(folder: &Path, shared: &Value) -> Self {
        let mut shop = shared.as_object().cloned().unwrap_or_default();
        let own = json(&folder.join("shop.json")).unwrap_or_default();
        shop.extend(own.as_object().cloned().unwrap_or_default());
        let body = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let body = body.into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == "body")).unwrap();
        let body = fs::read(body).unwrap();
        let request = json(&folder.join("request.json")).unwrap_or_default();
        let word = |name: &str| request[name].as_str().unwrap_or_default();
        let query = Some(word("query")).filter(|query| !query.is_empty()).map(|query| format!("?{query}"));
        assert!(matches!(word("method"), "" | "POST"), "{} is no POST", folder.display());
        let received = request["received_at"].as_str().unwrap_or("2026-01-01T00:00:00Z").parse::<Timestamp>().unwrap();
        let headers = request["headers"].as_object().into_iter().flatten().flat_map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.iter().map(text).collect(),
                Value::Object(signed) => vec![signature(signed, &shop, &body)],
                value => vec![text(value)],
            };
            values.into_iter().map(move |value| (name.clone(), value))
        });
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            path: format!("{}{}", word("path"), query.unwrap_or_default()),
            received_unix: received.as_second(),
            headers: headers.collect(),
            calls: json(&folder.join("shop-api.json")).map_or_else(Vec::new, |calls| calls.as_array().unwrap().clone()),
            is_later: folder.join("ledger.json").is_file() || !request["delivery"].is_null(),
            expected: json(&folder.join("expected.json")).unwrap(),
            shop,
            body,
        }
    }

    /// The texts of all secrets, and the name that the adapter gives them: no adapter asks for two kinds.
    #[must_use]
    pub fn secrets(&self) -> Option<(String, Vec<String>)> {
        let secrets = self.shop.get("secrets")?.as_object().unwrap();
        assert!(secrets.len() <= 1, "{}: more than one name of a secret", self.name);
        secrets.iter().next().map(|(name, texts)| (name.clone(), texts_of(texts)))
    }
}

/// The header's text that the case only describes.
fn signature(signed: &Map<String, Value>, shop: &Map<String, Value>, body: &[u8]) -> String {
    let word = |name: &str, otherwise: &str| signed.get(name).map_or_else(|| otherwise.to_owned(), text);
    assert_eq!(word("hmac", ""), "sha256");
    let secret = texts_of(&shop["secrets"][word("secret", "")]).remove(0);
    let key = match word("key_form", "text").as_str() {
        "base64" => STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap(),
        _ => secret.into_bytes(),
    };
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    for (place, part) in word("of", "{body}").split("{body}").enumerate() {
        if place > 0 {
            hmac.update(body);
        }
        hmac.update(part.as_bytes());
    }
    let proof = hmac.finalize().into_bytes();
    let proof = if word("as", "hex") == "base64" { STANDARD.encode(proof) } else { hex::encode(proof) };
    word("write", "{proof}").replace("{proof}", &proof)
}

fn texts_of(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(|| vec![text(value)], |texts| texts.iter().map(text).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn json(file: &Path) -> Option<Value> {
    file.is_file().then(|| serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
}
