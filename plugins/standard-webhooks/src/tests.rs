//! The adapter as a whole, against the fake host.

mod door;
mod orders;
mod recorded;
mod schema;

use bursar_adapter::testing::{Handled, Post, Shop};
use serde_json::{Value, json};

use crate::StandardWebhooks;

/// The project's directory.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The moment at which the order in [`order`] changed.
const CHANGED: u64 = 1_772_445_641;

/// A paid order of one line.
fn order() -> Value {
    json!({
        "id": "55",
        "changed_at": "2026-03-02T10:00:41Z",
        "status": "paid",
        "learner_email": "ada@example.org",
        "lines": [{"id": "1", "sku": "SAIL"}],
    })
}

/// The same with these fields in place of its own.
fn order_with(fields: Value) -> Value {
    let mut order = order();
    for (name, value) in fields.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn handled_by(shop: &Shop, kind: &str, data: &Value) -> Handled {
    let body = json!({"type": kind, "data": data}).to_string();
    shop.handle::<StandardWebhooks>(&Post::new(body).received_at((CHANGED + 3) * 1000))
}

fn handled(kind: &str, data: &Value) -> Handled {
    handled_by(&Shop::new().settings("{}"), kind, data)
}
