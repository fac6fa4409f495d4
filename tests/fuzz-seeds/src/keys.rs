//! Proofs by public keys: a set is read strictly, and nothing is proved but what its key signed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bursar_sandbox::{PublicKeys, probe};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::parts::{Parts, holds};

/// Stands in a header for the id of our key, and in place of a signature for a genuine one.
const SIGNED: &str = "signed";

/// Bytes are a key set, a list of algorithms, the header of a JWS, its signature, and the body. The signature `signed` is a
/// genuine one by our own key.
pub fn keys(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (set, algorithms) = (parts.text(), parts.text());
    let (header, signature) = (parts.text(), parts.text());
    let body = parts.rest();
    let algorithms: Vec<String> = algorithms.split(',').map(str::to_owned).collect();

    read(&set);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    let ours = PublicKeys::ed25519(public);
    let foreign = PublicKeys::from_jwks(&set);

    // The header as it is where it is encoded already, so that strange encodings are tried too.
    let header = if header.starts_with('{') { URL_SAFE_NO_PAD.encode(header.as_bytes()) } else { header.into_owned() };
    let message = [header.as_bytes(), b".", body].concat();
    let genuine = signature == SIGNED;
    let signature = if genuine { URL_SAFE_NO_PAD.encode(pair.sign(&message)) } else { signature.into_owned() };
    let jws = format!("{header}..{signature}");
    let judged = probe::detached_jws(&ours, &algorithms, &jws, body);
    match judged {
        Ok(true) => {
            assert!(genuine, "a signature that nobody made was taken");
            assert!(algorithms.iter().any(|allowed| allowed == "EdDSA"), "an algorithm that is not allowed was taken");
            let decoded = URL_SAFE_NO_PAD.decode(&header).unwrap();
            let read: serde_json::Value = serde_json::from_slice(&decoded).unwrap();
            assert_eq!(read["alg"], "EdDSA");
            assert_eq!(read["b64"], false);
            assert!(
                read.get("crit").is_none_or(|critical| critical.is_null() || *critical == serde_json::json!(["b64"]))
            );
            let other = [body, b" "].concat();
            assert_ne!(probe::detached_jws(&ours, &algorithms, &jws, &other), Ok(true), "another body was taken");
            let within = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(body));
            assert!(body.is_empty() || probe::detached_jws(&ours, &algorithms, &within, body).is_err());
            assert!(probe::detached_jws(&ours, &["RS256".to_owned()], &jws, body).is_err());
        }
        Ok(false) => assert!(!genuine || !header_is_for_eddsa(&header), "a genuine signature was refused"),
        Err(words) => assert!(!words.is_empty()),
    }
    if let Ok(foreign) = foreign {
        // Nobody has the private key of a set that was made up, unless it is ours.
        let is_ours = holds(set.as_bytes(), URL_SAFE_NO_PAD.encode(public).as_bytes());
        let taken = probe::detached_jws(&foreign, &algorithms, &jws, body) == Ok(true);
        assert!(!genuine || !taken || is_ours, "a signature by another key was taken");
        let proof = pair.sign(body);
        assert!(is_ours || !probe::ed25519(&foreign, body, proof.as_ref()));
    }
    let proof = pair.sign(body);
    assert!(probe::ed25519(&ours, body, proof.as_ref()));
    assert!(!probe::ed25519(&ours, &[body, b"x"].concat(), proof.as_ref()));
    assert!(!probe::ed25519(&ours, body, jws.as_bytes()));
}

fn read(set: &str) {
    match PublicKeys::from_jwks(set) {
        Ok(keys) => {
            assert_eq!(PublicKeys::from_jwks(set).as_ref(), Ok(&keys));
            let json: serde_json::Value = serde_json::from_str(set).unwrap();
            let list = json["keys"].as_array().unwrap();
            assert!(!list.is_empty());
            assert!(list.iter().all(|key| key.get("d").is_none()), "a private key was taken");
        }
        Err(problem) => {
            let words = problem.to_string();
            assert!(!words.is_empty() && words.len() < 200, "{words}");
        }
    }
}

fn header_is_for_eddsa(header: &str) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    serde_json::from_slice::<serde_json::Value>(&decoded).is_ok_and(|header| header["alg"] == "EdDSA")
}
