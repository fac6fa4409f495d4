//! Sleeps for an hour when it is to say what it is.

use hostile_guests::{Description, Hostile, described, wasi::clocks::monotonic_clock};

/// The guest.
#[derive(Debug)]
pub struct DescribesAsleep;

impl Hostile for DescribesAsleep {
    fn describe(name: &str) -> Description {
        monotonic_clock::subscribe_duration(3_600_000_000_000).block();
        described(name)
    }
}

hostile_guests::guest!(DescribesAsleep);
