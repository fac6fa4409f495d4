//! How many calls were made, by kind.
//!
//! Owns the counters and the names of the kinds, which are also metric labels. Counts requests that were sent, not calls
//! that went well.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        /// What a request asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CallKind { $($(#[$doc])* $name,)* }

        impl CallKind {
            /// Every kind.
            pub const ALL: [Self; kinds!(@count $($name)*)] = [$(Self::$name),*];

            /// The kind as a metric label.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }

        #[derive(Debug, Default)]
        #[allow(non_snake_case, reason = "one counter per kind, named like it")]
        pub(crate) struct Counters { $($name: AtomicU64,)* throttled: AtomicU64 }

        impl Counters {
            fn counter(&self, kind: CallKind) -> &AtomicU64 {
                match kind { $(CallKind::$name => &self.$name,)* }
            }
        }
    };
    (@count $($name:ident)*) => { [$(stringify!($name)),*].len() };
}

kinds! {
    /// A new token.
    Token = "token";
    /// Who the token is.
    WhoAmI = "me";
    /// Accounts by up to a hundred e-mail addresses.
    SearchEmails = "search-emails";
    /// One account.
    ReadAccount = "account";
    /// One enrollment.
    ReadEnrollment = "enrollment";
    /// One page of the list of enrollments.
    ListEnrollments = "enrollments";
    /// A change of an enrollment.
    ChangeEnrollment = "enroll";
    /// A change of an enrollment with the site's API key.
    ChangeEnrollmentWithApiKey = "enroll-with-api-key";
    /// Whether the LMS takes the API key.
    CheckApiKey = "api-key";
    /// Enrollment-allowed records of one address.
    ReadAllowed = "allowed";
    /// A new or deleted enrollment-allowed record.
    ChangeAllowed = "allow";
    /// A new account.
    Register = "register";
    /// Details of a course run.
    ReadCourse = "course";
    /// Modes of a course run.
    ReadModes = "course-modes";
}

impl Counters {
    pub(crate) fn count(&self, kind: CallKind) {
        self.counter(kind).fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> CallCounts {
        CallCounts {
            by_kind: CallKind::ALL.map(|kind| (kind, self.counter(kind).load(Ordering::Relaxed))),
            throttled: self.throttled.load(Ordering::Relaxed),
        }
    }
}

/// Requests sent since the client was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCounts {
    by_kind: [(CallKind, u64); CallKind::ALL.len()],
    /// How many were answered 429.
    pub throttled: u64,
}

impl CallCounts {
    /// How many of this kind.
    #[must_use]
    pub fn of(&self, kind: CallKind) -> u64 {
        self.by_kind.iter().find(|(candidate, _)| *candidate == kind).map_or(0, |(_, count)| *count)
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_kind.iter().map(|(_, count)| count).sum()
    }

    /// Every kind and how many of it.
    pub fn iter(&self) -> impl Iterator<Item = (CallKind, u64)> + '_ {
        self.by_kind.iter().copied()
    }
}
