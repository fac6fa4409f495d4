//! Reads at the end of all addresses.

use std::hint::black_box;
use std::ptr::read_volatile;

use hostile_guests::{Hostile, Request, Result, Verdict};

/// The guest.
#[derive(Debug)]
pub struct ReadsBeyondItsMemory;

impl Hostile for ReadsBeyondItsMemory {
    fn authenticate(_: &Request<'_>) -> Result<Verdict> {
        // Nothing is there: that is the point.
        let byte = unsafe { read_volatile(black_box(usize::MAX - 16) as *const u8) };
        Ok(Verdict::ignore(&byte.to_string()))
    }
}

hostile_guests::guest!(ReadsBeyondItsMemory);
