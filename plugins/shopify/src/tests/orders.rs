//! Rules that are about more orders than a fixture each can show.

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::KnownLine;
use serde_json::{Value, json};

use super::{handled_by, line, order_with, shop, stated};

fn known(id: &str) -> KnownLine {
    KnownLine { id: id.to_owned(), active: true, quantity: 3, ..KnownLine::default() }
}

#[test]
fn no_status_gives_access_to_a_line_that_nobody_has_paid_yet() {
    let added = json!([line(1), line(2)]);
    for status in ["pending", "authorized", "partially_paid"] {
        let body = order_with(&json!({"financial_status": status, "line_items": added}));
        let handled = handled_by(&shop().known("55", known("1")), &body);
        let order = stated(&handled);
        assert_eq!(order.payment, Some(Payment::Undecided), "{status}");
        assert!(order.line("1").is_some() && order.line("2").is_none(), "{status}");
        assert!(stated(&handled_by(&shop(), &body)).line("2").is_some(), "{status}");
    }
}

#[test]
fn of_two_accounts_of_what_went_back_the_larger_counts() {
    let refunds = |count: u32| {
        json!([{"id": 7, "created_at": "2026-03-03T10:00:00Z",
        "refund_line_items": [{"line_item_id": 1, "quantity": count}], "transactions": []}])
    };
    for (current, refunded, expected) in [(3, 0, 0), (2, 0, 1), (3, 1, 1), (0, 1, 3), (2, 3, 3)] {
        let item = json!({"id": 1, "variant_id": 31, "quantity": 3, "current_quantity": current});
        let body = order_with(&json!({"line_items": [item], "refunds": refunds(refunded)}));
        let handled = handled_by(&shop(), &body);
        assert_eq!(stated(&handled).line("1").unwrap().refunded_quantity, Some(expected), "{current} {refunded}");
    }
}

#[test]
fn what_an_order_does_not_say_of_refunds_is_not_made_up() {
    let item = json!({"id": 1, "variant_id": 31, "quantity": 3});
    let handled = handled_by(&shop(), &order_with(&json!({"line_items": [item], "refunds": null})));
    assert_eq!(stated(&handled).line("1").unwrap().refunded_quantity, None);
}

#[test]
fn only_words_of_an_open_dispute_hold_and_only_words_of_a_settled_one_lift() {
    let causes = |status: &str| {
        let body = json!({"id": 1, "order_id": 55, "status": status, "initiated_at": "2026-03-03T10:00:00Z"});
        let handled = handled_by(&shop(), &body);
        let order = stated(&handled);
        let of = |said: &[(Cause, String)]| said.iter().map(|(cause, _)| *cause).collect::<Vec<_>>();
        (of(&order.holds), of(&order.lifts))
    };
    for status in ["needs_response", "under_review", "lost", "accepted", "charge_refunded"] {
        assert_eq!(causes(status), (vec![Cause::Disputed], vec![]), "{status}");
    }
    for status in ["won", "prevented"] {
        assert_eq!(causes(status), (vec![], vec![Cause::Disputed]), "{status}");
    }
    assert_eq!(causes("appealed"), (vec![], vec![]));
}

#[test]
fn an_object_of_another_type_is_no_order_whatever_its_fields() {
    for of_type in ["DraftOrder", "Fulfillment", "AbandonedCheckout", "Return", "Product"] {
        let body = order_with(&json!({"admin_graphql_api_id": format!("gid://shopify/{of_type}/55")}));
        assert_eq!(handled_by(&shop(), &body).outcome(), "ignored", "{of_type}");
    }
}

#[test]
fn no_word_to_people_holds_an_address() {
    let customer = json!({"id": 77, "email": "ada@example.org", "phone": "555-0100"});
    let bodies: [Value; 3] = [
        json!({"shop_id": 1, "shop_domain": "campus.myshopify.com", "customer": customer, "orders_to_redact": [55]}),
        json!({"shop_id": 1, "shop_domain": "campus.myshopify.com", "customer": customer, "orders_requested": [55],
            "data_request": {"id": 9}}),
        order_with(&json!({"financial_status": "ada@example.org"})),
    ];
    for body in bodies {
        let handled = handled_by(&shop(), &body);
        assert!(!handled.all_reviews().is_empty(), "{body}");
        for words in handled.all_reviews() {
            assert!(!words.contains("ada") && !words.contains("555-"), "{words}");
        }
    }
}

#[test]
fn whoever_is_to_be_erased_is_forgotten_with_their_orders_and_with_the_request_itself() {
    for (customer, subject) in [(json!({"id": 77}), "customer 77"), (json!({"email": "ada@example.org"}), "customer")] {
        let body = json!({"shop_id": 1, "shop_domain": "campus.myshopify.com", "customer": customer,
            "orders_to_redact": [55, "56"]});
        let handled = handled_by(&shop(), &body);
        assert_eq!(handled.forgets, [subject, "55", "56"]);
    }
}

#[test]
fn more_orders_than_can_be_forgotten_at_once_ask_a_person() {
    let asked = |count: u64| {
        let orders: Vec<u64> = (1..=count).collect();
        let body = json!({"shop_id": 1, "shop_domain": "campus.myshopify.com", "customer": {"id": 77},
            "orders_to_redact": orders});
        let handled = handled_by(&shop(), &body);
        (handled.forgets.len(), handled.reviews.len())
    };
    assert_eq!(asked(2), (3, 1));
    assert_eq!(asked(999), (1000, 1));
    assert_eq!(asked(1000), (1000, 2));
}
