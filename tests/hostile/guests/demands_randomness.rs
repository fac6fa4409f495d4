//! Asks for a hundred million random bytes.

use hostile_guests::{Delivery, Hostile, Result, wasi::random::random};

/// The guest.
#[derive(Debug)]
pub struct DemandsRandomness;

impl Hostile for DemandsRandomness {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        delivery.ignored(&random::get_random_bytes(100_000_000).len().to_string());
        Ok(())
    }
}

hostile_guests::guest!(DemandsRandomness);
