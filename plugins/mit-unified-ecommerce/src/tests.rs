//! The adapter as a whole, against the fake host.

use bursar_adapter::orders::Cause;
use bursar_adapter::testing::{Described, Handled, Post, Shop};
use serde_json::{Value, json};

use crate::UnifiedEcommerce;
use crate::settings::SCHEMA;

/// The settings of an unchanged shop.
fn defaults() -> Value {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    properties.iter().map(|(name, property)| (name.clone(), property["default"].clone())).collect()
}

fn shop() -> Shop {
    Shop::new().secret("system-key", "sesame").settings(&defaults().to_string())
}

/// A refund by two requests of a line that costs this much.
fn refunded(price: &str, first: &str, second: &str) -> Handled {
    let of = |amount: &str| json!({"status": "approved-complete", "lines": [{"id": 1, "line": 31, "refunded_amount": amount}]});
    let body = json!({
        "system_slug": "demo", "system_key": "sesame", "type": "postsale", "user": {"id": 9, "email": "zoe@example.org"},
        "data": {
            "reference_number": "dev-17", "state": "refunded",
            "lines": [{"id": 31, "quantity": 1, "total_price": price, "product": {"sku": "CS101"}}],
            "refunds": [of(first), of(second)],
        },
    });
    shop().handle::<UnifiedEcommerce>(&Post::new(body.to_string()))
}

fn is_held(handled: &Handled) -> bool {
    handled.result.as_ref().unwrap();
    let line = handled.orders[0].line("31").unwrap();
    line.holds.iter().any(|(cause, _)| *cause == Cause::Refunded)
}

#[test]
fn of_any_price_all_but_less_than_a_cent_holds_the_line_and_more_than_a_cent_less_does_not() {
    for cents in 2..2_000_u32 {
        let money = |cents: u32| format!("{}.{:02}", cents / 100, cents % 100);
        let (first, rest) = (cents / 3, cents - cents / 3);
        assert!(is_held(&refunded(&money(cents), &money(first), &money(rest))), "{cents}");
        let short = refunded(&money(cents), &money(first), &money(rest - 1));
        assert!(!is_held(&short), "{cents}");
        assert_eq!(short.all_reviews().len(), 1, "{cents}");
    }
}

#[test]
fn the_key_and_what_only_concerns_a_person_are_blanked() {
    let Described { redacted_body, redacted_headers, .. } = Shop::describe::<UnifiedEcommerce>();
    assert_eq!(redacted_body[0], "/system_key");
    assert!(redacted_body.contains(&"/data/refunds/7/order".to_owned()));
    assert!(redacted_headers.is_empty());
}

#[test]
fn what_is_blanked_is_not_needed_afterwards() {
    let body = json!({
        "system_slug": "demo", "system_key": "***", "type": "postsale",
        "user": {"id": 9, "email": "zoe@example.org", "name": "***", "first_name": "***", "last_name": "***"},
        "data": {
            "reference_number": "dev-17", "state": "refunded",
            "lines": [{"id": 31, "total_price": "49.00", "product": {"sku": "CS101"}}],
            "refunds": [{"status": "approved-complete", "order": "***", "lines": [{"line": 31, "refunded_amount": "49.00000"}]}],
        },
    });
    assert!(is_held(&shop().handle::<UnifiedEcommerce>(&Post::new(body.to_string()))));
}

#[test]
fn a_shop_without_its_key_waits_for_the_operator() {
    let post = Post::new(r#"{"system_key":"sesame","type":"test"}"#);
    let problem = Shop::new().authenticate::<UnifiedEcommerce>(&post).unwrap_err();
    assert_eq!(problem.code, "secret-missing");
}

#[test]
fn a_problem_quotes_neither_the_key_nor_a_person() {
    for (name, value) in [("reference_number", json!(["zoe@example.org"])), ("state", json!({"sesame": 1}))] {
        let mut data = json!({"reference_number": "1", "state": "fulfilled", "lines": []});
        data[name] = value;
        let body = json!({"system_key": "sesame", "type": "postsale", "data": data});
        let problem = shop().handle::<UnifiedEcommerce>(&Post::new(body.to_string())).result.unwrap_err();
        assert!(!problem.message.contains("zoe") && !problem.message.contains("sesame"), "{problem}");
    }
}

#[test]
fn nothing_is_accepted_without_the_key() {
    for body in
        ["", "{", "null", "7", "[]", r#"["demo","sesame","postsale"]"#, r#" ["demo","sesame"]"#, r#""sesame""#, "{}"]
    {
        let problem = shop().authenticate::<UnifiedEcommerce>(&Post::new(body)).unwrap_err();
        assert_eq!(problem.remedy, bursar_adapter::Remedy::None, "{body}");
    }
}
