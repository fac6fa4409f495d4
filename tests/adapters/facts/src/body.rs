//! The form of a request's body. A key that is not known here is refused, so that a test cannot misspell a fact.

use bursar_adapter::{Instant, orders};
use serde::Deserialize;

/// A body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    #[serde(default)]
    pub(crate) orders: Vec<OrderFacts>,
    /// An id of the event that the signature covers.
    pub(crate) key: Option<String>,
    /// What a person should look at.
    pub(crate) review: Option<String>,
    /// That there is nothing to do.
    pub(crate) ignored: Option<String>,
    /// That `handle` traps.
    #[serde(default)]
    pub(crate) trap: bool,
    /// How `handle` ends, if not well.
    pub(crate) problem: Option<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderFacts {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) revision: Vec<u64>,
    pub(crate) number: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) placed_at: Option<Instant>,
    #[serde(default)]
    pub(crate) test: bool,
    pub(crate) payment: Option<Payment>,
    #[serde(default)]
    pub(crate) holds: Vec<Hold>,
    #[serde(default)]
    pub(crate) lifts: Vec<Hold>,
    pub(crate) refunded: Option<Money>,
    /// An address.
    pub(crate) learner: Option<String>,
    #[serde(default)]
    pub(crate) lines: Vec<LineFacts>,
    pub(crate) review: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineFacts {
    pub(crate) id: String,
    /// `kind:id`, most exact first.
    #[serde(default)]
    pub(crate) products: Vec<String>,
    #[serde(default)]
    pub(crate) title: String,
    /// `run`, or `run mode`.
    #[serde(default)]
    pub(crate) courses: Vec<String>,
    pub(crate) parent: Option<String>,
    /// An address.
    pub(crate) learner: Option<String>,
    pub(crate) learner_username: Option<String>,
    /// Provider and id.
    pub(crate) learner_external: Option<(String, String)>,
    pub(crate) quantity: Option<u32>,
    pub(crate) refunded_quantity: Option<u32>,
    pub(crate) until: Option<Instant>,
    #[serde(default)]
    pub(crate) holds: Vec<Hold>,
    #[serde(default)]
    pub(crate) lifts: Vec<Hold>,
    pub(crate) review: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hold {
    pub(crate) cause: Cause,
    pub(crate) evidence: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    pub(crate) amount: String,
    pub(crate) total: String,
    pub(crate) currency: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    pub(crate) remedy: Remedy,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retry_after: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    Snapshot,
    Patch,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Payment {
    Paid,
    Unpaid,
    Undecided,
}

impl From<Payment> for orders::Payment {
    fn from(payment: Payment) -> Self {
        match payment {
            Payment::Paid => Self::Paid,
            Payment::Unpaid => Self::Unpaid,
            Payment::Undecided => Self::Undecided,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cause {
    Refunded,
    Cancelled,
    Deleted,
    Disputed,
}

impl From<Cause> for orders::Cause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Refunded => Self::Refunded,
            Cause::Cancelled => Self::Cancelled,
            Cause::Deleted => Self::Deleted,
            Cause::Disputed => Self::Disputed,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Remedy {
    None,
    Later,
    Operator,
}
