//! Has the host name the same line again and again, and never gives a name back.

use hostile_guests::{Delivery, Hostile, Result, orders};
use std::mem::forget;

/// The guest.
#[derive(Debug)]
pub struct LeaksHandlesOfTheHost;

impl Hostile for LeaksHandlesOfTheHost {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let order = orders::patch("1", &[1]);
        loop {
            forget(order.line("1"));
        }
    }
}

hostile_guests::guest!(LeaksHandlesOfTheHost);
