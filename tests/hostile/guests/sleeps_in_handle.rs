//! Sleeps for an hour when it is to say what was sold.

use hostile_guests::{Delivery, Hostile, Result, wasi::clocks::monotonic_clock};

/// The guest.
#[derive(Debug)]
pub struct SleepsInHandle;

impl Hostile for SleepsInHandle {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        monotonic_clock::subscribe_duration(3_600_000_000_000).block();
        Ok(())
    }
}

hostile_guests::guest!(SleepsInHandle);
