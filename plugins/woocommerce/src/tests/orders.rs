//! The rules of an order, one by one.

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::{Handled, KnownLine, OrderFacts, Post, RECEIVED_AT, StatementKind};
use serde_json::{Value, json};

use super::{DEFAULTS, causes, handled, shop, stated};
use crate::WooCommerce;

/// A paid order of one line; what is given replaces or adds.
fn order(changes: &Value) -> String {
    let mut order = json!({
        "id": 7, "number": "2026-7", "status": "processing", "currency": "EUR", "total": "49.00",
        "order_key": "wc_order_x", "payment_method": "card",
        "date_created_gmt": "2025-12-31T10:00:00", "date_modified_gmt": "2025-12-31T10:00:05",
        "date_paid_gmt": "2025-12-31T10:00:04",
        "billing": {"email": "buyer@example.com"}, "meta_data": [],
        "line_items": [{"id": 1, "name": "A course", "product_id": 11, "variation_id": 0, "quantity": 1, "sku": "C1",
                        "meta_data": []}],
        "refunds": []
    });
    for (key, value) in changes.as_object().unwrap() {
        order[key] = value.clone();
    }
    order.to_string()
}

fn line(changes: &Value) -> Value {
    let mut line = json!({"id": 1, "name": "A course", "product_id": 11, "variation_id": 0, "quantity": 1, "sku": "C1",
                          "meta_data": []});
    for (key, value) in changes.as_object().unwrap() {
        line[key] = value.clone();
    }
    line
}

fn facts(changes: &Value) -> OrderFacts {
    stated(&handled(order(changes))).clone()
}

fn with_settings(changes: &Value, order: &str) -> OrderFacts {
    let mut settings: Value = serde_json::from_str(DEFAULTS).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let shop = shop().settings(&settings.to_string());
    stated(&shop.handle::<WooCommerce>(&Post::new(order))).clone()
}

fn meta(key: &str, value: impl Into<Value>) -> Value {
    json!([{"id": 1, "key": key, "value": value.into(), "display_key": key}])
}

#[test]
fn an_order_is_stated_whole() {
    let order = facts(&json!({}));
    assert_eq!(order.kind, StatementKind::Snapshot);
    assert_eq!(order.id, "7");
    assert_eq!(order.number.as_deref(), Some("2026-7"));
    assert_eq!(order.fingerprint.as_deref(), Some("wc_order_x"));
    assert_eq!(order.placed_at, Some(1_767_175_200_000));
    assert_eq!(order.payment, Some(Payment::Paid));
    assert_eq!(order.lines.len(), 1);
    assert_eq!(order.lines[0].title, "A course");
}

#[test]
fn the_order_says_where_it_was_sold() {
    let linked = |href: Value| facts(&json!({"_links": {"self": [{"href": href}]}})).origin;
    let shop = Some("https://shop.example.org/sub".to_owned());
    assert_eq!(linked(json!("https://shop.example.org/sub/wp-json/wc/v3/orders/7")), shop);
    assert_eq!(linked(json!("https://shop.example.org/sub/index.php?rest_route=/wc/v3/orders/7")), shop);
    for odd in [json!(""), json!("/wp-json/wc/v3/orders/7"), json!(7), json!([])] {
        assert_eq!(linked(odd), None);
    }
    for odd in [json!([]), json!({}), json!(null), json!({"self": "x"}), json!({"self": []})] {
        assert_eq!(facts(&json!({"_links": odd})).origin, None);
    }
}

#[test]
fn a_number_that_is_the_id_is_not_said_twice() {
    assert_eq!(facts(&json!({"number": "7"})).number, None);
}

#[test]
fn a_date_of_payment_that_is_no_date_is_none() {
    for paid in [json!(""), json!("0000-00-00T00:00:00"), json!("soon"), json!(true), json!([])] {
        assert_eq!(facts(&json!({"date_paid_gmt": paid})).payment, Some(Payment::Unpaid));
    }
}

#[test]
fn a_draft_is_ignored_however_it_came() {
    for status in ["checkout-draft", "auto-draft"] {
        let handled = handled(order(&json!({"status": status})));
        assert_eq!(handled.outcome(), "ignored");
        assert!(handled.orders.is_empty());
    }
}

