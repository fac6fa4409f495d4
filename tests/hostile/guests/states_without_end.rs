//! States one order after the other.

use hostile_guests::{Delivery, Hostile, Result, orders};

/// The guest.
#[derive(Debug)]
pub struct StatesWithoutEnd;

impl Hostile for StatesWithoutEnd {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        for id in 0..u64::MAX {
            let _ = orders::patch(id, &[1]);
        }
        Ok(())
    }
}

hostile_guests::guest!(StatesWithoutEnd);
