//! Asks the ledger the same question without end.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result, orders};

/// The guest.
#[derive(Debug)]
pub struct LooksUpWithoutEnd;

impl Hostile for LooksUpWithoutEnd {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            black_box(orders::known("1"));
        }
    }
}

hostile_guests::guest!(LooksUpWithoutEnd);
