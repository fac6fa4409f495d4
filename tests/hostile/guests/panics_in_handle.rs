//! Panics when it is to say what was sold.

use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct PanicsInHandle;

impl Hostile for PanicsInHandle {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        panic!("an order with the id {}", delivery.id())
    }
}

hostile_guests::guest!(PanicsInHandle);
