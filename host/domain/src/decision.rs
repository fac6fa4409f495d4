//! What people decided about orders. A decision is pinned: no later fact undoes it, and a fact that speaks against it is
//! shown.
//!
//! Owns the decisions' form. What follows from them is decided where the rule is that they overrule: [`crate::ledger`] and
//! [`crate::grants`]. That a person bars a line needs no form of its own: it is a hold whose cause is the operator.

use crate::{
    ids::{DecisionId, LineId},
    names::{CourseRun, Mode},
    statement::{Cause, Identity},
    time::Timestamp,
};

/// A decision about an order, or about one line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Ours.
    pub id: DecisionId,
    /// The line it is about; the whole order where there is none.
    pub line: Option<LineId>,
    /// What was decided.
    pub ruling: Ruling,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The order counts as paid, whatever the shop says of the money: an invoice that will be settled, say.
    Approved,
    /// The cause does not hold, whatever the shop says.
    Lifted {
        /// Which.
        cause: Cause,
    },
    /// This learner has this seat of the line. Seat 1 is the learner's whom the order names.
    Seated {
        /// From 1.
        seat: u32,
        /// Who.
        learner: Identity,
    },
    /// The line sells these, whatever the catalog says.
    Sells {
        /// Which runs, in which modes.
        courses: Vec<(CourseRun, Mode)>,
    },
}

crate::words! {
    /// The kinds of decision, for tables and logs.
    RulingKind {
        /// [`Ruling::Approved`].
        Approved = "approved",
        /// [`Ruling::Lifted`].
        Lifted = "lifted",
        /// [`Ruling::Seated`].
        Seated = "seated",
        /// [`Ruling::Sells`].
        Sells = "sells",
    }
}

impl Ruling {
    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> RulingKind {
        match self {
            Self::Approved => RulingKind::Approved,
            Self::Lifted { .. } => RulingKind::Lifted,
            Self::Seated { .. } => RulingKind::Seated,
            Self::Sells { .. } => RulingKind::Sells,
        }
    }

    /// Does a newer decision of this kind take the place of `older`? Of two about one thing the newer counts.
    #[must_use]
    pub fn replaces(&self, older: &Self) -> bool {
        match (self, older) {
            (Self::Lifted { cause }, Self::Lifted { cause: other }) => cause == other,
            (Self::Seated { seat, .. }, Self::Seated { seat: other, .. }) => seat == other,
            _ => self.kind() == older.kind(),
        }
    }
}

crate::words! {
    /// What a person answers to a review.
    Answer {
        /// Seen, and nothing is to be done.
        Noted = "noted",
        /// The access stays as it is.
        Keep = "keep",
        /// The access ends.
        Take = "take",
        /// What was paused or refused is tried once more.
        Again = "again",
    }
}
