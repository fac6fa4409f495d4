//! Computes without end, and looks something up between so that it seems to wait.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result, orders};

/// The guest.
#[derive(Debug)]
pub struct HidesItsComputing;

impl Hostile for HidesItsComputing {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            for count in 0..3_000_000_u64 {
                black_box(count);
            }
            black_box(orders::known("1"));
        }
    }
}

hostile_guests::guest!(HidesItsComputing);
