//! What to do when the LMS refuses to enroll somebody who paid.
//!
//! Owns the ways round a closed door and who may take them. The LMS gives one answer for closed, not yet open, by invitation
//! only, full and vetoed; what the course run says of itself tells most of them apart (`docs/lms.md`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{fulfillment::Seen, names::Mode, policy::Force, time::Timestamp};

/// A way of asking for an enrollment. Where there are several, they are tried in this order, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// With mode and activation, as ever.
    Plain,
    /// Without a mode: an inactive enrollment keeps the one it has, even if that has expired.
    KeepMode,
    /// By force. Works for new enrollments only, and never for a full course.
    Force,
    /// With the site's API key, which alone may change an enrollment into a mode that has expired.
    ApiKey,
}

/// What the LMS said no to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The mode: not offered, or no longer.
    Mode,
    /// The enrollment, without saying why.
    Enrollment,
}

/// What a course run says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFacts {
    /// When enrollment begins; none if it always has.
    pub opens: Option<Timestamp>,
    /// When it ends; none if it never does.
    pub closes: Option<Timestamp>,
    /// Must learners be invited?
    pub invitation_only: bool,
    /// Its modes, each with the end of its time. Those that have expired are among them.
    pub modes: Vec<(Mode, Option<Timestamp>)>,
}

/// What is known of the purchase and of what may be done for it.
#[derive(Debug, Clone, Copy)]
pub struct Purchase<'a> {
    /// What is owed.
    pub mode: &'a Mode,
    /// When it was bought.
    pub sold_at: Timestamp,
    /// The shop's policy.
    pub force: Force,
    /// Is there an API key for this LMS?
    pub has_api_key: bool,
}

/// What stands in the way of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Obstacle {
    /// Enrollment has ended.
    Closed,
    /// By invitation only.
    InvitationOnly,
    /// Nothing is closed, so it is likely full, or a plugin of the site said no.
    LikelyFull,
    /// The mode's time is over; for an upgrade this is the upgrade deadline.
    ModeExpired {
        /// Which mode.
        mode: Mode,
    },
    /// The course run has no such mode.
    ModeNotOffered {
        /// Which mode.
        mode: Mode,
    },
    /// It was sold in a mode that Bursar changes no enrollment to, and there is one.
    SoldOutsideLadder {
        /// Which mode.
        mode: Mode,
    },
    /// Something else, by the LMS client's code.
    Other {
        /// The code.
        refusal: String,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("enrollment in the course run has ended"),
            Self::InvitationOnly => f.write_str("the course run is by invitation only"),
            Self::LikelyFull => {
                f.write_str("the course run is open, so it is likely full, or a plugin of the site said no")
            }
            Self::ModeExpired { mode } => write!(f, "the time of mode {mode} is over in this course run"),
            Self::ModeNotOffered { mode } => write!(f, "the course run has no mode {mode}"),
            Self::SoldOutsideLadder { mode } => {
                write!(
                    f,
                    "sold as {mode}, which is no mode that Bursar changes an enrollment to, and there is one already"
                )
            }
            Self::Other { refusal } => f.write_str(refusal),
        }
    }
}

/// What to do after a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask in this way.
    Try(Way),
    /// Enrollment begins then: ask again.
    WaitUntil(Timestamp),
    /// Nothing more: a person is told.
    GiveUp(Obstacle),
}

/// Decides what to do after the LMS refused an enrollment that was asked for in the way `tried`.
///
/// *May open* means that the shop's policy is `always`, or `if-paid-while-open` and the order was placed while the course
/// run, or the mode, was open.
///
/// | refused | the LMS has | the course run | then |
/// |---|---|---|---|
/// | the enrollment | nothing | has not opened | force if `always`, else wait until it opens |
/// | the enrollment | nothing | has closed | force if the purchase may open it |
/// | the enrollment | nothing | is by invitation only | force if `always` |
/// | the enrollment | anything | is open | nothing: likely full, which force does not help |
/// | the mode | an inactive enrollment in that mode | | activate it without naming the mode |
/// | the mode | nothing | had it, and its time is over | force if the purchase may open it |
/// | the mode | another enrollment | had it, and its time is over | the API key, if there is one and the purchase may open it |
/// | the mode | | never had it | nothing |
/// | anything, in such a way | | | nothing |
#[must_use]
pub fn after_refusal(
    tried: Way,
    refused: Refused,
    seen: &Seen,
    run: &RunFacts,
    purchase: &Purchase<'_>,
    now: Timestamp,
) -> Next {
    let may_open = |closed_at: Option<Timestamp>| match purchase.force {
        Force::Always => true,
        Force::IfPaidWhileOpen => closed_at.is_some_and(|closed_at| purchase.sold_at < closed_at),
        Force::Never => false,
    };
    match refused {
        Refused::Enrollment => {
            let (obstacle, opens_by_force) = if run.invitation_only {
                (Obstacle::InvitationOnly, purchase.force == Force::Always)
            } else if let Some(opens) = run.opens.filter(|opens| *opens > now) {
                if purchase.force != Force::Always || tried != Way::Plain {
                    return Next::WaitUntil(opens);
                }
                (Obstacle::Closed, true)
            } else if run.closes.is_some_and(|closes| closes <= now) {
                (Obstacle::Closed, may_open(run.closes))
            } else {
                (Obstacle::LikelyFull, false)
            };
            if tried == Way::Plain && opens_by_force && *seen == Seen::Absent {
                Next::Try(Way::Force)
            } else if tried == Way::Force {
                // Force opens all other doors.
                Next::GiveUp(Obstacle::LikelyFull)
            } else {
                Next::GiveUp(obstacle)
            }
        }
        Refused::Mode => {
            let expires = run.modes.iter().find(|(mode, _)| mode == purchase.mode).map(|(_, expires)| *expires);
            let Some(expires) = expires else {
                return Next::GiveUp(Obstacle::ModeNotOffered { mode: purchase.mode.clone() });
            };
            let way = match seen {
                Seen::Inactive { mode } if mode == purchase.mode => Some(Way::KeepMode),
                Seen::Absent => may_open(expires).then_some(Way::Force),
                Seen::Active { .. } | Seen::Inactive { .. } => {
                    (purchase.has_api_key && may_open(expires)).then_some(Way::ApiKey)
                }
            };
            match way {
                Some(way) if tried == Way::Plain => Next::Try(way),
                _ => Next::GiveUp(Obstacle::ModeExpired { mode: purchase.mode.clone() }),
            }
        }
    }
}

#[cfg(test)]
mod tests;
