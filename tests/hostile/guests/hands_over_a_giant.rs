//! Hands a text of forty million letters to the host.

use hostile_guests::{Delivery, Hostile, Result, log};

/// The guest.
#[derive(Debug)]
pub struct HandsOverAGiant;

impl Hostile for HandsOverAGiant {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        log::info(&"x".repeat(40 << 20));
        Ok(())
    }
}

hostile_guests::guest!(HandsOverAGiant);
