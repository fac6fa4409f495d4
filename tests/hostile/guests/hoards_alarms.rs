//! Sets one alarm after the other, and waits for none.

use hostile_guests::{Delivery, Hostile, Result, wasi::clocks::monotonic_clock};

/// The guest.
#[derive(Debug)]
pub struct HoardsAlarms;

impl Hostile for HoardsAlarms {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let mut kept = Vec::new();
        loop {
            kept.push(monotonic_clock::subscribe_duration(3_600_000_000_000));
        }
    }
}

hostile_guests::guest!(HoardsAlarms);
