//! The brake: when a shop takes more access away in an hour than can be meant, removals pause and a person is called.
//!
//! Owns the threshold. Counting and remembering are done by those who call it. What people themselves end, and what ends
//! because its time is over, was announced and does not count.

use std::time::Duration;

use crate::{reason::Reason, statement::Cause, time::Timestamp};

/// The time over which removals are counted.
pub const WINDOW: Duration = Duration::from_secs(3_600);

/// How many removals in [`WINDOW`] are never too many, by default. A small shop that refunds a class does not stop.
pub const REMOVALS_DEFAULT: u32 = 20;

/// The share of a shop's live grants that is never too many, in per cent. A large shop has more refunds in an hour.
pub const SHARE_PER_CENT: u32 = 5;

/// When removals are too many. The greater of the two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// So many in [`WINDOW`] are never too many.
    pub removals: u32,
    /// And such a share of the live grants neither, in per cent.
    pub per_cent: u32,
}

impl Default for Brake {
    fn default() -> Self {
        Self { removals: REMOVALS_DEFAULT, per_cent: SHARE_PER_CENT }
    }
}

impl Brake {
    /// Are `ended` grants within [`WINDOW`], of a shop that has `live` ones left, too many?
    #[must_use]
    pub fn stops(self, ended: u32, live: u32) -> bool {
        let before = u64::from(live) + u64::from(ended);
        let share = before * u64::from(self.per_cent) / 100;
        u64::from(ended) > share.max(u64::from(self.removals))
    }

    /// From when on removals count: within [`WINDOW`], and not those that a person has let pass.
    #[must_use]
    pub fn counted_from(now: Timestamp, released_at: Option<Timestamp>) -> Timestamp {
        let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
        let start = Timestamp::from_millis(now.as_millis().saturating_sub(window));
        released_at.map_or(start, |released_at| released_at.max(start))
    }
}

/// Does the end of a grant for this reason count?
#[must_use]
pub fn counts(reason: &Reason) -> bool {
    match reason {
        Reason::Held { cause } => *cause != Cause::Operator,
        Reason::NotPaid | Reason::QuantityRefunded | Reason::LineGone => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_are_never_too_many_and_of_a_large_shop_a_twentieth() {
        let brake = Brake::default();
        assert!(!brake.stops(20, 0));
        assert!(brake.stops(21, 0));
        assert!(brake.stops(21, 300));
        assert!(!brake.stops(21, 10_000));
        assert!(!brake.stops(500, 9_500));
        assert!(brake.stops(501, 9_499));
    }

    #[test]
    fn what_was_announced_does_not_count() {
        assert!(counts(&Reason::Held { cause: Cause::Refunded }));
        assert!(counts(&Reason::LineGone));
        assert!(!counts(&Reason::Held { cause: Cause::Operator }));
        assert!(!counts(&Reason::Expired));
    }

    #[test]
    fn what_a_person_let_pass_is_not_counted_again() {
        let now = Timestamp::from_millis(10_000_000);
        assert_eq!(Brake::counted_from(now, None), Timestamp::from_millis(6_400_000));
        let released = Timestamp::from_millis(9_000_000);
        assert_eq!(Brake::counted_from(now, Some(released)), released);
        assert_eq!(Brake::counted_from(now, Some(Timestamp::from_millis(1))), Timestamp::from_millis(6_400_000));
    }
}
