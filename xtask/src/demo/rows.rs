//! The rows: what is done, and what must become of it.
//!
//! Owns the story. Every row has a learner of its own, so no row can make up for another.

use super::outcome::{Enrollment, Outcome};
use super::shops::{CAMPUS, ORDER, Shop};
use super::site::{MODE, UNMAPPED};

/// Something that happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The shop sends a webhook about an order.
    Sends(Sends),
    /// The shop sends a webhook that was recorded at a real shop.
    SendsRecorded,
    /// The learner registers in the LMS.
    Registers,
    /// What the row waits for: this is how the enrollment is.
    Comes(Seen),
    /// What the row waits for: this is how Bursar says that the purchases stand.
    Stands(&'static [&'static str]),
}

/// A webhook about an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sends {
    /// The shop's number.
    pub(super) order: &'static str,
    /// What was sold, if it is not what the shop sells.
    pub(super) product: Option<&'static str>,
    /// What happened to it.
    pub(super) event: &'static str,
    /// The status in the platform's words, where it does not follow from that.
    pub(super) status: Option<&'static str>,
    /// Signed with a key that is not the shop's.
    pub(super) forged: bool,
}

/// How an enrollment is seen to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not there.
    Absent,
    /// Active, as it was sold.
    Active,
    /// Switched off.
    Off,
}

impl Seen {
    /// As the LMS says it.
    #[must_use]
    pub(super) fn enrollment(self) -> Enrollment {
        match self {
            Self::Absent => Enrollment::Absent,
            Self::Active => Enrollment::Active(MODE.to_owned()),
            Self::Off => Enrollment::Off(MODE.to_owned()),
        }
    }
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// What it is about.
    pub(super) title: &'static str,
    /// Where.
    pub(super) shop: &'static Shop,
    /// Whom, as the LMS calls them.
    pub(super) username: &'static str,
    /// The orders.
    pub(super) orders: &'static [&'static str],
    /// What happens.
    pub(super) steps: &'static [Step],
    /// What the webhooks must be answered.
    pub(super) answers: &'static [u64],
    /// How the enrollment must be in the end.
    pub(super) enrollment: Seen,
    /// How often the LMS must have been told to change it.
    pub(super) changes: usize,
    /// How Bursar must say that the purchases stand.
    pub(super) purchases: &'static [&'static str],
    /// What must wait for a person.
    pub(super) reviews: &'static [&'static str],
}

impl Row {
    /// The learner's address.
    #[must_use]
    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.username)
    }

    /// What must become of it.
    #[must_use]
    pub(super) fn must_be(&self) -> Outcome {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Outcome {
            answers: self.answers.to_vec(),
            enrollment: self.enrollment.enrollment(),
            changes: self.changes,
            purchases: owned(self.purchases),
            reviews: owned(self.reviews),
        }
    }
}

const PAID: Sends = Sends { order: "", product: None, event: "paid", status: None, forged: false };

/// A row for each of these shops: what is paid there gives the course, and the money back takes it away.
#[must_use]
pub(super) fn there_and_back(shop: &'static Shop) -> Row {
    const PAID_HERE: Sends = Sends { order: ORDER, ..PAID };
    Row {
        title: "paid, then refunded",
        shop,
        username: shop.learner,
        orders: shop.orders,
        steps: &[
            Step::Sends(PAID_HERE),
            Step::Comes(Seen::Active),
            Step::Sends(Sends { event: "refunded", ..PAID_HERE }),
            Step::Comes(Seen::Off),
        ],
        answers: &[200, 200],
        enrollment: Seen::Off,
        changes: 2,
        purchases: shop.ended,
        reviews: &[],
    }
}

