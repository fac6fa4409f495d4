//! Names an order by an id that is too long to be kept.

use hostile_guests::{Delivery, Hostile, Result, orders};

/// The guest.
#[derive(Debug)]
pub struct NamesWhatItCannot;

impl Hostile for NamesWhatItCannot {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let _ = orders::patch("x".repeat(10_000), &[1]);
        Ok(())
    }
}

hostile_guests::guest!(NamesWhatItCannot);
