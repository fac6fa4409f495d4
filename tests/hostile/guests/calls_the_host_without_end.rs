//! Asks the host for the same small thing without end.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct CallsTheHostWithoutEnd;

impl Hostile for CallsTheHostWithoutEnd {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        loop {
            black_box(delivery.attempt());
        }
    }
}

hostile_guests::guest!(CallsTheHostWithoutEnd);
