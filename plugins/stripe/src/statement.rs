//! What an event says about an order, put into statements for the ledger.
//!
//! Owns the revision. What the events of one kind mean is in the modules below.

pub(crate) mod checkout;
mod goods;
mod learner;
mod money;
pub(crate) mod reversal;
pub(crate) mod subscription;

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::{Instant, Result, orders};

use crate::body::Envelope;

/// What every statement takes from its event.
#[derive(Debug)]
pub(crate) struct Event {
    /// The type, as Stripe writes it.
    pub(crate) kind: String,
    /// When it happened, in seconds since 1970.
    created: u64,
    test: bool,
}

/// The end, in seconds since 1970, that stands for the last of all periods: in the year 2106.
const END_OF_PERIODS: u64 = u32::MAX as u64;

/// Which of two events of one second follows from the other, and so is the newer. Stripe says when something happened
/// in whole seconds only (fact 5), and the order of arrival says nothing (fact 4).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// A checkout, money on its way back, a dispute that begins, a trial, a payment that failed.
    First,
    /// A payment that came in later, a refund that failed after all, a dispute that is decided, a period that was paid.
    Second,
}

impl Event {
    pub(crate) fn of(envelope: &Envelope<'_>) -> Result<Self> {
        let kind = Field::new("type", &envelope.kind);
        Ok(Self {
            kind: kind.text()?.ok_or_else(|| kind.missing())?.into_owned(),
            created: seconds("created", &envelope.created)?.ok_or_else(|| field::missing("created"))?,
            // Only what says that it is live may touch a live site.
            test: envelope.livemode != Loose::Flag(true),
        })
    }

    /// States a whole order.
    fn snapshot(&self, order: &str, stage: Stage) -> orders::Order {
        self.marked(orders::snapshot(order, &self.revision(stage)))
    }

    /// States a part of an order.
    fn patch(&self, order: &str, stage: Stage) -> orders::Order {
        self.marked(orders::patch(order, &self.revision(stage)))
    }

    /// States lines of a subscription by the end of the period that was paid for them: periods may be paid in any
    /// order, and it is the latest that counts. What is said of one period twice goes by the moment of the event.
    fn patch_period(&self, order: &str, end: u64) -> orders::Order {
        self.marked(orders::patch(order, &[end, self.created]))
    }

    fn marked(&self, stated: orders::Order) -> orders::Order {
        if self.test {
            stated.test();
        }
        stated
    }

    fn revision(&self, stage: Stage) -> [u64; 2] {
        let stage = match stage {
            Stage::First => 0,
            Stage::Second => 1,
        };
        [self.created, stage]
    }
}

/// The moment that a field gives, in seconds since 1970.
fn seconds(place: &str, value: &Loose<'_>) -> Result<Option<u64>> {
    let field = Field::new(place, value);
    match field.whole()? {
        Some(seconds) if seconds > END_OF_PERIODS => Err(field.unexpected("seconds since 1970")),
        seconds => Ok(seconds),
    }
}

/// The same as the ledger writes it.
fn instant(seconds: u64) -> Instant {
    seconds.saturating_mul(1000)
}

/// An id that the statement cannot do without.
fn id(place: &str, value: &Loose<'_>) -> Result<String> {
    let field = Field::new(place, value);
    Ok(field.id()?.ok_or_else(|| field.missing())?.into_owned())
}
