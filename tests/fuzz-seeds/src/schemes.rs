//! The kit's schemes: who is believed holds the secret, and each scheme is held to its own words.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bursar_adapter::{
    Adapter, Delivery, Description, Request, Result, Verdict,
    schemes::{self, PADDLE, STRIPE, StandardKey, TOLERANCE, Timestamped},
    signatures,
    testing::{Post, Shop},
};

use crate::parts::{Parts, replaced};

/// The moment of receipt: that of the vectors.
const RECEIVED_AT: u64 = 1_700_000_000_000;

/// The only proof that the shop's set of keys takes: the kit's fake host computes nothing with keys.
const BY_KEYS: &str = "c2lnbmVk";

/// Bytes are the shop's secret, the path with the scheme at its beginning, headers by lines, and the body. In a header,
/// `{hex}` and `{base64}` stand for the HMAC of the body, and `{hex:…}` and `{base64:…}` for that of more before it.
pub fn schemes(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (secret, path) = (parts.text(), parts.text());
    let headers = parts.next();
    let body = parts.rest();
    let mut post = Post::new(body).path(&path).received_at(RECEIVED_AT);
    let mut given = Vec::new();
    for line in headers.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        let value = signed(line[colon + 1..].trim_ascii(), &secret, body);
        post = post.header(&name, value.clone());
        given.push((name, value));
    }
    let shop = Shop::new().key_set_accepts("keys", BY_KEYS);
    let shop = if secret.is_empty() { shop } else { shop.secret("webhook", &secret) };
    match shop.authenticate::<Judge>(&post) {
        Ok(judged) => {
            let header = |name: &str| {
                let mut values = given.iter().filter(|(other, _)| other == name);
                let value =
                    values.next().map(|(_, value)| String::from_utf8(value.clone()).expect("believed, and no text"));
                assert!(values.next().is_none(), "one of several headers was believed");
                value.unwrap_or_default()
            };
            believed(&secret, &path, body, judged.key.as_deref(), header);
        }
        Err(problem) => {
            assert!(!problem.code.is_empty() && !problem.message.is_empty());
            let odd = secret.len() >= 4 && secret.contains(['{', '}', '[', ']', '#', '$', '%', '~']);
            assert!(!odd || !problem.to_string().contains(secret.as_ref()), "the secret shows in {problem}");
        }
    }
}

/// Was it believed for a reason?
fn believed(secret: &str, path: &str, body: &[u8], key: Option<&str>, header: impl Fn(&str) -> String) {
    let scheme = path.split('/').nth(1).unwrap_or_default();
    assert!(!secret.is_empty() || ["standard-keys", "jws"].contains(&scheme), "believed without a secret");
    let hex_of = |before: &str| hex::encode(mac(secret.as_bytes(), before, body));
    let base64_of = |key: &[u8], before: &str| STANDARD.encode(mac(key, before, body));
    let timestamped = |name: &str, form: Timestamped| {
        let value = header(name);
        let pairs: Vec<_> = value.split(form.separator).filter_map(|pair| pair.trim().split_once('=')).collect();
        let times: Vec<_> = pairs.iter().filter(|(name, _)| *name == form.time).map(|(_, time)| *time).collect();
        let [time] = times.try_into().expect("believed with another number of moments than one");
        near(time);
        let proof = hex_of(&format!("{time}{}", form.between));
        assert!(pairs.contains(&(form.proof, proof.as_str())), "believed without the proof in {value}");
    };
    match scheme {
        "woocommerce" => assert_eq!(header("x-wc-webhook-signature"), base64_of(secret.as_bytes(), "")),
        "lemonsqueezy" => assert_eq!(header("x-signature"), hex_of("")),
        "joanie" => assert_eq!(header("authorization"), format!("SIG-HMAC-SHA256 {}", hex_of(""))),
        "stripe" => timestamped("stripe-signature", STRIPE),
        "paddle" => timestamped("paddle-signature", PADDLE),
        "standard" | "standard-keys" => {
            let svix = !header("svix-signature").is_empty();
            let of = |name: &str| header(&format!("{}-{name}", if svix { "svix" } else { "webhook" }));
            let (id, time, value) = (of("id"), of("timestamp"), of("signature"));
            near(&time);
            let proof = if scheme == "standard" {
                let bytes =
                    STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).expect("believed without a key");
                assert!(!bytes.is_empty(), "believed by an empty key");
                format!("v1,{}", base64_of(&bytes, &format!("{id}.{time}.")))
            } else {
                format!("v1a,{BY_KEYS}")
            };
            assert!(value.split(' ').any(|one| one == proof), "believed without the proof in {value}");
            assert_eq!(key, Some(id.as_str()));
        }
        "jws" => assert_eq!(header("x-signature"), BY_KEYS),
        "header" => assert_eq!(header("authorization"), secret),
        _ => assert!(path.rsplit('/').next() == Some(secret)),
    }
}

