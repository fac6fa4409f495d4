//! Sleeps, and is built of as many parts with tables and memories as a component may be (`tests/end-to-end/src/hostile/made.rs`):
//! whoever keeps them long leaves none to others.

use hostile_guests::wasi::clocks::monotonic_clock;
use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct KeepsManyRooms;

impl Hostile for KeepsManyRooms {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        monotonic_clock::subscribe_duration(5_000_000_000).block();
        Ok(())
    }
}

hostile_guests::guest!(KeepsManyRooms);
