//! Saleor's webhooks with the adapter's own query (`plugins/saleor/subscription.graphql`), proved by a secret key.
//!
//! Owns the form of orders and their signature. The signature by Saleor's private key cannot be imitated: nobody but that Saleor
//! has it. A shop to try things with needs a secret beside its keys, or in their place.

use rust_decimal::Decimal;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, check_topic, made_up, proof};

/// Saleor.
#[derive(Debug, Clone, Copy)]
pub struct Saleor;

const DOMAIN: &str = "shop.example";
const API_URL: &str = "https://shop.example/graphql/";
/// Line numbers of one order lie this far from the next order's.
const LINES_PER_ORDER: u64 = 1_000;

impl Platform for Saleor {
    fn name(&self) -> &'static str {
        "saleor"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "order_fully_paid"),
            (Event::Unpaid, "order_created"),
            (Event::Refunded, "order_fully_refunded"),
            (Event::Cancelled, "order_cancelled"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["variant", "sku", "product", "slug"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        check_topic(self, topic)?;
        let body = json!({
            "__typename": type_name(topic), "issuedAt": order.modified_at.to_string(), "order": whole(order)?,
        });
        Ok(body.to_string().into_bytes())
    }

    /// Each header of Saleor's own stands there twice, under its old name and its new one.
    fn sign(&self, body: Vec<u8>, topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let signature = hex::encode(proof::hmac_sha256(shop.secret.expose_secret().as_bytes(), &[&body])?);
        let headers = vec![
            ("User-Agent", "Saleor/3.24".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("X-Saleor-Event", topic.to_owned()),
            ("X-Saleor-Domain", DOMAIN.to_owned()),
            ("X-Saleor-Signature", signature.clone()),
            ("Saleor-Event", topic.to_owned()),
            ("Saleor-Domain", DOMAIN.to_owned()),
            ("Saleor-Signature", signature),
            ("Saleor-Api-Url", API_URL.to_owned()),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

/// `order_fully_paid` as the body has it: `OrderFullyPaid`.
fn type_name(topic: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    topic.split('_').map(capital).collect()
}

/// Ids are names of a kind and a key, in base64.
fn id(kind: &str, key: impl std::fmt::Display) -> String {
    proof::base64(format!("{kind}:{key}").as_bytes())
}

fn whole(order: &Order) -> Result<Value, ImitationError> {
    let total = order.total();
    let (payment, charge, paid, charged, refunded) = match order.event {
        Event::Unpaid => ("NOT_CHARGED", "NONE", false, Decimal::ZERO, Decimal::ZERO),
        Event::Refunded => ("FULLY_REFUNDED", "NONE", false, Decimal::ZERO, total),
        _ => ("FULLY_CHARGED", "FULL", true, total, Decimal::ZERO),
    };
    let lines: Result<Vec<_>, _> = (1..).zip(&order.lines).map(|(number, line)| sold(order.id, number, line)).collect();
    Ok(json!({
        "id": id("Order", made_up::uuid(order.id)),
        "number": order.id.to_string(),
        "status": if order.event == Event::Cancelled { "CANCELED" } else { "UNFULFILLED" },
        "isPaid": paid,
        "paymentStatus": payment,
        "chargeStatus": charge,
        "userEmail": order.email,
        "created": order.placed_at.to_string(),
        "updatedAt": order.modified_at.to_string(),
        "channel": { "slug": "default-channel" },
        "metadata": [],
        "user": null,
        "total": { "gross": { "amount": made_up::json_number(total)?, "currency": "EUR" } },
        "totalCharged": { "amount": made_up::json_number(charged)? },
        "totalRefunded": { "amount": made_up::json_number(refunded)? },
        "lines": lines?,
        "fulfillments": [],
        "grantedRefunds": [],
    }))
}

fn sold(order: u64, number: u64, line: &Line) -> Result<Value, ImitationError> {
    let made_up = |kind: &str| id(kind, made_up::number(&line.title));
    let given = |kind: &str| line.id(kind).map(str::to_owned);
    let variant = given("variant").unwrap_or_else(|| made_up("ProductVariant"));
    let learner = line.learner.as_ref().map(|learner| json!({ "key": "learner_email", "value": learner }));
    Ok(json!({
        "id": id("OrderLine", made_up::uuid(order * LINES_PER_ORDER + number)),
        "quantity": line.quantity,
        "productSku": given("sku"),
        "productVariantId": variant,
        "productName": line.title,
        "variantName": line.title,
        "metadata": learner.into_iter().collect::<Vec<_>>(),
        "variant": {
            "id": variant,
            "sku": given("sku"),
            "metadata": [],
            "product": {
                "id": given("product").unwrap_or_else(|| made_up("Product")),
                "slug": given("slug"),
                "metadata": [],
            },
        },
    }))
}
