//! WooCommerce's webhooks, as versions 9 and 10 send them.
//!
//! Owns the form of order bodies and their signature. What the keys mean is the adapter's business.

use bursar_domain::Timestamp;
use rust_decimal::Decimal;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Event, ImitationError, Line, Message, Order, Platform, Sender, made_up, proof};

/// WooCommerce.
#[derive(Debug, Clone, Copy)]
pub struct WooCommerce;

const VERSION: &str = "9.9.5";
const USER_AGENT: &str = "WooCommerce/9.9.5 Hookshot (WordPress/6.9)";
const SOURCE: &str = "https://shop.example/";
/// Line ids of one order lie this far from the next order's.
const LINES_PER_ORDER: u64 = 1_000;
/// Topics that carry an order whole.
const WHOLE_ORDER: [&str; 3] = ["order.created", "order.updated", "order.restored"];

/// Statuses in which no money has arrived.
const UNPAID: [&str; 4] = ["pending", "on-hold", "failed", "checkout-draft"];

impl Platform for WooCommerce {
    fn name(&self) -> &'static str {
        "woocommerce"
    }

    fn secret(&self) -> &'static str {
        "webhook"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[
            (Event::Paid, "order.updated"),
            (Event::Unpaid, "order.updated"),
            (Event::Refunded, "order.updated"),
            (Event::Cancelled, "order.updated"),
            (Event::Deleted, "order.deleted"),
        ]
    }

    fn products(&self) -> &'static [&'static str] {
        &["product", "variation", "sku"]
    }

    fn event_of(&self, status: &str) -> Option<Event> {
        Some(match status {
            status if UNPAID.contains(&status) => Event::Unpaid,
            "refunded" => Event::Refunded,
            "cancelled" => Event::Cancelled,
            _ => Event::Paid,
        })
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        let text = if topic == "order.deleted" {
            json!({ "id": order.id }).to_string()
        } else if WHOLE_ORDER.contains(&topic) {
            serde_json::to_string(&WooOrder::new(order)?)
                .map_err(|error| ImitationError::Unwritable(error.to_string()))?
        } else {
            return Err(ImitationError::UnknownTopic { topic: topic.to_owned() });
        };
        Ok(as_php_writes(&text).into_bytes())
    }

    /// `X-WC-Webhook-Signature` is base64 of an HMAC over the body as it is, keyed with the secret as it is.
    fn sign(&self, body: Vec<u8>, topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
        let delivery: u128 = rand::random();
        let signature = proof::base64(&proof::hmac_sha256(shop.secret.expose_secret().as_bytes(), &[&body])?);
        let headers = vec![
            ("User-Agent", USER_AGENT.to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("X-WC-Webhook-Source", SOURCE.to_owned()),
            ("X-WC-Webhook-Topic", topic.to_owned()),
            ("X-WC-Webhook-Resource", resource.to_owned()),
            ("X-WC-Webhook-Event", event.to_owned()),
            ("X-WC-Webhook-Signature", signature),
            ("X-WC-Webhook-ID", "1".to_owned()),
            ("X-WC-Webhook-Delivery-ID", format!("{delivery:032x}")),
        ];
        Ok(Message { headers, body, ..Message::default() })
    }
}

/// The status of an order to which no more happened than this.
fn status(event: Event) -> &'static str {
    match event {
        Event::Unpaid => "pending",
        Event::Refunded => "refunded",
        Event::Cancelled => "cancelled",
        Event::Paid | Event::Disputed | Event::Deleted | Event::Changed => "processing",
    }
}

/// PHP writes JSON in ASCII and escapes slashes, and signatures cover bytes. Neither occurs outside strings.
fn as_php_writes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => text.push_str("\\/"),
            c if c.is_ascii() => text.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}

#[derive(Serialize)]
struct WooOrder<'a> {
    id: u64,
    parent_id: u64,
    status: &'a str,
    currency: &'a str,
    version: &'a str,
    prices_include_tax: bool,
    date_created: String,
    date_modified: String,
    discount_total: &'a str,
    discount_tax: &'a str,
    shipping_total: &'a str,
    shipping_tax: &'a str,
    cart_tax: &'a str,
    total: String,
    total_tax: &'a str,
    customer_id: u64,
    order_key: String,
    billing: Address<'a>,
    shipping: Address<'a>,
    payment_method: &'a str,
    payment_method_title: &'a str,
    transaction_id: String,
    customer_ip_address: &'a str,
    customer_user_agent: &'a str,
    created_via: &'a str,
    customer_note: &'a str,
    date_completed: Option<String>,
    date_paid: Option<String>,
    cart_hash: &'a str,
    number: String,
    meta_data: [Value; 0],
    line_items: Vec<WooLine<'a>>,
    tax_lines: [Value; 0],
    shipping_lines: [Value; 0],
    fee_lines: [Value; 0],
    coupon_lines: [Value; 0],
    refunds: Vec<Value>,
    payment_url: String,
    is_editable: bool,
    needs_payment: bool,
    needs_processing: bool,
    date_created_gmt: String,
    date_modified_gmt: String,
    date_completed_gmt: Option<String>,
    date_paid_gmt: Option<String>,
    currency_symbol: &'a str,
    #[serde(rename = "_links")]
    links: Value,
}

