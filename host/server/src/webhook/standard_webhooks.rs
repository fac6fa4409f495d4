//! The order that any shop can send, signed as Standard Webhooks has it (`docs/shops/standard-webhooks.md`).
//!
//! Owns the form of its events and their signature by a secret. Shops that sign with a private key cannot be imitated: nobody
//! but they has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, made_up, proof};

/// Any shop that speaks Standard Webhooks.
#[derive(Debug, Clone, Copy)]
pub struct StandardWebhooks;

/// What stands before a secret, so that people know one when they see it. It is no part of the key.
const SECRET_PREFIX: &str = "whsec_";

impl Platform for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "order.changed"),
            (Event::Unpaid, "order.changed"),
            (Event::Refunded, "order.refunded"),
            (Event::Cancelled, "order.changed"),
            (Event::Disputed, "order.changed"),
            (Event::Deleted, "order.deleted"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["variant", "product", "sku"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        let data = match topic {
            "order.changed" => whole(order),
            "order.refunded" => {
                json!({ "id": order.id.to_string(), "changed_at": order.modified_at.to_string(), "refunded": true })
            }
            "order.deleted" => json!({ "id": order.id.to_string(), "changed_at": order.modified_at.to_string() }),
            _ => return Err(ImitationError::UnknownTopic { topic: topic.to_owned() }),
        };
        let event = json!({ "type": topic, "timestamp": order.modified_at.to_string(), "data": data });
        Ok(event.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, _topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let id = format!("msg_{:032x}", rand::random::<u128>());
        let seconds = made_up::seconds(shop.at).to_string();
        let signature = signature(shop.secret.expose_secret(), &id, &seconds, &body)?;
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", seconds),
            ("webhook-signature", signature),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

/// The order as it stands.
fn whole(order: &Order) -> Value {
    let is = |event| order.event == event;
    json!({
        "id": order.id.to_string(),
        "changed_at": order.modified_at.to_string(),
        "placed_at": order.placed_at.to_string(),
        "status": if is(Event::Unpaid) { "unpaid" } else { "paid" },
        "cancelled": is(Event::Cancelled),
        "refunded": is(Event::Refunded),
        "disputed": is(Event::Disputed),
        "currency": "EUR",
        "total": format!("{:.2}", order.total()),
        "learner_email": order.email,
        "lines": (1..).zip(&order.lines).map(|(number, line)| sold(number, line)).collect::<Vec<_>>(),
    })
}

fn sold(number: u64, line: &Line) -> Value {
    json!({
        "id": number.to_string(),
        "variant": line.id("variant"),
        "product": line.id("product"),
        "sku": line.id("sku"),
        "title": line.title,
        "quantity": line.quantity,
        "learner_email": line.learner,
    })
}

/// The value of `webhook-signature`: an HMAC over id, moment and body, keyed with what the secret is base64 of.
///
/// # Errors
/// When the secret is not of this form.
pub fn signature(secret: &str, id: &str, seconds: &str, body: &[u8]) -> Result<String, ImitationError> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret));
    let key = key.map_err(|_| ImitationError::Unwritable("the secret is not whsec_ and base64".to_owned()))?;
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    Ok(format!("v1,{}", proof::base64(&proof::hmac_sha256(&key, &parts)?)))
}
