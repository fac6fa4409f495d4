//! Waiting for something to become true, with an end.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine that does other work too.
pub const LONG: Duration = Duration::from_secs(45);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something, and gives it.
///
/// # Panics
/// When there is nothing when the time is over; `what` says what was waited for.
pub fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LONG;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain: {what}", LONG.as_secs());
        sleep(LOOK_EVERY);
    }
}

/// Looks until it is so.
///
/// # Panics
/// When it is not so when the time is over; `what` says what was waited for.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    until_some(what, || is_so().then_some(()));
}

/// Looks for so long that it stays so: for what must not happen.
///
/// # Panics
/// When it is not so at any look.
pub fn throughout(time: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert!(is_so(), "it did not stay so: {what}");
        sleep(LOOK_EVERY);
    }
}
