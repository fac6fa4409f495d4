//! The adapter as a whole, against the fake host.

mod orders;
mod revisions;

use bursar_adapter::testing::{Handled, OrderFacts, Post, Shop};
use serde_json::{Value, json};

use crate::Shopify;

/// What a shop has in its settings once the host has filled in the defaults.
const SETTINGS: &str =
    r#"{"shop_domain": "campus.myshopify.com", "learner_email_properties": ["learner_email", "_learner_email"]}"#;

fn shop() -> Shop {
    Shop::new().settings(SETTINGS)
}

fn handled_by(shop: &Shop, body: &Value) -> Handled {
    shop.handle::<Shopify>(&Post::new(body.to_string()))
}

/// The one order that was stated.
fn stated(handled: &Handled) -> &OrderFacts {
    handled.result.as_ref().unwrap();
    assert_eq!(handled.orders.len(), 1);
    &handled.orders[0]
}

/// A paid order of one line.
fn order() -> Value {
    json!({
        "id": 55,
        "admin_graphql_api_id": "gid://shopify/Order/55",
        "financial_status": "paid",
        "cancelled_at": null,
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:00:41Z",
        "email": "ada@example.org",
        "currency": "EUR",
        "total_price": "49.00",
        "line_items": [line(1)],
        "refunds": [],
    })
}

fn line(id: u64) -> Value {
    json!({"id": id, "variant_id": 30 + id, "title": "Sailing", "quantity": 3, "current_quantity": 3, "properties": []})
}

/// The order with these fields in place of its own.
fn order_with(fields: &Value) -> Value {
    let mut order = order();
    for (name, value) in fields.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

/// A refund of so many of the first line.
fn refund(id: u64, at: &str, quantity: u32) -> Value {
    json!({
        "id": id,
        "order_id": 55,
        "created_at": at,
        "refund_line_items": [{"line_item_id": 1, "quantity": quantity}],
        "transactions": [{"kind": "refund", "status": "success", "amount": "16.00"}],
    })
}
