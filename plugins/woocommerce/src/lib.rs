//! Bursar's adapter for WooCommerce.
//!
//! It reads what a WooCommerce shop signs and states what the shop says about orders. It decides by the body, because the
//! topic and event headers are not signed. What the body does not say it asks the shop (`api`), where the operator grants
//! the permission `shop`; without it everything else stays as it is.
//! The facts that it rests on are numbered in `docs/shops/woocommerce.md`.
//!
//! # Money and holds
//!
//! *Dated* means that `date_paid_gmt` is filled in; a total of zero counts as dated, since nothing is owed.
//!
//! | status | dated: payment | not dated: payment | holds | lifts |
//! |---|---|---|---|---|
//! | `processing`, `completed`, operator's `paid_statuses` | paid | unpaid (cash on delivery) | | deleted; once paid also cancelled, and refunded if no refund is listed |
//! | `pending`, `on-hold` | undecided | unpaid | | deleted |
//! | `failed` | undecided | unpaid | cancelled, if `date_paid_gmt` is filled in | deleted |
//! | `cancelled` | undecided | unpaid | cancelled | deleted |
//! | `refunded` | undecided | unpaid | refunded | deleted |
//! | `trash` | undecided | unpaid | deleted | |
//! | any other | undecided; review if nothing of the order gave access before | unpaid | | deleted |
//! | any but `refunded`, refunds add up to the total | as above | as above | refunded | as above, not refunded |
//! | `checkout-draft`, `auto-draft` | ignored | ignored | | |
//! | body `{"id":N}` | | | deleted | |
//! | the same, and the shop may be asked | as the order stands that the shop shows | as it stands | deleted, if the shop shows none | as it stands |
//!
//! Undecided keeps what was known: an order put on hold after payment keeps its access, one that was first seen on hold
//! gets none. A cancellation is lifted by the order being paid again. A refund is lifted by the one proof that
//! WooCommerce can give: an order that is paid again *and* lists no refund, which takes a person who deletes the refund
//! in the shop and sets the status back. Part of the money back is stated as an amount, because the body does not name
//! the line; where the shop may be asked, as refunded seats of the lines that it names (`refunds`).
//!
//! # Revision
//!
//! `[modified, dated, newest refund, bin]`, see `statement`.

mod api;
mod body;
mod courses;
mod gate;
mod learner;
mod lines;
mod loose;
mod moment;
mod refunds;
mod refusal;
mod settings;
mod standing;
mod statement;
#[cfg(test)]
mod tests;

use bursar_adapter::{Adapter, Delivery, Description, Problem, Request, Result, Verdict};

use body::Body;

/// Parts of an order that no rule here needs and that say much about a person.
const PERSONAL: [&str; 14] = [
    "/billing/first_name",
    "/billing/last_name",
    "/billing/company",
    "/billing/address_1",
    "/billing/address_2",
    "/billing/city",
    "/billing/state",
    "/billing/postcode",
    "/billing/phone",
    "/shipping",
    "/customer_ip_address",
    "/customer_user_agent",
    "/customer_note",
    "/payment_url",
];

/// Resources other than orders that WooCommerce has webhooks for; their bodies have an id, too.
const OTHER_RESOURCES: [&str; 3] = ["coupon.", "customer.", "product."];

/// The adapter.
#[derive(Debug)]
pub struct WooCommerce;

impl Adapter for WooCommerce {
    fn describe() -> Description {
        let description = Description::new("woocommerce", env!("CARGO_PKG_VERSION"))
            .topic("order.created", "an order was placed; may carry any status")
            .topic("order.updated", "an order changed: payment, status, lines, refunds")
            .topic("order.deleted", "an order was moved to the bin")
            .topic("order.restored", "an order was taken out of the bin")
            .secret(gate::SECRET, "the text in the field Secret of the shop's webhooks; letters, digits, `-` and `_` only")
            .optional_permission(
                "shop",
                "to learn which line a refund was for, what a product's custom fields say, and where an order from the bin is",
            )
            .settings(settings::SCHEMA);
        PERSONAL.into_iter().fold(description, Description::redact_body)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let topic = delivery.topic();
        // A header that is not signed may keep a body from being taken for an order; it never makes one of it.
        let other_resource = OTHER_RESOURCES.iter().any(|resource| topic.starts_with(resource));
        match Body::read(delivery.request())? {
            Body::Order(order) => statement::state(&order, delivery, &bursar_adapter::settings::read()?)?,
            Body::Trashed(_) | Body::Foreign if other_resource => {
                delivery.ignored("the webhook's topic is not about orders: choose the four order topics");
            }
            Body::Trashed(id) => statement::state_trashed(id, delivery, &bursar_adapter::settings::read()?)?,
            Body::Refusal(refusal) => refusal::report(delivery, &refusal),
            Body::Action(action) => delivery.ignored(&format!(
                "a webhook on the action `{action}` does not say what was sold: choose the four order topics instead"
            )),
            Body::Subscription => {
                delivery.ignored("a subscription; what is paid for it arrives as orders, and those are read");
            }
            Body::Foreign => {
                return Err(Problem::rejected("order-incomplete", "the body has an id, but no status or no lines"));
            }
        }
        Ok(())
    }
}

bursar_adapter::export!(WooCommerce);