fn near(time: &str) {
    let seconds: u64 = time.parse().expect("believed with a moment that is none");
    let millis = seconds.checked_mul(1_000).expect("believed beyond all time");
    assert!(u128::from(millis.abs_diff(RECEIVED_AT)) <= TOLERANCE.as_millis(), "believed out of time");
}

fn mac(key: &[u8], before: &str, body: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, &[before.as_bytes(), body].concat()).as_ref().to_vec()
}

/// The header's value with proofs in the places that are left for them.
fn signed(value: &[u8], secret: &str, body: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    let base64_key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap_or_default();
    for (open, key) in [("{hex", secret.as_bytes()), ("{base64", secret.as_bytes()), ("{standard", &base64_key)] {
        let text = String::from_utf8_lossy(&value).into_owned();
        let Some((start, rest)) = text.find(open).map(|start| (start, &text[start + open.len()..])) else { continue };
        let Some((before, _)) = rest.split_once('}') else { continue };
        let proof = mac(key, before.strip_prefix(':').unwrap_or(before), body);
        let proof = if open == "{hex" { hex::encode(proof) } else { STANDARD.encode(proof) };
        let place = &text[start..start + open.len() + before.len() + 1];
        value = replaced(&value, place.as_bytes(), proof.as_bytes());
    }
    value
}

/// Judges by the scheme that the path names.
struct Judge;

impl Adapter for Judge {
    fn describe() -> Description {
        Description::new("judge", "0.0.0")
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        match request.path().split('/').nth(1) {
            Some("woocommerce") => schemes::body_base64(request, "x-wc-webhook-signature", "webhook")?,
            Some("lemonsqueezy") => schemes::body_hex(request, "X-Signature", "webhook")?,
            Some("joanie") => schemes::body_hex_after(request, "authorization", "SIG-HMAC-SHA256 ", "webhook")?,
            Some("stripe") => {
                schemes::timestamped(request, "stripe-signature", STRIPE, "webhook", TOLERANCE).map(|_| ())?;
            }
            Some("paddle") => {
                schemes::timestamped(request, "paddle-signature", PADDLE, "webhook", TOLERANCE).map(|_| ())?;
            }
            Some("standard") => {
                let id = schemes::standard_webhooks(request, StandardKey::Secret("webhook"))?;
                return Ok(Verdict::accept("sale").key(id));
            }
            Some("standard-keys") => {
                let id = schemes::standard_webhooks(request, StandardKey::KeySet("keys"))?;
                return Ok(Verdict::accept("sale").key(id));
            }
            Some("jws") => signatures::detached_jws("keys", &["EdDSA"], &request.header("x-signature")?)?,
            Some("header") => schemes::key_in_header(request, "authorization", "webhook")?,
            _ => schemes::key_in_path(request, "webhook")?,
        }
        Ok(Verdict::accept("sale"))
    }

    fn handle(_: &Delivery<'_>) -> Result<()> {
        Ok(())
    }
}
