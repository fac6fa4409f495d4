//! Owns the time the simulator believes in; must never be bypassed by reading the system time elsewhere in the model.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// The time of the simulated LMS. Token expiry, throttle windows, deadlines and the course cache all read it.
pub trait Clock: Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// Lets `by` pass at once.
    fn advance(&self, by: Duration);
}

/// Real time, plus whatever it was advanced by.
#[derive(Debug, Default)]
pub struct SystemClock {
    ahead: Mutex<Duration>,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        later(Timestamp::now(), *self.ahead.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
    }
}

/// A time that stands still until it is advanced.
#[derive(Debug)]
pub struct ManualClock {
    at: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { at: Mutex::new(at) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = later(*at, by);
    }
}

/// `at + by`, stopping at the last moment that can be written down.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A moment in the form in which the LMS writes every date: microseconds only when there are any.
pub(crate) fn wire(at: Timestamp) -> String {
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    match at.subsec_nanosecond() / 1000 {
        0 => format!("{seconds}Z"),
        micros => format!("{seconds}.{micros:06}Z"),
    }
}
