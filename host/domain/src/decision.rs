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
    /// What a person did, for the audit trail.
    Deed {
        /// Had the order count as paid.
        Approved = "approved",
        /// Said that a cause does not hold.
        Lifted = "lifted",
        /// Ended the access of an order or a line.
        Revoked = "revoked",
        /// Took that back.
        Restored = "restored",
        /// Named the learner of a seat.
        Seated = "seated",
        /// Had a line sell other course runs.
        Moved = "moved",
        /// Had an order give up its id.
        SetAside = "set-aside",
        /// Gave access without any shop's order.
        Gave = "gave",
        /// Had lines mapped anew, by the catalog as it is now.
        Remapped = "remapped",
        /// Answered a review: seen, and nothing is to be done.
        Noted = "noted",
        /// Answered a review: the access stays.
        Kept = "kept",
        /// Answered a review: the access ends.
        Took = "took",
        /// Answered a review: what was paused or refused is tried once more.
        TriedAgain = "tried-again",
    }
}

impl Deed {
    /// In words that follow a person's name.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Approved => "approved the order",
            Self::Lifted => "lifted a hold",
            Self::Revoked => "revoked the access",
            Self::Restored => "restored the access",
            Self::Seated => "gave a seat to a learner",
            Self::Moved => "moved the line to another course run",
            Self::SetAside => "set the order aside",
            Self::Gave => "gave access by hand",
            Self::Remapped => "had the line mapped anew",
            Self::Noted => "answered the review: noted",
            Self::Kept => "answered the review: the access stays",
            Self::Took => "answered the review: the access ends",
            Self::TriedAgain => "answered the review: once more",
        }
    }
}

impl From<Answer> for Deed {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Noted => Self::Noted,
            Answer::Keep => Self::Kept,
            Answer::Take => Self::Took,
            Answer::Again => Self::TriedAgain,
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
