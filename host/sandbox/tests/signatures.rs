//! Proofs by public keys, with requests as real shops and the vendors' libraries sign them, and with forgeries.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of the support")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bursar_sandbox::{
    Adapter, Decision, FixedKeySets, KeySets, KeysFault, Problem, PublicKeys, Remedy, RunErrorKind, limits,
};
use serde_json::{Value, json};
use support::{adapter, request_with, shop_with};

const SALEOR: &str = include_str!("data/saleor.signatures.json");
const STANDARD_V1A: &str = include_str!("data/standard.v1a.json");
const ALGORITHMS: &str = include_str!("data/jws.algorithms.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn keys(jwks: &Value) -> PublicKeys {
    PublicKeys::from_jwks(&jwks.to_string()).unwrap()
}

fn fixed(keys: PublicKeys) -> Arc<dyn KeySets> {
    Arc::new(FixedKeySets::default().with("keys", keys))
}

async fn decide(
    adapter: &Adapter,
    sets: Arc<dyn KeySets>,
    path: &str,
    body: &[u8],
    headers: &[(&str, &str)],
) -> Decision {
    let shop = shop_with(|shop| shop.key_sets = sets);
    let request = request_with(path, body, |request| {
        request.headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec().into())).collect();
    });
    adapter.authenticate(&shop, request).await.unwrap().decision
}