/// What happens in the first shop.
pub(super) const ROWS: [Row; 8] = [
    Row {
        title: "paid",
        shop: &CAMPUS,
        username: "ben",
        orders: &["101"],
        steps: &[Step::Sends(Sends { order: "101", ..PAID }), Step::Comes(Seen::Active)],
        answers: &[200],
        enrollment: Seen::Active,
        changes: 1,
        purchases: &["101: owed"],
        reviews: &[],
    },
    Row {
        title: "a real shop's, twice",
        shop: &CAMPUS,
        username: "ada",
        orders: &["42"],
        steps: &[Step::SendsRecorded, Step::SendsRecorded, Step::Comes(Seen::Active)],
        answers: &[200, 200],
        enrollment: Seen::Active,
        changes: 1,
        purchases: &["42: owed"],
        reviews: &[],
    },
    Row {
        title: "paid, then refunded",
        shop: &CAMPUS,
        username: "cleo",
        orders: &["102"],
        steps: &[
            Step::Sends(Sends { order: "102", ..PAID }),
            Step::Comes(Seen::Active),
            Step::Sends(Sends { order: "102", event: "refunded", ..PAID }),
            Step::Comes(Seen::Off),
        ],
        answers: &[200, 200],
        enrollment: Seen::Off,
        changes: 2,
        purchases: &["102: owed no more"],
        reviews: &[],
    },
    Row {
        title: "cash on delivery, unpaid",
        shop: &CAMPUS,
        username: "dan",
        orders: &["103"],
        steps: &[
            Step::Sends(Sends { order: "103", event: "unpaid", status: Some("processing"), ..PAID }),
            Step::Stands(&["103: not paid"]),
        ],
        answers: &[200],
        enrollment: Seen::Absent,
        changes: 0,
        purchases: &["103: not paid"],
        reviews: &[],
    },
    Row {
        title: "product not in the catalog",
        shop: &CAMPUS,
        username: "eve",
        orders: &["104"],
        steps: &[
            Step::Sends(Sends { order: "104", product: Some(UNMAPPED), ..PAID }),
            Step::Stands(&["104: waits for the catalog"]),
        ],
        answers: &[200],
        enrollment: Seen::Absent,
        changes: 0,
        purchases: &["104: waits for the catalog"],
        reviews: &["product-unmapped"],
    },
    Row {
        title: "registers after paying",
        shop: &CAMPUS,
        username: "gwen",
        orders: &["105"],
        steps: &[
            Step::Sends(Sends { order: "105", ..PAID }),
            Step::Stands(&["105: waits for the account"]),
            Step::Registers,
            Step::Comes(Seen::Active),
        ],
        answers: &[200],
        enrollment: Seen::Active,
        changes: 1,
        purchases: &["105: owed"],
        reviews: &[],
    },
    Row {
        title: "two orders, one refunded",
        shop: &CAMPUS,
        username: "finn",
        orders: &["106", "107"],
        steps: &[
            Step::Sends(Sends { order: "106", ..PAID }),
            Step::Sends(Sends { order: "107", ..PAID }),
            Step::Comes(Seen::Active),
            Step::Sends(Sends { order: "106", event: "refunded", ..PAID }),
            Step::Stands(&["106: owed no more", "107: owed"]),
        ],
        answers: &[200, 200, 200],
        enrollment: Seen::Active,
        changes: 1,
        purchases: &["106: owed no more", "107: owed"],
        reviews: &[],
    },
    Row {
        title: "forged signature",
        shop: &CAMPUS,
        username: "mallory",
        orders: &["108"],
        steps: &[Step::Sends(Sends { order: "108", forged: true, ..PAID })],
        answers: &[401],
        enrollment: Seen::Absent,
        changes: 0,
        purchases: &[],
        reviews: &[],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::shops::OTHERS;

    #[test]
    fn no_two_rows_share_a_learner_or_an_order() {
        let rows: Vec<_> = ROWS.into_iter().chain(OTHERS.iter().map(there_and_back)).collect();
        let learners: BTreeSet<_> = rows.iter().map(|row| row.username).collect();
        let orders: Vec<_> =
            rows.iter().flat_map(|row| row.orders.iter().map(|order| (row.shop.name, order))).collect();
        assert_eq!(learners.len(), rows.len());
        assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), orders.len());
    }

    #[test]
    fn every_webhook_has_an_answer_that_it_must_get() {
        for row in ROWS {
            let sent = row.steps.iter().filter(|step| matches!(step, Step::Sends(_) | Step::SendsRecorded)).count();
            assert_eq!(sent, row.answers.len(), "{}", row.title);
        }
    }
}
