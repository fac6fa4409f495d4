//! Bursar's adapter for shops without an adapter of their own: they sign as Standard Webhooks has it, and send the one JSON
//! order that `docs/shops/standard-webhooks.md` describes, by a module, an automation tool or some lines of code.
//!
//! It decides by the body and the signed id alone, and never asks the shop anything: its world is `minimal`.
//!
//! | type | statement | holds and lifts |
//! |---|---|---|
//! | `order.changed` | snapshot | lifts *deleted*; `cancelled`, `refunded`, `disputed`: true holds, false lifts, left out says nothing |
//! | `order.deleted` | patch | holds *deleted* |
//! | `order.refunded` | patch | `refunded: true` of the order or of lines holds *refunded*; amounts and quantities are stated as such |
//! | any other | ignored | |
//!
//! # Revision
//!
//! `[seconds, nanoseconds]` of `changed_at`.

mod body;
mod gate;
mod settings;
mod statement;
#[cfg(test)]
mod tests;

use bursar_adapter::field::{self, Field};
use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict};

use body::{Glance, Message};

/// The longest type that is repeated to people.
const LONGEST_WORD: usize = 64;

/// What an event without a type is called, and one whose type is no word.
const NO_TYPE: &str = "unknown";

/// The adapter.
#[derive(Debug)]
pub struct StandardWebhooks;

impl Adapter for StandardWebhooks {
    fn describe() -> Description {
        Description::new("standard-webhooks", env!("CARGO_PKG_VERSION"))
            .topic("order.changed", "an order was placed or changed: the whole order")
            .topic("order.deleted", "an order was deleted in the shop")
            .topic("order.refunded", "money went back: for the order, for lines, or an amount")
            .optional_secret(gate::KEY, "the secret that `v1` signatures are made with: `whsec_` and base64")
            .key_set(gate::KEY, "the Ed25519 keys that `v1a` signatures are checked by, where the shop signs so")
            .settings(settings::SCHEMA)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let glance: Glance<'_> = delivery.request().json()?;
        let kind = Field::new("type", &glance.kind);
        let kind = kind.text()?.ok_or_else(|| kind.missing())?;
        let order = || -> Result<_> {
            let message: Message<'_> = delivery.request().json()?;
            message.data.ok_or_else(|| field::missing("data"))
        };
        match kind.as_ref() {
            "order.changed" => statement::changed(&order()?, delivery, &bursar_adapter::settings::read()?),
            "order.deleted" => statement::deleted(&order()?, delivery),
            "order.refunded" => statement::refunded(&order()?, delivery),
            other => {
                delivery.ignored(&format!("an event of the type `{}`, which is not read here", word(other)));
                Ok(())
            }
        }
    }
}

/// A type as it may be shown to people: letters, digits, dots and dashes. Anything else could be anything.
fn word(text: &str) -> &str {
    let is_word = text.len() <= LONGEST_WORD
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"._-".contains(&letter));
    if is_word { text } else { NO_TYPE }
}

bursar_adapter::export!(StandardWebhooks);
