//! Bodies that no Saleor sends: whatever stands in a field, the run comes to an end of its own, and never gives what nobody paid.

use bursar_adapter::orders::Payment;
use serde_json::{Value, json};

use super::{RECORDED, handled};

/// Every place in a value, as a JSON Pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn whatever_stands_in_a_field_nothing_unpaid_is_paid() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    assert_eq!(recorded["order"]["isPaid"], false);
    let mut found = Vec::new();
    places(&recorded, "", &mut found);
    assert!(found.len() > 100);
    let odd =
        [json!(null), json!([]), json!({}), json!(""), json!("x"), json!(-1), json!(1.5), json!([[]]), json!([{}])];
    for place in found {
        for odd in &odd {
            let mut body = recorded.clone();
            *body.pointer_mut(&place).unwrap() = odd.clone();
            let handled = handled(body.to_string());
            for order in &handled.orders {
                assert_ne!(order.payment, Some(Payment::Paid), "{place} {odd}");
            }
        }
    }
}

#[test]
fn a_body_that_was_cut_off_is_rejected() {
    for length in (0..RECORDED.len() - 1).step_by(7) {
        assert_eq!(handled(&RECORDED.as_bytes()[..length]).outcome(), "rejected", "{length}");
    }
}

#[test]
fn every_order_of_an_import_is_stated_and_drafts_are_not() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let order = |id: &str, status: &str| {
        let mut order = recorded["order"].clone();
        order["id"] = json!(id);
        order["status"] = json!(status);
        order
    };
    let body = json!({
        "__typename": "OrderBulkCreated",
        "issuedAt": "2026-11-23T08:49:10.302195+00:00",
        "orders": [order("a", "UNFULFILLED"), order("b", "DRAFT"), order("c", "FULFILLED")],
    });
    let handled = handled(body.to_string());
    let ids: Vec<_> = handled.orders.iter().map(|order| order.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(handled.ignored.len(), 1);
}
