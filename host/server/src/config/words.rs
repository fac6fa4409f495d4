//! The words that a configuration chooses between.
//!
//! Owns their spelling and meaning, once for reading, writing and help.

use std::fmt;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$case_doc])* $case,)*
        }

        impl $name {
            /// Every choice with its word.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$case)),*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// How log lines are written.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line, for programs.
        Json = "json",
    }

    /// What a shop's deliveries may do.
    ShopMode {
        /// Everything.
        Live = "live",
        /// Everything but writing to the LMS.
        Observe = "observe",
        /// They are stored and answered; nothing more until the shop is live again.
        Paused = "paused",
    }

    /// An interface beside those that every adapter may use.
    Permission {
        /// The shop's own API.
        Shop = "shop",
        /// Reading from the LMS.
        LmsRead = "lms-read",
        /// Changing the LMS beside the ledger.
        LmsWrite = "lms-write",
    }

    /// What happens when a learner has no account in the LMS yet.
    NoAccount {
        /// The grant is kept until the account appears.
        Wait = "wait",
        /// An account is made.
        Register = "register",
        /// A person is asked.
        Review = "review",
    }

    /// What happens to an enrollment when no grant is left.
    OnRevoke {
        /// It becomes what it was before the first grant.
        Restore = "restore",
        /// It is made inactive.
        Unenroll = "unenroll",
        /// It keeps the least mode of the ladder.
        Downgrade = "downgrade",
        /// It stays.
        Keep = "keep",
        /// A person is asked.
        Review = "review",
    }

    /// What happens when the shop deletes an order.
    OnDelete {
        /// A person is asked; access is kept.
        Review = "review",
        /// Its grants end.
        Revoke = "revoke",
        /// Access is kept.
        Keep = "keep",
    }
}
