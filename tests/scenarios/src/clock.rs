//! Time that stands still until it is moved.

use std::sync::atomic::{AtomicI64, Ordering};

use bursar_domain::{Clock, Timestamp};

/// When every case begins: 2026-11-23T09:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_795_424_400_000);

/// The host's clock.
#[derive(Debug)]
pub struct CaseClock(AtomicI64);

impl Default for CaseClock {
    fn default() -> Self {
        Self(AtomicI64::new(BEGINNING.as_millis()))
    }
}

impl CaseClock {
    /// Moves it.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for CaseClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
