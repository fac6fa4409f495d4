//! Webhooks of every platform that can be imitated: signed as the platforms' own vectors are, and written with no key that the
//! adapters' fixtures do not have. That adapters take them is shown end to end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use bursar_domain::{Email, Timestamp, statement::ProductId};
use bursar_server::webhook::{
    self, Event, Line, Message, Order, PLATFORMS, Platform, Sender, platform, standard_webhooks, stripe,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// An order as the platform can have it: kinds of ids that are numbers anywhere are numbers here.
fn order(platform: &dyn Platform, event: Event) -> Order {
    let kinds = platform.products();
    let names_no_learner = ["mit-unified-ecommerce", "oscar"].contains(&platform.name());
    let sells_seats = ["oscar", "stripe"].contains(&platform.name());
    let products = kinds.iter().map(|kind| ProductId { kind: (*kind).to_owned(), id: "20".to_owned() });
    let line = Line {
        products: products.collect(),
        title: "Sailing".to_owned(),
        quantity: if sells_seats { 1 } else { 2 },
        price: Decimal::new(49_00, 2),
        learner: Some(Email::parse("bo@example.org").unwrap()).filter(|_| !names_no_learner),
    };
    Order {
        id: 501,
        event,
        status: None,
        placed_at: Timestamp::from_millis(1_795_422_684_000),
        modified_at: Timestamp::from_millis(1_795_422_686_250),
        email: Some(Email::parse("ada@example.org").unwrap()).filter(|_| !kinds.is_empty()),
        lines: Some(line).filter(|_| !kinds.is_empty()).into_iter().collect(),
    }
}

fn imitated(name: &str) -> &'static dyn Platform {
    platform(name).unwrap()
}

fn signed(name: &str, body: Vec<u8>, secret: &str, settings: &Value) -> Message {
    let shop = Sender { secret: &secret.into(), settings, at: Timestamp::from_millis(1_700_000_000_999) };
    let platform = imitated(name);
    platform.sign(body, platform.events()[0].1, &shop).unwrap()
}

fn header<'m>(message: &'m Message, name: &str) -> &'m str {
    &message.headers.iter().find(|(known, _)| *known == name).unwrap().1
}

fn body(platform: &dyn Platform, event: Event) -> Value {
    let topic = webhook::topic(platform, event).unwrap();
    serde_json::from_slice(&webhook::body(platform, &order(platform, event), topic).unwrap()).unwrap()
}

fn fixtures(platform: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(platform).join("fixtures")
}

/// Every key of a value, with those of everything in it: `line_items.sku`.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                found.insert(format!("{path}.{key}"));
                keys(value, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, path, found)),
        _ => {}
    }
}

#[test]
fn a_made_up_webhook_has_no_key_that_no_fixture_of_its_adapter_has() {
    for platform in PLATFORMS {
        let mut known = BTreeSet::new();
        for case in fs::read_dir(fixtures(platform.name())).unwrap() {
            if let Ok(text) = fs::read(case.unwrap().path().join("body.json"))
                && let Ok(body) = serde_json::from_slice(&text)
            {
                keys(&body, "", &mut known);
            }
        }
        for (event, _) in platform.events() {
            let mut made_up = BTreeSet::new();
            keys(&body(*platform, *event), "", &mut made_up);
            let strange: Vec<_> = made_up.difference(&known).collect();
            // WooCommerce writes far more into an order than any rule reads; those bodies are compared with a recorded one.
            assert!(platform.name() == "woocommerce" || strange.is_empty(), "{}: {strange:?}", platform.name());
        }
    }
}

