//! Bursar's adapter for Stripe: Checkout, Payment Links, and the subscriptions that they begin. The facts that it rests
//! on are numbered in `docs/shops/stripe.md`.
//!
//! An order is a payment (`pi_…`), a subscription (`sub_…`), or a checkout that cost nothing and so has no payment
//! (`cs_…`). Charges, refunds and disputes name the payment, so they find the order that a checkout made, and may come
//! before it.
//!
//! | event | statement | holds, lifts, until |
//! |---|---|---|
//! | `checkout.session.completed`, `…async_payment_succeeded`, `…async_payment_failed` of a payment | snapshot: learner, lines, paid or not | |
//! | the same of a subscription | patch: learner, paid or not | |
//! | `charge.refunded` | patch: money back | holds *refunded* if it is all of it |
//! | `refund.created`, `.updated`, `.failed`, `charge.refund.updated` | patch, from the charge as it is now | the same; one that failed or was cancelled lifts *refunded* unless all is back anyway |
//! | `charge.dispute.…` | patch | by the dispute's status: holds or lifts *disputed* |
//! | `invoice.paid` of a subscription | patch: paid, lines, learner | each line until the end of the period that was paid |
//! | `invoice.payment_failed` of a subscription's first invoice | patch: unpaid | |
//! | `customer.subscription.created`, `.updated` while on trial | patch: paid, lines | until the end of the trial |
//! | `customer.subscription.deleted` | patch: lines | until its end |
//! | any other | ignored | |
//!
//! What events leave out Stripe is asked for (`api`), where the shop grants the permission `shop`; without it metadata of
//! the session names what was sold, and a person is asked what a payment was for that no order is known for.
//!
//! Money decides: a subscription's own status and period run ahead of the payment (fact 24), so they say nothing but
//! while nothing is owed, and at the end.
//!
//! # Revision
//!
//! `[created, stage]`: seconds of the event, and of the events that one second may hold the one that follows from the
//! others last (`statement::Stage`). Lines of a subscription: `[end of the period, created]`, so that the latest
//! period counts in whatever order periods are paid.

mod api;
mod body;
mod gate;
mod settings;
mod statement;
#[cfg(test)]
mod tests;

use bursar_adapter::field::Field;
use bursar_adapter::{Adapter, Delivery, Description, Problem, Request, Result, Verdict};
use serde::Deserialize;

use body::{Carrying, Envelope};
use settings::Settings;
use statement::{Event, checkout, reversal, subscription};

/// The longest type that is repeated to people.
const LONGEST_WORD: usize = 64;

/// What an event without a type is called, and one whose type is no word.
const NO_TYPE: &str = "unknown";

/// The adapter.
#[derive(Debug)]
pub struct Stripe;

impl Adapter for Stripe {
    fn describe() -> Description {
        Description::new("stripe", env!("CARGO_PKG_VERSION"))
            .topic("checkout.session.completed", "a checkout was completed; paid, or to be paid later")
            .topic("checkout.session.async_payment_succeeded", "a payment that takes days came in")
            .topic("checkout.session.async_payment_failed", "a payment that takes days failed")
            .topic("charge.refunded", "money went back, in part or in full")
            .topic("refund.created", "a refund was begun")
            .topic("refund.updated", "a refund went on")
            .topic("refund.failed", "a refund failed: the money stays")
            .topic("charge.dispute.created", "a buyer's bank wants the money back")
            .topic("charge.dispute.updated", "a dispute went on")
            .topic("charge.dispute.closed", "a dispute was won or lost")
            .topic("charge.dispute.funds_withdrawn", "a dispute took the money")
            .topic("charge.dispute.funds_reinstated", "a dispute gave money back")
            .topic("invoice.paid", "a period of a subscription was paid")
            .topic("invoice.payment_failed", "a payment for a subscription failed")
            .topic("customer.subscription.created", "a subscription began")
            .topic("customer.subscription.updated", "a subscription changed")
            .topic("customer.subscription.deleted", "a subscription ended")
            .secret(gate::SECRET, "the endpoint's signing secret: `whsec_` and all that follows")
            .optional_permission(
                "shop",
                "to learn what a checkout sold, line by line, which subscription a payment was for, and who began it",
            )
            .settings(settings::SCHEMA)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let envelope: Envelope<'_> = delivery.request().json()?;
        is_event(&envelope)?;
        let settings: Settings = bursar_adapter::settings::read()?;
        let account = Field::new("account", &envelope.account).id()?.unwrap_or_default();
        if account != settings.account {
            let whose = if account.is_empty() { "the account that the endpoint belongs to" } else { word(&account) };
            delivery.ignored(&format!("an event of another account than this shop's: {whose}"));
            return Ok(());
        }
        let event = Event::of(&envelope)?;
        match event.kind.as_str() {
            "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed" => {
                checkout::state(&object(delivery)?, &event, delivery, &settings)
            }
            "checkout.session.expired" => {
                delivery.ignored("a checkout that nobody completed");
                Ok(())
            }
            "charge.refunded" => reversal::charge(&object(delivery)?, &event, delivery, &settings),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                reversal::refund(&object(delivery)?, &event, delivery, &settings)
            }
            "charge.dispute.created"
            | "charge.dispute.updated"
            | "charge.dispute.closed"
            | "charge.dispute.funds_withdrawn"
            | "charge.dispute.funds_reinstated" => reversal::dispute(&object(delivery)?, &event, delivery, &settings),
            "invoice.paid" => subscription::paid(&object(delivery)?, &event, delivery, &settings),
            "invoice.payment_failed" => subscription::payment_failed(&object(delivery)?, &event, delivery),
            "customer.subscription.created" | "customer.subscription.updated" => {
                subscription::changed(&object(delivery)?, &event, delivery, &settings)
            }
            "customer.subscription.deleted" => subscription::ended(&object(delivery)?, &event, &settings),
            other => {
                delivery.ignored(&format!("an event of the type `{}`, which is not read here", word(other)));
                Ok(())
            }
        }
    }
}

/// An event that carries what it is about, and nothing else that an endpoint may be sent.
fn is_event(envelope: &Envelope<'_>) -> Result<()> {
    match Field::new("object", &envelope.object).text()?.as_deref() {
        Some("event") => Ok(()),
        Some("v2.core.event") => Err(Problem::rejected(
            "thin-event",
            "the endpoint is sent thin events, which do not say what happened: set its payload style to snapshot",
        )),
        _ => Err(Problem::rejected("body-unexpected", "the body is no event of Stripe")),
    }
}

/// The object that the event is about.
fn object<'b, T: Deserialize<'b>>(delivery: &'b Delivery<'_>) -> Result<T> {
    Ok(delivery.request().json::<Carrying<T>>()?.data.object)
}

/// A type or an id as it may be shown to people: letters, digits, dots and dashes. Anything else could be anything.
fn word(text: &str) -> &str {
    let is_word = text.len() <= LONGEST_WORD
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"._-".contains(&letter));
    if is_word { text } else { NO_TYPE }
}

bursar_adapter::export!(Stripe);
