//! Lemon Squeezy's webhooks about orders.
//!
//! Owns the form of orders and their signature. Subscriptions are not imitated: an order and its subscription are two objects
//! that come by themselves.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, check_topic, made_up, only_line, proof};

/// Lemon Squeezy.
#[derive(Debug, Clone, Copy)]
pub struct LemonSqueezy;

/// The store that every made-up order is of.
const STORE: u64 = 1;

impl Platform for LemonSqueezy {
    fn name(&self) -> &'static str {
        "lemonsqueezy"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[(Event::Paid, "order_created"), (Event::Unpaid, "order_created"), (Event::Refunded, "order_refunded")]
    }

    fn products(&self) -> &'static [&'static str] {
        &["variant", "product"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        check_topic(self, topic)?;
        let line = only_line(self, order)?;
        let custom = line.learner.as_ref().map(|learner| json!({ "learner_email": learner }));
        let body = json!({
            "meta": { "event_name": topic, "test_mode": false, "custom_data": custom },
            "data": { "type": "orders", "id": order.id.to_string(), "attributes": attributes(order, line)? },
        });
        Ok(body.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Event-Name", topic.to_owned()),
            ("X-Signature", hex::encode(proof::hmac_sha256(shop.secret.expose_secret().as_bytes(), &[&body])?)),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

fn attributes(order: &Order, line: &Line) -> Result<Value, ImitationError> {
    let status = match order.event {
        Event::Unpaid => "pending",
        Event::Refunded => "refunded",
        _ => "paid",
    };
    let total = made_up::hundredths(order.total());
    let refunded = order.event == Event::Refunded;
    Ok(json!({
        "store_id": STORE,
        "identifier": format!("00000000-0000-4000-8000-{:012x}", order.id),
        "order_number": order.id,
        "user_email": order.email,
        "currency": "EUR",
        "status": status,
        "refunded": refunded,
        "refunded_amount": if refunded { total } else { 0 },
        "total": total,
        "created_at": order.placed_at.to_string(),
        "updated_at": order.modified_at.to_string(),
        "test_mode": false,
        "first_order_item": {
            "id": order.id,
            "order_id": order.id,
            "product_id": line.number("product")?,
            "variant_id": line.number("variant")?,
            "product_name": line.title,
            "quantity": line.quantity,
        },
    }))
}
