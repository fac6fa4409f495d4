//! Requests that were computed, not recorded: what must pass, and what must not.

use std::fs;
use std::path::Path;

use bursar_adapter::testing::{Answer, Post, Shop};
use serde_json::Value;

use super::{PROJECT, handled, stated};
use crate::WooCommerce;

fn vectors() -> Value {
    serde_json::from_slice(&body("vectors.json")).unwrap()
}

fn body(name: &str) -> Vec<u8> {
    fs::read(Path::new(PROJECT).join("tests/vectors/woocommerce").join(name)).unwrap()
}

fn signed(case: &Value) -> Post {
    Post::new(body(case["body"].as_str().unwrap()))
        .header("content-type", "application/json")
        .header("x-wc-webhook-topic", case["topic"].as_str().unwrap_or("order.updated"))
        .header("x-wc-webhook-signature", case["signature"].as_str().unwrap())
}

#[test]
fn what_the_shop_signed_is_accepted_under_its_topic_and_order() {
    let vectors = vectors();
    let shop = Shop::new().secret("webhook", vectors["secret"].as_str().unwrap());
    for case in vectors["accepted"].as_array().unwrap() {
        let judged = shop.authenticate::<WooCommerce>(&signed(case)).unwrap();
        assert_eq!(judged.answer, Answer::Accept { topic: case["topic"].as_str().unwrap().to_owned() });
        assert_eq!(judged.subject.as_deref(), case["about"].as_str());
    }
}

#[test]
fn what_the_shop_did_not_sign_is_refused() {
    let vectors = vectors();
    let shop = Shop::new().secret("webhook", vectors["secret"].as_str().unwrap());
    for case in vectors["refused"].as_array().unwrap() {
        let refused = shop.authenticate::<WooCommerce>(&signed(case)).unwrap_err();
        assert_eq!(refused.code, case["code"].as_str().unwrap(), "{}", case["why"]);
    }
}

#[test]
fn the_secret_is_the_text_that_was_typed_and_not_the_one_that_is_stored() {
    let vectors = vectors();
    let shop = Shop::new().secret("webhook", vectors["secret_as_the_shop_stores_it"].as_str().unwrap());
    assert!(shop.authenticate::<WooCommerce>(&signed(&vectors["accepted"][0])).is_err());
}

#[test]
fn the_ping_is_answered_with_200_and_nothing_else() {
    let ping = &vectors()["handshake"];
    let post =
        Post::new(body(ping["body"].as_str().unwrap())).header("content-type", ping["content_type"].as_str().unwrap());
    let judged = Shop::new().authenticate::<WooCommerce>(&post).unwrap();
    assert_eq!(judged.answer, Answer::Respond { status: 200, content_type: "text/plain".to_owned(), body: Vec::new() });
}

#[test]
fn a_gift_goes_to_the_learner_of_the_line_and_the_rest_to_the_buyer() {
    let handled = handled(body("order.updated.body"));
    let order = stated(&handled);
    assert_eq!(order.learner_email.as_deref(), Some("zoe@learner.example"));
    assert_eq!(order.line("41").unwrap().learner_email.as_deref(), Some("gift@learner.example"));
    assert_eq!(order.line("42").unwrap().learner_email, None);
}

#[test]
fn a_partial_refund_of_which_the_line_is_not_said_is_stated_as_money() {
    let handled = handled(body("order.updated.partial-refund.body"));
    let order = stated(&handled);
    let refunded = ("49.00".to_owned(), "EUR".to_owned(), "98.00".to_owned());
    assert_eq!(order.refunded_amount, Some(refunded));
    assert!(order.holds.is_empty());
    assert!(order.lines.iter().all(|line| line.holds.is_empty() && line.refunded_quantity.is_none()));
}
