//! The webhooks of MIT's unified-ecommerce: nothing is signed, the system's key stands in the body.
//!
//! Owns the form of orders and where the key goes. The key is written into a body when it is sent and not before, so that no
//! body that is only looked at has it.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, check_topic, made_up};

/// MIT's unified-ecommerce.
#[derive(Debug, Clone, Copy)]
pub struct UnifiedEcommerce;

/// The setting that says which system it is, where the operator said so.
const SYSTEM_SLUG: &str = "system_slug";
/// What it is called otherwise.
const SLUG: &str = "bursar";
const KEY: &str = "system_key";
/// Who buys everything: the user of an order never changes.
const USER: u64 = 9;
/// Line ids of one order lie this far from the next order's.
const LINES_PER_ORDER: u64 = 1_000;

impl Platform for UnifiedEcommerce {
    fn name(&self) -> &'static str {
        "mit-unified-ecommerce"
    }

    fn secret(&self) -> &'static str {
        "system-key"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "postsale"),
            (Event::Unpaid, "postsale"),
            (Event::Refunded, "postsale"),
            (Event::Cancelled, "postsale"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["product", "sku"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        check_topic(self, topic)?;
        if order.lines.iter().any(|line| line.learner.is_some()) {
            return Err(ImitationError::BuyerOnly { platform: self.name() });
        }
        let id = made_up::uuid(USER);
        let body = json!({
            "system_slug": SLUG,
            KEY: "",
            "type": topic,
            "user": {
                "id": USER, "global_id": id, "username": id, "email": order.email,
                "first_name": "Ada", "last_name": "Example", "name": "Ada Example",
            },
            "data": whole(order)?,
        });
        Ok(body.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, _topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let mut message: Map<String, Value> = serde_json::from_slice(&body)
            .map_err(|error| ImitationError::Unwritable(format!("the key goes into a JSON object: {error}")))?;
        message.insert(KEY.to_owned(), json!(shop.secret.expose_secret()));
        if let Some(slug) = shop.setting(SYSTEM_SLUG).filter(|slug| !slug.is_empty()) {
            message.insert(SYSTEM_SLUG.to_owned(), json!(slug));
        }
        let headers = vec![
            ("User-Agent", "python-requests/2.32.4".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
        ];
        Ok(Message { headers, body: Value::Object(message).to_string().into_bytes(), ..Message::default() })
    }
}

fn whole(order: &Order) -> Result<Value, ImitationError> {
    let state = match order.event {
        Event::Unpaid => "pending",
        Event::Refunded => "refunded",
        Event::Cancelled => "canceled",
        _ => "fulfilled",
    };
    let lines: Result<Vec<_>, _> =
        (1..).zip(&order.lines).map(|(number, line)| sold(line_id(order, number), line)).collect();
    Ok(json!({
        "reference_number": order.id.to_string(),
        "total_price_paid": format!("{:.2}", order.total()),
        "state": state,
        "lines": lines?,
        "refunds": if order.event == Event::Refunded { vec![refund(order)] } else { Vec::new() },
    }))
}

fn line_id(order: &Order, number: u64) -> u64 {
    order.id * LINES_PER_ORDER + number
}

fn sold(id: u64, line: &Line) -> Result<Value, ImitationError> {
    let (price, total) = (format!("{:.2}", line.price), format!("{:.2}", line.total()));
    Ok(json!({
        "id": id,
        "quantity": line.quantity,
        "item_description": line.title,
        "unit_price": price,
        "total_price": total,
        "product": {
            "id": line.number("product")?.unwrap_or_else(|| made_up::number(&line.title)),
            "sku": line.id("sku").unwrap_or_default(),
            "name": line.title,
            "description": "",
            "price": price,
        },
    }))
}

/// All of it went back, for every line.
fn refund(order: &Order) -> Value {
    let lines = (1..).zip(&order.lines).map(|(number, line)| {
        json!({
            "id": line_id(order, number),
            "line": line_id(order, number),
            "status": "approved-complete",
            "refunded_amount": format!("{:.2}", line.total()),
        })
    });
    json!({ "id": order.id, "status": "approved-complete", "lines": lines.collect::<Vec<_>>() })
}
