//! Requests at the door: the ping, and everything that only looks like something.

use bursar_adapter::testing::{Answer, Described, Post, Shop};

use super::{handled, shop};
use crate::WooCommerce;

const FORM: &str = "application/x-www-form-urlencoded";

fn refusal(post: &Post) -> String {
    Shop::new().secret("webhook", "s3cret").authenticate::<WooCommerce>(post).unwrap_err().code
}

#[test]
fn a_form_that_is_not_exactly_the_ping_is_refused() {
    for body in [
        "",
        "webhook_id=",
        "webhook_id=6 ",
        "webhook_id=-6",
        "webhook_id=6&order=7",
        "webhook_id=6\n",
        " webhook_id=6",
        "webhook_id=six",
        "webhook_id=123456789012345678901",
        "order_id=6",
        r#"{"id":6}"#,
    ] {
        assert_eq!(refusal(&Post::new(body).header("content-type", FORM)), "header-missing", "{body:?}");
    }
}

#[test]
fn the_ping_is_known_with_a_charset_too() {
    let post = Post::new("webhook_id=6").header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    assert!(matches!(
        Shop::new().authenticate::<WooCommerce>(&post).unwrap().answer,
        Answer::Respond { status: 200, .. }
    ));
}

#[test]
fn the_ping_of_another_media_type_is_refused() {
    assert_eq!(refusal(&Post::new("webhook_id=6").header("content-type", "application/json")), "header-missing");
    assert_eq!(refusal(&Post::new("webhook_id=6")), "header-missing");
}

#[test]
fn a_ping_that_claims_a_signature_must_have_a_right_one() {
    let post = Post::new("webhook_id=6").header("content-type", FORM).header("x-wc-webhook-signature", "AAAA");
    assert_eq!(refusal(&post), "signature-malformed");
}

#[test]
fn two_signatures_are_refused() {
    let post = Post::new("{}").header("x-wc-webhook-signature", "a").header("X-WC-Webhook-Signature", "b");
    assert_eq!(refusal(&post), "header-repeated");
}

#[test]
fn an_unsigned_order_is_refused() {
    assert_eq!(refusal(&Post::new(r#"{"id":6,"status":"completed"}"#)), "header-missing");
}

#[test]
fn a_shop_without_its_secret_waits_for_the_operator() {
    let signature = "dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4=";
    let post = Post::new("{}").header("x-wc-webhook-signature", signature);
    assert_eq!(Shop::new().authenticate::<WooCommerce>(&post).unwrap_err().code, "secret-missing");
}

#[test]
fn what_is_no_json_is_rejected_with_a_reason() {
    for body in ["", "{", "webhook_id=6", "\u{0}", "<html>", r#"{"id":1} x"#] {
        let handled = handled(body);
        assert_eq!(handled.outcome(), "rejected", "{body:?}");
        assert_eq!(handled.result.unwrap_err().code, "body-not-json", "{body:?}");
    }
}

#[test]
fn json_that_says_nothing_is_rejected_with_a_reason() {
    for body in ["[]", "7", "null", "{}", r#"{"hello":"world"}"#, r#"{"id":0}"#, r#"{"id":null,"x":1}"#] {
        let handled = handled(body);
        assert_eq!(handled.outcome(), "rejected", "{body}");
        assert_eq!(handled.result.unwrap_err().code, "body-unexpected", "{body}");
    }
}

#[test]
fn an_order_without_lines_or_status_is_rejected_and_not_taken_for_an_empty_one() {
    for body in [r#"{"id":6,"status":"completed"}"#, r#"{"id":6,"line_items":[]}"#, r#"{"id":6,"x":null}"#] {
        assert_eq!(handled(body).result.unwrap_err().code, "order-incomplete", "{body}");
    }
}

#[test]
fn a_reason_never_quotes_the_body() {
    for body in [r#"{"id":6,"billing":"ada@example.com"}"#, r#"{"id":6,"refunds":["ada@example.com"]}"#] {
        let problem = handled(body).result.unwrap_err();
        assert!(!problem.message.contains("ada"), "{problem}");
    }
}

#[test]
fn every_error_that_the_shop_signs_is_seen_by_a_person_and_changes_nothing() {
    for (code, status, reason) in [
        ("woocommerce_rest_cannot_view", 403, "may no longer read orders"),
        ("woocommerce_rest_cannot_view", 401, "the user who owned the webhook is gone"),
        ("woocommerce_rest_invalid_shop_order_id", 404, "API version"),
        ("rest_no_route", 404, "synchronous webhook delivery"),
        ("rest_forbidden", 403, "the error `rest_forbidden`"),
    ] {
        let handled = handled(format!(r#"{{"code":"{code}","message":"-","data":{{"status":{status}}}}}"#));
        assert_eq!(handled.outcome(), "done", "{code}");
        assert!(handled.orders.is_empty());
        assert_eq!(handled.reviews.len(), 1, "{code}");
        assert!(handled.reviews[0].contains(reason), "{}", handled.reviews[0]);
    }
}

#[test]
fn an_order_erased_before_its_news_went_out_leaves_nothing_to_do() {
    let handled =
        handled(r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#);
    assert_eq!(handled.outcome(), "ignored");
    assert!(handled.ignored[0].contains("erased"));
}

#[test]
fn a_code_that_is_not_one_word_is_not_repeated_to_people() {
    let handled = handled(r#"{"code":"<b>ada@example.com</b>"}"#);
    assert!(handled.reviews[0].contains("`badaexamplecomb`"), "{}", handled.reviews[0]);
}

#[test]
fn an_error_body_that_has_no_data_is_still_an_error() {
    for body in [r#"{"code":"rest_no_route"}"#, r#"{"code":"rest_no_route","data":null}"#] {
        assert_eq!(handled(body).reviews.len(), 1, "{body}");
    }
}

#[test]
fn a_webhook_on_an_action_is_told_what_to_subscribe_to() {
    let handled = handled(r#"{"action":"woocommerce_payment_complete","arg":83}"#);
    assert_eq!(handled.outcome(), "ignored");
    assert!(handled.ignored[0].contains("four order topics"));
}

#[test]
fn a_webhook_on_products_is_not_taken_for_one_on_orders() {
    for (topic, body) in [
        ("product.deleted", r#"{"id":11}"#),
        ("customer.deleted", r#"{"id":11}"#),
        ("coupon.updated", r#"{"id":11,"status":"publish","code":"SPRING"}"#),
    ] {
        let handled = shop().handle::<WooCommerce>(&Post::new(body).topic(topic));
        assert_eq!(handled.outcome(), "ignored", "{topic}");
        assert!(handled.orders.is_empty());
    }
}

#[test]
fn a_subscription_is_left_to_its_orders() {
    let handled = handled(
        r#"{"id":90,"status":"active","billing_period":"month","date_modified_gmt":"2026-01-01T00:00:00","line_items":[]}"#,
    );
    assert_eq!(handled.outcome(), "ignored");
}

#[test]
fn the_adapter_describes_what_it_needs_and_what_to_blank() {
    let Described { platform, secrets, topics, redacted_body, settings, .. } = Shop::describe::<WooCommerce>();
    assert_eq!(platform, "woocommerce");
    assert_eq!(secrets.len(), 1);
    assert_eq!(topics.len(), 4);
    assert!(settings.is_some());
    for needed in ["/billing/email", "/order_key", "/line_items", "/meta_data", "/billing"] {
        assert!(!redacted_body.iter().any(|pointer| pointer == needed), "{needed}");
    }
}
