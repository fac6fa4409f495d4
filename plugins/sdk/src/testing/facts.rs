//! What an adapter stated, as a test reads it. Later statements about the same thing add to earlier ones.

use std::collections::BTreeMap;

use super::host::orders::{Cause, Payment};
use crate::Instant;

/// How much of the order a statement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// All of it.
    Snapshot,
    /// What it names.
    Patch,
}

/// What was stated about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `orders`")]
pub struct OrderFacts {
    pub id: String,
    pub kind: StatementKind,
    pub revision: Vec<u64>,
    pub number: Option<String>,
    pub fingerprint: Option<String>,
    pub origin: Option<String>,
    pub placed_at: Option<Instant>,
    pub test: bool,
    pub payment: Option<Payment>,
    /// Cause and evidence.
    pub holds: Vec<(Cause, String)>,
    /// Cause and evidence.
    pub lifts: Vec<(Cause, String)>,
    /// Amount, currency and total.
    pub refunded_amount: Option<(String, String, String)>,
    pub learner_email: Option<String>,
    pub reviews: Vec<String>,
    pub lines: Vec<LineFacts>,
    /// Where each line stands, so that an order of thousands is read in good time.
    pub(super) places: BTreeMap<String, usize>,
}

impl OrderFacts {
    pub(super) fn new(id: &str, kind: StatementKind, revision: &[u64]) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            revision: revision.to_vec(),
            number: None,
            fingerprint: None,
            origin: None,
            placed_at: None,
            test: false,
            payment: None,
            holds: Vec::new(),
            lifts: Vec::new(),
            refunded_amount: None,
            learner_email: None,
            reviews: Vec::new(),
            lines: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// The line of this id.
    #[must_use]
    pub fn line(&self, id: &str) -> Option<&LineFacts> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// What was stated about one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `orders`")]
pub struct LineFacts {
    pub id: String,
    pub product: Vec<(String, String)>,
    pub title: String,
    /// Course run and mode.
    pub courses: Vec<(String, Option<String>)>,
    pub parent: Option<String>,
    pub learner_email: Option<String>,
    pub learner_username: Option<String>,
    /// Provider and id.
    pub learner_external: Option<(String, String)>,
    pub quantity: Option<u32>,
    pub refunded_quantity: Option<u32>,
    pub until: Option<Instant>,
    pub holds: Vec<(Cause, String)>,
    pub lifts: Vec<(Cause, String)>,
    pub reviews: Vec<String>,
}

/// A line that the ledger has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `orders`")]
pub struct KnownLine {
    pub id: String,
    pub active: bool,
    pub quantity: u32,
    pub refunded_quantity: u32,
    pub revision: Vec<u64>,
    pub product: Vec<(String, String)>,
    /// Course run and mode.
    pub courses: Vec<(String, String)>,
    pub until: Option<Instant>,
}
