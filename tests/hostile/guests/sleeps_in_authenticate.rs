//! Sleeps for an hour while a shop waits.

use hostile_guests::{Hostile, Request, Result, Verdict, proven, wasi::clocks::monotonic_clock};

/// The guest.
#[derive(Debug)]
pub struct SleepsInAuthenticate;

impl Hostile for SleepsInAuthenticate {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        monotonic_clock::subscribe_duration(3_600_000_000_000).block();
        proven(request)
    }
}

hostile_guests::guest!(SleepsInAuthenticate);