#[test]
fn standard_webhooks_are_signed_as_the_specification_signs_its_example() {
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let signature = standard_webhooks::signature(secret, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553", body);
    assert_eq!(signature.unwrap(), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    let error = standard_webhooks::signature("whsec_not base64", "msg_1", "1649367553", body).unwrap_err();
    assert_eq!(error.to_string(), "it cannot be written: the secret is not whsec_ and base64");
}

#[test]
fn lemon_squeezy_saleor_and_shopify_sign_as_the_adapters_know_it() {
    let body = |platform: &str, case: &str| fs::read(fixtures(platform).join(case).join("body.json")).unwrap();
    let lemon = signed("lemonsqueezy", body("lemonsqueezy", "signed-with-a-known-vector"), "lemon-test", &json!({}));
    let proof = "1e6952c52f6df77b933acadfe0ca1d2717f2639c130334e5bf24e46854ecb255";
    assert_eq!(header(&lemon, "X-Signature"), proof);

    let saleor = signed("saleor", body("saleor", "vector-by-secret"), "saleor-test-secret", &json!({}));
    let proof = "3751e3d9810f76a094cc68a8c428e5ff54eb36e4146938fb75806b0dc2959215";
    assert_eq!((header(&saleor, "Saleor-Signature"), header(&saleor, "X-Saleor-Signature")), (proof, proof));

    let settings = json!({ "shop_domain": "campus.myshopify.com" });
    let order = body("shopify", "vector-of-a-paid-order");
    let shopify = signed("shopify", order, "shpss_test_0123456789abcdef", &settings);
    assert_eq!(header(&shopify, "X-Shopify-Hmac-Sha256"), "e2yhrg+CECI46yrKtDwvUGdX8/JHq6vCy+8ueUczLLY=");
    assert_eq!(header(&shopify, "X-Shopify-Shop-Domain"), "campus.myshopify.com");
}

#[test]
fn stripe_signs_the_moment_with_the_body_and_its_secret_is_the_key_as_it_is() {
    let body = include_bytes!("../../../tests/vectors/stripe/checkout.session.completed.body");
    let signature = stripe::signature("whsec_test_stripe_literal", 1_700_000_000, body).unwrap();
    let proof = "t=1700000000,v1=85eab7eaaac96b9f6f3b244c749ff86b4b1278526c76fdabfe164df0f4e58b6a";
    assert_eq!(signature, proof);
    let message = signed("stripe", body.to_vec(), "whsec_test_stripe_literal", &json!({}));
    assert_eq!(header(&message, "Stripe-Signature"), proof, "seconds are cut off");
}

#[test]
fn a_key_that_stands_in_the_body_is_written_into_it_when_it_is_sent() {
    let shop = imitated("mit-unified-ecommerce");
    let unsent = body(shop, Event::Paid);
    assert_eq!(unsent["system_key"], "");
    let settings = json!({ "system_slug": "openedx-demo" });
    let message = signed("mit-unified-ecommerce", unsent.to_string().into_bytes(), "the-key", &settings);
    let sent: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&sent["system_key"], &sent["system_slug"]), (&json!("the-key"), &json!("openedx-demo")));
    assert_eq!(sent["data"], unsent["data"]);
}

#[test]
fn oscar_calls_for_a_seat_of_a_username() {
    let shop = imitated("oscar");
    let sale = body(shop, Event::Paid);
    assert_eq!((&sale["user"], &sale["is_active"]), (&json!("ada"), &json!(true)));
    assert_eq!(sale["enrollment_attributes"][0]["value"], "501");
    assert_eq!(sale["enrollment_attributes"][1]["value"], "2026-11-23T08:31:24Z");
    let refund = body(shop, Event::Refunded);
    assert_eq!((&refund["is_active"], refund.get("enrollment_attributes")), (&json!(false), None));
    let message = signed("oscar", Vec::new(), "the-key", &json!({}));
    assert_eq!(message.path.join("/"), "api/enrollment/v1/enrollment");
    let mut nobodys = order(shop, Event::Paid);
    nobodys.email = None;
    let error = webhook::body(shop, &nobodys, "enroll").unwrap_err();
    assert_eq!(error.to_string(), "a webhook of oscar needs --email");
}

#[test]
fn what_a_platform_cannot_sell_is_refused() {
    let refused = |name: &str, change: &dyn Fn(&mut Order)| {
        let platform = imitated(name);
        let mut order = order(platform, Event::Paid);
        change(&mut order);
        webhook::body(platform, &order, platform.events()[0].1).unwrap_err().to_string()
    };
    let two_lines = |order: &mut Order| order.lines.push(order.lines[0].clone());
    assert_eq!(refused("lemonsqueezy", &two_lines), "an order of lemonsqueezy has one product, not 2");
    assert_eq!(refused("stripe", &two_lines), "an order of stripe has one product, not 2");
    let two_seats = |order: &mut Order| order.lines[0].quantity = 2;
    assert_eq!(refused("stripe", &two_seats), "a webhook of stripe tells of one seat, not of 2");
    let learner = |order: &mut Order| order.lines[0].learner = order.email.clone();
    let words = "a webhook of mit-unified-ecommerce names no learner but the buyer: leave --learner out";
    assert_eq!(refused("mit-unified-ecommerce", &learner), words);
    let line = |order: &mut Order| *order = self::order(imitated("shopify"), Event::Changed);
    assert!(refused("odoo", &line).starts_with("a webhook of odoo only names the order"));
}

#[test]
fn all_the_money_that_went_back_is_said_in_the_words_of_each_platform() {
    let refunded = |name: &str| body(imitated(name), Event::Refunded);
    assert_eq!(refunded("lemonsqueezy")["data"]["attributes"]["refunded_amount"], 9_800);
    assert_eq!(refunded("saleor")["order"]["totalRefunded"]["amount"], 98);
    assert_eq!(refunded("shopify")["refunds"][0]["transactions"][0]["amount"], "98.00");
    assert_eq!(refunded("stripe")["data"]["object"]["amount_refunded"], 4_900);
    assert_eq!(refunded("mit-unified-ecommerce")["data"]["refunds"][0]["lines"][0]["refunded_amount"], "98.00");
    assert_eq!(refunded("standard-webhooks")["data"]["refunded"], true);
}
