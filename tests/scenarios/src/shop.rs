//! What a shop sends about an order, on the platform that it is on.
//!
//! Owns the two platforms of cases: `facts`, which stands for all that have no adapter yet, and WooCommerce.

use std::collections::BTreeMap;

use bursar_domain::{Clock as _, Email, Timestamp, statement::ProductId};
use bursar_server::webhook::{self, Event, Platform as _, Sender, woocommerce::WooCommerce};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    Result,
    clock::{BEGINNING, CaseClock},
    order::{Cause, Fact, Line, Order, Payment, Sentence, Who},
};

/// The secret of every shop.
pub const SECRET: &str = "a-secret_of-the-shop-0123456789";

/// A request that a shop makes, or made and has not sent yet.
#[derive(Debug, Clone)]
pub struct Message {
    pub shop: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The shops' own memory: their orders.
#[derive(Debug, Default)]
pub struct Shops {
    orders: BTreeMap<(String, String), Order>,
}

impl Shops {
    /// Takes note of what is said, and makes the request that tells of it.
    pub fn say(&mut self, sentence: &Sentence, adapter: &str, clock: &CaseClock) -> Result<Message> {
        let Sentence { shop, id, alone, facts } = sentence;
        let order = self.orders.entry((shop.clone(), id.clone())).or_insert_with(|| Order::blank(id));
        order.begun.get_or_insert(clock.now());
        order.revision += 1;
        order.apply(facts);
        match (adapter, alone) {
            ("facts", false) => Ok(facts_message(shop, facts_of(order, true))),
            ("facts", true) => {
                let mut said = Order { revision: order.revision, ..Order::blank(id) };
                said.apply(facts);
                Ok(facts_message(shop, facts_of(&said, false)))
            }
            ("woocommerce", false) => woocommerce(shop, order, topic(facts), clock.now()),
            ("woocommerce", true) => Err("WooCommerce always sends the whole order".to_owned()),
            (other, _) => Err(format!("cases know no orders of the platform {other}")),
        }
    }
}

/// A body that lies beside the case, signed.
pub fn from_file(shop: &str, adapter: &str, topic: &str, body: Vec<u8>) -> Result<Message> {
    match adapter {
        "woocommerce" => signed_by_woocommerce(shop, body, topic),
        _ => Ok(facts_message(shop, serde_json::from_slice(&body).map_err(|error| error.to_string())?)),
    }
}

fn facts_message(shop: &str, order: Value) -> Message {
    let body = json!({ "orders": [order] }).to_string().into_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do").chain_update(&body);
    let proof = hex::encode(mac.finalize().into_bytes());
    Message { shop: shop.to_owned(), headers: vec![("x-facts-signature".to_owned(), proof)], body }
}

/// The order as the adapter `facts` reads it (`tests/adapters/facts`).
fn facts_of(order: &Order, whole: bool) -> Value {
    let mut said = json!({
        "id": order.id, "scope": if whole { "snapshot" } else { "patch" }, "revision": [order.revision],
        "number": order.number, "fingerprint": order.fingerprint, "origin": order.origin, "test": order.test,
        "payment": order.payment.map(Payment::word), "learner": order.who, "review": order.review,
        "holds": holds(&order.holds, true), "lifts": holds(&order.holds, false),
        "lines": order.lines.iter().map(facts_of_line).collect::<Vec<_>>(),
    });
    if whole {
        said["placed_at"] = json!(order.begun.unwrap_or(BEGINNING).minus(order.placed_before).as_millis());
    }
    if let Some((amount, total, currency)) = &order.money {
        said["refunded"] = json!({ "amount": amount, "total": total, "currency": currency });
    }
    said
}

fn facts_of_line(line: &Line) -> Value {
    let mut said = json!({
        "id": line.id, "products": line.product.iter().collect::<Vec<_>>(), "title": title(line),
        "courses": line.courses, "parent": line.parent, "quantity": line.quantity,
        "refunded_quantity": line.refunded_quantity, "until": line.until.map(|until| BEGINNING.plus(until).as_millis()),
        "holds": holds(&line.holds, true), "lifts": holds(&line.holds, false),
    });
    match &line.who {
        None => {}
        Some(Who::Address(address)) => said["learner"] = json!(address),
        Some(Who::Username(name)) => said["learner_username"] = json!(name),
        Some(Who::External(provider, id)) => said["learner_external"] = json!([provider, id]),
    }
    said
}

fn holds(holds: &BTreeMap<Cause, bool>, begun: bool) -> Vec<Value> {
    let these = holds.iter().filter(|(_, holds)| **holds == begun);
    these.map(|(cause, _)| json!({ "cause": cause.word(), "evidence": "the case says so" })).collect()
}

/// What stands after the colon of the product.
fn title(line: &Line) -> String {
    let product = line.product.as_deref().unwrap_or_default();
    product.split_once(':').map_or(product, |(_, id)| id).to_owned()
}

/// The topic under which WooCommerce tells of such a change.
fn topic(facts: &[Fact]) -> &'static str {
    if facts.contains(&Fact::Hold(Cause::Deleted, true)) {
        "order.deleted"
    } else if facts.contains(&Fact::Hold(Cause::Deleted, false)) {
        "order.restored"
    } else {
        "order.updated"
    }
}

