//! Computes without end when it is to say what was sold.

use hostile_guests::{Delivery, Hostile, Result, spin};

/// The guest.
#[derive(Debug)]
pub struct SpinsInHandle;

impl Hostile for SpinsInHandle {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        spin()
    }
}

hostile_guests::guest!(SpinsInHandle);
