//! Calls itself until its stack ends.

use hostile_guests::{Delivery, Hostile, Result, log};

/// The guest.
#[derive(Debug)]
pub struct RecursesWithoutEnd;

impl Hostile for RecursesWithoutEnd {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        log::info(&deeper(0).to_string());
        Ok(())
    }
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { deeper(depth + 1).wrapping_mul(3).rotate_left(5) ^ depth }
}

hostile_guests::guest!(RecursesWithoutEnd);
