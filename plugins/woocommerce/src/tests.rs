//! The adapter as a whole, against the fake host.

mod asking;
mod orders;
mod recorded;
mod requests;
mod vectors;

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::{Handled, OrderFacts, Post, Shop};

use crate::WooCommerce;

/// The project's directory.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What an unchanged shop has in its settings once the host has filled in the defaults.
const DEFAULTS: &str = r#"{
    "learner_email_meta": ["learner_email", "_learner_email"],
    "learner_username_meta": [],
    "paid_statuses": ["processing", "completed"],
    "test_payment_methods": []
}"#;

fn shop() -> Shop {
    Shop::new().without_api().settings(DEFAULTS)
}

fn handled(body: impl Into<Vec<u8>>) -> Handled {
    shop().handle::<WooCommerce>(&Post::new(body).topic("order.updated"))
}

/// The one order that was stated.
fn stated(handled: &Handled) -> &OrderFacts {
    handled.result.as_ref().unwrap();
    assert_eq!(handled.orders.len(), 1);
    &handled.orders[0]
}

fn payment(payment: Option<Payment>) -> serde_json::Value {
    match payment {
        None => serde_json::Value::Null,
        Some(Payment::Paid) => "paid".into(),
        Some(Payment::Unpaid) => "unpaid".into(),
        Some(Payment::Undecided) => "undecided".into(),
    }
}

fn causes(said: &[(Cause, String)]) -> Vec<&'static str> {
    said.iter()
        .map(|(cause, _)| match cause {
            Cause::Refunded => "refunded",
            Cause::Cancelled => "cancelled",
            Cause::Deleted => "deleted",
            Cause::Disputed => "disputed",
        })
        .collect()
}
