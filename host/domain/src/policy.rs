//! What an operator decided beforehand: the policies of a shop, and the order of the modes.
//!
//! Owns the policies' types and defaults. Where they are written down is the configuration's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    names::{LmsName, Mode, ShopName},
    time::Timestamp,
};

/// Whether a shop's orders reach the LMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShopMode {
    /// Yes.
    #[default]
    Live,
    /// Everything is done but writing to the LMS.
    Observe,
    /// Deliveries are stored and answered, and wait.
    Paused,
}

/// What to do about a learner whom the LMS does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoAccount {
    /// Keep the grant until the account appears.
    #[default]
    Wait,
    /// Make the account.
    Register,
    /// Ask a person.
    Review,
}

/// What to do about an enrollment that no grant backs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnRevoke {
    /// Back to what the learner had before Bursar's first change.
    #[default]
    Restore,
    /// Deactivate it.
    Unenroll,
    /// To the lowest mode of the ladder.
    Downgrade,
    /// Leave it.
    Keep,
    /// Ask a person.
    Review,
}

/// What it means that a shop binned or erased an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDelete {
    /// Nothing by itself: a person is asked.
    #[default]
    Review,
    /// That the access ends.
    Revoke,
    /// Nothing.
    Keep,
}

/// How long a removal waits by default, so that cancelling and restoring an order never reaches the LMS.
pub const QUIET_TIME_DEFAULT: Duration = Duration::from_secs(15 * 60);

/// The policies of one shop, as far as they decide about orders and enrollments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopPolicy {
    /// The shop.
    pub shop: ShopName,
    /// Where its learners learn.
    pub lms: LmsName,
    /// Whether its orders reach the LMS.
    pub mode: ShopMode,
    /// The mode of a course that is mapped or named without one.
    pub default_mode: Mode,
    /// What to do about learners without an account.
    pub no_account: NoAccount,
    /// What to do when no grant is left.
    pub on_revoke: OnRevoke,
    /// What deleting an order means.
    pub on_delete: OnDelete,
    /// How long a removal waits.
    pub quiet_time: Duration,
    /// Do test orders reach the LMS?
    pub accept_test: bool,
    /// Orders placed before this moment were sold before Bursar.
    pub sold_before: Option<Timestamp>,
}

/// The modes that Bursar may set, from least to most. A mode outside it is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeLadder(Vec<Mode>);

impl ModeLadder {
    /// A ladder of these modes, the least first.
    #[must_use]
    pub fn new(modes: Vec<Mode>) -> Self {
        Self(modes)
    }

    /// How high the mode stands; none if it is not on the ladder.
    #[must_use]
    pub fn rank(&self, mode: &Mode) -> Option<usize> {
        self.0.iter().position(|candidate| candidate == mode)
    }

    /// The highest of these modes; of modes outside the ladder none.
    #[must_use]
    pub fn best<'a>(&self, modes: impl IntoIterator<Item = &'a Mode>) -> Option<&'a Mode> {
        modes.into_iter().filter(|mode| self.rank(mode).is_some()).max_by_key(|mode| self.rank(mode))
    }

    /// The lowest mode.
    #[must_use]
    pub fn lowest(&self) -> Option<&Mode> {
        self.0.first()
    }
}
