//! Bursar's adapter for MIT's unified-ecommerce.
//!
//! It proves itself by a key in the body, which is blanked before anything is kept, and decides by the body alone. It asks
//! nobody: its world is `minimal`. The facts that it rests on are numbered in `docs/shops/mit-unified-ecommerce.md`.
//!
//! | type | statement | holds and lifts |
//! |---|---|---|
//! | `postsale` | snapshot of the order's lines of this system | see below; each line of which all the money went back: *refunded* |
//! | `postrefund` | patch | the same |
//! | `presale` | patch of the learner's basket, if the setting `presale` names a mode; else passed over at the door | `remove`: *cancelled*; `add` lifts it |
//! | `test`, any other | ignored | |
//!
//! | state of the order | payment | holds and lifts |
//! |---|---|---|
//! | `fulfilled`, `refunded`, `partially_refunded` | paid | lifts *cancelled* |
//! | `pending`, `declined` | unpaid | |
//! | `review`, `errored` | undecided | |
//! | `canceled` | undecided | *cancelled* |
//! | any other | undecided; review | |
//!
//! The state `refunded` says that money went back and not for what (fact 8): the refunds of the body say that, line by line.
//!
//! # Revision
//!
//! Of an order `[stage, refunded lines]`: 0 before it is paid, 1 once it is, 2 once money went back, because the body has no
//! moment and an order only ever moves that way (fact 7). Of a basket `[moment of receipt]` in milliseconds, see `basket`.

mod basket;
mod body;
mod gate;
mod learner;
mod order;
mod refunds;
mod settings;
#[cfg(test)]
mod tests;

use bursar_adapter::field::{self, Field};
use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict};

use body::{Basket, Glance, Message, Order};
use order::Scope;

/// Where the key stands.
const KEY: &str = "/system_key";

/// Parts that no rule here needs and that say much about a person. A refund holds its whole order once more, with what the
/// payment processor said of card and billing address (fact 9).
const PERSONAL: [&str; 11] = [
    "/user/first_name",
    "/user/last_name",
    "/user/name",
    "/data/refunds/0/order",
    "/data/refunds/1/order",
    "/data/refunds/2/order",
    "/data/refunds/3/order",
    "/data/refunds/4/order",
    "/data/refunds/5/order",
    "/data/refunds/6/order",
    "/data/refunds/7/order",
];

/// The longest type that is repeated to people.
const LONGEST_WORD: usize = 64;

/// What an event without a type is called, and one whose type is no word.
const NO_TYPE: &str = "unknown";

/// The adapter.
#[derive(Debug)]
pub struct UnifiedEcommerce;

impl Adapter for UnifiedEcommerce {
    fn describe() -> Description {
        let description = Description::new("mit-unified-ecommerce", env!("CARGO_PKG_VERSION"))
            .topic("presale", "something was put into a basket or taken out of it")
            .topic("postsale", "an order was paid for, or money went back")
            .topic("postrefund", "money went back")
            .topic("test", "a try of the connection")
            .secret(gate::SECRET, "the API key of the integrated system")
            .settings(settings::SCHEMA)
            .redact_body(KEY);
        PERSONAL.into_iter().fold(description, Description::redact_body)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let glance: Glance<'_> = delivery.request().json()?;
        let kind = Field::new("type", &glance.kind);
        let kind = kind.text()?.ok_or_else(|| kind.missing())?;
        let settings = bursar_adapter::settings::read()?;
        match kind.as_ref() {
            "postsale" => order::state(&read::<Order<'_>>(delivery)?, Scope::Whole, &settings),
            "postrefund" => order::state(&read::<Order<'_>>(delivery)?, Scope::Part, &settings),
            "presale" => basket::state(&read::<Basket<'_>>(delivery)?, delivery, &settings),
            "test" => {
                delivery.ignored("a test: the connection works");
                Ok(())
            }
            other => {
                delivery.ignored(&format!("an event of the type `{}`, which is not read here", word(other)));
                Ok(())
            }
        }
    }
}

fn read<'b, T>(delivery: &'b Delivery<'_>) -> Result<Message<'b, T>>
where
    Message<'b, T>: serde::Deserialize<'b>,
{
    let message: Message<'b, T> = delivery.request().json()?;
    if message.data.is_none() {
        return Err(field::missing("data"));
    }
    Ok(message)
}

/// A type as it may be shown to people: letters, digits, dots and dashes. Anything else could be anything.
fn word(text: &str) -> &str {
    let is_word = text.len() <= LONGEST_WORD
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"._-".contains(&letter));
    if is_word { text } else { NO_TYPE }
}

bursar_adapter::export!(UnifiedEcommerce);
