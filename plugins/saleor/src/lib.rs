//! Bursar's adapter for Saleor.
//!
//! It reads what a Saleor instance signs and states what it says about orders. Every event carries the whole order, so an event's
//! name decides nothing: the order in the body does. No header is signed, and none is believed. It never asks the shop anything:
//! its world is `minimal`. The facts that it rests on are numbered in `docs/shops/saleor.md`.
//!
//! # Money and holds
//!
//! *Money* means that some was charged, or went back, by any word or amount of the order.
//!
//! | status | `isPaid` | not, and money | not, no money | holds | lifts |
//! |---|---|---|---|---|---|
//! | `UNFULFILLED`, `PARTIALLY_FULFILLED`, `FULFILLED`, `PARTIALLY_RETURNED`, `RETURNED` | paid | undecided | unpaid | | once paid cancelled, and refunded if `totalRefunded` is 0 |
//! | `UNCONFIRMED` | paid, or undecided by `wait_for_confirmation` | undecided | unpaid | | as above |
//! | `CANCELED` | undecided | undecided | unpaid | cancelled | |
//! | `EXPIRED` | undecided; review | undecided | unpaid | cancelled | |
//! | any other | undecided; review if nothing of the order gave access before | undecided | unpaid | | |
//! | any, `totalRefunded` reaches the total | as above; review unless over | undecided | | refunded | as above, not refunded |
//! | `DRAFT` | ignored | ignored | ignored | | |
//!
//! Lines are refunded by fulfillments that are `REFUNDED` or `REFUNDED_AND_RETURNED`, and by granted refunds that are `SUCCESS` or
//! paid out in sum. An amount for no line is stated as such. What is `RETURNED` or `REPLACED` without money asks a person.
//!
//! # Revision
//!
//! `[changed, made]` in microseconds, see `statement`.

mod body;
mod gate;
mod learner;
mod legacy;
mod lines;
mod refunds;
mod settings;
mod standing;
mod statement;
#[cfg(test)]
mod tests;

use bursar_adapter::field::Field;
use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict};

use body::{Body, Event, Order};
use settings::Settings;

/// The events to subscribe to, and what they mean.
const TOPICS: [(&str, &str); 14] = [
    ("order_created", "an order was placed; mostly unpaid"),
    ("order_confirmed", "an order was confirmed, by staff or by itself"),
    ("order_paid", "money came in, maybe a part"),
    ("order_fully_paid", "all the money came in"),
    ("order_updated", "an order changed: payment, status, returns"),
    ("order_fulfilled", "all of an order was handed over"),
    ("order_refunded", "money went back, a part or all"),
    ("order_fully_refunded", "all the money went back"),
    ("order_cancelled", "an order was cancelled; the money may still be there"),
    ("order_expired", "an order was not paid in time"),
    ("order_metadata_updated", "a learner was named in the order's metadata"),
    ("fulfillment_created", "a part of an order was handed over, refunded or returned"),
    ("fulfillment_canceled", "that was taken back"),
    ("order_bulk_created", "orders were imported"),
];

/// Parts of a body that no rule here needs and that say much about a person. The adapter's own query asks for none of them.
const PERSONAL: [&str; 6] = [
    "/order/user/firstName",
    "/order/user/lastName",
    "/order/billingAddress",
    "/order/shippingAddress",
    "/0/billing_address",
    "/0/shipping_address",
];

/// The same of each payment in the shape of a webhook without a query.
const PERSONAL_OF_PAYMENT: [&str; 8] = [
    "billing_email",
    "billing_first_name",
    "billing_last_name",
    "billing_company_name",
    "billing_address_1",
    "billing_address_2",
    "billing_city",
    "billing_postal_code",
];

/// Of so many payments: orders have one, or a second after the first failed.
const PAYMENTS: usize = 3;

/// What the webhook has to send, for the operator to paste.
const QUERY: &str = include_str!("../subscription.graphql");

/// The adapter.
#[derive(Debug)]
pub struct Saleor;

impl Adapter for Saleor {
    fn describe() -> Description {
        let description = Description::new("saleor", env!("CARGO_PKG_VERSION"))
            .key_set(
                gate::KEYS,
                "the keys that your Saleor publishes at `/.well-known/jwks.json`; for webhooks without a secret key",
            )
            .optional_secret(
                gate::SECRET,
                "the secret key of the webhook, where it has one; Saleor calls that deprecated",
            )
            .settings(settings::SCHEMA)
            .document("subscription", "the query that the webhook must have", QUERY);
        let description = TOPICS.into_iter().fold(description, |said, (name, meaning)| said.topic(name, meaning));
        let description = PERSONAL.into_iter().fold(description, Description::redact_body);
        (0..PAYMENTS)
            .flat_map(|payment| PERSONAL_OF_PAYMENT.map(|name| format!("/0/payments/{payment}/{name}")))
            .fold(description, |said, pointer| said.redact_body(&pointer))
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let settings = bursar_adapter::settings::read()?;
        match Body::read(delivery.request())? {
            Body::Event(event) => by_query(&event, delivery, &settings),
            Body::Legacy(orders) => without_query(orders, delivery, &settings),
        }
    }
}

fn by_query(event: &Event<'_, Order<'_>>, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    if event.orders.is_empty() && !event.has_errors {
        nothing_of_an_order(delivery);
        return Ok(());
    }
    if event.has_errors {
        delivery.review(
            "Saleor met errors while it made the body, and left things out. Does the webhook's app have the permission \
             MANAGE_ORDERS, and the webhook the adapter's own query?",
        );
    }
    for order in &event.orders {
        let is_paid = Field::new("order.isPaid", &order.is_paid);
        let is_paid = is_paid.flag()?.ok_or_else(|| is_paid.missing())?;
        statement::state(order, Some(is_paid), &event.issued_at, delivery, settings)?;
    }
    Ok(())
}

fn without_query(orders: Vec<legacy::Order<'_>>, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    let orders: Vec<_> = orders.into_iter().filter(legacy::Order::is_order).collect();
    if orders.is_empty() {
        nothing_of_an_order(delivery);
    }
    for order in orders {
        let said = order.translate();
        // Without a query nothing in the body says what happened. The header may ask a person, no more.
        if said.is_paid.is_none() && delivery.topic() == "order_fully_paid" {
            delivery.review(
                "the order was paid by a transaction, and a webhook without a query says nothing of those: give the webhook \
                 the adapter's own query",
            );
        }
        statement::state(&said.order, said.is_paid, &said.issued_at, delivery, settings)?;
    }
    Ok(())
}

/// A body without an order: rightly so, or because the query forgot it.
fn nothing_of_an_order(delivery: &Delivery<'_>) {
    let topic = delivery.topic();
    if TOPICS.iter().any(|(name, _)| *name == topic) {
        delivery.review(&format!(
            "the event `{topic}` came without its order: give the webhook the adapter's own query, and send the event again"
        ));
    } else {
        delivery.ignored(&format!("an event of the type `{topic}`, which is not read here"));
    }
}

bursar_adapter::export!(Saleor);