#[derive(Serialize, Default)]
struct Address<'a> {
    first_name: &'a str,
    last_name: &'a str,
    company: &'a str,
    address_1: &'a str,
    address_2: &'a str,
    city: &'a str,
    state: &'a str,
    postcode: &'a str,
    country: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    phone: &'a str,
}

#[derive(Serialize)]
struct WooLine<'a> {
    id: u64,
    name: &'a str,
    product_id: u64,
    variation_id: u64,
    quantity: u32,
    tax_class: &'a str,
    subtotal: String,
    subtotal_tax: &'a str,
    total: String,
    total_tax: &'a str,
    taxes: [Value; 0],
    meta_data: Vec<Value>,
    sku: &'a str,
    price: serde_json::Number,
    image: Value,
    parent_name: Option<&'a str>,
}

impl<'a> WooOrder<'a> {
    fn new(order: &'a Order) -> Result<Self, ImitationError> {
        let (created, modified) = (stamp(order.placed_at), stamp(order.modified_at));
        let status = order.status.as_deref().unwrap_or(status(order.event));
        let is_paid = order.event != Event::Unpaid;
        let paid = is_paid.then(|| created.clone());
        let completed = (status == "completed").then(|| modified.clone());
        let total = order.total();
        let lines: Result<Vec<_>, _> =
            (1..).zip(&order.lines).map(|(number, line)| WooLine::new(order.id, number, line)).collect();
        let refund = json!({ "id": order.id * LINES_PER_ORDER, "reason": "", "total": money(-total) });
        let order_key = order_key(order.id);
        let own = format!("{SOURCE}wp-json/wc/v3/orders");
        Ok(Self {
            id: order.id,
            parent_id: 0,
            status,
            currency: "EUR",
            version: VERSION,
            prices_include_tax: false,
            date_created: created.clone(),
            date_modified: modified.clone(),
            discount_total: "0.00",
            discount_tax: "0.00",
            shipping_total: "0.00",
            shipping_tax: "0.00",
            cart_tax: "0.00",
            total: money(total),
            total_tax: "0.00",
            customer_id: 0,
            billing: Address {
                first_name: "Ada",
                last_name: "Example",
                address_1: "1 Test Street",
                city: "Berlin",
                postcode: "10115",
                country: "DE",
                email: Some(order.email.as_ref().map_or("", |email| email.as_str())),
                ..Address::default()
            },
            shipping: Address::default(),
            payment_method: "stripe",
            payment_method_title: "Card",
            transaction_id: if is_paid { format!("txn_{}", order.id) } else { String::new() },
            customer_ip_address: "",
            customer_user_agent: "",
            created_via: "checkout",
            customer_note: "",
            date_completed: completed.clone(),
            date_paid: paid.clone(),
            cart_hash: "",
            number: order.id.to_string(),
            meta_data: [],
            line_items: lines?,
            tax_lines: [],
            shipping_lines: [],
            fee_lines: [],
            coupon_lines: [],
            refunds: if status == "refunded" { vec![refund] } else { Vec::new() },
            payment_url: format!("{SOURCE}checkout/order-pay/{}/?pay_for_order=true&key={order_key}", order.id),
            order_key,
            is_editable: false,
            needs_payment: !is_paid,
            needs_processing: true,
            date_created_gmt: created,
            date_modified_gmt: modified,
            date_completed_gmt: completed,
            date_paid_gmt: paid,
            currency_symbol: "€",
            links: json!({
                "self": [{ "href": format!("{own}/{}", order.id) }],
                "collection": [{ "href": own }],
            }),
        })
    }
}

impl<'a> WooLine<'a> {
    fn new(order: u64, number: u64, line: &'a Line) -> Result<Self, ImitationError> {
        let id = order * LINES_PER_ORDER + number;
        let sku = line.id("sku").unwrap_or_default();
        let name = if sku.is_empty() { &line.title } else { sku };
        let learner = line.learner.as_ref().map(|learner| {
            json!({
                "id": id, "key": "learner_email", "value": learner.as_str(),
                "display_key": "learner_email", "display_value": learner.as_str(),
            })
        });
        Ok(Self {
            id,
            name: &line.title,
            product_id: line.number("product")?.unwrap_or_else(|| made_up::number(name)),
            variation_id: line.number("variation")?.unwrap_or_default(),
            quantity: line.quantity,
            tax_class: "",
            subtotal: money(line.total()),
            subtotal_tax: "0.00",
            total: money(line.total()),
            total_tax: "0.00",
            taxes: [],
            meta_data: learner.into_iter().collect(),
            sku,
            price: made_up::json_number(line.price)?,
            image: json!({ "id": "", "src": "" }),
            parent_name: None,
        })
    }
}

/// The key of an order never changes, so it is made of nothing but the order's number.
fn order_key(order: u64) -> String {
    let digest = Sha256::digest(order.to_be_bytes());
    let letters = digest.iter().take(13).map(|byte| char::from(b'a' + byte % 26));
    format!("wc_order_{}", letters.collect::<String>())
}

fn money(amount: Decimal) -> String {
    format!("{amount:.2}")
}

/// WooCommerce leaves out the offset; the shop that is imitated keeps its clock in UTC.
fn stamp(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(moment) => moment.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}
