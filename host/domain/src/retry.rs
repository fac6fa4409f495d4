//! When to try again.
//!
//! Owns the schedules of everything that is repeated. The randomness comes from the caller.

use std::time::Duration;

use crate::Timestamp;

/// A growing pause: `first`, then `factor` times as long each time, never longer than `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The pause after the first try.
    pub first: Duration,
    /// How much longer each following one is.
    pub factor: u32,
    /// The longest.
    pub longest: Duration,
}

/// How far a pause is spread to either side, in per mille, so that what failed together is not tried again together.
pub const SPREAD_PER_MILLE: u32 = 200;

impl Schedule {
    /// The pause after this many tries (from 1). `dice` is any number; equal numbers give equal pauses. A longer `wish`
    /// of the other side is granted up to the longest pause.
    #[must_use]
    pub fn pause(&self, tries: u32, dice: u32, wish: Option<Duration>) -> Duration {
        let grown = self.factor.saturating_pow(tries.saturating_sub(1).min(31));
        let even = self.first.saturating_mul(grown).min(self.longest);
        spread(even, dice).max(wish.unwrap_or_default()).min(self.longest)
    }
}

/// The pause, spread to either side by [`SPREAD_PER_MILLE`]. Equal dice give equal pauses.
#[must_use]
pub fn spread(pause: Duration, dice: u32) -> Duration {
    let per_mille = 1_000 - SPREAD_PER_MILLE + dice % (2 * SPREAD_PER_MILLE + 1);
    pause.saturating_mul(per_mille) / 1_000
}

/// How long a `Retry-After` asks to wait: a number of seconds, or a date (RFC 9110, section 10.2.3), which is counted by the
/// clock of whoever named it (`date`, from the same answer) or else ours. None if it is neither; nothing if it has passed.
#[must_use]
pub fn after(retry_after: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let seconds = match retry_after.trim().parse() {
        Ok(seconds) => seconds,
        // Rounded up: a date has no fractions of a second, and too early is as good as never.
        Err(_) => {
            let now = date.and_then(http_date).unwrap_or(now);
            http_date(retry_after)?.since(now).as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
        }
    };
    Some(Duration::from_secs(seconds))
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Timestamp::from_millis(parsed.as_millisecond()))
}

/// How long after it was found right an enrollment is looked at again, by default. A hundred cost one call.
pub const LOOK_AGAIN_DEFAULT: Duration = Duration::from_secs(24 * 3_600);

/// Of deliveries whose adapter failed or asked for time: 10 s, 40 s, 160 s, … 6 h. With [`DELIVERY_TRIES`] that is about two
/// days.
pub const DELIVERIES: Schedule =
    Schedule { first: Duration::from_secs(10), factor: 4, longest: Duration::from_secs(6 * 3_600) };

/// How many tries of a delivery count before it is given up and shown as failed.
pub const DELIVERY_TRIES: u32 = 14;

/// Of everything that is asked of an LMS: 1 s, 2 s, 4 s, … 5 min, for ever. Paid work is not given up.
pub const LMS: Schedule = Schedule { first: Duration::from_secs(1), factor: 2, longest: Duration::from_secs(300) };

/// How long a delivery waits for a person before it is looked at again, in case that they have mended it.
pub const FOR_A_PERSON: Duration = Duration::from_secs(300);

/// After this long of waiting for an account a person is told.
pub const ACCOUNT_TELL_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// How long a look-up of an account serves new grants. Addresses change hands and accounts retire, so a grant that begins
/// later has the learner looked up again; what was given before stays where it is.
pub const ACCOUNT_TRUSTED_FOR: Duration = Duration::from_secs(300);

/// The time in which an LMS counts registrations: seven days, unless its operator says otherwise (`docs/lms.md`).
pub const REGISTRATION_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// After the LMS refused to register anybody (its limit, or the form is closed or wants other fields), how long nobody is
/// registered: failed tries count there, and four a day leave most of its 60 for learners.
pub const REGISTRATION_PAUSE: Duration = Duration::from_secs(6 * 3_600);

/// After the LMS refused to register one learner, how long they are only waited for.
pub const REGISTRATION_PAUSE_OF_ONE: Duration = Duration::from_secs(86_400);

/// The pause between two look-ups of a learner who has no account yet, by how long they have been waited for. Most people
/// register within minutes of paying; looking is cheap, a hundred addresses a call.
#[must_use]
pub fn account_pause(waited: Duration) -> Duration {
    match waited.as_secs() {
        0..600 => Duration::from_secs(5),
        600..3_600 => Duration::from_secs(30),
        3_600..86_400 => Duration::from_secs(120),
        86_400..604_800 => Duration::from_secs(900),
        _ => Duration::from_secs(3_600),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pause_stays_within_its_bounds_whatever_the_dice_and_the_wish(
            tries in 0_u32..1_000, dice in any::<u32>(), wish in proptest::option::of(0_u64..1_000_000)
        ) {
            let wish = wish.map(Duration::from_secs);
            let pause = LMS.pause(tries, dice, wish);
            prop_assert!(pause <= LMS.longest);
            prop_assert!(pause >= LMS.first * (1_000 - SPREAD_PER_MILLE) / 1_000);
            if let Some(wish) = wish {
                prop_assert!(pause >= wish.min(LMS.longest));
            }
        }
    }

    #[test]
    fn pauses_grow() {
        let middle = SPREAD_PER_MILLE;
        let pauses: Vec<u64> = (1..=5).map(|tries| DELIVERIES.pause(tries, middle, None).as_secs()).collect();
        assert_eq!(pauses, [10, 40, 160, 640, 2_560]);
    }
}
