//! Requests at the door: by which means a shop checks, and everything that only looks like something.

use bursar_adapter::Remedy;
use bursar_adapter::testing::{Answer, Judged, Post, Shop};

use crate::StandardWebhooks;

const BODY: &[u8] = include_bytes!("../../../../tests/vectors/standard-webhooks/order.paid.body");
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const V1: &str = "v1,RKyjXYpRC5xisuntwbVPbtt0//KCdE8SIhsJuFvz17k=";
const WRONG_V1: &str = "v1,lWlnTeh6L0AEVScIK1YpYxYYKcxYk0tg+1nxbR30Gk0=";
const LITERAL: &str = "v1,W5HjUO9hdJjjR9uvYxHlwGZu9pTUB9xVasZF/AiE/e0=";
const V1A: &str = "v1a,88oQEUeXizkoV6D0OqDVh85NR56/ZRxAfEXwq6xWR7/SyqNdAjl6o9g4b9RoLmVb8KvZom4nt7CJ+xfyqXR2AQ==";
const WRONG_V1A: &str = "v1a,O0redpBt+IwvUhLbha5xwwtGgmMdiSsuHDr44nUpSTxz6roCz49Ip4SSO0redpBt+IwvUhLbha5xww==";

/// The moment that the vectors were signed at.
const SIGNED_AT: u64 = 1_700_000_000_000;

fn post(signature: &str) -> Post {
    Post::new(BODY)
        .header("webhook-id", "msg_test_0001")
        .header("webhook-timestamp", "1700000000")
        .header("webhook-signature", signature)
        .received_at(SIGNED_AT)
}

fn with_secret() -> Shop {
    Shop::new().secret("webhook", SECRET)
}

fn keys(shop: Shop) -> Shop {
    shop.key_set_accepts("webhook", V1A.strip_prefix("v1a,").unwrap())
}

fn judged(shop: &Shop, signature: &str) -> Judged {
    shop.authenticate::<StandardWebhooks>(&post(signature)).unwrap()
}

fn refusal(shop: &Shop, post: &Post) -> String {
    let problem = shop.authenticate::<StandardWebhooks>(post).unwrap_err();
    assert_eq!(problem.remedy, Remedy::None, "{problem}");
    problem.code
}

#[test]
fn a_shop_takes_what_its_own_means_prove_and_a_request_may_carry_both() {
    for (shop, proofs) in [
        (with_secret(), vec![V1.to_owned(), format!("{V1} {V1A}"), format!("{V1A} {V1}"), format!("{WRONG_V1A} {V1}")]),
        (keys(Shop::new()), vec![V1A.to_owned(), format!("{V1} {V1A}"), format!("{WRONG_V1} {V1A}")]),
        (
            keys(with_secret()),
            vec![V1.to_owned(), V1A.to_owned(), format!("{WRONG_V1} {V1A}"), format!("{WRONG_V1A} {V1}")],
        ),
    ] {
        for proof in proofs {
            let judged = judged(&shop, &proof);
            assert_eq!(judged.answer, Answer::Accept { topic: "order.paid".to_owned() }, "{proof}");
            assert_eq!(judged.key.as_deref(), Some("msg_test_0001"));
        }
    }
}

#[test]
fn naming_a_means_that_the_shop_lacks_gets_nobody_in_and_fills_no_store() {
    for (shop, proof, code) in [
        (with_secret(), V1A.to_owned(), "signature-of-another-kind"),
        (with_secret(), format!("{WRONG_V1} {V1A}"), "signature-mismatch"),
        (keys(Shop::new()), V1.to_owned(), "signature-of-another-kind"),
        (keys(Shop::new()), format!("{V1} {WRONG_V1A}"), "signature-mismatch"),
        (keys(with_secret()), format!("{WRONG_V1} {WRONG_V1A}"), "signature-mismatch"),
        (Shop::new(), V1.to_owned(), "signature-of-another-kind"),
        (Shop::new(), V1A.to_owned(), "signature-of-another-kind"),
        (Shop::new(), format!("{V1} {V1A}"), "signature-of-another-kind"),
        (with_secret(), "v3,AAAA".to_owned(), "signature-malformed"),
        (with_secret(), String::new(), "signature-malformed"),
        (with_secret(), "v1,".to_owned(), "signature-malformed"),
        (with_secret(), LITERAL.to_owned(), "signature-mismatch"),
        (with_secret(), V1.replacen("v1,", "v1a,", 1), "signature-of-another-kind"),
        (with_secret(), V1.replacen("v1,", "", 1), "signature-malformed"),
    ] {
        assert_eq!(refusal(&shop, &post(&proof)), code, "{proof}");
    }
}

#[test]
fn a_header_twice_or_missing_is_refused() {
    let shop = with_secret();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert_eq!(refusal(&shop, &post(V1).header(name, "1")), "header-repeated", "{name}");
    }
    assert_eq!(refusal(&shop, &Post::new(BODY)), "header-missing");
    assert_eq!(refusal(&shop, &Post::new("")), "header-missing");
}

#[test]
fn a_genuine_request_is_refused_once_its_tolerance_is_over() {
    for (shop, proof) in [(with_secret(), V1), (keys(Shop::new()), V1A), (keys(with_secret()), V1)] {
        let at = |at: u64| post(proof).received_at(at);
        assert_eq!(refusal(&shop, &at(SIGNED_AT + 300_001)), "too-old");
        assert_eq!(refusal(&shop, &at(SIGNED_AT - 300_001)), "too-new");
        assert!(shop.authenticate::<StandardWebhooks>(&at(SIGNED_AT + 300_000)).is_ok());
    }
}

#[test]
fn a_secret_that_is_no_base64_waits_for_the_operator() {
    let problem = Shop::new().secret("webhook", "not base64!").authenticate::<StandardWebhooks>(&post(V1)).unwrap_err();
    assert_eq!((problem.remedy, problem.code.as_str()), (Remedy::Operator, "secret-malformed"));
}

#[test]
fn the_secret_is_taken_with_and_without_its_beginning() {
    let bare = Shop::new().secret("webhook", SECRET.strip_prefix("whsec_").unwrap());
    assert!(bare.authenticate::<StandardWebhooks>(&post(V1)).is_ok());
}

#[test]
fn the_adapter_describes_that_either_means_will_do() {
    let described = Shop::describe::<StandardWebhooks>();
    assert_eq!(described.platform, "standard-webhooks");
    assert!(described.secrets.is_empty());
    assert_eq!((described.optional_secrets[0].0.as_str(), described.key_sets[0].0.as_str()), ("webhook", "webhook"));
    assert_eq!(described.topics.len(), 3);
}
