//! Stripe's events about a checkout that is paid at once.
//!
//! Owns the form of its events and their signature. What a checkout sold stands in the session's metadata: a session has
//! no lines, and Stripe cannot be asked for those of one that was made up, so the shop that is tried does not grant that
//! it be asked (`permissions`).

use std::collections::BTreeMap;

use bursar_domain::Email;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Event, ImitationError, Message, Order, Platform, Sender, check_topic, made_up, only_seat, proof};

/// Stripe.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

const API_VERSION: &str = "2025-09-30.clover";

impl Platform for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "checkout.session.completed"),
            (Event::Unpaid, "checkout.session.completed"),
            (Event::Refunded, "charge.refunded"),
            (Event::Disputed, "charge.dispute.created"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["sku", "payment_link"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        check_topic(self, topic)?;
        let object = match topic {
            "charge.refunded" => charge(order),
            "charge.dispute.created" => dispute(order),
            _ => session(order)?,
        };
        let event = json!({
            "id": format!("evt_{:032x}", rand::random::<u128>()),
            "object": "event",
            "api_version": API_VERSION,
            "created": made_up::seconds(order.modified_at),
            "data": { "object": object },
            "livemode": true,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": topic,
        });
        Ok(event.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, _topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let signature = signature(shop.secret.expose_secret(), made_up::seconds(shop.at), &body)?;
        let headers = vec![
            ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
            ("Accept", "*/*; q=0.5, application/xml".to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Content-Type", "application/json; charset=utf-8".to_owned()),
            ("Stripe-Signature", signature),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

/// The value of `Stripe-Signature`: the moment, and an HMAC over it and the body. The secret is the key as it is, with its
/// `whsec_`.
///
/// # Errors
/// Never for a key that there can be; it is the algorithm's to say.
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> Result<String, ImitationError> {
    let time = seconds.to_string();
    let proof = proof::hmac_sha256(secret.as_bytes(), &[time.as_bytes(), b".", body])?;
    Ok(format!("t={time},v1={}", hex::encode(proof)))
}

/// A payment, which is what an order is called by.
fn payment(order: &Order) -> String {
    format!("pi_{}", order.id)
}

fn session(order: &Order) -> Result<Value, ImitationError> {
    let line = only_seat(&Stripe, order)?;
    let metadata: BTreeMap<_, _> =
        [("sku", line.id("sku")), ("learner_email", line.learner.as_ref().map(Email::as_str))]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
    let total = made_up::hundredths(order.total());
    Ok(json!({
        "id": format!("cs_live_{}", order.id),
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "created": made_up::seconds(order.placed_at),
        "currency": "eur",
        "custom_fields": [],
        "customer": null,
        "customer_details": { "email": order.email, "name": "Ada Example" },
        "customer_email": null,
        "invoice": null,
        "livemode": true,
        "metadata": metadata,
        "mode": "payment",
        "payment_intent": payment(order),
        "payment_link": line.id("payment_link"),
        "payment_status": if order.event == Event::Unpaid { "unpaid" } else { "paid" },
        "status": "complete",
        "subscription": null,
    }))
}

fn charge(order: &Order) -> Value {
    let total = made_up::hundredths(order.total());
    json!({
        "id": format!("ch_{}", order.id),
        "object": "charge",
        "amount": total,
        "amount_captured": total,
        "amount_refunded": total,
        "billing_details": { "email": order.email, "name": "Ada Example" },
        "captured": true,
        "created": made_up::seconds(order.placed_at),
        "currency": "eur",
        "customer": null,
        "disputed": false,
        "livemode": true,
        "metadata": {},
        "paid": true,
        "payment_intent": payment(order),
        "refunded": true,
        "status": "succeeded",
    })
}

fn dispute(order: &Order) -> Value {
    json!({
        "id": format!("du_{}", order.id),
        "object": "dispute",
        "amount": made_up::hundredths(order.total()),
        "charge": format!("ch_{}", order.id),
        "created": made_up::seconds(order.modified_at),
        "currency": "eur",
        "livemode": true,
        "metadata": {},
        "payment_intent": payment(order),
        "reason": "fraudulent",
        "status": "needs_response",
    })
}
