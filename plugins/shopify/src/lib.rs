//! Bursar's adapter for Shopify.
//!
//! It reads the webhooks that a Shopify shop signs and states what they say about orders. It decides by the body alone,
//! because no header is signed, and it never asks the shop anything: its world is `minimal`. The facts that it rests on are
//! numbered in `docs/shops/shopify.md`.
//!
//! | topic | statement | holds and lifts |
//! |---|---|---|
//! | `orders/create`, `orders/updated`, `orders/paid`, `orders/cancelled`, other `orders/…` with a whole order | snapshot | see below |
//! | `refunds/create` that names lines | patch: how many of each line went back | |
//! | `refunds/create` of money alone, `orders/edited` | none: passed over once the whole order has been heard of since; until then `later`, then a review | |
//! | `disputes/create`, `disputes/update` | patch | holds *disputed*; `won`, `prevented` lift it |
//! | `orders/delete` | patch | holds *deleted* |
//! | `customers/redact` | what is stored about the customer and the orders is forgotten; review | |
//! | `customers/data_request`, `shop/redact` | review | |
//! | any other | ignored | |
//!
//! # A whole order
//!
//! | financial status | payment | holds | lifts |
//! |---|---|---|---|
//! | `paid` | paid | | refunded, if nothing went back |
//! | `partially_refunded` | paid | | |
//! | `refunded` | undecided | refunded | |
//! | `pending` | unpaid; undecided where the order gives access already | | |
//! | `authorized`, `partially_paid` | undecided | | |
//! | `voided`, `expired` | unpaid | | |
//! | any other | undecided; review if nothing of the order gives access | | |
//! | any, `cancelled_at` filled in | as above | cancelled | |
//! | any, `cancelled_at` empty | as above | | cancelled |
//!
//! While something is owed for an order that gives access, lines that were added to it are not stated.
//!
//! # Revision
//!
//! See `revision`.

mod body;
mod dispute;
mod gate;
mod learner;
mod privacy;
mod refund;
mod revision;
mod settings;
mod standing;
mod statement;
#[cfg(test)]
mod tests;
mod whole;

use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict};

use body::{Edited, Glance, Kind};

/// Parts of orders, refunds and requests that no rule here needs and that say much about a person, or open the order's page
/// to whoever has them. A pointer cannot say "of every refund", so the first few are named.
const PERSONAL: [&str; 28] = [
    "/billing_address",
    "/shipping_address",
    "/browser_ip",
    "/client_details",
    "/phone",
    "/note",
    "/landing_site",
    "/referring_site",
    "/order_status_url",
    "/token",
    "/cart_token",
    "/checkout_token",
    "/payment_details",
    "/customer/first_name",
    "/customer/last_name",
    "/customer/phone",
    "/customer/note",
    "/customer/addresses",
    "/customer/default_address",
    "/order_edit/staff_note",
    "/transactions/0/receipt",
    "/transactions/0/payment_details",
    "/transactions/1/receipt",
    "/transactions/1/payment_details",
    "/refunds/0/transactions/0/receipt",
    "/refunds/0/transactions/0/payment_details",
    "/refunds/1/transactions/0/receipt",
    "/refunds/1/transactions/0/payment_details",
];

/// The topic of the one kind of body that does not say what it is about.
const ORDER_DELETED: &str = "orders/delete";

/// The adapter.
#[derive(Debug)]
pub struct Shopify;

impl Adapter for Shopify {
    fn describe() -> Description {
        let description = Description::new("shopify", env!("CARGO_PKG_VERSION"))
            .topic("orders/create", "an order was placed; may be paid or not")
            .topic("orders/updated", "an order changed: payment, lines, refunds, cancellation")
            .topic("orders/paid", "an order was paid")
            .topic("orders/cancelled", "an order was cancelled")
            .topic("orders/delete", "an order was deleted")
            .topic("orders/edited", "an order was edited; how it stands now is in orders/updated")
            .topic("refunds/create", "lines or money went back")
            .topic("disputes/create", "the buyer disputes the payment")
            .topic("disputes/update", "a dispute went on, or was settled")
            .topic("customers/redact", "a customer's data must be erased")
            .topic("customers/data_request", "a customer asks what is stored about them")
            .topic("shop/redact", "the app was uninstalled, and the shop's data must be erased")
            .secret(
                gate::SECRET,
                "the text that the shop's webhooks are signed with: shown under them, or the client secret of the app that \
                 makes them",
            )
            .settings(settings::SCHEMA);
        PERSONAL.into_iter().fold(description, Description::redact_body)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let request = delivery.request();
        match Glance::at(request)?.kind() {
            Kind::Order => statement::state(&request.json()?, &bursar_adapter::settings::read()?)?,
            Kind::Refund => refund::state(&request.json()?, delivery)?,
            Kind::Dispute => dispute::state(&request.json()?, delivery)?,
            Kind::Edit => whole::edited(&request.json::<Edited<'_>>()?.order_edit, delivery)?,
            // Orders, products and customers are deleted with the same body. The header may keep this from being taken for
            // an order; that it is one follows from the order being known.
            Kind::Deletion if delivery.topic() == ORDER_DELETED => {
                statement::state_deleted(&request.json()?, delivery)?
            }
            Kind::CustomerRedact => privacy::redact(&request.json()?, delivery)?,
            Kind::DataRequest => privacy::data_request(&request.json()?, delivery)?,
            Kind::ShopRedact => privacy::shop_redact(delivery),
            Kind::Subscription => {
                delivery.ignored("a subscription contract; what is paid for it arrives as orders, and those are read");
            }
            Kind::Event => delivery.ignored(
                "a delivery of Shopify's Events: it names fields and holds no order. Subscribe to the webhooks instead",
            ),
            Kind::Deletion | Kind::Other => delivery.ignored("not about an order, a refund or a dispute"),
        }
        Ok(())
    }
}

bursar_adapter::export!(Shopify);
