//! What an operator decided beforehand: the policies of a shop, and the order of the modes.
//!
//! Owns the policies' types and defaults. Where they are written down is the configuration's business.

use std::time::Duration;

use crate::{
    brake::Brake,
    names::{LmsName, Mode, ShopName},
    time::Timestamp,
};

crate::words! {
    /// Whether a shop's orders reach the LMS.
    ShopMode {
        /// Yes.
        Live = "live",
        /// Everything is done but writing to the LMS.
        Observe = "observe",
        /// Deliveries are stored and answered, and wait.
        Paused = "paused",
    }

    /// What to do about a learner whom the LMS does not know.
    NoAccount {
        /// Keep the grant until the account appears.
        Wait = "wait",
        /// Make the account.
        Register = "register",
        /// Ask a person, and keep the grant until the account appears.
        Review = "review",
    }

    /// What to do about an enrollment that no grant backs any more.
    OnRevoke {
        /// Back to what the learner had before Bursar's first change.
        Restore = "restore",
        /// Deactivate it.
        Unenroll = "unenroll",
        /// To the lowest mode of the ladder.
        Downgrade = "downgrade",
        /// Leave it.
        Keep = "keep",
        /// Ask a person.
        Review = "review",
    }

    /// Whether a purchase opens a course run that is closed to others, or a mode whose time is over.
    Force {
        /// No: a person is asked.
        Never = "never",
        /// If it was open when the order was placed.
        IfPaidWhileOpen = "if-paid-while-open",
        /// Whenever the LMS lets itself be forced.
        Always = "always",
    }

    /// What it means that a shop binned or erased an order.
    OnDelete {
        /// Nothing by itself: a person is asked.
        Review = "review",
        /// That the access ends.
        Revoke = "revoke",
        /// Nothing.
        Keep = "keep",
    }
}

/// How long a removal waits by default, so that cancelling and restoring an order never reaches the LMS.
pub const QUIET_TIME_DEFAULT: Duration = Duration::from_secs(15 * 60);

/// How long access outlives the moment that it was paid until, by default: renewals are paid a little late.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(24 * 3_600);

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
    /// Are learners without an account given leave in the LMS beforehand, by enrollment-allowed records?
    pub enrollment_allowed: bool,
    /// What to do when no grant is left.
    pub on_revoke: OnRevoke,
    /// What to do when the last one left has run out.
    pub on_expiry: OnRevoke,
    /// Does a purchase open what is closed?
    pub force: Force,
    /// What deleting an order means.
    pub on_delete: OnDelete,
    /// How long a removal waits.
    pub quiet_time: Duration,
    /// How long access outlives the moment that it was paid until.
    pub grace: Duration,
    /// When so many removals within an hour are too many.
    pub brake: Brake,
    /// Do test orders reach the LMS?
    pub accept_test: bool,
    /// Orders placed before this moment were sold before Bursar.
    pub sold_before: Option<Timestamp>,
    /// The shop's address, as its orders say it. Orders that say another one are a copy's, and are not applied.
    pub origin: Option<String>,
}

impl ShopPolicy {
    /// The policies of a live shop whose operator said nothing else.
    #[must_use]
    pub fn new(shop: ShopName, lms: LmsName, default_mode: Mode) -> Self {
        Self {
            shop,
            lms,
            mode: ShopMode::Live,
            default_mode,
            no_account: NoAccount::Wait,
            enrollment_allowed: false,
            on_revoke: OnRevoke::Restore,
            on_expiry: OnRevoke::Restore,
            force: Force::IfPaidWhileOpen,
            on_delete: OnDelete::Review,
            quiet_time: QUIET_TIME_DEFAULT,
            grace: GRACE_DEFAULT,
            brake: Brake::default(),
            accept_test: false,
            sold_before: None,
            origin: None,
        }
    }
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