async fn jws(adapter: &Adapter, sets: Arc<dyn KeySets>, path: &str, body: &[u8], jws: &str) -> Result<(), Problem> {
    match decide(adapter, sets, path, body, &[("saleor-signature", jws)]).await {
        Decision::Accept { .. } => Ok(()),
        Decision::Problem(problem) => Err(problem),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_real_saleor_signed_is_proven_and_what_was_altered_is_not() {
    let (vectors, adapter) = (read(SALEOR), adapter().await);
    let mut proven = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["case"].as_str().unwrap();
        let sets = fixed(keys(&vectors["key_sets"][case["keys"].to_string()]));
        let body = STANDARD.decode(case["body_base64"].as_str().unwrap()).unwrap();
        match jws(&adapter, sets, "/jws/RS256", &body, case["jws"].as_str().unwrap()).await {
            Ok(()) => proven.push(name),
            Err(problem) => {
                let expected = match name {
                    "x-invalid-altered-byte"
                    | "x-invalid-body-utf16"
                    | "x-invalid-reserialised-unicode"
                    | "made-refused-signed_by_other_key_same_kid" => "signature-mismatch",
                    _ => "signature-malformed",
                };
                assert_eq!((problem.code.as_str(), problem.remedy), (expected, Remedy::None), "{name}: {problem}");
            }
        }
    }
    assert_eq!(
        proven,
        [
            "00003-legacy-jws-order_fully_paid-o1",
            "00606-event-jws-order_created-o31",
            "00856-event-jws-order_created-o39",
            "x-valid-dots-in-body",
            "x-b64false-without-crit",
            "made-without-crit",
            "made-with-crit"
        ]
    );
}

#[tokio::test]
async fn every_algorithm_is_checked_and_only_where_the_adapter_allows_it() {
    let (vectors, adapter) = (read(ALGORITHMS), adapter().await);
    let body = vectors["body"].as_str().unwrap().as_bytes();
    for case in vectors["sound"].as_array().unwrap() {
        let (name, signed) = (case["alg"].as_str().unwrap(), case["jws"].as_str().unwrap());
        let sets = || fixed(keys(&json!({"keys": [case["jwk"]]})));
        jws(&adapter, sets(), &format!("/jws/{name}"), body, signed).await.unwrap();
        jws(&adapter, sets(), "/jws/RS256,PS256,ES256,EdDSA", body, signed).await.unwrap();
        for others in ["HS256", "none", "", "rs256"] {
            let problem = jws(&adapter, sets(), &format!("/jws/{others}"), body, signed).await.unwrap_err();
            assert_eq!(problem.code, "signature-malformed", "{name} passed for {others}");
        }
        let problem = jws(&adapter, sets(), &format!("/jws/{name}"), b"{\"id\":8}", signed).await.unwrap_err();
        assert_eq!(problem.code, "signature-mismatch");
    }
}

#[tokio::test]
async fn a_key_serves_only_the_algorithm_that_it_says() {
    let (vectors, adapter) = (read(ALGORITHMS), adapter().await);
    let body = vectors["body"].as_str().unwrap().as_bytes();
    let (case, signed) = (&vectors["sound"][1], vectors["sound"][1]["jws"].as_str().unwrap());
    for (member, value, proven) in [
        ("alg", json!("RS256"), true),
        ("alg", json!("PS256"), false),
        ("kid", json!("another"), true), // The signature does not say by which key it is.
    ] {
        let mut jwk = case["jwk"].clone();
        jwk[member] = value;
        let outcome = jws(&adapter, fixed(keys(&json!({"keys": [jwk]}))), "/jws/RS256", body, signed).await;
        assert_eq!(outcome.is_ok(), proven, "{member}");
    }
    // One that names its key fits no key of another name.
    let mut jwk = vectors["sound"][0]["jwk"].clone();
    jwk["kid"] = json!("another");
    let signed = vectors["sound"][0]["jws"].as_str().unwrap();
    let problem = jws(&adapter, fixed(keys(&json!({"keys": [jwk]}))), "/jws/PS256", body, signed).await.unwrap_err();
    assert_eq!(problem.code, "signature-mismatch");
}

#[test]
fn key_sets_that_would_prove_nothing_are_refused() {
    let vectors = read(ALGORITHMS);
    let sound = &vectors["sound"][0]["jwk"];
    let with = |member: &str, value: Value| {
        let mut jwk = sound.clone();
        jwk[member] = value;
        json!({"keys": [jwk]}).to_string()
    };
    for (text, words) in [
        (String::new(), "is not a json web key set"),
        ("[]".to_owned(), "is not a json web key set"),
        (json!({"keys": []}).to_string(), "holds no key that can be used"),
        (json!({"keys": [vectors["weak"]["jwk"]]}).to_string(), "holds no key that can be used"),
        (with("use", json!("enc")), "holds no key that can be used"),
        (with("key_ops", json!(["sign"])), "holds no key that can be used"),
        (with("d", json!("AQAB")), "holds a private key"),
        (json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string(), "holds no key that can be used"),
        (json!({"keys": vec![sound; limits::KEYS + 1]}).to_string(), "has more than 16 keys"),
        (" ".repeat(limits::KEY_SET + 1), "has more than 65536 bytes"),
    ] {
        let problem = PublicKeys::from_jwks(&text).unwrap_err().to_string();
        assert!(problem.starts_with(words), "{problem}");
    }
    // What is not understood is left out beside a key that is.
    let mixed = json!({"keys": [{"kty": "EC", "crv": "P-384"}, 7, sound]}).to_string();
    assert_eq!(PublicKeys::from_jwks(&mixed).unwrap(), keys(&json!({"keys": [sound]})));
}

async fn ed25519(adapter: &Adapter, sets: Arc<dyn KeySets>, case: &Value, signature: &str, body: &str) -> Decision {
    let headers = [
        ("svix-id", case["id"].as_str().unwrap()),
        ("svix-timestamp", case["timestamp"].as_str().unwrap()),
        ("svix-signature", signature),
    ];
    decide(adapter, sets, "/ed25519", body.as_bytes(), &headers).await
}

#[tokio::test]
async fn what_the_vendors_signed_by_ed25519_is_proven_and_forgeries_are_not() {
    let (vectors, adapter) = (read(STANDARD_V1A), adapter().await);
    for case in vectors["cases"].as_array().unwrap() {
        let key: [u8; 32] = STANDARD.decode(case["key"].as_str().unwrap()).unwrap().try_into().unwrap();
        let (signature, body) = (case["signature"].as_str().unwrap(), case["body"].as_str().unwrap());
        let proven = ed25519(&adapter, fixed(PublicKeys::ed25519(key)), case, signature, body).await;
        assert!(matches!(proven, Decision::Accept { .. }), "{}: {proven:?}", case["case"]);

        let mut other = key;
        other[0] ^= 1;
        for (keys, signature, body, code) in [
            (key, signature.to_owned(), format!("{body} "), "signature-mismatch"),
            (other, signature.to_owned(), body.to_owned(), "signature-mismatch"),
            (key, format!("v1a,{}", STANDARD.encode([0; 64])), body.to_owned(), "signature-mismatch"),
            (key, format!("v1a,{}", STANDARD.encode([0; 63])), body.to_owned(), "signature-malformed"),
            (key, signature.trim_end_matches('=').to_owned(), body.to_owned(), "signature-malformed"),
            (key, String::new(), body.to_owned(), "signature-malformed"),
        ] {
            let decision = ed25519(&adapter, fixed(PublicKeys::ed25519(keys)), case, &signature, &body).await;
            let Decision::Problem(problem) = decision else { panic!("{decision:?}") };
            assert_eq!((problem.code.as_str(), problem.remedy), (code, Remedy::None));
        }
    }
}

/// Keys that change while they are asked for, or cannot be had.
struct Changing {
    first: Result<PublicKeys, KeysFault>,
    then: Result<PublicKeys, KeysFault>,
    asked: AtomicUsize,
}

#[async_trait]
impl KeySets for Changing {
    async fn keys(&self, set: &str, unfit: Option<&Arc<PublicKeys>>) -> Result<Arc<PublicKeys>, KeysFault> {
        assert_eq!((set, unfit.is_some()), ("keys", self.asked.fetch_add(1, Ordering::Relaxed) > 0));
        if unfit.is_some() { self.then.clone() } else { self.first.clone() }.map(Arc::new)
    }
}

#[tokio::test]
async fn keys_that_the_shop_replaced_are_asked_for_once_more() {
    let (vectors, adapter) = (read(SALEOR), adapter().await);
    let case = &vectors["cases"][0];
    let body = STANDARD.decode(case["body_base64"].as_str().unwrap()).unwrap();
    let (right, wrong) = (keys(&vectors["key_sets"]["1"]), keys(&vectors["key_sets"]["2"]));
    let away = KeysFault::Unreachable { message: "no answer".to_owned(), retry_after: Some(Duration::from_secs(9)) };
    for (first, then, asked, expected) in [
        (Ok(right.clone()), Err(KeysFault::Missing), 1, None),
        (Ok(wrong.clone()), Ok(right.clone()), 2, None),
        (Ok(wrong.clone()), Ok(wrong.clone()), 2, Some(("signature-mismatch", Remedy::None, None))),
        (Ok(wrong.clone()), Err(away.clone()), 2, Some(("keys-unreachable", Remedy::Later, Some(9)))),
        (Err(away.clone()), Ok(right.clone()), 1, Some(("keys-unreachable", Remedy::Later, Some(9)))),
        (Err(KeysFault::Missing), Ok(right.clone()), 1, Some(("key-set-missing", Remedy::Operator, None))),
        (
            Err(KeysFault::Misconfigured("is empty".to_owned())),
            Ok(right.clone()),
            1,
            Some(("key-set-malformed", Remedy::Operator, None)),
        ),
    ] {
        let sets = Arc::new(Changing { first, then, asked: AtomicUsize::new(0) });
        let outcome = jws(&adapter, sets.clone(), "/jws/RS256", &body, case["jws"].as_str().unwrap()).await;
        assert_eq!(sets.asked.load(Ordering::Relaxed), asked);
        let outcome = outcome.err();
        let told = outcome
            .as_ref()
            .map(|problem| (problem.code.as_str(), problem.remedy, problem.retry_after.map(|pause| pause.as_secs())));
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_large_body_cannot_be_hashed_once_for_each_of_many_keys() {
    let (vectors, adapter) = (read(ALGORITHMS), adapter().await);
    let many: Vec<Value> = (0..limits::KEYS).map(|_| vectors["sound"][1]["jwk"].clone()).collect();
    let shop = shop_with(|shop| shop.key_sets = fixed(keys(&json!({"keys": many}))));
    let body = vec![b' '; 4 << 20];
    let request = request_with("/jws/RS256", &body, |request| {
        let signed = vectors["sound"][1]["jws"].as_str().unwrap().as_bytes().to_vec();
        request.headers = vec![("saleor-signature".to_owned(), signed.into())];
    });
    let error = adapter.authenticate(&shop, request).await.unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Limit { what: "bytes handed over", limit: limits::HOST_BYTES.default });
}
