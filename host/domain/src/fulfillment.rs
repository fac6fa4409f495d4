//! What to do next about one enrollment: (account, course run) in one LMS.
//!
//! Owns the rule that what we did not give we do not take, and that nobody loses a better mode by accident. Decides from
//! what is known; reading the LMS, writing to it and remembering are done by those who call it.

mod refused;

pub use refused::{Next, Obstacle, Purchase, Refused, RunFacts, Way, after_refusal};
use serde::{Deserialize, Serialize};

use crate::{
    names::Mode,
    policy::{ModeLadder, OnRevoke},
    reason::{Concern, Reason},
    time::Timestamp,
};

/// What the LMS says of one account and course run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Seen {
    /// There is no enrollment.
    Absent,
    /// There is one, switched off.
    Inactive {
        /// In this mode.
        mode: Mode,
    },
    /// There is one.
    Active {
        /// In this mode.
        mode: Mode,
    },
}

impl Seen {
    /// The mode, if the enrollment is active.
    #[must_use]
    pub fn active_mode(&self) -> Option<&Mode> {
        match self {
            Self::Active { mode } => Some(mode),
            Self::Absent | Self::Inactive { .. } => None,
        }
    }
}

/// What we know of our own doings at an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// What was there before our first change.
    pub baseline: Option<Seen>,
    /// Every mode that we set here since then. Empty while there is no baseline.
    pub given: Vec<Mode>,
    /// What we last brought about or found right while a grant was live, and when.
    pub satisfied_at: Option<Timestamp>,
}

/// A live grant, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveGrant {
    /// What it owes.
    pub mode: Mode,
    /// Since when.
    pub since: Timestamp,
    /// Was it sold before Bursar was there? Then whoever is not enrolled any more was, and has left or was taken out.
    pub earlier_sale: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing {
        /// Why.
        reason: Reason,
    },
    /// Enroll, or change the mode of, an active enrollment.
    Enroll {
        /// Into this mode.
        mode: Mode,
        /// Why.
        reason: Reason,
    },
    /// Switch the enrollment off, if it is still in this mode.
    Unenroll {
        /// The guard.
        mode: Mode,
        /// Why.
        reason: Reason,
    },
    /// Ask a person.
    Ask {
        /// What.
        concern: Concern,
        /// Why.
        reason: Reason,
    },
}

/// Decides.
///
/// With live grants, where *owed* is the best of their modes and of an active baseline:
///
/// | the LMS says | and | then |
/// |---|---|---|
/// | absent | | enroll in what is owed |
/// | inactive | we had satisfied the newest grant before | nothing: the learner left |
/// | inactive | all of it was sold before Bursar, and we never changed anything | nothing: the learner left |
/// | inactive | otherwise | enroll in what is owed |
/// | active in what is owed | | nothing |
/// | active in a mode outside the ladder | | nothing |
/// | anything else than was sold | and that is a mode outside the ladder | a person is asked |
/// | active in less | | upgrade |
/// | active in more | a mode that we gave | lower to what is owed |
/// | active in more | otherwise | nothing |
///
/// Without live grants, where *before* is the baseline:
///
/// | the LMS says | and | then |
/// |---|---|---|
/// | anything | we never changed anything | nothing |
/// | absent or inactive | | nothing |
/// | active | in a mode that we did not give | nothing |
/// | active | policy `keep` / `review` | nothing / ask |
/// | active | before was active, policy `restore` | back to that mode |
/// | active | policy `downgrade` | to the lowest mode |
/// | active | otherwise | unenroll, guarded by the mode |
#[must_use]
pub fn decide(
    grants: &[LiveGrant],
    history: &History,
    seen: &Seen,
    ladder: &ModeLadder,
    on_revoke: OnRevoke,
) -> Action {
    if grants.is_empty() {
        return without_grants(history, seen, ladder, on_revoke);
    }
    let baseline = history.baseline.as_ref().and_then(Seen::active_mode);
    let Some(owed) = ladder.best(grants.iter().map(|grant| &grant.mode).chain(baseline)) else {
        // Sold in a mode outside the ladder: given where nothing is there, never used to change anything; but somebody paid.
        return match (seen, grants.first()) {
            (Seen::Absent, Some(grant)) => Action::Enroll { mode: grant.mode.clone(), reason: Reason::Bought },
            (Seen::Active { mode }, Some(grant)) if *mode == grant.mode => {
                Action::Nothing { reason: Reason::AlreadyRight }
            }
            (Seen::Active { .. } | Seen::Inactive { .. }, Some(grant)) => {
                let mode = grant.mode.clone();
                Action::Ask {
                    concern: Concern::EnrollmentRefused {
                        obstacle: Obstacle::SoldOutsideLadder { mode: mode.clone() },
                    },
                    reason: Reason::ModeOutsideLadder { mode },
                }
            }
            (_, None) => Action::Nothing { reason: Reason::NothingGiven },
        };
    };
    let enroll = |reason| Action::Enroll { mode: owed.clone(), reason };
    match seen {
        Seen::Absent => enroll(Reason::Bought),
        Seen::Inactive { .. } => {
            let newest = grants.iter().map(|grant| grant.since).max();
            let satisfied = history.satisfied_at.is_some() && history.satisfied_at >= newest;
            let earlier = history.given.is_empty() && grants.iter().all(|grant| grant.earlier_sale);
            if satisfied || earlier { Action::Nothing { reason: Reason::Left } } else { enroll(Reason::Bought) }
        }
        Seen::Active { mode } if mode == owed => Action::Nothing { reason: Reason::AlreadyRight },
        Seen::Active { mode } => match (ladder.rank(mode), ladder.rank(owed)) {
            (None, _) => Action::Nothing { reason: Reason::ModeOutsideLadder { mode: mode.clone() } },
            (Some(has), owes) if Some(has) < owes => enroll(Reason::Upgraded { from: mode.clone() }),
            _ if history.given.contains(mode) => enroll(Reason::LoweredToRemaining),
            _ => Action::Nothing { reason: Reason::HasBetter { mode: mode.clone() } },
        },
    }
}

fn without_grants(history: &History, seen: &Seen, ladder: &ModeLadder, on_revoke: OnRevoke) -> Action {
    let nothing = |reason| Action::Nothing { reason };
    if history.given.is_empty() {
        return nothing(Reason::NothingGiven);
    }
    let Seen::Active { mode } = seen else { return nothing(Reason::AlreadyGone) };
    if !history.given.contains(mode) {
        return nothing(Reason::NotOurs { mode: mode.clone() });
    }
    let before = history.baseline.as_ref().and_then(Seen::active_mode);
    let unenroll = || Action::Unenroll { mode: mode.clone(), reason: Reason::Restored };
    let change_to = |target: &Mode| {
        if target == mode {
            nothing(Reason::AlreadyRight)
        } else {
            Action::Enroll { mode: target.clone(), reason: Reason::Restored }
        }
    };
    match (on_revoke, before) {
        (OnRevoke::Keep, _) => nothing(Reason::Kept),
        (OnRevoke::Review, _) => Action::Ask {
            concern: Concern::Revoke { reason: Box::new(Reason::AskBeforeRevoke) },
            reason: Reason::AskBeforeRevoke,
        },
        (OnRevoke::Restore, Some(before)) => change_to(before),
        (OnRevoke::Downgrade, _) => ladder.lowest().map_or_else(unenroll, change_to),
        (OnRevoke::Restore | OnRevoke::Unenroll, _) => unenroll(),
    }
}

#[cfg(test)]
mod tests;
