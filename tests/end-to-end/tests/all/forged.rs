//! Requests that the shop did not sign: refused, told why in the log and nowhere else, and never kept.

use end_to_end::http::{self, Answer};
use end_to_end::lms::email;
use end_to_end::places;
use end_to_end::plan::{CAMPUS, Plan, SECRET, Shop};
use end_to_end::site::Site;
use end_to_end::woocommerce::{self, Order, headers, signature};
use serde_json::Value;

/// What the log says of every one of them.
const REFUSED: &str = "a request was refused as not authentic";

fn vectors() -> Value {
    serde_json::from_slice(&vector("vectors.json")).unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(places::project("tests/vectors/woocommerce").join(name)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn refused(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.body.as_slice()), (401, &b""[..]), "{why}");
}

#[test]
fn what_the_vectors_say_is_signed_is_taken_and_what_they_say_is_not_is_refused() {
    let vectors = vectors();
    let site = Site::start(Plan::new(&[]).shops([Shop::new(CAMPUS).secret(text(&vectors["secret"]))]));
    let accepted = vectors["accepted"].as_array().unwrap();
    for case in accepted {
        let headers = headers(text(&case["topic"]), text(&case["signature"]));
        let answer = site.post_with(CAMPUS, &headers, &vector(text(&case["body"])));
        assert_eq!(answer.status, 200, "{case}");
    }
    site.all_handled();
    let stored = site.ledger.deliveries_of(CAMPUS);
    assert_eq!(stored.len(), accepted.len());
    for (delivery, case) in stored.iter().rev().zip(accepted) {
        assert_eq!(
            (delivery.topic.as_str(), delivery.subject.as_deref()),
            (text(&case["topic"]), case["about"].as_str())
        );
    }

    let refusals = vectors["refused"].as_array().unwrap();
    for (index, case) in refusals.iter().enumerate() {
        let headers = headers("order.updated", text(&case["signature"]));
        refused(&site.post_with(CAMPUS, &headers, &vector(text(&case["body"]))), text(&case["why"]));
        let told = site.log().wait_for_all(REFUSED, index + 1);
        assert_eq!(told[index]["code"], case["code"], "{case}");
    }
    assert_eq!(site.ledger.deliveries_of(CAMPUS).len(), accepted.len(), "nothing of it was kept");

    let ping = &vectors["handshake"];
    let headers = [("Content-Type".to_owned(), text(&ping["content_type"]).to_owned())];
    assert_eq!(site.post_with(CAMPUS, &headers, &vector(text(&ping["body"]))).status, 200);
    assert_eq!(site.ledger.deliveries_of(CAMPUS).len(), accepted.len(), "a greeting is not kept either");
}

#[test]
fn every_way_to_forge_is_refused() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let good = signature(&body, SECRET);
    let signed = |value: &str| headers("order.updated", value);
    let mut altered = body.clone();
    altered[10] ^= 1;
    let mut missing = signed(&good);
    missing.retain(|(name, _)| name != "X-WC-Webhook-Signature");
    let mut twice = signed(&good);
    twice.push(("X-WC-Webhook-Signature".to_owned(), good.clone()));
    let mut twice_other = signed(&good);
    twice_other.insert(0, ("x-wc-webhook-signature".to_owned(), signature(&body, "another")));
    let escaped = SECRET.replace('-', "&#45;");
    let cases = [
        ("an altered byte", signed(&good), altered),
        ("nothing at the end of the body any more", signed(&good), body[..body.len() - 1].to_vec()),
        ("hexadecimal", signed(&hex::encode(woocommerce::hmac(&body, SECRET))), body.clone()),
        ("a wrong secret", signed(&signature(&body, "another-secret")), body.clone()),
        ("an empty secret", signed(&signature(&body, "")), body.clone()),
        ("the secret with entities", signed(&signature(&body, &escaped)), body.clone()),
        ("no signature", missing, body.clone()),
        ("the same signature twice", twice, body.clone()),
        ("two signatures", twice_other, body.clone()),
        ("a blank signature", signed(""), body.clone()),
        ("the signature of nothing", signed(&signature(b"", SECRET)), body.clone()),
        ("the secret itself", signed(SECRET), body.clone()),
    ];
    for (why, headers, body) in &cases {
        refused(&site.post_with(CAMPUS, headers, body), why);
    }
    assert!(site.ledger.deliveries().is_empty());
    assert!(site.log().wait_for_all(REFUSED, cases.len()).iter().all(|event| event["shop"] == CAMPUS));
    let log = site.log().lines().join("\n");
    assert!(!log.contains(SECRET), "a secret stands in the log");
    assert_eq!(site.post_with(CAMPUS, &signed(&good), &body).status, 200, "and what is right still passes");
}

#[test]
fn the_log_names_a_usual_mistake_but_not_for_everybody_who_asks_at_once() {
    // As a shop stores it, and as somebody pasted it into the configuration.
    let site = Site::start(Plan::new(&[]).shops([Shop::new(CAMPUS).secret("woo &amp; test")]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let headers = headers("order.updated", &signature(&body, "woo & test"));
    for _ in 0..2 {
        refused(&site.post_with(CAMPUS, &headers, &body), "the secrets differ");
    }
    let told = site.log().wait_for_all(REFUSED, 2);
    let mistake = text(&told[0]["mistake"]);
    assert!(mistake.contains("HTML-escaped"), "{mistake}");
    assert!(!mistake.contains("woo"), "the secret itself is not told: {mistake}");
    assert_eq!(told[1].get("mistake"), None, "looking for a mistake costs time, and anybody can send");
}

#[test]
fn a_secret_that_is_being_replaced_counts_beside_the_new_one() {
    let mut shop = Shop::new(CAMPUS);
    shop.secrets = vec!["the-new-secret".to_owned(), "the-old-secret".to_owned()];
    let site = Site::start(Plan::new(&[]).shops([shop]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    for (secret, status) in [("the-new-secret", 200), ("the-old-secret", 200), ("an-older-secret", 401)] {
        let headers = headers("order.updated", &signature(&body, secret));
        assert_eq!(site.post_with(CAMPUS, &headers, &body).status, status, "{secret}");
    }
}

#[test]
fn one_shops_signature_is_nothing_to_another_shop() {
    let shops = [Shop::new("one").secret("secret-of-one"), Shop::new("two").secret("secret-of-two")];
    let site = Site::start(Plan::new(&[]).shops(shops));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let headers = headers("order.updated", &signature(&body, "secret-of-one"));
    let bytes = end_to_end::site::request("two", &headers, &body);
    refused(&http::exchange(site.address(), &bytes), "signed for another shop");
    assert_eq!(site.post_with("one", &headers, &body).status, 200);
}
