//! Proofs by shared secrets: only the right one is taken, the kit's fake host agrees, and why one is wrong is told without
//! telling the secret.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bursar_adapter::{
    Adapter, Delivery, Description, Request, Verdict,
    signatures::{self, Hash, KeyForm, Part, Proof},
    testing::{Post, Shop},
};
use bursar_domain::{ShopName, Timestamp};
use bursar_sandbox::{FixedKeySets, ShopContext, probe};
use bytes::Bytes;
use secrecy::SecretString;

use crate::parts::Parts;

const FORMS: [&str; 3] = ["text", "base64", "hex"];
const HASHES: [&str; 3] = ["sha256", "sha1", "sha512"];
const ENCODINGS: [&str; 3] = ["hex", "base64", "bytes"];

/// Stands in no sentence of ours: a secret that holds one of these cannot be found in one by chance.
const NEVER_SAID: [char; 8] = ['{', '}', '[', ']', '#', '$', '%', '~'];

/// Bytes are a digit for each choice, two secrets, what stands before the body, a proof, and the body. Where there is no
/// proof, the right one is made.
pub fn hmac(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let choices = parts.next();
    let choice = |place: usize| usize::from(choices.get(place).copied().unwrap_or_default());
    let (one, other) = (parts.text(), parts.text());
    let (before, proof) = (parts.text(), parts.next());
    let body = parts.rest();

    let (form, hash) = (FORMS[choice(0) % 3], HASHES[choice(1) % 3]);
    let encoding = ENCODINGS[choice(2) % 3];
    let signed = [before.as_bytes(), body].concat();
    let made = [&one, &other].into_iter().find_map(|secret| genuine(secret, form, hash, encoding, &signed));
    let genuine = made.filter(|_| proof.is_empty());
    let proof = genuine.as_deref().unwrap_or(proof);
    let check = probe::Hmac { form, hash, encoding, proof };
    let secrets: Vec<SecretString> = [&one, &other].map(|text| SecretString::from(text.as_ref())).into();
    let outcome = check.check(&secrets, before.as_bytes(), body);
    if genuine.is_some() {
        assert_eq!(outcome, Ok(()), "a genuine proof was refused");
        let changed = [body, b"x"].concat();
        assert!(check.check(&secrets, before.as_bytes(), &changed).is_err(), "a proof of another body was taken");
        let mut cut = proof.to_vec();
        cut.pop();
        let cut = probe::Hmac { proof: &cut, ..check };
        assert!(cut.check(&secrets, before.as_bytes(), body).is_err(), "half a proof was taken");
    }
    if one.is_empty() && other.is_empty() {
        assert_eq!(outcome, Err("secret-missing"));
    }
    assert_eq!(
        as_the_kit_says([&one, &other], &check, &before, body),
        outcome.map_err(str::to_owned),
        "the kit's fake says otherwise"
    );
    explained(&check, secrets, &before, body, outcome.is_ok());

    let keys: Vec<SecretString> = [&one, &other].map(|text| SecretString::from(text.as_ref())).into();
    let known = [one.as_bytes(), other.as_bytes()].iter().any(|key| !key.is_empty() && *key == proof);
    assert_eq!(probe::shared_key(&keys, proof), known);
}

/// The proof, made by another library than the host's.
fn genuine(secret: &str, form: &str, hash: &str, encoding: &str, signed: &[u8]) -> Option<Vec<u8>> {
    let key = match form {
        "text" => secret.as_bytes().to_vec(),
        "base64" => STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?,
        _ => hex::decode(secret).ok()?,
    };
    if key.is_empty() {
        return None;
    }
    let algorithm = match hash {
        "sha256" => ring::hmac::HMAC_SHA256,
        "sha1" => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        _ => ring::hmac::HMAC_SHA512,
    };
    let tag = ring::hmac::sign(&ring::hmac::Key::new(algorithm, &key), signed);
    Some(match encoding {
        "hex" => hex::encode(tag).into_bytes(),
        "base64" => STANDARD.encode(tag).into_bytes(),
        _ => tag.as_ref().to_vec(),
    })
}

/// The reason is found off the hot path, and shows nothing of secret or proof.
fn explained(check: &probe::Hmac<'_>, secrets: Vec<SecretString>, before: &str, body: &[u8], right: bool) {
    use secrecy::ExposeSecret as _;
    let texts: Vec<String> = secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect();
    let shop = ShopContext {
        name: ShopName::parse("campus").unwrap(),
        secrets: BTreeMap::from([("webhook".to_owned(), secrets)]),
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json: "{}".to_owned(),
        unsigned: false,
        permissions: Default::default(),
    };
    let request = bursar_domain::Request {
        method: "POST".to_owned(),
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body),
        received_at: Timestamp::from_millis(0),
    };
    let failed = check.failed("webhook", before.as_bytes(), Arc::new(request));
    let words = failed.diagnose(&shop);
    let matches = words.as_deref().is_some_and(|words| words.contains("as it is configured now"));
    assert_eq!(matches, right, "explained as {words:?}");
    let shown = format!("{words:?} {failed:?}");
    for text in texts.iter().filter(|text| text.len() >= 4 && text.contains(NEVER_SAID)) {
        assert!(!shown.contains(text.as_str()), "the secret shows in {shown}");
    }
}

thread_local! {
    static ASKED: std::cell::RefCell<(KeyForm, Hash, &'static str, Vec<u8>, String)> =
        const { std::cell::RefCell::new((KeyForm::Text, Hash::Sha256, "hex", Vec::new(), String::new())) };
}

/// Asks for the one check.
struct Asker;

impl Adapter for Asker {
    fn describe() -> Description {
        Description::new("asker", "0.0.0")
    }

    fn authenticate(_: &Request<'_>) -> bursar_adapter::Result<Verdict> {
        ASKED.with_borrow(|(form, hash, encoding, proof, before)| {
            let text = String::from_utf8_lossy(proof);
            let proof = match *encoding {
                "hex" => Proof::Hex(&text),
                "base64" => Proof::Base64(&text),
                _ => Proof::Bytes(proof),
            };
            signatures::hmac("webhook", *form, *hash, &[Part::Text(before), Part::Body], proof)
        })?;
        Ok(Verdict::accept("sale"))
    }

    fn handle(_: &Delivery<'_>) -> bursar_adapter::Result<()> {
        Ok(())
    }
}

fn as_the_kit_says(secrets: [&str; 2], check: &probe::Hmac<'_>, before: &str, body: &[u8]) -> Result<(), String> {
    let form = match check.form {
        "text" => KeyForm::Text,
        "base64" => KeyForm::Base64,
        _ => KeyForm::Hex,
    };
    let hash = match check.hash {
        "sha256" => Hash::Sha256,
        "sha1" => Hash::Sha1,
        _ => Hash::Sha512,
    };
    let encoding = ENCODINGS.into_iter().find(|encoding| *encoding == check.encoding).unwrap();
    ASKED.set((form, hash, encoding, check.proof.to_vec(), before.to_owned()));
    let shop = secrets.into_iter().fold(Shop::new(), |shop, secret| shop.secret("webhook", secret));
    shop.authenticate::<Asker>(&Post::new(body)).map(|_| ()).map_err(|problem| problem.code)
}