/// The price of every line, as `bursar webhook send` has it.
const PRICE: Decimal = Decimal::from_parts(4_900, 0, 0, false, 2);

/// The order as WooCommerce sends it: built as `bursar webhook send` builds it, and then given what that has no words for.
fn woocommerce(shop: &str, order: &Order, topic: &str, now: Timestamp) -> Result<Message> {
    let unsayable = |what: &str| Err(format!("a WooCommerce order cannot say {what}"));
    if order.test {
        return unsayable("\"test\"");
    }
    if order.holds.contains_key(&Cause::Disputed) {
        return unsayable("\"disputed\"");
    }
    if order.review.is_some() {
        return unsayable("\"asks\"");
    }
    let id: u64 = order.id.parse().map_err(|_| format!("{} is no number of a WooCommerce order", order.id))?;
    let lines: Result<Vec<_>> = order.lines.iter().map(woocommerce_line).collect();
    let written = webhook::Order {
        id,
        event: if order.was_paid && order.payment != Some(Payment::Unpaid) { Event::Paid } else { Event::Unpaid },
        status: Some(status(order)),
        placed_at: order.begun.unwrap_or(BEGINNING).minus(order.placed_before),
        modified_at: now,
        email: None,
        lines: lines?,
    };
    let body = WooCommerce.body(&written, topic).map_err(|error| error.to_string())?;
    let mut json: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    if topic != "order.deleted" {
        complete(&mut json, id, order);
    }
    signed_by_woocommerce(shop, json.to_string().into_bytes(), topic)
}

fn woocommerce_line(line: &Line) -> Result<webhook::Line> {
    if !line.holds.is_empty() || line.refunded_quantity.is_some() || line.parent.is_some() || line.until.is_some() {
        return Err("a WooCommerce order says nothing of this kind about one line".to_owned());
    }
    let product = line.product.as_deref().ok_or("a line of a WooCommerce order has a product")?;
    let (kind, id) = product.split_once(':').unwrap_or(("sku", product));
    Ok(webhook::Line {
        products: vec![ProductId { kind: kind.to_owned(), id: id.to_owned() }],
        title: title(line),
        quantity: line.quantity.unwrap_or(1),
        price: PRICE,
        learner: Some(Email::parse("placeholder@example.org").map_err(|error| error.to_string())?)
            .filter(|_| line.who.is_some()),
    })
}

fn status(order: &Order) -> String {
    let holds = |cause| order.holds.get(&cause) == Some(&true);
    if let Some(status) = &order.status {
        return status.clone();
    }
    let status = match order.payment {
        _ if holds(Cause::Refunded) => "refunded",
        _ if holds(Cause::Cancelled) => "cancelled",
        Some(Payment::Paid) => "processing",
        Some(Payment::Undecided) => "on-hold",
        Some(Payment::Unpaid) | None => "pending",
    };
    status.to_owned()
}

fn complete(json: &mut Value, id: u64, order: &Order) {
    json["billing"]["email"] = json!(order.who.as_deref().unwrap_or_default());
    for (at, line) in order.lines.iter().enumerate() {
        let item = &mut json["line_items"][at];
        // By position two lines would change places when one goes.
        item["id"] = json!(id * 1_000 + line.id.parse::<u64>().unwrap_or_default());
        match &line.who {
            Some(Who::Address(address)) => item["meta_data"][0]["value"] = json!(address),
            Some(Who::Username(name)) => {
                item["meta_data"][0]["key"] = json!("learner_username");
                item["meta_data"][0]["value"] = json!(name);
            }
            Some(Who::External(..)) | None => {}
        }
    }
    if let Some((amount, total, currency)) = &order.money {
        json["total"] = json!(total);
        json["currency"] = json!(currency);
        json["refunds"] = json!([{ "id": id * 1_000 + 999, "reason": "", "total": format!("-{amount}") }]);
    }
    if let Some(address) = &order.origin {
        json["_links"] = json!({ "self": [{ "href": format!("{address}/wp-json/wc/v3/orders/{}", order.id) }] });
    }
    if let Some(mark) = &order.fingerprint {
        json["order_key"] = json!(mark);
    }
    if let Some(number) = &order.number {
        json["number"] = json!(number);
    }
}

fn signed_by_woocommerce(shop: &str, body: Vec<u8>, topic: &str) -> Result<Message> {
    let sender = Sender { secret: &SECRET.into(), settings: &Value::Null, at: BEGINNING };
    let signed = WooCommerce.sign(body, topic, &sender).map_err(|error| error.to_string())?;
    let headers = signed.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Message { shop: shop.to_owned(), headers, body: signed.body })
}
