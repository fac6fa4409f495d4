//! Webhooks of every platform that can be imitated: signed as the platforms' own vectors are, and written with no key that the
//! adapters' fixtures do not have. That adapters take them is shown end to end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use bursar_domain::{Email, Timestamp, statement::ProductId};
use bursar_server::webhook::{self, Event, Line, Order, PLATFORMS, Platform, platform, standard_webhooks};
use rust_decimal::Decimal;
use serde_json::Value;

/// Kinds of ids that are numbers everywhere are numbers here.
fn order(event: Event, kinds: &[&str]) -> Order {
    let products = kinds.iter().map(|kind| ProductId { kind: (*kind).to_owned(), id: "20".to_owned() });
    Order {
        id: 501,
        event,
        status: None,
        placed_at: Timestamp::from_millis(1_795_422_684_000),
        modified_at: Timestamp::from_millis(1_795_422_686_250),
        email: Some(Email::parse("ada@example.org").unwrap()).filter(|_| !kinds.is_empty()),
        lines: if kinds.is_empty() {
            Vec::new()
        } else {
            vec![Line {
                products: products.collect(),
                title: "Sailing".to_owned(),
                quantity: 2,
                price: Decimal::new(49_00, 2),
                learner: Some(Email::parse("bo@example.org").unwrap()),
            }]
        },
    }
}

fn body(platform: &dyn Platform, event: Event) -> Value {
    let topic = webhook::topic(platform, event).unwrap();
    serde_json::from_slice(&webhook::body(platform, &order(event, platform.products()), topic).unwrap()).unwrap()
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
fn lemon_squeezy_bodies_are_signed_as_the_adapter_knows_them() {
    let body = fs::read(fixtures("lemonsqueezy").join("signed-with-a-known-vector/body.json")).unwrap();
    let message =
        platform("lemonsqueezy").unwrap().sign(body, "order_created", "lemon-test", Timestamp::from_millis(0)).unwrap();
    let signature = "1e6952c52f6df77b933acadfe0ca1d2717f2639c130334e5bf24e46854ecb255";
    assert!(message.headers.contains(&("X-Signature", signature.to_owned())), "{message:?}");
}

#[test]
fn an_order_of_lemon_squeezy_has_one_product() {
    let shop = platform("lemonsqueezy").unwrap();
    let mut two = order(Event::Paid, &["variant"]);
    two.lines.push(two.lines[0].clone());
    let error = webhook::body(shop, &two, "order_created").unwrap_err();
    assert_eq!(error.to_string(), "an order of lemonsqueezy has one product, not 2");
    assert_eq!(body(shop, Event::Refunded)["data"]["attributes"]["refunded_amount"], 9_800);
}
