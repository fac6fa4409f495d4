//! Shopify's webhooks about orders, refunds and disputes.
//!
//! Owns the form of their bodies and their signature.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, check_topic, made_up, proof};

/// Shopify.
#[derive(Debug, Clone, Copy)]
pub struct Shopify;

/// The setting that says which shop it is: a request must name it, and it cannot be made up.
const SHOP_DOMAIN: &str = "shop_domain";
const API_VERSION: &str = "2026-01";
/// Line ids of one order lie this far from the next order's.
const LINES_PER_ORDER: u64 = 1_000;

impl Platform for Shopify {
    fn name(&self) -> &'static str {
        "shopify"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "orders/paid"),
            (Event::Unpaid, "orders/create"),
            (Event::Refunded, "orders/updated"),
            (Event::Cancelled, "orders/cancelled"),
            (Event::Disputed, "disputes/create"),
            (Event::Deleted, "orders/delete"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["variant", "product", "sku"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        let body = match topic {
            // The same refund comes by itself, too.
            "refunds/create" => refund(order),
            "disputes/create" => dispute(order),
            "orders/delete" => json!({ "id": order.id }),
            _ => {
                check_topic(self, topic)?;
                whole(order)?
            }
        };
        Ok(body.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let missing = ImitationError::Missing { platform: self.name(), what: "the setting `shop_domain`" };
        let domain = shop.setting(SHOP_DOMAIN).ok_or(missing)?;
        let signature = proof::base64(&proof::hmac_sha256(shop.secret.expose_secret().as_bytes(), &[&body])?);
        let headers = vec![
            ("User-Agent", "Shopify-Captain-Hook".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("X-Shopify-Topic", topic.to_owned()),
            ("X-Shopify-Hmac-Sha256", signature),
            ("X-Shopify-Shop-Domain", domain.to_owned()),
            ("X-Shopify-API-Version", API_VERSION.to_owned()),
            ("X-Shopify-Webhook-Id", made_up::uuid(rand::random())),
            ("X-Shopify-Event-Id", made_up::uuid(rand::random())),
            ("X-Shopify-Triggered-At", shop.at.to_string()),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

fn whole(order: &Order) -> Result<Value, ImitationError> {
    let (modified, total) = (made_up::whole_seconds(order.modified_at), format!("{:.2}", order.total()));
    let status = match order.event {
        Event::Unpaid => "pending",
        Event::Refunded => "refunded",
        _ => "paid",
    };
    let refunded = order.event == Event::Refunded;
    let lines: Result<Vec<_>, _> =
        (1..).zip(&order.lines).map(|(number, line)| item(line_id(order, number), line, refunded)).collect();
    Ok(json!({
        "id": order.id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.id),
        "name": format!("#{}", order.id),
        "order_number": order.id,
        "email": order.email,
        "contact_email": order.email,
        "financial_status": status,
        "fulfillment_status": null,
        "cancelled_at": (order.event == Event::Cancelled).then(|| modified.clone()),
        "test": false,
        "currency": "EUR",
        "presentment_currency": "EUR",
        "total_price": total,
        "created_at": made_up::whole_seconds(order.placed_at),
        "processed_at": made_up::whole_seconds(order.placed_at),
        "updated_at": modified,
        "customer": order.email.as_ref().map(|email| json!({ "email": email })),
        "note_attributes": [],
        "line_items": lines?,
        "refunds": if refunded { vec![refund(order)] } else { Vec::new() },
    }))
}

fn line_id(order: &Order, number: u64) -> u64 {
    order.id * LINES_PER_ORDER + number
}

fn item(id: u64, line: &Line, refunded: bool) -> Result<Value, ImitationError> {
    let learner = line.learner.as_ref().map(|learner| json!({ "name": "learner_email", "value": learner }));
    Ok(json!({
        "id": id,
        "product_id": line.number("product")?.unwrap_or_else(|| made_up::number(&line.title)),
        "variant_id": line.number("variant")?.unwrap_or_else(|| made_up::number(&line.title)),
        "sku": line.id("sku").unwrap_or_default(),
        "title": line.title,
        "name": line.title,
        "quantity": line.quantity,
        "current_quantity": if refunded { 0 } else { line.quantity },
        "price": format!("{:.2}", line.price),
        "properties": learner.into_iter().collect::<Vec<_>>(),
    }))
}

/// All of it went back, for every line.
fn refund(order: &Order) -> Value {
    let at = made_up::whole_seconds(order.modified_at);
    let lines = (1..).zip(&order.lines).map(|(number, line)| {
        let id = line_id(order, number);
        json!({ "id": id, "line_item_id": id, "quantity": line.quantity, "restock_type": "no_restock" })
    });
    json!({
        "id": order.id,
        "order_id": order.id,
        "created_at": at,
        "note": null,
        "refund_line_items": lines.collect::<Vec<_>>(),
        "transactions": [{
            "id": order.id, "kind": "refund", "status": "success", "currency": "EUR",
            "amount": format!("{:.2}", order.total()),
        }],
    })
}

fn dispute(order: &Order) -> Value {
    json!({
        "id": order.id,
        "order_id": order.id,
        "type": "chargeback",
        "amount": format!("{:.2}", order.total()),
        "currency": "EUR",
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_sent_on": null,
        "finalized_on": null,
        "initiated_at": made_up::whole_seconds(order.modified_at),
    })
}