#[test]
fn the_body_decides_and_not_the_topic() {
    for topic in ["order.deleted", "order.created", "product.deleted", "unknown", ""] {
        let handled = shop().handle::<WooCommerce>(&Post::new(order(&json!({}))).topic(topic));
        let order = stated(&handled);
        assert_eq!(order.kind, StatementKind::Snapshot, "{topic}");
        assert!(order.holds.is_empty(), "{topic}");
    }
    for topic in ["order.updated", "order.restored", ""] {
        let handled = shop().handle::<WooCommerce>(&Post::new(r#"{"id":7}"#).topic(topic));
        let order = stated(&handled);
        assert_eq!((order.kind, causes(&order.holds)), (StatementKind::Patch, vec!["deleted"]), "{topic}");
    }
}

#[test]
fn only_an_id_alone_means_the_bin() {
    for body in [r#"{"id":7,"force":true}"#, r#"{"id":"7"}"#, r#"{"id":7.5}"#, r#"{"id":[7]}"#, r#"{"id":-7}"#] {
        assert!(handled(body).result.is_err(), "{body}");
    }
    assert_eq!(stated(&handled(" {\n\"id\" : 7 } ")).id, "7");
}

#[test]
fn the_bin_takes_the_revision_that_is_known_and_outranks_it() {
    let known = KnownLine { id: "1".to_owned(), revision: vec![1_767_175_205, 1, 0, 0], ..KnownLine::default() };
    let shop = shop().known("7", known);
    let handled = shop.handle::<WooCommerce>(&Post::new(r#"{"id":7}"#));
    assert_eq!(stated(&handled).revision, [1_767_175_205, 1, 0, 1]);
}

#[test]
fn an_order_taken_out_of_the_bin_outranks_the_bin_even_when_both_are_told_later() {
    let known = KnownLine { id: "1".to_owned(), revision: vec![1_767_175_205, 1, 0, 0], ..KnownLine::default() };
    let binned = shop().known("7", known).handle::<WooCommerce>(&Post::new(r#"{"id":7}"#));
    let restored = facts(&json!({"date_modified_gmt": "2025-12-31T10:00:06"}));
    assert!(restored.revision > stated(&binned).revision);
    assert!(causes(&restored.lifts).contains(&"deleted"));
}

#[test]
fn an_old_trip_to_the_bin_run_again_does_not_undo_what_is_newer() {
    let newest = RECEIVED_AT / 1000 + 86_400;
    let known = KnownLine { id: "1".to_owned(), revision: vec![newest, 1, 0, 0], ..KnownLine::default() };
    let handled = shop().known("7", known).handle::<WooCommerce>(&Post::new(r#"{"id":7}"#));
    assert!(stated(&handled).revision < vec![newest, 1, 0, 0]);
}

#[test]
fn a_shop_whose_clock_is_a_little_ahead_can_still_bin_an_order() {
    let ahead = RECEIVED_AT / 1000 + 120;
    let known = KnownLine { id: "1".to_owned(), revision: vec![ahead, 1, 0, 0], ..KnownLine::default() };
    let handled = shop().known("7", known).handle::<WooCommerce>(&Post::new(r#"{"id":7}"#));
    assert_eq!(stated(&handled).revision, [ahead, 1, 0, 1]);
}

#[test]
fn an_unknown_order_in_the_bin_gives_way_to_everything() {
    let handled = handled(r#"{"id":7}"#);
    assert_eq!(stated(&handled).revision, [0, 0, 0, 1]);
}

#[test]
fn of_one_second_the_dated_state_the_newer_refund_and_the_bin_are_newer() {
    let unpaid = facts(&json!({"status": "pending", "date_paid_gmt": null})).revision;
    let paid = facts(&json!({})).revision;
    let refunded = facts(&json!({"refunds": [{"id": 12, "total": "-1.00"}]})).revision;
    let again = facts(&json!({"refunds": [{"id": 12, "total": "-1.00"}, {"id": 14, "total": "-1.00"}]})).revision;
    let binned = facts(&json!({"status": "trash"})).revision;
    assert!(unpaid < paid && paid < refunded && refunded < again && paid < binned);
}

#[test]
fn the_order_of_the_list_of_refunds_does_not_matter() {
    let one = facts(&json!({"refunds": [{"id": 12, "total": "-1.00"}, {"id": 14, "total": "-2.00"}]}));
    let other = facts(&json!({"refunds": [{"id": 14, "total": "-2.00"}, {"id": 12, "total": "-1.00"}]}));
    assert_eq!(one.revision, other.revision);
    assert_eq!(one.refunded_amount, other.refunded_amount);
}

#[test]
fn an_order_that_does_not_say_when_it_changed_is_rejected() {
    for modified in [json!(null), json!(""), json!("yesterday"), json!("0000-00-00T00:00:00")] {
        let handled = handled(order(&json!({"date_modified_gmt": modified})));
        assert_eq!(handled.result.unwrap_err().code, "order-undated");
        assert!(handled.orders.is_empty());
    }
}

#[test]
fn a_variation_is_known_first_by_itself_then_by_its_product_then_by_its_sku() {
    let order = facts(&json!({"line_items": [line(&json!({"product_id": 15, "variation_id": 17}))]}));
    let ids = [("variation", "17"), ("product", "15"), ("sku", "C1")];
    assert_eq!(order.lines[0].product, ids.map(|(kind, id)| (kind.to_owned(), id.to_owned())));
}

#[test]
fn a_line_whose_product_is_gone_is_known_by_its_name() {
    let order = facts(&json!({"line_items": [line(&json!({"product_id": 0, "sku": null}))]}));
    assert_eq!(order.lines[0].product, [("name".to_owned(), "A course".to_owned())]);
    let nameless = facts(&json!({"line_items": [line(&json!({"product_id": 0, "sku": "", "name": " "}))]}));
    assert!(nameless.lines[0].product.is_empty());
}

#[test]
fn a_line_without_an_id_rejects_the_order() {
    let handled = handled(order(&json!({"line_items": [line(&json!({"id": null}))]})));
    assert_eq!(handled.result.unwrap_err().code, "line-without-id");
}

#[test]
fn quantities_are_read_as_number_and_as_text() {
    for quantity in [json!(3), json!("3"), json!(3.0), json!("3.00")] {
        let order = facts(&json!({"line_items": [line(&json!({"quantity": quantity}))]}));
        assert_eq!(order.lines[0].quantity, Some(3));
    }
}

#[test]
fn a_quantity_that_is_no_whole_number_asks_a_person() {
    for quantity in [json!(1.5), json!("many"), json!(null), json!(99_999_999_999_u64)] {
        let order = facts(&json!({"line_items": [line(&json!({"quantity": quantity}))]}));
        assert_eq!(order.lines[0].quantity, Some(1));
        assert_eq!(order.lines[0].reviews.len(), 1);
    }
}

#[test]
fn the_learner_of_a_line_comes_before_that_of_the_order_and_that_before_the_buyer() {
    let order = facts(&json!({
        "meta_data": meta("learner_email", "team@example.com"),
        "line_items": [
            line(&json!({"meta_data": meta("learner_email", "gift@example.com")})),
            line(&json!({"id": 2})),
        ],
    }));
    assert_eq!(order.learner_email.as_deref(), Some("team@example.com"));
    assert_eq!(order.lines[0].learner_email.as_deref(), Some("gift@example.com"));
    assert_eq!(order.lines[1].learner_email, None);
}

#[test]
fn a_blank_field_names_nobody() {
    let order = facts(&json!({
        "meta_data": meta("learner_email", "  "),
        "line_items": [line(&json!({"meta_data": meta("learner_email", "")}))],
    }));
    assert_eq!(order.learner_email.as_deref(), Some("buyer@example.com"));
    assert_eq!(order.lines[0].learner_email, None);
    assert!(order.lines[0].reviews.is_empty());
}

/// What the adapter notes in its log about a learner whom it cannot read. The host asks the person.
fn noted(handled: &Handled) -> Vec<&str> {
    assert!(stated(handled).reviews.is_empty(), "one question is asked once");
    handled.logs.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn a_malformed_learner_of_a_line_is_not_replaced_by_the_buyer() {
    for value in [json!("ada at example"), json!(["a@example.com"]), json!({"a": "a@example.com"}), json!(true)] {
        let handled =
            handled(order(&json!({"line_items": [line(&json!({"meta_data": meta("learner_email", value)}))]})));
        assert_eq!(stated(&handled).lines[0].learner_email, None);
        assert!(stated(&handled).lines[0].reviews.is_empty());
        assert_eq!(noted(&handled), ["the line's custom field `learner_email` names a learner who cannot be read"]);
    }
}

#[test]
fn a_malformed_learner_of_the_order_is_not_replaced_by_the_buyer() {
    let handled = handled(order(&json!({"meta_data": meta("_learner_email", "a@b@c.example")})));
    assert_eq!(stated(&handled).learner_email, None);
    assert_eq!(noted(&handled), ["the order's custom field `_learner_email` names a learner who cannot be read"]);
}

#[test]
fn a_malformed_buyer_learns_nothing() {
    let handled = handled(order(&json!({"billing": {"email": "nobody"}})));
    assert_eq!(stated(&handled).learner_email, None);
    assert_eq!(noted(&handled), ["the buyer's e-mail field names a learner who cannot be read"]);
}

#[test]
fn nobody_named_anywhere_is_left_to_the_ledger() {
    for billing in [json!({"email": ""}), json!({}), json!(null)] {
        let order = facts(&json!({"billing": billing}));
        assert_eq!(order.learner_email, None);
        assert!(order.reviews.is_empty());
    }
}

#[test]
fn the_operator_names_the_fields_of_learners() {
    let settings = json!({"learner_email_meta": ["Student e-mail"], "learner_username_meta": ["student"]});
    let body = order(&json!({"line_items": [line(&json!({"meta_data": [
        {"key": "learner_email", "value": "other@example.com"},
        {"key": "student E-Mail", "value": "student@example.com"},
        {"key": "student", "value": "ada"},
    ]}))]}));
    let order = with_settings(&settings, &body);
    assert_eq!(order.lines[0].learner_email.as_deref(), Some("student@example.com"));
    assert_eq!(order.lines[0].learner_username.as_deref(), Some("ada"));
}

#[test]
fn a_malformed_username_names_nobody() {
    let body = order(&json!({"line_items": [line(&json!({"meta_data": meta("student", "ada lovelace")}))]}));
    let order = with_settings(&json!({"learner_username_meta": ["student"]}), &body);
    assert_eq!(order.lines[0].learner_username, None);
    assert!(order.lines[0].reviews.is_empty(), "the host asks, and once");
}

#[test]
fn a_bundle_holds_its_children_by_the_plugins_own_field() {
    let order = facts(&json!({"line_items": [
        line(&json!({"id": 1})), line(&json!({"id": 2, "bundled_by": 1})), line(&json!({"id": 3, "bundled_by": "1"})),
        line(&json!({"id": 4, "composite_parent": "1"})), line(&json!({"id": 5, "bundled_by": ""})),
    ]}));
    let parents: Vec<Option<&str>> = order.lines.iter().map(|line| line.parent.as_deref()).collect();
    assert_eq!(parents, [None, Some("1"), Some("1"), Some("1"), None]);
}

#[test]
fn a_bundle_holds_its_children_by_custom_fields() {
    let order = facts(&json!({"line_items": [
        line(&json!({"id": 1, "meta_data": meta("_bundle_cart_key", "abc")})),
        line(&json!({"id": 2, "meta_data": [
            {"key": "_bundled_by", "value": "abc"}, {"key": "_bundle_cart_key", "value": "def"},
        ]})),
        line(&json!({"id": 3, "meta_data": meta("_composite_parent", "abc")})),
        line(&json!({"id": 4, "meta_data": meta("_bundled_by", "gone")})),
    ]}));
    let parents: Vec<Option<&str>> = order.lines.iter().map(|line| line.parent.as_deref()).collect();
    assert_eq!(parents, [None, Some("1"), None, None]);
}

#[test]
fn a_line_is_not_its_own_parent() {
    let order = facts(&json!({"line_items": [line(&json!({"bundled_by": 1}))]}));
    assert_eq!(order.lines[0].parent, None);
}

#[test]
fn refunds_that_reach_the_total_hold_the_order() {
    let order =
        facts(&json!({"total": "49.00", "refunds": [{"id": 1, "total": "-39.90"}, {"id": 2, "total": "-9.10"}]}));
    assert_eq!(order.holds, [(Cause::Refunded, "refunds=49.00 of 49.00".to_owned())]);
    assert_eq!(order.refunded_amount.unwrap().0, "49.00");
}

#[test]
fn a_cent_less_than_the_total_holds_nothing() {
    let order = facts(&json!({"refunds": [{"id": 1, "total": "-48.99"}]}));
    assert!(order.holds.is_empty());
    assert_eq!(order.refunded_amount.unwrap().0, "48.99");
    assert_eq!(order.payment, Some(Payment::Paid));
}

#[test]
fn amounts_are_read_as_number_and_as_text() {
    let order = facts(&json!({"total": 49, "refunds": [{"id": 1, "total": -9.5}]}));
    assert_eq!(order.refunded_amount, Some(("9.5".to_owned(), "EUR".to_owned(), "49".to_owned())));
}

#[test]
fn an_amount_that_cannot_be_read_asks_a_person() {
    for refund in [json!({"id": 1, "total": "a lot"}), json!({"id": 1}), json!({"id": 1, "total": [1]})] {
        let order = facts(&json!({"refunds": [refund]}));
        assert_eq!(order.refunded_amount, None);
        assert_eq!(order.reviews.len(), 1);
        assert!(!causes(&order.lifts).contains(&"refunded"));
    }
}

#[test]
fn a_refund_of_a_free_order_asks_a_person() {
    let order = facts(&json!({"total": "0.00", "refunds": [{"id": 1, "total": "0.00"}]}));
    assert!(order.holds.is_empty());
    assert_eq!(order.reviews.len(), 1);
    let settled = facts(&json!({"total": "0.00", "status": "refunded", "refunds": [{"id": 1, "total": "0.00"}]}));
    assert_eq!(causes(&settled.holds), ["refunded"]);
    assert!(settled.reviews.is_empty());
}

#[test]
fn an_order_that_does_not_list_refunds_at_all_proves_nothing_about_them() {
    let mut body: Value = serde_json::from_str(&order(&json!({}))).unwrap();
    body.as_object_mut().unwrap().remove("refunds");
    let handled = handled(body.to_string());
    assert!(!causes(&stated(&handled).lifts).contains(&"refunded"));
}

#[test]
fn a_status_of_another_plugin_asks_a_person_once_money_is_in_and_nothing_is_given_yet() {
    let body = order(&json!({"status": "shipped"}));
    let fresh = handled(body.clone());
    assert_eq!(stated(&fresh).payment, Some(Payment::Undecided));
    assert_eq!(stated(&fresh).reviews.len(), 1);

    let known = KnownLine { id: "1".to_owned(), active: true, ..KnownLine::default() };
    let served = shop().known("7", known).handle::<WooCommerce>(&Post::new(body.clone()));
    assert!(stated(&served).reviews.is_empty());

    let counted = with_settings(&json!({"paid_statuses": ["shipped"]}), &body);
    assert_eq!(counted.payment, Some(Payment::Paid));
    assert!(counted.reviews.is_empty());
}

#[test]
fn the_operator_names_the_payment_methods_of_test_orders() {
    let body = order(&json!({"payment_method": "dummy"}));
    assert!(with_settings(&json!({"test_payment_methods": ["dummy"]}), &body).test);
    assert!(!facts(&json!({"payment_method": "dummy"})).test);
}

#[test]
fn a_seat_taken_out_of_a_paid_order_is_a_smaller_quantity_and_a_line_taken_out_is_not_named() {
    let before = facts(&json!({"line_items": [line(&json!({"quantity": 2})), line(&json!({"id": 2}))]}));
    let after = facts(&json!({"line_items": [line(&json!({"quantity": 1}))]}));
    assert_eq!((before.lines[0].quantity, after.lines[0].quantity), (Some(2), Some(1)));
    assert_eq!((before.kind, after.kind), (StatementKind::Snapshot, StatementKind::Snapshot));
    assert!(after.line("2").is_none());
}

#[test]
fn odd_types_unknown_keys_and_lists_with_gaps_are_read() {
    let order = facts(&json!({
        "id": "7", "number": 7, "currency": null, "order_key": 12, "extra": {"deep": [[[[1]]]]}, "meta_data": {"3": {"key": 5, "value": null}},
        "line_items": {"2": line(&json!({"id": "1", "product_id": "11", "variation_id": "", "sku": 12, "meta_data": ""}))},
        "refunds": "",
    }));
    assert_eq!(order.id, "7");
    assert_eq!(order.lines[0].product, [("product".to_owned(), "11".to_owned()), ("sku".to_owned(), "12".to_owned())]);
}

#[test]
fn a_key_that_is_there_twice_rejects_the_order() {
    let body = order(&json!({})).replacen("{", r#"{"status":"completed","#, 1);
    assert_eq!(handled(body).result.unwrap_err().code, "body-unexpected");
}

#[test]
fn nothing_that_is_cut_short_or_garbled_panics() {
    let whole = order(&json!({"refunds": [{"id": 1, "total": "-1.00"}], "meta_data": meta("a", "\u{e9}\u{1f393}")}));
    for end in 0..whole.len() {
        if let Some(cut) = whole.get(..end) {
            assert!(handled(cut).result.is_err());
        }
        let mut garbled = whole.clone().into_bytes();
        garbled[end] = garbled[end].wrapping_add(1);
        let _ = handled(garbled);
    }
    let deep = format!(r#"{{"id":7,"x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let _ = handled(deep);
}

#[test]
fn an_order_of_thousands_of_lines_is_read() {
    let lines: Vec<Value> = (1..=2500)
        .map(|id| line(&json!({"id": id, "name": "x".repeat(400), "meta_data": meta("_bundled_by", "k")})))
        .collect();
    let body = order(&json!({"line_items": lines}));
    assert!(body.len() > 1_200_000);
    assert_eq!(stated(&handled(body)).lines.len(), 2500);
}
